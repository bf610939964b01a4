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
  type Edge,
  Graph,
  type GraphAttended,
  GraphAttention,
  type GraphAttentionOptions,
  GraphAttentionV2,
} from './attention/graph.ts'
export {
  gumbelSoftmax,
  type HardChoice,
  hardChoice,
  readChosen,
  reinforce,
  type SampleOptions,
  sampleKeys,
} from './attention/hard.ts'
export { withoutHiddenKeys, withoutIdleQueries } from './attention/hidden.ts'
export {
  attendLocally,
  type LocalCall,
  type LocalOptions,
  LocalPredictive,
  localMonotonic,
  type PredictiveCall,
} from './attention/local.ts'
export {
  type Address,
  AdjacentMemoryNetwork,
  addressMemory,
  firstSlot,
  type HeadOptions,
  LayerwiseMemoryNetwork,
  type MemoryNetworkOptions,
  type Move,
  type Moved,
  moveWeights,
  ReadHead,
  type Recalled,
  WriteHead,
  type Written,
  wordPositions,
  writeMemory,
} from './attention/memory.ts'
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
  Cosine,
  cosine,
  dot,
  General,
  type GeneralOptions,
  Location,
  LowRank,
  scaledDot,
} from './attention/scores.ts'
export { AdaptiveSpan, type AdaptiveSpanOptions } from './attention/span.ts'
export { entmax, entmax15, sparsemax, temperatureSoftmax, topKSoftmax } from './attention/sparse.ts'
export {
  CaptionAttention,
  ChannelAttention,
  doublyStochasticPenalty,
  type Seen,
  SpatialAttention,
  SqueezeExcitation,
  type SqueezeOptions,
} from './attention/vision.ts'
export { Sequential, type Step } from './containers.ts'
export {
  Conv1d,
  Conv2d,
  type ConvOptions,
  type ConvolveOptions,
  convolve,
  type PaddingMode,
  type PerAxis,
} from './convolution.ts'
export { type CtcOptions, ctcLoss } from './ctc.ts'
export { Dropout, type DropoutOptions } from './dropout.ts'
export { Embedding, type EmbeddingOptions } from './embedding.ts'
export {
  constantInit,
  gainOf,
  type Initializer,
  type KaimingOptions,
  kaimingNormal,
  kaimingUniform,
  type LayerOptions,
  type Nonlinearity,
  normalInit,
  onesInit,
  orthogonal,
  parameter,
  truncatedNormal,
  uniformInit,
  xavierNormal,
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
  AvgPool1d,
  AvgPool2d,
  type AvgPoolOptions,
  globalAveragePool,
  MaxPool1d,
  MaxPool2d,
  type MaxPooled,
  type MaxPoolOptions,
  type WindowPoolOptions,
} from './pooling.ts'
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
export { type SelfCheck, selfCheck, selfCheckNames } from './selfCheck.ts'
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
