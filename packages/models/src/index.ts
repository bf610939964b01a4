// sequence to sequence

// Transformers
export { BERT, type BERTBatch, type BERTConfig, type BERTInput } from './bert.ts'
// decoding
export { greedy } from './decoding/greedy.ts'
export type { Decoded, DecodeOptions, Stepper } from './decoding/stepper.ts'
export { type Cache, GPT, type GPTConfig } from './gpt.ts'
export {
  type Memory,
  Seq2Seq,
  type Seq2SeqAttention,
  type Seq2SeqBatch,
  type Seq2SeqConfig,
  type Seq2SeqOutput,
  seq2seqConfig,
} from './seq2seq.ts'
