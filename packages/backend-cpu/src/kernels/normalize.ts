import { sizeOf } from '@heed/core-tensor'
import { address } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import { elementsOf, firstOf } from '../plain/elements.ts'

/** Probabilities along the last axis. */
export function normalize({ heap, wasm }: Machine): Family<'softmax' | 'logSoftmax'> {
  const over = (name: 'softmax' | 'logSoftmax') =>
    kernel(([x], [out]) => {
      const y = heap.output(out)
      const n = out.shape.at(-1) as number
      const total = sizeOf(out.shape)
      if (total === 0) return [y]
      if (out.dtype === 'float32') {
        wasm[name](address(x), y.pointer, total / n, n)
        return [y]
      }
      const [from, first, to] = [heap.view(x.dtype), firstOf(x), elementsOf(heap, y, out)]
      for (let row = 0; row < total; row += n) {
        const line = from.subarray(first + row, first + row + n)
        plain[name](line, to.subarray(row, row + n))
      }
      return [y]
    })
  return { softmax: over('softmax'), logSoftmax: over('logSoftmax') }
}

type Line = ArrayLike<number> & Iterable<number>

const plain = {
  softmax(x: Line, y: { [i: number]: number }) {
    const [most, sum] = measure(x)
    for (let i = 0; i < x.length; i++) y[i] = Math.exp((x[i] as number) - most) / sum
  },
  logSoftmax(x: Line, y: { [i: number]: number }) {
    const [most, sum] = measure(x)
    const logSum = Math.log(sum)
    for (let i = 0; i < x.length; i++) y[i] = (x[i] as number) - most - logSum
  },
}

/** The largest, and the sum of all eˣ⁻ᵐ. */
function measure(x: Line): [most: number, sum: number] {
  let most = Number.NEGATIVE_INFINITY
  for (const v of x) most = Math.max(most, v)
  let sum = 0
  for (const v of x) sum += Math.exp(v - most)
  return [most, sum]
}
