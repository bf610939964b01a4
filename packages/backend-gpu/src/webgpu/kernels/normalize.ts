import { sizeOf, type TensorSpec } from '@heed/core-tensor'
import type { Family, Input, Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'

/** From this length on, a group of threads shares a row. */
const SHARED = 48
const THREADS = 64
/** Where barriers are dear, no row is shared if there are so many. */
const ROWS = 64

/** Softmax over rows in one launch: largest number, sum of exponentials, quotients. */
export function normalize(machine: Machine): Family<'softmax' | 'logSoftmax'> {
  const rows =
    (name: string, result: string) =>
    ([given]: readonly Input[], [out]: readonly TensorSpec[]): Storage[] => {
      const x = given as Input
      const y = machine.output(out as TensorSpec)
      const length = x.shape.at(-1) as number
      if (sizeOf(x.shape) === 0) return [y]
      const n = sizeOf(x.shape) / length
      const buffers = [x.storage, y]
      if (length < SHARED || (!machine.barriers && n >= ROWS))
        machine.each(
          machine.program(name, () => alone(result)),
          n,
          [length, x.offset],
          buffers,
        )
      else {
        const program = machine.program(`${name} shared`, () => together(result))
        machine.grouped(
          program,
          [Math.min(n, 65535), Math.ceil(n / 65535), 1],
          [n, length, x.offset],
          buffers,
        )
      }
      return [y]
    }
  return {
    softmax: rows('softmax', 'expOf(x[p.first + at] - most) / total'),
    // In one sum the small logarithm would be lost beside a large maximum.
    logSoftmax: rows('logSoftmax', '(x[p.first + at] - most) - logOf(total)'),
  }
}

const LARGER = 'if (v > most || isNan(v)) { most = v; }'
const params = [['n', 'u32'], ['length', 'u32'], ['first', 'u32']] as const // biome-ignore format: a list

function alone(result: string) {
  return {
    params,
    reads: { x: 'f32' as const },
    writes: { y: 'f32' as const },
    body: `let start = i * p.length;
  let end = start + p.length;
  var most = x[p.first + start];
  for (var at = start; at < end; at++) { let v = x[p.first + at]; ${LARGER} }
  var total = 0.0;
  for (var at = start; at < end; at++) { total += expOf(x[p.first + at] - most); }
  for (var at = start; at < end; at++) { y[at] = ${result}; }`,
  }
}

function together(result: string) {
  const folded = (take: string): string => `for (var half = ${THREADS / 2}u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (thread < half) { ${take} }
  }
  workgroupBarrier();`
  return {
    params,
    reads: { x: 'f32' as const },
    writes: { y: 'f32' as const },
    grouped: true,
    group: THREADS,
    globals: `var<workgroup> parts: array<f32, ${THREADS}>;`,
    body: `let i = group.x + group.y * 65535u;
  if (i >= p.n) { return; }
  let start = i * p.length;
  let end = start + p.length;
  var most = x[p.first + start];
  for (var at = start + thread; at < end; at += ${THREADS}u) { let v = x[p.first + at]; ${LARGER} }
  parts[thread] = most;
  ${folded(`let v = parts[thread + half]; ${LARGER} parts[thread] = most;`)}
  most = parts[0];
  workgroupBarrier();
  var total = 0.0;
  for (var at = start + thread; at < end; at += ${THREADS}u) { total += expOf(x[p.first + at] - most); }
  parts[thread] = total;
  ${folded('parts[thread] += parts[thread + half];')}
  total = parts[0];
  for (var at = start + thread; at < end; at += ${THREADS}u) { y[at] = ${result}; }`,
  }
}
