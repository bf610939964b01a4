import { functionsOf } from './math.ts'

/** A number that a shader is told: its name and type. */
export type Param = readonly [name: string, type: 'u32' | 'i32' | 'f32']

/** What one element of a buffer is; truth values are i32. */
export type Element = 'f32' | 'i32' | 'u32' | 'vec4f'

/** One compute shader: what it is told, reads and writes, and its code. */
export interface Program {
  /** For messages and profiles. */
  readonly name: string
  readonly params: readonly Param[]
  /** Arrays by name, in the order in which buffers are handed over: first those that are read, then those that are written. */
  readonly reads: Readonly<Record<string, Element>>
  readonly writes: Readonly<Record<string, Element>>
  /** Whether it may report an index that lies outside: see {@link FAULTS}. */
  readonly faults?: boolean
  /** Threads of a group; 64 unless given. */
  readonly group?: number
  /** Functions, constants and workgroup memory. */
  readonly globals?: string
  /**
   * Statements of one thread. `i` is its number, for programs that run one thread for each of `p.n` elements; `group` (vec3u) and
   * `thread` (u32) for the others.
   */
  readonly body: string
  /** Whether threads work in groups: then there is no `i`, and no guard against threads beyond `p.n`. */
  readonly grouped?: boolean
  /** The whole shader, where it comes from elsewhere: parameters at binding 0, then what is read, then what is written. */
  readonly text?: string
}

/** Threads of a group where a program does not say. */
export const GROUP = 64

/** `fault(kind, index, length)`: the first one since the last reading stays. */
const FAULTS = `fn fault(kind: i32, index: i32, length: i32) {
  if (atomicCompareExchangeWeak(&faults[0], 0, kind).exchanged) {
    atomicStore(&faults[1], index);
    atomicStore(&faults[2], length);
  }
}`

/** What a program that works in groups is told before all else: the launch's first group along each axis. */
export const FIRST: readonly Param[] = ['X', 'Y', 'Z'].map(axis => [`firstGroup${axis}`, 'u32'] as const)

/** The whole text of a shader. */
export function wgsl({
  params,
  reads,
  writes,
  faults,
  group = GROUP,
  globals = '',
  body,
  grouped,
  text,
}: Program): string {
  if (text) return text
  let binding = 1
  const lines = [
    `struct Params { ${(params.length ? params : [['unused', 'u32']]).map(([name, type]) => `${name}: ${type}`).join(', ')} }`,
    '@group(0) @binding(0) var<uniform> p: Params;',
    ...Object.entries(reads).map(
      ([name, type]) => `@group(0) @binding(${binding++}) var<storage, read> ${name}: array<${type}>;`,
    ),
    ...Object.entries(writes).map(
      ([name, type]) => `@group(0) @binding(${binding++}) var<storage, read_write> ${name}: array<${type}>;`,
    ),
  ]
  if (faults)
    lines.push(`@group(0) @binding(${binding}) var<storage, read_write> faults: array<atomic<i32>>;`, FAULTS)
  lines.push(functionsOf(globals + body), globals)
  lines.push(
    grouped
      ? `@compute @workgroup_size(${group})
fn main(@builtin(workgroup_id) groupId: vec3u, @builtin(local_invocation_index) thread: u32) {
  let group = groupId + vec3u(p.firstGroupX, p.firstGroupY, p.firstGroupZ);
  ${body}
}`
      : `@compute @workgroup_size(${group})
fn main(@builtin(global_invocation_id) invocation: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = invocation.x + invocation.y * groups.x * ${group}u;
  if (i >= p.n) { return; }
  ${body}
}`,
  )
  return lines.join('\n')
}
