import type { Backend, Kernel, Kernels, Operand } from '../backend.ts'
import { outside } from '../errors.ts'
import type { Args } from '../op.ts'
import type { Along, Reduction } from '../ops/reduce.ts'
import { threefry } from '../rng.ts'
import {
  rowMajor,
  type Shape,
  sizeOf,
  stretch,
  type TensorSpec,
  type TypedArray,
  typedArray,
} from '../shape.ts'
import { erf } from './special.ts'

/** A tensor's elements in row-major order, for as long as it lives. */
interface Store {
  readonly data: TypedArray
}

/** A kernel of the reference backend: from row-major arrays to row-major arrays, in float64 in between. */
// biome-ignore lint/suspicious/noExplicitAny: as Kernel's
type Plain<A = any> = (inputs: Args<Values>, outputs: Args<Values>, attrs: A) => void

interface Values extends TensorSpec {
  readonly data: TypedArray
}

/**
 * The oracle: every primitive as plainly as it can be written, one element at a time. Core's own tests run on it, and every
 * other backend is compared with it. It has no fused kernels, so it also tests their compositions.
 */
export function referenceBackend(): Backend<Store> {
  const held = new Set<Store>()
  let disposed = false
  const store = (data: TypedArray): Store => {
    const made = { data }
    held.add(made)
    return made
  }
  const kernels = Object.fromEntries(
    Object.entries(plain).map(([name, compute]): [string, Kernel<Store>] => [
      name,
      (inputs, outputs, attrs) => {
        const results = outputs.map(spec => ({ ...spec, data: typedArray(spec.dtype, sizeOf(spec.shape)) }))
        compute(
          inputs.map(gatherUp) as readonly Values[] as Args<Values>,
          results as readonly Values[] as Args<Values>,
          attrs,
        )
        return results.map(({ data }) => store(data))
      },
    ]),
  )
  return {
    name: 'reference',
    build: 'reference',
    kernels: kernels as Kernels<Store>,
    strided: new Set(Object.keys(kernels)),
    write: data => store(data.slice()),
    read: async operand => gatherUp(operand).data.slice(),
    readSync: operand => gatherUp(operand).data.slice(),
    free(storage) {
      if (!held.delete(storage) && !disposed) throw new Error('internal: freed twice')
    },
    memory() {
      let bytes = 0
      for (const { data } of held) bytes += data.byteLength
      return { bytes, count: held.size, reserved: bytes }
    },
    dispose() {
      disposed = true
      held.clear()
    },
  }
}

/** An operand's elements in row-major order. */
function gatherUp({ shape, dtype, storage, strides, offset }: Operand<Store>): Values {
  const data = typedArray(dtype, sizeOf(shape))
  eachPlace(shape, strides, (i, place) => {
    data[i] = storage.data[offset + place] as number
  })
  return { shape, dtype, data }
}

/** Calls with each element's number in row-major order and its place by the strides. */
function eachPlace(
  shape: Shape,
  strides: readonly number[],
  visit: (i: number, place: number) => void,
): void {
  const index = shape.map(() => 0)
  let place = 0
  for (let i = 0, size = sizeOf(shape); i < size; i++) {
    visit(i, place)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += strides[axis] as number
      if (++(index[axis] as number) < (shape[axis] as number)) break
      place -= (strides[axis] as number) * (shape[axis] as number)
      index[axis] = 0
    }
  }
}

const at = (values: Values, place: number): number => values.data[place] as number

/** Every element through a function. */
function map(f: (x: number) => number): Plain {
  return ([x], [y]) => {
    for (let i = 0; i < x.data.length; i++) y.data[i] = f(at(x, i))
  }
}

/** The elements of a tensor stretched to a shape, in its row-major order. */
function stretched(x: Values, shape: Shape): Float64Array {
  const found = new Float64Array(sizeOf(shape))
  eachPlace(shape, stretch({ shape: x.shape, strides: rowMajor(x.shape) }, shape), (i, place) => {
    found[i] = at(x, place)
  })
  return found
}

/** Elements of two tensors stretched to one shape, through a function. */
function zip(f: (a: number, b: number) => number): Plain {
  return ([a, b], [y]) => {
    const [left, right] = [stretched(a, y.shape), stretched(b, y.shape)]
    for (let i = 0; i < y.data.length; i++) y.data[i] = f(left[i] as number, right[i] as number)
  }
}

/** Each group of elements that differ only along some axes, through a function of the group. */
function fold(f: (group: number[]) => number): Plain<Reduction> {
  return ([x], [y], { axes }) => {
    const kept = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
    const groups = Array.from({ length: sizeOf(kept) }, (): number[] => [])
    const target = stretch({ shape: kept, strides: rowMajor(kept) }, x.shape)
    eachPlace(x.shape, target, (i, place) => (groups[place] as number[]).push(at(x, i)))
    for (const [i, group] of groups.entries()) y.data[i] = f(group)
  }
}

/** Each line of elements along one axis, through a function from line to lines. */
function lines(f: (line: number[], attrs: Along & { descending: boolean }) => number[][]): Plain {
  return ([x], outputs, attrs) => {
    const length = x.shape[attrs.axis] as number
    const step = sizeOf(x.shape.slice(attrs.axis + 1))
    for (let start = 0; start < x.data.length; start++) {
      if (Math.floor(start / step) % length !== 0) continue
      const line = Array.from({ length }, (_, k) => at(x, start + k * step))
      for (const [o, values] of f(line, attrs).entries())
        for (const [k, value] of values.entries()) (outputs[o] as Values).data[start + k * step] = value
    }
  }
}

/** Halves to the even one. */
function roundHalfEven(x: number): number {
  const near = Math.round(x)
  return Math.abs(x % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near
}

const better =
  (wins: (a: number, b: number) => boolean) =>
  (group: number[]): number =>
    group.reduce(
      (best, x, i) =>
        wins(x, group[best] as number) || (Number.isNaN(x) && !Number.isNaN(group[best] as number))
          ? i
          : best,
      0,
    )

const running =
  (f: (total: number, x: number) => number, empty: number) =>
  (line: number[]): number[][] => {
    let total = empty
    return [line.map(x => (total = f(total, x)))]
  }

/** Compares so that NaN counts as the largest, as PyTorch sorts. */
function ascending(a: number, b: number): number {
  return Number.isNaN(a) || Number.isNaN(b) ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) : a - b
}

const plain: Record<string, Plain> = {
  full: (_, [y], { value }) => void y.data.fill(value),
  arange: (_, [y], { start, step }) => {
    for (let i = 0; i < y.data.length; i++) y.data[i] = start + i * step
  },
  random: (_, [y], { key, counter }) => {
    for (let i = 0; i < y.data.length; i++) {
      const block = counter + Math.floor(i / 2)
      const words = threefry(key[0], key[1], block >>> 0, Math.floor(block / 2 ** 32) >>> 0)
      y.data[i] = (words[(i % 2) as 0 | 1] >>> 8) / 2 ** 24
    }
  },
  copy: map(x => x),
  cast: ([x], [y]) => {
    for (let i = 0; i < x.data.length; i++)
      y.data[i] =
        y.dtype === 'bool' ? Number(at(x, i) !== 0) : y.dtype === 'int32' ? Math.trunc(at(x, i)) : at(x, i)
  },
  place: ([x], [y], { start, step, fill }) => {
    y.data.fill(fill)
    const strides = rowMajor(y.shape)
    const offset = strides.reduce((sum, stride, axis) => sum + stride * start[axis], 0)
    eachPlace(
      x.shape,
      strides.map((stride, axis) => stride * step[axis]),
      (i, place) => {
        y.data[offset + place] = at(x, i)
      },
    )
  },
  concat: (inputs, [y], { axis }) => {
    const strides = rowMajor(y.shape)
    let offset = 0
    for (const x of inputs) {
      eachPlace(x.shape, strides, (i, place) => {
        y.data[offset + place] = at(x, i)
      })
      offset += (x.shape[axis] as number) * (strides[axis] as number)
    }
  },

  neg: map(x => -x),
  abs: map(Math.abs),
  sign: map(x => (Number.isNaN(x) ? 0 : Math.sign(x))),
  floor: map(Math.floor),
  ceil: map(Math.ceil),
  round: map(roundHalfEven),
  exp: map(Math.exp),
  expm1: map(Math.expm1),
  log: map(Math.log),
  log1p: map(Math.log1p),
  sqrt: map(Math.sqrt),
  sin: map(Math.sin),
  cos: map(Math.cos),
  tanh: map(Math.tanh),
  sigmoid: map(x => 1 / (1 + Math.exp(-x))),
  erf: map(erf),

  add: zip((a, b) => a + b),
  sub: zip((a, b) => a - b),
  mul: zip((a, b) => a * b),
  div: (inputs, outputs, attrs) =>
    zip(outputs[0].dtype === 'int32' ? (a, b) => Math.trunc(a / b) : (a, b) => a / b)(inputs, outputs, attrs),
  pow: zip((a, b) => a ** b),
  maximum: zip(Math.max),
  minimum: zip(Math.min),
  equal: zip((a, b) => Number(a === b)),
  less: zip((a, b) => Number(a < b)),
  lessEqual: zip((a, b) => Number(a <= b)),
  where: ([condition, a, b], [y]) => {
    const [chosen, first, second] = [condition, a, b].map(x => stretched(x, y.shape)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    for (let i = 0; i < y.data.length; i++) y.data[i] = (chosen[i] ? first[i] : second[i]) as number
  },

  sum: fold(group => group.reduce((a, b) => a + b, 0)),
  prod: fold(group => group.reduce((a, b) => a * b, 1)),
  max: fold(group => group.reduce((a, b) => Math.max(a, b), -Infinity)),
  min: fold(group => group.reduce((a, b) => Math.min(a, b), Infinity)),
  argmax: fold(better((a, b) => a > b)),
  argmin: fold(better((a, b) => a < b)),
  cumsum: lines(running((a, b) => a + b, 0)),
  cumprod: lines(running((a, b) => a * b, 1)),
  sort: lines((line, { descending }) => {
    const order = line
      .map((_, i) => i)
      .sort((i, j) => (descending ? -1 : 1) * ascending(line[i] as number, line[j] as number))
    return [order.map(i => line[i] as number), order]
  }),

  matmul: ([a, b], [y]) => {
    const [m, k] = a.shape.slice(-2) as [number, number]
    const n = b.shape.at(-1) as number
    const lead = y.shape.slice(0, -2)
    const starts = (x: Values): number[] => {
      const front = x.shape.slice(0, -2)
      const found: number[] = []
      eachPlace(lead, stretch({ shape: front, strides: rowMajor(x.shape).slice(0, -2) }, lead), (_, place) =>
        found.push(place),
      )
      return found
    }
    const [fromA, fromB] = [starts(a), starts(b)]
    for (let batch = 0; batch < sizeOf(lead); batch++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0
          for (let l = 0; l < k; l++)
            sum += at(a, (fromA[batch] as number) + i * k + l) * at(b, (fromB[batch] as number) + l * n + j)
          y.data[(batch * m + i) * n + j] = sum
        }
  },

  gather: ([x, index], [y], { axis }) => {
    eachIndexed(x.shape, index, axis, 'gather', (i, place) => {
      y.data[i] = at(x, place)
    })
  },
  scatterAdd: ([x, index, source], [y], { axis }) => {
    y.data.set(x.data)
    const places: number[] = []
    eachPlace(index.shape, rowMajor(source.shape), (_, place) => places.push(place))
    eachIndexed(x.shape, index, axis, 'scatterAdd', (i, place) => {
      y.data[place] = at(y, place) + at(source, places[i] as number)
    })
  },
  take: ([table, ids], [y]) => {
    const width = sizeOf(table.shape.slice(1))
    ids.data.forEach((id, i) => {
      y.data.set(
        table.data.subarray(row('take', id, table.shape[0] as number) * width, (id + 1) * width),
        i * width,
      )
    })
  },
  scatterRows: ([ids, source], [y], { rows }) => {
    const width = sizeOf(y.shape.slice(1))
    ids.data.forEach((id, i) => {
      const start = row('scatterRows', id, rows) * width
      for (let j = 0; j < width; j++) y.data[start + j] = at(y, start + j) + at(source, i * width + j)
    })
  },
}

function row(where: string, id: number, rows: number): number {
  if (id < 0 || id >= rows) throw outside(where, id, rows)
  return id
}

/** Visits the elements that an index picks along an axis: their number in the index, their place in the tensor. */
function eachIndexed(
  shape: Shape,
  index: Values,
  axis: number,
  where: string,
  visit: (i: number, place: number) => void,
): void {
  const strides = rowMajor(shape)
  const others = strides.map((stride, a) => (a === axis ? 0 : stride))
  eachPlace(index.shape, others, (i, place) => {
    const id = row(where, at(index, i), shape[axis] as number)
    visit(i, place + id * (strides[axis] as number))
  })
}
