// building blocks

// attention
export {
  type Attended,
  type AttendOptions,
  attend,
  type Change,
  NEVER,
  type Score,
} from './attention/attend.ts'
export { type AttentionMap, type Captured, captureAttention } from './attention/capture.ts'
export {
  CoverageAttention,
  type CoverageCall,
  type Covered,
  coverSequence,
  PointerGate,
  pointerMixture,
  pointTo,
} from './attention/coverage.ts'
export {
  eluFeatures,
  type FeatureMap,
  Linformer,
  linearAttention,
  linearAttentionWeights,
  longformer,
  type Projected,
  positiveFeatures,
  RelativeAttention,
} from './attention/efficient.ts'
export {
  gumbelSoftmax,
  type HardChoice,
  hardChoice,
  readChosen,
  reinforce,
  type SampleOptions,
  sampleKeys,
} from './attention/hard.ts'
export { attendLocally, type LocalOptions, LocalPredictive, localMonotonic } from './attention/local.ts'
export {
  GroupedQueryAttention,
  type GroupedQueryOptions,
  groupedQueryAttention,
  MultiHeadAttention,
  type MultiHeadCall,
  type MultiHeadOptions,
  type ScaledDotOptions,
  scaledDotProductAttention,
} from './attention/multiHead.ts'
export {
  AttentionPool,
  type AttentionPoolOptions,
  KeyValueAttention,
  type PoolOptions,
  redundancy,
  StructuredSelfAttention,
} from './attention/pooling.ts'
export {
  Additive,
  type AdditiveOptions,
  Concat,
  dot,
  General,
  type GeneralOptions,
  LowRank,
  scaledDot,
} from './attention/scores.ts'
export { entmax15, sparsemax } from './attention/sparse.ts'
export { Dropout, type DropoutOptions } from './dropout.ts'
export { Embedding, type EmbeddingOptions } from './embedding.ts'
export {
  type Initializer,
  type LayerOptions,
  normalInit,
  parameter,
  uniformInit,
  xavierUniform,
  zerosInit,
} from './init.ts'
export { Linear, type LinearOptions } from './linear.ts'
// losses
export * from './losses.ts'
export {
  blocks,
  causal,
  causalFromEnd,
  causalMask,
  global,
  lengthMask,
  Mask,
  maskOf,
  maskWhere,
  type Places,
  padding,
  paddingMask,
  strided,
  window,
} from './masks.ts'
export { type LoadOptions, Module, type StateEntry } from './module.ts'
export {
  BatchNorm,
  type BatchNormOptions,
  GroupNorm,
  LayerNorm,
  type NormOptions,
  RMSNorm,
} from './normalization.ts'
export { type CheckNumericsOptions, checkNumerics, NumericsError } from './numerics.ts'
export {
  alibi,
  alibiSlopes,
  LearnedPositions,
  RelativeBias,
  type RelativeBiasOptions,
  type RotaryOptions,
  rotary,
  sinusoidalPositions,
  type TableOptions,
} from './positions.ts'

// recurrent layers
export {
  type CellOptions,
  type CellState,
  GRU,
  GRUCell,
  LSTM,
  LSTMCell,
  type RecurrentOptions,
  RNN,
  RNNCell,
  type RNNCellOptions,
  type RNNOptions,
  type SequenceOptions,
  type SequenceOutput,
} from './recurrent.ts'
export {
  type LayerMasks,
  Transformer,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
  type TransformerOptions,
  type TransformerStackOptions,
} from './transformer.ts'
