import { cpu } from '../src/index.ts'

/** The values of `deterministic` that choose different builds here: one where the engine has no relaxed SIMD. */
export async function builds(): Promise<boolean[]> {
  const backend = await cpu({ threads: 1 })
  backend.dispose()
  return backend.build.startsWith('exact') ? [true] : [false, true]
}
