import type { NamedValues, Values } from '../values.ts'
import { encodeModel, type OnnxAttribute, type OnnxNode, type OnnxPort, type OnnxType } from './encode.ts'

/** Builds the graph of a model, operation by operation; names are made up as it goes. */
export class Graph {
  readonly #nodes: OnnxNode[] = []
  readonly #inputs: OnnxPort[] = []
  readonly #outputs: OnnxPort[] = []
  readonly #constants = new Map<string, Values | BigInt64Array>()
  #made = 0

  #name(): string {
    return `t${this.#made++}`
  }

  /** One operation with one output; its name. */
  op(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    return this.many(op, inputs, 1, attributes)[0] as string
  }

  /** One operation with several outputs; their names. */
  many(
    op: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain?: string,
  ): string[] {
    const names = Array.from({ length: outputs }, () => this.#name())
    this.#nodes.push({ op, inputs, outputs: names, attributes, ...(domain ? { domain } : {}) })
    return names
  }

  constant(values: Values): string {
    const name = this.#name()
    this.#constants.set(name, values)
    return name
  }

  /** One number. */
  scalar(value: number): string {
    return this.constant({ shape: [], data: Float32Array.of(value) })
  }

  /** Whole numbers, as shapes and axes are given. */
  integers(...values: number[]): string {
    const name = this.#name()
    this.#constants.set(name, BigInt64Array.from(values, BigInt))
    return name
  }

  input(name: string, type: OnnxType, shape: readonly (number | string)[]): string {
    this.#inputs.push({ name, type, shape })
    return name
  }

  output(name: string, type: OnnxType = 'float32'): void {
    this.#outputs.push({ name, type })
  }

  /** Inputs that are fed, and constants for all others, under their own names. */
  take(inputs: NamedValues, feeds: readonly string[]): void {
    for (const [name, values] of Object.entries(inputs)) {
      const type = values.data instanceof Float32Array ? 'float32' : 'int32'
      if (feeds.includes(name)) this.input(name, type, values.shape)
      else this.#constants.set(name, values)
    }
  }

  encode(): Uint8Array<ArrayBuffer> {
    return encodeModel({
      nodes: this.#nodes,
      inputs: this.#inputs,
      outputs: this.#outputs,
      constants: this.#constants,
    })
  }

  // What several workloads are made of

  /** `x Wᵀ + b`, the weight as PyTorch has it. */
  linear(x: string, weight: string, bias?: string): string {
    const product = this.op('MatMul', [x, this.op('Transpose', [weight], { perm: [1, 0] })])
    return bias ? this.op('Add', [product, bias]) : product
  }

  /** `softmax(q kᵀ / √size + mask) v` over `[batch, heads, time, size]`. */
  attention(q: string, k: string, v: string, size: number, mask?: string): string {
    const raw = this.op('MatMul', [q, this.op('Transpose', [k], { perm: [0, 1, 3, 2] })])
    const scaled = this.op('Mul', [raw, this.scalar(1 / Math.sqrt(size))])
    const scores = mask ? this.op('Add', [scaled, mask]) : scaled
    return this.op('MatMul', [this.op('Softmax', [scores], { axis: -1 }), v])
  }

  layerNorm(x: string, weight: string, bias: string): string {
    return this.op('LayerNormalization', [x, weight, bias], { axis: -1, epsilon: { float: 1e-5 } })
  }
}
