export { benchmark, type Output } from './program.ts'
