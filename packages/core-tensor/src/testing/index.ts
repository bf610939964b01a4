export { type CheckGradientOptions, checkGradient } from './checkGradient.ts'
export { referenceBackend } from './reference.ts'
