export { type Checkpoint, loadCheckpoint, saveCheckpoint } from './checkpoint.ts'
export { writeAtomic } from './files.ts'
