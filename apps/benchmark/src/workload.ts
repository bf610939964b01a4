import type { Tensor } from '@heed/core-tensor'
import type { Graph } from './onnx/graph.ts'
import type { Draw, NamedValues } from './values.ts'

/**
 * A peer's library or tensor. Peers are not installed when this is type-checked, so their types cannot be named.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Untyped = any

/** The work, to be done again and again. What it gives back is compared between libraries. */
export type Step<T> = () => Readonly<Record<string, T>> | Promise<Readonly<Record<string, T>>>

/** How a JavaScript peer does the work. Preparations (layouts of weights, compilation) come before the step and are not timed. */
export type PeerVersion = (library: Untyped, inputs: Readonly<Record<string, Untyped>>) => Step<Untyped>

/** How onnxruntime does the work: a graph, and what is fed at each run; all other inputs are constants of the graph. */
export interface OnnxVersion {
  /** Without any, the graph takes its inputs itself. */
  readonly feeds: readonly string[]
  /** Outputs that `run` reads: on a GPU all others stay there. */
  readonly read?: readonly string[]
  /** Builds the graph; gives back the names of its outputs. */
  build(graph: Graph, inputs: NamedValues): Readonly<Record<string, string>>
  /** One run of the session unless given; it is told the names that `build` gave back. */
  run?(
    ort: Untyped,
    session: Untyped,
    inputs: NamedValues,
    outputs: Readonly<Record<string, string>>,
  ): Step<Untyped>
}

export interface PeerVersions {
  readonly tfjs?: PeerVersion
  readonly jax?: PeerVersion
  readonly jsPytorch?: PeerVersion
  readonly ort?: OnnxVersion
  /** Python that defines `make(a)`: from tensors by name, a function without arguments that returns tensors by name. */
  readonly torch?: string
}

/** What a point of a growth chart stands for. */
export interface Along {
  /** The chart: all variants with this name stand in it. */
  readonly chart: string
  readonly axis: 'length' | 'width' | 'batch' | 'size'
  readonly at: number
}

/** One shape of a workload. `K` are the names of its inputs. */
export interface Variant<K extends string = string> {
  readonly name: string
  inputs(draw: Draw): Readonly<Record<K, NamedValues[string]>>
  heed(inputs: Readonly<Record<K, Tensor>>): Step<Tensor>
  readonly peers: PeerVersions
  /** How far results may be apart, as a share of their root mean square. */
  readonly tolerance: number
  /** How often a step does the work, for work too short for a clock; 1 unless given. */
  readonly calls?: number
  /** How many steps are compared, for steps that change their parameters; 1 unless given. */
  readonly compared?: number
  /** Floating-point operations of one call. */
  readonly flops?: number
  readonly along?: Along
  /**
   * Whether a GPU does it: `any` does; only one that is none of software can do `full` in its time; `small` is for those that are,
   * and is measured nowhere else. None unless given.
   */
  readonly gpu?: 'any' | 'full' | 'small'
  /** What is measured: times of steps, unless it is memory over many steps, the first result of a new process, or a whole job. */
  readonly kind?: 'memory' | 'coldStart' | 'mainJob'
  /** Milliseconds of each participant, where it takes more than a cell has: then it is measured only if it is asked for by name. */
  readonly longMs?: number
  /** With how many threads it is measured: with all counts that are asked for, unless one or the most of them are enough. */
  readonly threads?: 'one' | 'most'
}

/** What is measured under one letter of the list in README.md. */
export interface Workload {
  readonly name: string
  readonly letter: string
  readonly title: string
  readonly variants: readonly Variant[]
}

/** States a variant; its inputs' names are checked where they are used. */
export function variant<K extends string>(stated: Variant<K>): Variant {
  return stated
}
