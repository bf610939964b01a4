// What a page of Chromium runs: one participant, told what to do by relay.ts. Its server gives it inputs and peers, and takes results.

import { clockTick, resultOf, type Timing, timesOf } from '../obey.ts'
import type { PeerName } from '../participants.ts'
import type { Runner } from '../peers/runner.ts'
import type { Shelf } from '../peers/shelf.ts'
import { prepare, type Wanted } from '../prepare.ts'
import { type Entry, packValues, unpackValues } from '../values.ts'
import type { Untyped } from '../workload.ts'

/** What relay.ts calls, as `globalThis.participant`. */
export interface PageParticipant {
  /** @returns what it is */
  open(wanted: Wanted): Promise<string>
  /** Does so many steps and sends what they gave. */
  result(steps: number): Promise<void>
  time(ms: number, most: number): Promise<Timing>
}

let runner: Runner
let tickMs: number

const participant: PageParticipant = {
  async open(wanted) {
    if (!crossOriginIsolated) throw new Error('the page is not cross-origin isolated: it has no threads')
    // jax-js takes as many threads as there are cores; others may look, too.
    Object.defineProperty(navigator, 'hardwareConcurrency', { value: wanted.threads })
    tickMs = clockTick()
    const [entries, bytes] = await Promise.all([
      got('/inputs.json').then(answer => answer.json() as Promise<readonly Entry[]>),
      got('/inputs.bin').then(answer => answer.arrayBuffer()),
    ])
    const inputs = unpackValues(entries, (into, offset) =>
      into.set(new Uint8Array(bytes, offset, into.byteLength)),
    )
    runner = await prepare(wanted, inputs, shelfOf(wanted.peer))
    return runner.about
  },
  async result(steps) {
    const { entries, parts } = packValues(await resultOf(runner, steps))
    await got('/result.bin', { method: 'PUT', body: new Blob(parts) })
    await got('/result.json', { method: 'PUT', body: JSON.stringify(entries) })
  },
  time: (ms, most) => timesOf(runner, ms, most, tickMs),
}

/** The bundle of one peer, which holds its packages by name. */
function shelfOf(peer: 'heed' | PeerName): Shelf {
  const bundle: Promise<Untyped> | undefined = peer === 'heed' ? undefined : import(`/${peer}.js`)
  return {
    place: 'chromium',
    load: async name => (await bundle).packages[name],
    version: async name => (await bundle).versions[name],
    files: name => `${location.origin}/files/${name}/`,
  }
}

async function got(path: string, request?: RequestInit): Promise<Response> {
  const answer = await fetch(path, request)
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer
}

Object.assign(globalThis, { participant })
