import { x1, x2, x3, x4, x5 } from './classifiers.ts'
import type { Experiment } from './experiment.ts'
import { x6, x7, x8 } from './pairs.ts'
import { x10 } from './scores.ts'

/** All experiments, in their order. */
export const experiments: readonly Experiment[] = [x1, x2, x3, x4, x5, x6, x7, x8, x10]
