import { x1, x2, x3, x4, x5 } from './classifiers.ts'
import { x18 } from './coverage.ts'
import { x20 } from './embeddings.ts'
import type { Experiment } from './experiment.ts'
import { x11 } from './hard.ts'
import { x6, x7, x8, x22 } from './pairs.ts'
import { x21 } from './positions.ts'
import { x9, x10 } from './scores.ts'

/** All experiments, in their order. */
export const experiments: readonly Experiment[] = [
  x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x18, x20, x21, x22,
] // biome-ignore format: a list
