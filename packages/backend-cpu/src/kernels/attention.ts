import { sizeOf, stretch } from '@heed/core-tensor'
import { denseAddress, denseInput } from '../machine/copy.ts'
import { address, type Input, type Storage } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import * as plain from '../plain/attention.ts'
import { allElements, allOutputs } from '../plain/elements.ts'
import { writePlaces } from '../plain/walk.ts'

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

interface ScaledDot {
  readonly scale: number
  readonly offset: number | null
}

/** Scaled dot-product attention, float32. */
export function scaledDot(machine: Machine): Family<'scaledDotAttention' | 'scaledDotAttentionGrad'> {
  const { heap, wasm } = machine
  return {
    scaledDotAttention: kernel<ScaledDot>((inputs, outputs, attrs) => {
      const [q, k, v, mask] = inputs
      if (q.dtype !== 'float32') {
        const made = heap.outputs(outputs)
        const dense = allElements(
          heap,
          [q, k, v].map(x => denseInput(machine, x)),
        )
        plain.scaledDot(
          plainSizes(k, v, q, attrs),
          dense,
          maybe(machine, q, k, mask),
          allOutputs(heap, made, outputs),
        )
        return made
      }
      const call = described(machine, [q, k, v], mask, attrs)
      const space = heap.scratch(wasm.attentionSpace(...call.sizes))
      const made = heap.outputs(outputs)
      const [y, logSums] = made.map(({ pointer }: Storage) => pointer) as [number, number]
      if (sizeOf(outputs[0].shape)) wasm.attention(...call.sizes, ...call.given, y, logSums, space)
      return made
    }),
    scaledDotAttentionGrad: kernel<ScaledDot>((inputs, outputs, attrs) => {
      const [dy, y, logSums, q, k, v, mask] = inputs
      if (q.dtype !== 'float32') {
        const made = heap.outputs(outputs)
        const dense = allElements(
          heap,
          inputs.slice(0, 6).map(x => denseInput(machine, x)),
        )
        plain.scaledDotGrad(
          plainSizes(k, v as Input, q, attrs),
          dense,
          maybe(machine, q, k, mask),
          allOutputs(heap, made, outputs),
        )
        return made
      }
      const call = described(machine, [q, k, v], mask, attrs)
      const given = [y, logSums, dy].map(x => denseAddress(machine, x)) as [number, number, number]
      const space = heap.scratch(wasm.attentionGradSpace(...call.sizes))
      const made = heap.outputs(outputs)
      const [dq, dk, dv] = made.map(({ pointer }: Storage) => pointer) as [number, number, number]
      wasm.attentionGrad(...call.sizes, ...call.given, ...given, dq, dk, dv, space)
      return made
    }),
  }
}

function plainSizes(k: Input, v: Input, q: Input, attrs: ScaledDot): plain.DotSizes {
  const [batch, heads, queries, size] = q.shape as [number, number, number, number]
  const [keys, valueSize] = [k.shape[2] as number, v.shape[3] as number]
  return { heads: batch * heads, queries, keys, size, valueSize, ...attrs }
}

/** What a mask says, asked place by place. */
function maybe({ heap }: Machine, q: Input, k: Input, mask: Input | undefined): plain.May {
  if (!mask) return () => true
  const [batch, heads, queries] = q.shape as [number, number, number]
  const strides = stretch(mask, [batch, heads, queries, k.shape[2] as number]) as [
    number,
    number,
    number,
    number,
  ]
  const [bytes, first] = [heap.bool, address(mask)]
  return (head, query, key) =>
    bytes[
      first +
        Math.floor(head / heads) * strides[0] +
        (head % heads) * strides[1] +
        query * strides[2] +
        key * strides[3]
    ] !== 0
}

/** Sizes and inputs as assembly/attention.as takes them. */
function described(
  machine: Machine,
  inputs: readonly [Input, Input, Input],
  mask: Input | undefined,
  { scale, offset }: ScaledDot,
): {
  sizes: readonly [number, number, number, number, number]
  given: readonly [number, boolean, number, number, number, number, number, number, number, number, number]
} {
  const { heap } = machine
  // Numbers of a row lie side by side; the rest may lie in any way.
  const [q, k, v] = inputs.map(x => (x.strides[3] === 1 ? x : denseInput(machine, x))) as [
    Input,
    Input,
    Input,
  ]
  const [batch, heads, queries, size] = q.shape as [number, number, number, number]
  const [keys, valueSize] = v.shape.slice(2) as [number, number]
  const lead = [batch, heads]
  const starts = (x: Input, strides: readonly number[], bytes: number): number => {
    const list = heap.scratch(4 * batch * heads)
    writePlaces(heap.int32, list >> 2, lead, strides, address(x), bytes)
    return list
  }
  const operand = (x: Input): [number, number] => [starts(x, x.strides, 4), 4 * (x.strides[2] as number)]
  const masked = (): [number, number] => {
    if (!mask) return [0, 0]
    const strides = stretch(mask, [batch, heads, queries, keys])
    if (strides[3] === 1) return [starts(mask, strides, 1), strides[2] as number]
    // One answer for all keys, or keys far apart: written out.
    const { dtype, storage, offset } = mask
    const shape = [batch, heads, queries, keys]
    const dense = denseInput(machine, { dtype, storage, offset, shape, strides })
    return [starts(dense, dense.strides, 1), keys]
  }
  return {
    sizes: [batch * heads, queries, keys, size, valueSize],
    given: [scale, offset !== null, offset ?? 0, ...operand(q), ...operand(k), ...operand(v), ...masked()],
  }
}
