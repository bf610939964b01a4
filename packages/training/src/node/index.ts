export { type CheckpointsOptions, checkpoints, logFile, restore, type TrainingFacts } from './callbacks.ts'
export { type Checkpoint, loadCheckpoint, saveCheckpoint } from './checkpoint.ts'
export { writeAtomic } from './files.ts'
