import { type Operand, type Shape, stretch } from '@heed/core-tensor'
import type { Param } from './program.ts'

/** Tensors read side by side along the axes of one shape: lengths, and each tensor's strides in elements. */
export interface Walk {
  readonly shape: readonly number[]
  readonly strides: readonly (readonly number[])[]
}

/** The walk with fewer axes: those of length 1 dropped, and neighbours joined that all tensors pass as one. */
export function joined(shape: Shape, ...strides: readonly (readonly number[])[]): Walk {
  const lengths: number[] = []
  const steps: number[][] = strides.map(() => [])
  for (const [axis, length] of shape.entries()) {
    if (length === 1) continue
    const last = lengths.length - 1
    if (last >= 0 && strides.every((s, i) => steps[i]?.[last] === (s[axis] as number) * length)) {
      lengths[last] = (lengths[last] as number) * length
      for (const [i, s] of strides.entries()) (steps[i] as number[])[last] = s[axis] as number
    } else {
      lengths.push(length)
      for (const [i, s] of strides.entries()) (steps[i] as number[]).push(s[axis] as number)
    }
  }
  return { shape: lengths, strides: steps }
}

/** How operands are read when each is stretched to one shape. */
export function stretched(shape: Shape, operands: readonly Operand<unknown>[]): Walk {
  return joined(shape, ...operands.map(x => stretch(x, shape)))
}

/**
 * WGSL that turns a number `from` in row-major order into the place of an element in each named tensor: `aAt` for tensor a.
 * The parameters are lengths, and offset and strides of each tensor.
 */
export function places(
  rank: number,
  tensors: readonly string[],
  { from = 'i', prefix = '' }: { readonly from?: string; readonly prefix?: string } = {},
): { readonly params: readonly Param[]; readonly code: string } {
  const axes = Array.from({ length: rank }, (_, axis) => axis)
  const lines: string[] = []
  let rest = from
  for (const axis of [...axes].reverse()) {
    const name = `${prefix}c${axis}`
    if (axis === 0) {
      lines.push(`let ${name} = i32(${rest});`)
      continue
    }
    lines.push(
      `let ${name} = i32(${rest} % p.${prefix}d${axis});`,
      `let ${prefix}r${axis} = ${rest} / p.${prefix}d${axis};`,
    )
    rest = `${prefix}r${axis}`
  }
  for (const t of tensors)
    lines.push(
      `let ${prefix}${t}At = ${[`p.${prefix}${t}o`, ...axes.map(axis => `${prefix}c${axis} * p.${prefix}${t}s${axis}`)].join(' + ')};`,
    )
  return {
    params: [
      ...axes.map((axis): Param => [`${prefix}d${axis}`, 'u32']),
      ...tensors.flatMap((t): Param[] => [
        [`${prefix}${t}o`, 'i32'],
        ...axes.map((axis): Param => [`${prefix}${t}s${axis}`, 'i32']),
      ]),
    ],
    code: lines.join('\n  '),
  }
}

/** The values of the parameters of {@link places}, in their order. */
export function placeValues(walk: Walk, offsets: readonly number[]): number[] {
  const values = [...walk.shape]
  for (const [t, strides] of walk.strides.entries()) values.push(offsets[t] as number, ...strides)
  return values
}
