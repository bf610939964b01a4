export { heed } from './program.ts'
export { configSchema, type Environment, type RunConfig, RunFolder, type Vocabularies } from './run.ts'
