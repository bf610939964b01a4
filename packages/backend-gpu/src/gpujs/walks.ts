import type { Walk } from '../webgpu/walk.ts'

/** How kernels find elements by strides: the names of the whole numbers that they are told, and their values in the same order. */
export interface Steps {
  readonly ints: readonly string[]
  readonly values: readonly number[]
}

/** Lengths (all but the first) and each tensor's offset and strides. */
export function steps(
  walk: Walk,
  tensors: readonly string[],
  offsets: readonly number[],
  prefix = '',
): Steps {
  const ints = walk.shape.slice(1).map((_, a) => `${prefix}d${a + 1}`)
  const values = walk.shape.slice(1)
  for (const [t, name] of tensors.entries()) {
    ints.push(`${prefix}${name}o`, ...walk.shape.map((_, a) => `${prefix}${name}s${a}`))
    values.push(offsets[t] as number, ...(walk.strides[t] as readonly number[]))
  }
  return { ints, values }
}

/** The place of element number `from` of a tensor, as an expression. */
export function placeOf(rank: number, tensor: string, from = 'this.thread.x', prefix = ''): string {
  const axes = Array.from({ length: rank }, (_, a) => a)
  const lengths = axes.slice(1).map(a => `${prefix}d${a}`)
  return `place${rank}(${[from, ...lengths, `${prefix}${tensor}o`, ...axes.map(a => `${prefix}${tensor}s${a}`)].join(', ')})`
}
