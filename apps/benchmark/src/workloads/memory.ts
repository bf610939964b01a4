import type { Variant, Workload } from '../workload.ts'
import { trainingStep as encoderStep } from './encoder.ts'
import { trainingStep as seq2seqStep } from './seq2seq.ts'

// (i) Resident memory over 200 training steps of (e) and (f), with all cores. What does not get to its last step in a cell's
// time does so under a name of its own.

const LONG = 280_000

const over200Steps = (name: string, step: Variant): readonly Variant[] => {
  const cut: Variant = { ...step, name, kind: 'memory', threads: 'most' }
  return [cut, { ...cut, name: `${name}-to-the-end`, longMs: LONG }]
}

export const memory: Workload = {
  name: 'memory',
  letter: 'i',
  title: 'Memory over 200 training steps',
  variants: [...over200Steps('encoder', encoderStep), ...over200Steps('seq2seq', seq2seqStep)],
}
