import type { Backend, TypedArray } from '@heed/core-tensor'

/** The smallest normal float32. */
const SMALLEST = 2 ** -126

function flush(data: TypedArray): TypedArray {
  return data instanceof Float32Array ? data.map(x => (Math.abs(x) < SMALLEST ? 0 : x)) : data
}

/**
 * The same backend, which sees and shows subnormal numbers as 0: WGSL lets devices do so at any moment (specification, §15.7.2), so
 * these cannot be compared.
 */
export function flushed(backend: Backend): Backend {
  const { readSync } = backend
  const shown: Backend = {
    ...backend,
    write: (data, spec) => backend.write(flush(data), spec),
    read: async operand => flush(await backend.read(operand)),
  }
  return readSync ? { ...shown, readSync: operand => flush(readSync(operand)) } : shown
}
