import { rowMajor, sizeOf } from '@heed/core-tensor'
import type { Storage } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import { reduceFloats } from '../machine/reduce.ts'
import { elementsOf, firstOf } from '../plain/elements.ts'
import { reduceInto, sortLine } from '../plain/lines.ts'
import { eachPlace } from '../plain/walk.ts'

interface Reduction {
  readonly axes: readonly number[]
  readonly keepDims: boolean
}

interface Along {
  readonly axis: number
}

/** Many numbers to one, running totals, and order. */
export function reduce(
  machine: Machine,
): Family<'sum' | 'prod' | 'max' | 'min' | 'argmax' | 'argmin' | 'cumsum' | 'cumprod' | 'sort'> {
  const { heap } = machine
  const fold = (name: keyof typeof folds) =>
    kernel<Reduction>(([x], [out], { axes }) => {
      if (x.dtype === 'float32' && name !== 'prod') return [reduceFloats(machine, name, x, axes, out)]
      const y = heap.output(out)
      reduceInto(heap, folds[name], x, axes, y, out)
      return [y]
    })
  const run = (f: (total: number, v: number) => number, empty: number) =>
    kernel<Along>(([x], [out], { axis }) => {
      const y = heap.output(out)
      const [from, to, first] = [heap.view(x.dtype), elementsOf(heap, y, out), firstOf(x)]
      const [length, step] = along(x.shape, axis)
      eachStart(x.shape, axis, start => {
        let total = empty
        for (let k = 0, at = start; k < length; k++, at += step) {
          total = f(total, from[first + at] as number)
          to[at] = total
        }
      })
      return [y]
    })
  return {
    sum: fold('sum'),
    prod: fold('prod'),
    max: fold('max'),
    min: fold('min'),
    argmax: fold('argmax'),
    argmin: fold('argmin'),
    cumsum: run((total, v) => total + v, 0),
    cumprod: run((total, v) => total * v, 1),
    sort: kernel<Along & { descending: boolean }>(([x], [out, order], { axis, descending }) => {
      const [y, from] = heap.outputs([out, order]) as [Storage, Storage]
      const [values, places] = [elementsOf(heap, y, out), elementsOf(heap, from, order)]
      const [length, step] = along(x.shape, axis)
      const [source, first] = [heap.view(x.dtype), firstOf(x)]
      eachStart(x.shape, axis, start => {
        const line = Float64Array.from({ length }, (_, k) => source[first + start + k * step] as number)
        for (const [k, place] of sortLine(line, descending).entries()) {
          values[start + k * step] = line[place] as number
          places[start + k * step] = place
        }
      })
      return [y, from]
    }),
  }
}

const folds = {
  sum: line => {
    let sum = 0
    for (let i = 0; i < line.length; i++) sum += line[i] as number
    return sum
  },
  prod: line => {
    let product = 1
    for (let i = 0; i < line.length; i++) product *= line[i] as number
    return product
  },
  max: line => {
    let best = Number.NEGATIVE_INFINITY
    for (let i = 0; i < line.length; i++) best = Math.max(best, line[i] as number)
    return best
  },
  min: line => {
    let best = Number.POSITIVE_INFINITY
    for (let i = 0; i < line.length; i++) best = Math.min(best, line[i] as number)
    return best
  },
  argmax: line => {
    let best = 0
    for (let i = 0; i < line.length; i++) if (wins(line[i] as number, line[best] as number)) best = i
    return best
  },
  argmin: line => {
    let best = 0
    for (let i = 0; i < line.length; i++) if (wins(-(line[i] as number), -(line[best] as number))) best = i
    return best
  },
} satisfies Record<string, (line: Float64Array) => number>

/** Whether x is larger, or the first NaN. */
function wins(x: number, best: number): boolean {
  return x > best || (Number.isNaN(x) && !Number.isNaN(best))
}

/** How many places a line along an axis has, and how far apart they are in row-major order. */
function along(shape: readonly number[], axis: number): [length: number, step: number] {
  return [shape[axis] as number, sizeOf(shape.slice(axis + 1))]
}

/** Calls with the first place of every line along an axis of a row-major tensor. */
function eachStart(shape: readonly number[], axis: number, visit: (start: number) => void): void {
  const lines = shape.map((n, a) => (a === axis ? Math.min(n, 1) : n))
  eachPlace(lines, rowMajor(shape), visit)
}
