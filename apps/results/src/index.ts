export { type Output, results } from './program.ts'
