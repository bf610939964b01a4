export { type CheckGradientOptions, checkGradient } from './checkGradient.ts'
export { type ConformanceCase, conformanceCases } from './conformance.ts'
export { referenceBackend } from './reference.ts'
