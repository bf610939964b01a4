export { type CpuOptions, cpu } from './cpu.ts'
export type { WideSimd } from './machine/builds.ts'
export type { Storage } from './machine/heap.ts'
