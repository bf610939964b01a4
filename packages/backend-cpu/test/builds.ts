import { type CpuOptions, cpu } from '../src/index.ts'

/** The builds that this engine can run, by name, and how to ask for each; the wide one last, since it changes the engine. */
export async function builds(): Promise<[name: string, options: CpuOptions][]> {
  const backend = await cpu({ threads: 1 })
  backend.dispose()
  const found: [string, CpuOptions][] = [['exact', { deterministic: true }]]
  if (backend.build.startsWith('fma')) found.unshift(['fma', {}])
  if (Number(globalThis.process?.versions?.node?.split('.')[0]) >= 24)
    found.push(['wide', { wideSimd: 'on' }])
  return found
}
