import { sizeOf, type TensorSpec } from '@heed/core-tensor'
import { elementOf, type Family, type Input, type Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import type { Element, Program } from '../program.ts'
import { joined, places, placeValues } from '../walk.ts'

interface Reduction {
  readonly axes: readonly number[]
  readonly keepDims: boolean
}

/** How two partial results become one: what a thread without elements holds, and a statement that takes `v` at place `at` in. */
interface Fold {
  readonly empty: string
  readonly take: string
  /** A statement after every element that lays a part of the result aside, in `done`; `count` counts a thread's elements. */
  readonly part?: string
  /** Whether the place is the result. */
  readonly place?: boolean
}

const wins = (test: string): Fold => ({
  empty: 'first',
  take: `if (${test}) { best = v; spot = at; }`,
  place: true,
})

/** NaN is larger and smaller than everything; of several NaN the first counts. */
const floats: Readonly<Record<string, Fold>> = {
  // Parts of 64 are added up for themselves first: the error grows with the parts, not with the elements.
  sum: { empty: '0', take: 'best += v;', part: 'if ((count & 63u) == 63u) { done += best; best = 0.0; }' },
  prod: { empty: '1', take: 'best = best * v;' },
  max: { empty: 'first', take: 'if (v > best || isNan(v)) { best = v; }' },
  min: { empty: 'first', take: 'if (v < best || isNan(v)) { best = v; }' },
  argmax: wins('(v > best && !isNan(best)) || (isNan(v) && !isNan(best)) || (at < spot && (v == best || (isNan(v) && isNan(best))))'), // biome-ignore format: one line reads best
  argmin: wins('(v < best && !isNan(best)) || (isNan(v) && !isNan(best)) || (at < spot && (v == best || (isNan(v) && isNan(best))))'), // biome-ignore format: one line reads best
}

const wholes: Readonly<Record<string, Fold>> = {
  sum: { empty: '0', take: 'best += v;' },
  prod: floats.prod as Fold,
  max: { empty: 'first', take: 'best = max(best, v);' },
  min: { empty: 'first', take: 'best = min(best, v);' },
  argmax: wins('v > best || (v == best && at < spot)'),
  argmin: wins('v < best || (v == best && at < spot)'),
}

type Name = 'sum' | 'prod' | 'max' | 'min' | 'argmax' | 'argmin'

/** From so many elements a result on, a group of threads shares one result, unless there are results enough for all threads. */
const SHARED = 256
const THREADS = 64
/** Of more elements than this for each of few results, several groups share one, and a second launch puts theirs together. */
const CHUNK = 4096

/** Many numbers to one. */
export function reduce(machine: Machine): Family<Name> {
  const fold =
    (name: Name) =>
    ([x]: readonly Input[], [out]: readonly TensorSpec[], { axes }: Reduction): Storage[] => [
      reduced(machine, name, x as Input, axes, out as TensorSpec),
    ]
  const names: readonly Name[] = ['sum', 'prod', 'max', 'min', 'argmax', 'argmin']
  return Object.fromEntries(names.map(name => [name, fold(name)])) as unknown as Family<Name>
}

/** One result for all elements that differ only along some axes; into `y` if that is given. */
export function reduced(
  machine: Machine,
  name: Name,
  x: Input,
  axes: readonly number[],
  out: TensorSpec,
  y: Storage = machine.output(out),
): Storage {
  const kept = x.shape.map((_, axis) => axis).filter(axis => !axes.includes(axis))
  const along = (chosen: readonly number[]) =>
    joined(chosen.map(axis => x.shape[axis] as number), chosen.map(axis => x.strides[axis] as number)) // biome-ignore format: one line reads best
  const [outer, inner] = [along(kept), along(axes)]
  const n = sizeOf(kept.map(axis => x.shape[axis] as number))
  const count = sizeOf(inner.shape)
  const element = elementOf(x.dtype)
  const shared = count >= SHARED && n < (machine.barriers ? 4096 : 16)
  const key = `${name} ${element} ${outer.shape.length} ${inner.shape.length}${shared ? ' shared' : ''}`
  const program = machine.program(key, () =>
    text(name, element, outer.shape.length, inner.shape.length, shared),
  )
  const values = [count, ...placeValues(outer, [x.offset]), ...placeValues(inner, [0])]
  if (!shared) {
    machine.each(program, n, [1, ...values], [x.storage, y])
    return y
  }
  const place = (element === 'f32' ? floats : wholes)[name]?.place
  const chunks = place || n >= 256 ? 1 : Math.ceil(count / CHUNK)
  const run = (to: Storage): void =>
    machine.grouped(program, [Math.min(n, 65535), Math.ceil(n / 65535), chunks], [n, chunks, ...values], [x.storage, to]) // biome-ignore format: one line reads best
  if (chunks === 1) run(y)
  else
    machine.scratch([n * chunks], room => {
      run(room as Storage)
      const parts: Input = { shape: [n, chunks], strides: [chunks, 1], offset: 0, dtype: x.dtype, storage: room as Storage } // biome-ignore format: one line reads best
      reduced(machine, name, parts, [1], out, y)
    })
  return y
}

function text(
  name: Name,
  element: Element,
  outerRank: number,
  innerRank: number,
  shared: boolean,
): Omit<Program, 'name'> {
  const { empty, take, part, place = false } = (element === 'f32' ? floats : wholes)[name] as Fold
  const outer = places(outerRank, ['x'])
  const inner = places(innerRank, ['x'], { from: 'k', prefix: 'k' })
  const result = place ? 'spot' : 'best'
  const loop = (
    start: string,
    end: string,
    step: string,
  ) => `var best = ${empty === 'first' ? 'first' : `${element}(${empty})`};
  var spot = 0;${part ? ' var done = 0.0; var count = 0u;' : ''}
  for (var k = ${start}; k < ${end}; k += ${step}) {
    ${inner.code}
    let v = x[xAt + kxAt];
    let at = i32(k);
    ${take}${part ? `\n    ${part}\n    count++;` : ''}
  }${part ? '\n  best += done;' : ''}`
  const params = [
    ['n', 'u32'],
    ['chunks', 'u32'],
    ['count', 'u32'],
    ...outer.params,
    ...inner.params,
  ] as const
  const reads = { x: element }
  const writes = { y: place ? ('i32' as const) : element }
  const first = empty === 'first' ? 'let first = x[xAt];' : ''
  if (!shared)
    return {
      params,
      reads,
      writes,
      body: `${outer.code}\n  ${first}\n  ${loop('0u', 'p.count', '1u')}\n  y[i] = ${result};`,
    }
  return {
    params,
    reads,
    writes,
    grouped: true,
    group: THREADS,
    globals: `var<workgroup> bests: array<${element}, ${THREADS}>;\nvar<workgroup> spots: array<i32, ${THREADS}>;`,
    body: `let i = group.x + group.y * 65535u;
  if (i >= p.n) { return; }
  ${outer.code}
  ${first}
  let length = (p.count + p.chunks - 1u) / p.chunks;
  ${loop('group.z * length + thread', 'min(p.count, (group.z + 1u) * length)', `${THREADS}u`)}
  bests[thread] = best;
  spots[thread] = spot;
  for (var half = ${THREADS / 2}u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (thread < half) {
      let v = bests[thread + half];
      let at = spots[thread + half];
      ${take}
      bests[thread] = best;
      spots[thread] = spot;
    }
  }
  if (thread == 0u) { y[i * p.chunks + group.z] = ${result}; }`,
  }
}
