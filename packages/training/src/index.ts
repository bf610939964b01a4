// optimisers
export { Adam, type AdamOptions, AdamW } from './adam.ts'
export { clipGradNorm } from './clip.ts'
// metrics
export { type AlignmentError, alignmentErrorRate, type Link } from './metrics/aer.ts'
export { type Bleu, type BleuOptions, corpusBleu, tokenize13a } from './metrics/bleu.ts'
export { perplexity } from './metrics/perplexity.ts'
export { type Rouge, rougeL } from './metrics/rouge.ts'
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
// training
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
