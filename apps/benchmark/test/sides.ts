import { referenceBackend } from '@heed/core-tensor/testing'
import type { Pace } from '../src/cell.ts'
import type { Participant } from '../src/participants.ts'
import { prepareHeed } from '../src/peers/heed.ts'
import type { Side } from '../src/side.ts'
import { drawFrom, type NamedValues } from '../src/values.ts'
import { type Variant, variant } from '../src/workload.ts'

export const heed: Participant = { kind: 'heed', engine: 'stock' }
export const torch: Participant = { kind: 'peer', peer: 'torch' }

/** No time is measured in these tests. */
export const QUICK: Pace = {
  warmUpMs: 0,
  warmUps: 1,
  burstMs: 0,
  turns: 2,
  mostTurns: 3,
  cellMs: 5000,
  capMs: 5000,
  restMs: 0,
}

/** A product small enough for the reference backend. */
export const product: Variant = variant({
  name: 'small',
  inputs: draw => ({ x: draw.normal([4, 5]), y: draw.normal([5, 3]) }),
  tolerance: 1e-5,
  heed:
    ({ x, y }) =>
    () => ({ z: x.matmul(y) }),
  peers: {},
})

/** Heed on the reference backend, in this process; `change` makes a peer of it that computes something else. */
export async function side(
  participant: Participant,
  change: (values: NamedValues) => NamedValues = values => values,
): Promise<Side & { closed: boolean }> {
  const runner = prepareHeed(product, product.inputs(drawFrom(1)), await referenceBackend())
  const made: Side & { closed: boolean } = {
    participant,
    about: 'here',
    closed: false,
    result: async () => change(await runner.result()),
    async measure() {
      await runner.run()
      return { times: [2, 4, 3], cpuMs: 9, wallMs: 9, peakMB: 50, residentMB: 40 }
    },
    close() {
      made.closed = true
    },
  }
  return made
}
