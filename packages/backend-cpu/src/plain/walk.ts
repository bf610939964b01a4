import type { Shape } from '@heed/core-tensor'

/** Tensors read side by side along the axes of one shape: lengths, and each tensor's strides in elements. */
export interface Walk {
  readonly shape: readonly number[]
  readonly strides: readonly (readonly number[])[]
}

/** The same walk with fewer axes: those of length 1 dropped, and neighbours joined that all tensors pass as one. */
export function joined(shape: Shape, ...strides: readonly (readonly number[])[]): Walk {
  const lengths: number[] = []
  const steps: number[][] = strides.map(() => [])
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis] as number
    if (length === 1) continue
    let at = lengths.length
    if (at > 0 && asOne(steps, strides, axis, length)) lengths[--at] = (lengths[at] as number) * length
    else lengths.push(length)
    for (let i = 0; i < strides.length; i++) (steps[i] as number[])[at] = stride(strides, i, axis)
  }
  return { shape: lengths, strides: steps }
}

/** Whether all tensors pass the last axis so far and this one as one. */
function asOne(steps: Walk['strides'], strides: Walk['strides'], axis: number, length: number): boolean {
  for (let i = 0; i < strides.length; i++) {
    const mine = steps[i] as readonly number[]
    if (mine[mine.length - 1] !== stride(strides, i, axis) * length) return false
  }
  return true
}

/** Calls with the place of every element, in row-major order. */
export function eachPlace(shape: Shape, strides: readonly number[], visit: (place: number) => void): void {
  const rank = shape.length
  const line = rank > 0 ? (shape[rank - 1] as number) : 1
  const step = rank > 0 ? (strides[rank - 1] as number) : 0
  eachLine({ shape, strides: [strides] }, ([start]) => {
    for (let i = 0, place = start as number; i < line; i++, place += step) visit(place)
  })
}

/**
 * Writes the place of every element, in row-major order: `first` and so many times `unit` behind it.
 *
 * @returns where the next word goes
 */
export function writePlaces(
  words: Int32Array,
  at: number,
  shape: Shape,
  strides: readonly number[],
  first: number,
  unit: number,
  axis = 0,
): number {
  if (axis === shape.length) {
    words[at] = first
    return at + 1
  }
  const length = shape[axis] as number
  const step = (strides[axis] as number) * unit
  for (let i = 0; i < length; i++)
    at = writePlaces(words, at, shape, strides, first + i * step, unit, axis + 1)
  return at
}

/** Calls with each tensor's place at the start of every line along the last axis, in row-major order. The list is reused. */
export function eachLine({ shape, strides }: Walk, visit: (places: readonly number[]) => void): void {
  for (const length of shape) if (length === 0) return
  const places = strides.map(() => 0)
  const index = shape.map(() => 0)
  for (;;) {
    visit(places)
    let axis = shape.length - 2
    for (; axis >= 0; axis--) {
      for (let i = 0; i < places.length; i++) places[i] = (places[i] as number) + stride(strides, i, axis)
      const next = (index[axis] as number) + 1
      if (next < (shape[axis] as number)) {
        index[axis] = next
        break
      }
      for (let i = 0; i < places.length; i++)
        places[i] = (places[i] as number) - next * stride(strides, i, axis)
      index[axis] = 0
    }
    if (axis < 0) return
  }
}

function stride(strides: Walk['strides'], tensor: number, axis: number): number {
  return (strides[tensor] as readonly number[])[axis] as number
}
