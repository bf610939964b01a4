import type { Variant, Workload } from '../workload.ts'
import { add } from './add.ts'
import { attention } from './attention.ts'
import { coldStart } from './coldStart.ts'
import { decode } from './decode.ts'
import { encoder } from './encoder.ts'
import { gemm } from './gemm.ts'
import { lstm } from './lstm.ts'
import { mainJob } from './mainJob.ts'
import { memory } from './memory.ts'
import { seq2seq } from './seq2seq.ts'
import { softmax } from './softmax.ts'

/** Everything that is measured, in the order in which it is. */
export const workloads: readonly Workload[] = [
  gemm,
  softmax,
  attention,
  lstm,
  encoder,
  seq2seq,
  add,
  decode,
  coldStart,
  mainJob,
  memory,
]

/** @throws Error if there is none */
export function findVariant(workload: string, name: string): Variant {
  const found = workloads.find(one => one.name === workload)?.variants.find(one => one.name === name)
  if (!found) throw new Error(`no variant ${workload}/${name}`)
  return found
}
