import type { Variant, Workload } from '../workload.ts'
import { trainingStep as encoderStep } from './encoder.ts'
import { trainingStep as seq2seqStep } from './seq2seq.ts'

// (i) Resident memory over 200 training steps of (e) and (f), with all cores.

const over200Steps = (name: string, step: Variant): Variant => ({
  ...step,
  name,
  kind: 'memory',
  threads: 'most',
})

export const memory: Workload = {
  name: 'memory',
  letter: 'i',
  title: 'Memory over 200 training steps',
  variants: [over200Steps('encoder', encoderStep), over200Steps('seq2seq', seq2seqStep)],
}
