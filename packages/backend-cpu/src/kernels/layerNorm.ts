import { sizeOf } from '@heed/core-tensor'
import { address, type Storage } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import { allElements, allOutputs } from '../plain/elements.ts'
import * as plain from '../plain/layerNorm.ts'

interface Normed {
  readonly epsilon: number
}

/** Layer normalisation along the last axis. */
export function layerNorm({ heap, wasm }: Machine): Family<'layerNorm' | 'layerNormGrad'> {
  return {
    layerNorm: kernel<Normed>((inputs, outputs, { epsilon }) => {
      const [x, weight, bias] = inputs
      const [rows, n] = rowsOf(x.shape)
      const y = heap.output(outputs[0])
      if (rows * n === 0) return [y]
      if (x.dtype === 'float32')
        wasm.layerNorm(
          address(x),
          weight ? address(weight) : 0,
          bias ? address(bias) : 0,
          y.pointer,
          rows,
          n,
          epsilon,
        )
      else plain.layerNorm(n, epsilon, allElements(heap, inputs), allOutputs(heap, [y], outputs)[0])
      return [y]
    }),
    layerNormGrad: kernel<Normed>((inputs, outputs, { epsilon }) => {
      const [dy, x, weight] = inputs
      const [rows, n] = rowsOf(x.shape)
      const space = heap.scratch(wasm.layerNormGradSpace(rows, n, weight !== undefined))
      const made = heap.outputs(outputs)
      if (x.dtype === 'float32' && rows * n > 0) {
        const [dx, dWeight = 0, dBias = 0] = made.map(({ pointer }: Storage) => pointer) as [
          number,
          number?,
          number?,
        ]
        const given = [address(dy), address(x), weight ? address(weight) : 0] as const
        wasm.layerNormGrad(...given, dx, dWeight, dBias, rows, n, epsilon, space)
      } else plain.layerNormGrad(n, epsilon, allElements(heap, inputs), allOutputs(heap, made, outputs))
      return made
    }),
  }
}

function rowsOf(shape: readonly number[]): [rows: number, n: number] {
  const n = shape.at(-1) as number
  return [n === 0 ? 0 : sizeOf(shape) / n, n]
}
