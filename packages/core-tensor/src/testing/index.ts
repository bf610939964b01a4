export { type CheckGradientOptions, checkGradient } from './checkGradient.ts'
export { type ConformanceCase, conformanceCases } from './conformance.ts'
export { checkSecondGradient, type GradientCase, gradientCases } from './gradientCases.ts'
export { referenceBackend } from './reference.ts'
