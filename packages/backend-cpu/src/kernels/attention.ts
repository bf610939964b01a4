import { address, type Storage } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import * as plain from '../plain/attention.ts'
import { allElements, allOutputs } from '../plain/elements.ts'

/** Attention scores that are not a product. */
export function attention({ heap, wasm }: Machine): Family<'additiveScore' | 'additiveScoreGrad'> {
  return {
    additiveScore: kernel((inputs, outputs) => {
      const [query, key, v] = inputs
      const [batch, queries, keys] = outputs[0].shape as [number, number, number]
      const size = v.shape[0] as number
      const y = heap.output(outputs[0])
      if (query.dtype === 'float32')
        wasm.additiveScore(batch, queries, keys, size, address(query), address(key), address(v), y.pointer)
      else
        plain.additiveScore(
          { batch, queries, keys, size },
          allElements(heap, inputs),
          allOutputs(heap, [y], outputs),
        )
      return [y]
    }),
    additiveScoreGrad: kernel((inputs, outputs) => {
      const [dy, query, key, v] = inputs
      const [batch, queries, keys] = dy.shape as [number, number, number]
      const size = v.shape[0] as number
      const space = heap.scratch(wasm.additiveScoreGradSpace(batch, size))
      const made = heap.outputs(outputs)
      if (dy.dtype === 'float32' && queries > 0) {
        const [dq, dk, dv] = made.map(({ pointer }: Storage) => pointer) as [number, number, number]
        const given = [address(dy), address(query), address(key), address(v)] as const
        wasm.additiveScoreGrad(batch, queries, keys, size, ...given, dq, dk, dv, space)
      } else
        plain.additiveScoreGrad(
          { batch, queries, keys, size },
          allElements(heap, inputs),
          allOutputs(heap, made, outputs),
        )
      return made
    }),
  }
}
