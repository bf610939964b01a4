import { bottleneck } from './bottleneck.ts'
import { classify, judge } from './classify.ts'
import { elsewhere } from './elsewhere.ts'
import { heads } from './heads.ts'
import { stop } from './stops.ts'
import { ablate, sameNumbers, shuffle } from './transformer.ts'
import { decodeSteps, translate, translateText } from './translate.ts'
import { attendAround, attendOnce, constraints, timing } from './vectors.ts'

/** Everything that lessons ask the worker for, by name. */
export const tasks = {
  ablate,
  attendAround,
  attendOnce,
  bottleneck,
  classify,
  constraints,
  decodeSteps,
  elsewhere,
  heads,
  judge,
  sameNumbers,
  shuffle,
  stop,
  timing,
  translate,
  translateText,
} as const

export type Tasks = typeof tasks
