// What of the comparison needs no file system.
export { type Case, casesOf } from './cases.ts'
export { type Result, runCases } from './run.ts'
