export type { Checkpoint } from '../checkpoints/format.ts'
export type { CheckpointsOptions, TrainingFacts } from '../checkpoints/keeping.ts'
export { checkpoints, restore } from './callbacks.ts'
export { type BrowserCheckpointOptions, loadCheckpoint, saveCheckpoint } from './checkpoint.ts'
