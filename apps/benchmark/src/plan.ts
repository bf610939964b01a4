import { ConfigError } from '@heed/core-tensor'
import {
  type Engine,
  hasThreads,
  livesIn,
  type Participant,
  type PeerName,
  type Place,
} from './participants.ts'
import type { Variant, Workload } from './workload.ts'

/** One variant with a number of threads: everybody who has a version takes part. */
export interface Cell {
  readonly place: Place
  readonly workload: Workload
  readonly variant: Variant
  readonly threads: number
  /** Heed first. */
  readonly participants: readonly Participant[]
  /** Peers that were asked for, live there and have no version of it. */
  readonly unable: readonly PeerName[]
}

/** What a run was asked for. */
export interface Wish {
  readonly place: Place
  /** Names as `gemm` or `gemm/512`; all where there are none. */
  readonly names: readonly string[]
  readonly threads: readonly number[]
  readonly engines: readonly Engine[]
  readonly peers: readonly PeerName[]
  /** Whether the GPU that is measured is one of software, which takes too long for some variants; they are measured if they are named. */
  readonly software?: boolean
}

/**
 * The cells of a run, by the number of threads.
 *
 * @throws ConfigError naming every workload that there is not, or that is not measured in this place
 */
export function plan(workloads: readonly Workload[], wish: Wish): Cell[] {
  checkNames(workloads, wish)
  const here = (one: Variant): boolean => isMeasuredIn(one, wish.place)
  const wanted = ({ name }: Workload, one: Variant): boolean =>
    wish.names.includes(`${name}/${one.name}`) ||
    ((wish.names.length === 0 || wish.names.includes(name)) && one.longMs === undefined && suits(one, wish))
  const last = wish.threads.length - 1
  const turns = ({ threads }: Variant, turn: number): boolean =>
    threads === undefined || turn === (threads === 'one' ? 0 : last)
  const cells = wish.threads.flatMap((threads, turn) =>
    workloads.flatMap(workload =>
      workload.variants
        .filter(one => here(one) && wanted(workload, one) && turns(one, turn))
        .map(
          (one): Cell => ({
            place: wish.place,
            workload,
            variant: one,
            threads,
            ...participantsOf(one, threads, wish),
          }),
        ),
    ),
  )
  // The points of a growth chart come last: if the time is short, they are what can be missed.
  const isPoint = ({ variant }: Cell): boolean => variant.along !== undefined && variant.threads === 'one'
  return [...cells.filter(cell => !isPoint(cell)), ...cells.filter(isPoint)]
}

function participantsOf(
  { peers, kind }: Variant,
  threads: number,
  wish: Wish,
): Pick<Cell, 'participants' | 'unable'> {
  const has: Readonly<Record<PeerName, boolean>> = {
    torch: peers.torch !== undefined,
    'ort-node': peers.ort !== undefined,
    'ort-web': peers.ort !== undefined,
    'jax-js': peers.jax !== undefined,
    tfjs: peers.tfjs !== undefined,
    'js-pytorch': peers.jsPytorch !== undefined,
    'tfjs-webgpu': peers.tfjs !== undefined,
    'tfjs-webgl': peers.tfjs !== undefined,
    'jax-webgpu': peers.jax !== undefined,
    'ort-webgpu': peers.ort !== undefined,
  }
  const living = wish.peers.filter(peer => livesIn(peer, wish.place))
  const peersHere = living
    .filter(peer => has[peer] || kind === 'coldStart')
    .filter(peer => threads === 1 || hasThreads(peer, wish.place))
  return {
    participants: [
      ...wish.engines.map((engine): Participant => ({ kind: 'heed', engine })),
      ...peersHere.map((peer): Participant => ({ kind: 'peer', peer })),
    ],
    unable: living.filter(peer => !has[peer]),
  }
}

/** What is about processes of Node, or a command, is measured nowhere else. */
function isMeasuredIn({ kind, gpu }: Variant, place: Place): boolean {
  if (place === 'gpu') return gpu !== undefined && kind === undefined
  return gpu !== 'small' && (place === 'node' || !(kind === 'coldStart' || kind === 'mainJob'))
}

function whyNot({ gpu }: Variant, place: Place): string {
  if (place === 'gpu') return 'is not measured on a GPU'
  return gpu === 'small' ? 'in that size is for GPUs of software alone' : 'is about processes of Node'
}

/** Whether a GPU that is to be measured has the time for it, and needs no smaller one. */
function suits({ gpu }: Variant, { place, software = false }: Wish): boolean {
  return place !== 'gpu' || gpu === 'any' || gpu === (software ? 'small' : 'full')
}

function checkNames(workloads: readonly Workload[], { names, place }: Wish): void {
  const known = workloads.flatMap(({ name, variants }) => [
    name,
    ...variants.map(one => `${name}/${one.name}`),
  ])
  const strange = names.filter(name => !known.includes(name))
  if (strange.length === 0) {
    checkPlace(workloads, names, place)
    return
  }
  const [first = ''] = strange
  const inner = workloads.find(({ name }) => first.startsWith(`${name}/`))
  const choices = inner
    ? `${inner.name} has ${inner.variants.map(one => one.name).join(', ')}`
    : `use ${workloads.map(({ name }) => name).join(', ')}`
  throw new ConfigError(`no workload ${strange.join(', ')}; ${choices}`)
}

function checkPlace(workloads: readonly Workload[], names: readonly string[], place: Place): void {
  for (const { name, variants } of workloads) {
    const asked = variants.filter(one => names.includes(name) || names.includes(`${name}/${one.name}`))
    const [first] = asked
    if (first && !asked.some(one => isMeasuredIn(one, place)))
      throw new ConfigError(`${name} ${whyNot(first, place)}; leave it out`)
  }
}
