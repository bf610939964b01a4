// optimisers
export { Adam, type AdamOptions, AdamW } from './adam.ts'
// training
export {
  type Callback,
  type EarlyStoppingOptions,
  earlyStopping,
  type JsonLinesOptions,
  jsonLines,
  type Memory,
  type Metrics,
  onPlateau,
  type ValidationReport,
  type Verdict,
  Watch,
  type WatchOptions,
} from './callbacks.ts'
export { clipGradNorm } from './clip.ts'
export { type EvaluateOptions, meanLoss } from './evaluate.ts'
export { exponentialForcing, type Forcing, linearForcing, sigmoidForcing } from './forcing.ts'
// metrics
export {
  type AlignmentError,
  alignmentErrorRate,
  type Link,
  type LinkOptions,
  linksOf,
} from './metrics/aer.ts'
export {
  type Bleu,
  type BleuCounts,
  type BleuOptions,
  type BleuSmoothing,
  type BleuTokens,
  bleuCounts,
  bleuOf,
  corpusBleu,
  sentenceBleu,
  tokenize13a,
} from './metrics/bleu.ts'
export {
  type BootstrapOptions,
  bootstrap,
  bootstrapMean,
  type Interval,
  type PairedInterval,
  pairedBootstrap,
} from './metrics/bootstrap.ts'
export { type Chrf, type ChrfCounts, type ChrfOptions, chrf, chrfCounts, chrfOf } from './metrics/chrf.ts'
export {
  type Classification,
  type ClassScore,
  classification,
  multiLabelClassification,
} from './metrics/classes.ts'
export {
  type DecodedEvidence,
  type FailureCheck,
  type FailureKind,
  type FailureOptions,
  failureChecks,
  repeatedNgrams,
} from './metrics/failures.ts'
export { perplexity } from './metrics/perplexity.ts'
export { type Rouge, rougeL, rougeN, rougeTokens } from './metrics/rouge.ts'
export {
  characterErrorRate,
  type ErrorRate,
  editDistance,
  wordErrorRate,
} from './metrics/wer.ts'
export { type Learned, Optimizer } from './optimizer.ts'
export { Adagrad, type AdagradOptions, RMSprop, type RMSpropOptions } from './rmsprop.ts'
export {
  constant,
  cosine,
  exponential,
  inverseSqrt,
  linearWarmup,
  multiStep,
  noam,
  type OneCycleOptions,
  oneCycle,
  Plateau,
  type PlateauOptions,
  type Schedule,
  stepDecay,
  warmRestarts,
  warmupCosine,
} from './schedules.ts'
export { SGD, type SGDOptions } from './sgd.ts'
export {
  type BatchSource,
  DivergenceError,
  type FitOptions,
  type StepReport,
  type Trainable,
  Trainer,
  type TrainerOptions,
  type TrainerState,
  type TrainingPosition,
  under,
} from './trainer.ts'
