import type { NamedValues, Values } from '../values.ts'
import type { PeerVersion, Untyped } from '../workload.ts'
import type { Runner } from './runner.ts'
import type { Shelf } from './shelf.ts'

/** js-pytorch on its cpu device. Nested arrays are the only storage it has. */
export async function prepareJsPytorch(
  shelf: Shelf,
  version: PeerVersion,
  inputs: NamedValues,
): Promise<Runner> {
  const { torch } = await shelf.load('js-pytorch')
  const step = version(
    torch,
    Object.fromEntries(Object.entries(inputs).map(([name, values]) => [name, torch.tensor(nest(values))])),
  )
  return {
    about: `js-pytorch ${await shelf.version('js-pytorch')}, cpu device`,
    run: () => void step(),
    async result() {
      const made = Object.entries(await step())
      return Object.fromEntries(
        made.map(([name, x]) => [name, { shape: x.shape, data: Float32Array.from(flat(x.data)) }]),
      )
    },
  }
}

function nest({ shape, data }: Values): Untyped {
  let at = 0
  const level = ([size = 0, ...inner]: readonly number[]): Untyped =>
    Array.from({ length: size }, () => (inner.length ? level(inner) : data[at++]))
  return level(shape)
}

function flat(nested: Untyped): number[] {
  return Array.isArray(nested) ? nested.flat(Number.POSITIVE_INFINITY) : [nested]
}
