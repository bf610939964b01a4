import { sizeOf } from '@heed/core-tensor'
import { address, type Storage } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import { elementsOf, firstOf } from '../plain/elements.ts'

interface AdamStep {
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly step: number
  readonly weightDecay: number
  readonly decoupled: boolean
}

/** Optimisers' steps, in one pass over memory. */
export function optimize({ heap, wasm }: Machine): Family<'adam'> {
  return {
    adam: kernel<AdamStep>((inputs, outputs, settings) => {
      const { learningRate, beta1, beta2, epsilon, step, weightDecay, decoupled } = settings
      const [out] = outputs
      const n = sizeOf(out.shape)
      const made = heap.outputs([outputs[0], outputs[1], outputs[2]])
      const shrink = decoupled ? 1 - learningRate * weightDecay : 1
      const decay = decoupled ? 0 : weightDecay
      const root = 1 / Math.sqrt(1 - power(beta2, step))
      const rate = learningRate / (1 - power(beta1, step))
      if (out.dtype === 'float32') {
        const [p, g, m, v] = inputs.map(address) as [number, number, number, number]
        const [nextP, nextM, nextV] = made.map(storage => storage.pointer) as [number, number, number]
        wasm.adam(
          ...([p, g, m, v, nextP, nextM, nextV, n] as const),
          ...([shrink, decay, beta1, 1 - beta1, beta2, 1 - beta2, root, epsilon, rate] as const),
        )
        return made
      }
      const view = heap.view(out.dtype)
      const [p, g, m, v] = inputs.map(firstOf) as [number, number, number, number]
      const [nextP, nextM, nextV] = (made as [Storage, Storage, Storage]).map(storage =>
        elementsOf(heap, storage, out),
      ) as [Float64Array, Float64Array, Float64Array]
      const at = (start: number, i: number): number => view[start + i] as number
      for (let i = 0; i < n; i++) {
        const p0 = shrink * at(p, i)
        const g0 = at(g, i) + decay * p0
        const m1 = beta1 * at(m, i) + (1 - beta1) * g0
        const v1 = beta2 * at(v, i) + (1 - beta2) * g0 * g0
        nextP[i] = p0 - (rate * m1) / (root * Math.sqrt(v1) + epsilon)
        nextM[i] = m1
        nextV[i] = v1
      }
      return made
    }),
  }
}

/** xⁿ for a whole n, by products alone: the last bits of `**` depend on the engine. */
function power(x: number, n: number): number {
  let result = 1
  for (let square = x, left = n; left >= 1; left = Math.floor(left / 2), square *= square)
    if (left % 2 >= 1) result *= square
  return result
}
