// Apart from find.ts: its types name WebGPU's, which TypeScript before 6 does not know.

/** What a backend runs on. */
export interface AdapterInfo {
  readonly mode: 'webgpu' | 'webgl2'
  /** The adapter in words, as it names itself. */
  readonly adapter: string
  /** Whether it computes on the CPU. */
  readonly software: boolean
  /** Why this mode was chosen. */
  readonly reason: string
  readonly limits: Readonly<Record<string, number>>
}
