// sequence to sequence

// decoding
export { greedy } from './decoding/greedy.ts'
export type { Decoded, DecodeOptions, Stepper } from './decoding/stepper.ts'
export {
  type Memory,
  Seq2Seq,
  type Seq2SeqAttention,
  type Seq2SeqBatch,
  type Seq2SeqConfig,
  type Seq2SeqOutput,
  seq2seqConfig,
} from './seq2seq.ts'
