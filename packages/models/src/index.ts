// Transformers
export { BERT, type BERTBatch, type BERTConfig, type BERTInput } from './bert.ts'
// classifiers of sequences
export {
  type ClassifierBatch,
  type ClassifierConfig,
  type ClassifierLossOptions,
  type ClassifierOptions,
  type ClassifierOutput,
  classifierConfig,
  SequenceClassifier,
} from './classifier.ts'
// decoding
export { type BeamEntry, type BeamOptions, beam, type Hypothesis } from './decoding/beam.ts'
export { type CtcBestPathOptions, type CtcPath, ctcBestPath } from './decoding/ctc.ts'
export { greedy } from './decoding/greedy.ts'
export { type Sampled, type SamplingOptions, sample } from './decoding/sample.ts'
export type { Decoded, DecodeOptions, Stepper } from './decoding/stepper.ts'
export { type Cache, GPT, type GPTConfig } from './gpt.ts'
// losses
export { coverageLoss, guidedAlignmentLoss } from './losses.ts'
export {
  AttentionReadout,
  ConcatReadout,
  concatHeadParameters,
  LastReadout,
  MaxReadout,
  MeanReadout,
  type Read,
  Readout,
  type ReadoutKind,
  type States,
} from './readouts.ts'
// sensitivity
export { carrySensitivity, sensitivity } from './sensitivity.ts'
// sequence to sequence
export {
  type DecoderInput,
  type Seq2SeqAttention,
  type Seq2SeqConfig,
  seq2seqConfig,
} from './seq2seq/config.ts'
export type { CopySource, Memory, State as Seq2SeqState } from './seq2seq/decoder.ts'
export {
  type ForcingOptions,
  Seq2Seq,
  type Seq2SeqBatch,
  type Seq2SeqLossOptions,
  type Seq2SeqOutput,
  type Seq2SeqTerms,
} from './seq2seq.ts'
export {
  type PositionKind,
  TransformerClassifier,
  type TransformerClassifierConfig,
  transformerClassifierConfig,
} from './transformerClassifier.ts'
