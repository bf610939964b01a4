export { type CpuOptions, cpu } from './cpu.ts'
export type { Storage } from './machine/heap.ts'
