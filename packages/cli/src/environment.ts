import { availableParallelism, cpus } from 'node:os'
import { icuVersion } from '@heed/datasets'
import type { Environment } from './run.ts'
import { version } from './version.ts'

/** What this process computes with. */
export function environment(backend: string): Environment {
  return {
    heed: version,
    node: process.version,
    icu: icuVersion(),
    backend,
    machine: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
  }
}
