import {
  ConfigError,
  concat,
  embedding,
  leakyRelu,
  linear,
  type Parameter,
  ShapeError,
  split,
  type Tensor,
  tensor,
} from '@heed/core-tensor'
import { checkWhole } from '../check.ts'
import { Dropout } from '../dropout.ts'
import { type LayerOptions, parameter, xavierUniform, zerosInit } from '../init.ts'
import { Module } from '../module.ts'
import { type Attended, attend, type Score } from './attend.ts'

/** Information flows from one node to another: `to` looks at `from`. */
export interface Edge {
  readonly from: number
  readonly to: number
  /** What people call it. */
  readonly name?: string
}

/**
 * A graph as a list of edges. Every node also looks at itself, unless `selfLoops` is false; these loops are no edges of the
 * list, and their weights come apart.
 *
 * @example
 * new Graph(3, [{ from: 0, to: 2, name: 'cites' }, { from: 1, to: 2 }])
 */
export class Graph {
  readonly numNodes: number
  readonly edges: readonly Edge[]
  readonly selfLoops: boolean
  /** The edges that lead to each node, by their places in the list. */
  readonly #incoming: readonly number[][]
  /** Places a node has to look at: the most edges to one node, and itself. */
  readonly #slots: number

  /** @throws ConfigError if an edge leads to or from no node, or from a node to itself beside the loops */
  constructor(
    numNodes: number,
    edges: readonly Edge[],
    { selfLoops = true }: { readonly selfLoops?: boolean } = {},
  ) {
    checkWhole('Graph', { numNodes })
    const incoming = Array.from({ length: numNodes }, (): number[] => [])
    for (const [i, { from, to }] of edges.entries()) {
      if (![from, to].every(node => Number.isInteger(node) && node >= 0 && node < numNodes))
        throw new ConfigError(`Graph: edge ${i} leads from ${from} to ${to}; nodes are 0 to ${numNodes - 1}`)
      if (selfLoops && from === to)
        throw new ConfigError(
          `Graph: edge ${i} leads from ${from} to itself, where self-loops are kept apart; leave it out, or say selfLoops: false`,
        )
      incoming[to]?.push(i)
    }
    this.numNodes = numNodes
    this.edges = edges
    this.selfLoops = selfLoops
    this.#incoming = incoming
    this.#slots = Math.max(1, ...incoming.map(list => list.length + Number(selfLoops)))
  }

  /** Who may look at whom, `[node, node]`, bool: row i has true at j where i looks at j. Loops are on the diagonal. */
  mask({ backend }: Pick<Tensor, 'backend'>): Tensor {
    const n = this.numNodes
    const cells = new Uint8Array(n * n)
    if (this.selfLoops) for (let i = 0; i < n; i++) cells[i * n + i] = 1
    for (const { from, to } of this.edges) cells[to * n + from] = 1
    return tensor(cells, { shape: [n, n], backend })
  }

  /** @internal Whom each node looks at, itself first: `[node · slot]`; and which of these are real. */
  neighbours({ backend }: Pick<Tensor, 'backend'>): { nodes: Tensor; real: Tensor; slots: number } {
    const [n, slots] = [this.numNodes, this.#slots]
    // Empty slots repeat the node, which sees itself anyway: what other nodes hold must not leak in, even as NaN.
    const nodes = Int32Array.from({ length: n * slots }, (_, at) => Math.floor(at / slots))
    const real = new Uint8Array(n * slots)
    this.#visit((node, slot, edge) => {
      nodes[node * slots + slot] = edge === undefined ? node : (this.edges[edge] as Edge).from
      real[node * slots + slot] = 1
    })
    return {
      nodes: tensor(nodes, { backend }),
      real: tensor(real, { shape: [n, 1, slots], backend }),
      slots,
    }
  }

  /** @internal Which nodes have an edge, `[node, 1]`, bool. */
  linked({ backend }: Pick<Tensor, 'backend'>): Tensor {
    const found = new Uint8Array(this.numNodes)
    for (const { from, to } of this.edges) found[from] = found[to] = 1
    return tensor(found, { shape: [this.numNodes, 1], backend })
  }

  /** @internal Where edges and loops stand among `[node · slot]`. */
  places({ backend }: Pick<Tensor, 'backend'>): { edges: Tensor; loops: Tensor | null } {
    const edges = new Int32Array(this.edges.length)
    this.#visit((node, slot, edge) => {
      if (edge !== undefined) edges[edge] = node * this.#slots + slot
    })
    const loops = Int32Array.from({ length: this.numNodes }, (_, node) => node * this.#slots)
    return { edges: tensor(edges, { backend }), loops: this.selfLoops ? tensor(loops, { backend }) : null }
  }

  #visit(each: (node: number, slot: number, edge: number | undefined) => void): void {
    for (const [node, list] of this.#incoming.entries()) {
      if (this.selfLoops) each(node, 0, undefined)
      for (const [i, edge] of list.entries()) each(node, i + Number(this.selfLoops), edge)
    }
  }
}

/** Zeros for nodes that nobody looks at and that look nowhere: see {@link withoutHiddenKeys}. */
function withoutLonely(x: Tensor, allowed: Tensor): Tensor {
  return allowed.size ? x.where(allowed.max(0).logicalOr(allowed.max(1)).unsqueeze(1), 0) : x
}

/** What attention along the edges of a {@link Graph} yields. */
export interface GraphAttended {
  /** `[node, size]` */
  readonly context: Tensor
  /** Of each edge, in the graph's order: `[heads, edge]`. Those to one node, with its loop, sum to 1. */
  readonly weights: Tensor
  /** Of each node's look at itself, `[heads, node]`; null where the graph has no loops. */
  readonly selfWeights: Tensor | null
  /** What the weights were made of, `[heads, edge]`. */
  readonly scores: Tensor
}

/** How graph attention is made. */
export interface GraphAttentionOptions extends LayerOptions {
  readonly heads?: number
  /** Whether heads are set side by side; otherwise their mean is taken, as for a last layer. */
  readonly concat?: boolean
  /** The slope of LeakyReLU below 0. */
  readonly negativeSlope?: number
  readonly bias?: boolean
  /** The share of weights that are dropped while learning: each node sees a sample of its neighbours. */
  readonly dropout?: number
}

/** What one kind of graph attention compares: `[heads, node, …]` each. */
interface Parts {
  readonly query: Tensor
  readonly key: Tensor
  readonly value: Tensor
  readonly score: Score
}

/** What both kinds of graph attention share: heads, the mask or the edges, and what becomes of the heads. */
abstract class NodeAttention extends Module {
  readonly heads: number
  readonly outFeatures: number
  readonly inFeatures: number
  readonly concat: boolean
  readonly negativeSlope: number
  /** `[heads · outFeatures]`, or `[outFeatures]` for the mean of heads */
  readonly bias: Parameter | null
  readonly dropout: Dropout

  constructor(inFeatures: number, outFeatures: number, options: GraphAttentionOptions) {
    super()
    const { heads = 1, concat = true, negativeSlope = 0.2, bias = true, dropout = 0 } = options
    if (!Number.isInteger(heads) || heads < 1)
      throw new ConfigError(`GraphAttention: ${heads} heads; use a whole number of 1 or more`)
    this.inFeatures = inFeatures
    this.outFeatures = outFeatures
    this.heads = heads
    this.concat = concat
    this.negativeSlope = negativeSlope
    this.bias = bias ? parameter([concat ? heads * outFeatures : outFeatures], zerosInit, options) : null
    this.dropout = new Dropout(dropout)
  }

  protected abstract parts(x: Tensor): Parts

  /** `[node, heads · outFeatures]` → `[heads, node, outFeatures]` */
  protected perHead(x: Tensor): Tensor {
    return x.reshape([x.shape[0] as number, this.heads, this.outFeatures]).transpose(0, 1)
  }

  /**
   * Every node looks at the nodes that the mask allows.
   *
   * @param x `[node, inFeatures]`
   * @param mask `[node, node]`, bool: row i has true at j where i looks at j; or a {@link Graph}
   * @returns context `[node, heads · outFeatures]` (or `[node, outFeatures]`), weights and scores `[heads, node, node]`
   * @throws ShapeError where sizes do not fit
   */
  forward(x: Tensor, mask: Tensor | Graph): Attended {
    const nodes = this.#check(x)
    const allowed = mask instanceof Graph ? mask.mask(x) : mask
    if (allowed.shape.join() !== `${nodes},${nodes}`)
      throw new ShapeError(
        `GraphAttention: ${nodes} nodes and a mask [${allowed.shape.join(', ')}]; use [${nodes}, ${nodes}]`,
      )
    const loops = mask instanceof Graph && mask.selfLoops
    const { query, key, value, score } = this.parts(loops ? x : withoutLonely(x, allowed))
    // As one row of a batch, so that captured maps are [batch, heads, query, key].
    const [q, k, v] = [query, key, value].map(t => t.unsqueeze(0)) as [Tensor, Tensor, Tensor]
    const { context, weights, scores } = attend(q, k, v, {
      score,
      mask: allowed,
      finite: loops, // everybody looks, and is looked at
      dropout: all => this.dropout.forward(all),
      owner: this,
    })
    return { context: this.#join(context.squeeze(0)), weights: weights.squeeze(0), scores: scores.squeeze(0) }
  }

  /**
   * {@link forward} where only edges are computed: for `nodes · most edges to one node` pairs in place of `nodes²`.
   *
   * @param x `[node, inFeatures]`
   * @throws ShapeError unless there are as many rows as nodes
   */
  along(x: Tensor, graph: Graph): GraphAttended {
    const nodes = this.#check(x)
    if (graph.numNodes !== nodes)
      throw new ShapeError(
        `GraphAttention: ${nodes} rows for a graph of ${graph.numNodes} nodes; make them equal`,
      )
    const { nodes: neighbours, real, slots } = graph.neighbours(x)
    const { query, key, value, score } = this.parts(graph.selfLoops ? x : x.where(graph.linked(x), 0))
    // Each node is a row of the batch, with its own neighbours for keys: [node, heads, slot, …].
    const own = (all: Tensor): Tensor =>
      embedding(all.transpose(0, 1), neighbours)
        .reshape([nodes, slots, this.heads, all.shape[2] as number])
        .transpose(1, 2)
    const { context, weights, scores } = attend(query.transpose(0, 1).unsqueeze(2), own(key), own(value), {
      score,
      mask: real.unsqueeze(1),
      dropout: all => this.dropout.forward(all),
      owner: this,
    })
    const { edges, loops } = graph.places(x)
    const at = (all: Tensor, places: Tensor): Tensor =>
      embedding(
        all
          .squeeze(2)
          .transpose(1, 2)
          .reshape([nodes * slots, this.heads]),
        places,
      ).transpose()
    return {
      context: this.#join(context.squeeze(2).transpose(0, 1)),
      weights: at(weights, edges),
      selfWeights: loops && at(weights, loops),
      scores: at(scores, edges),
    }
  }

  #check(x: Tensor): number {
    if (x.shape.length !== 2 || x.shape[1] !== this.inFeatures)
      throw new ShapeError(
        `GraphAttention: the input is [${x.shape.join(', ')}]; use [node, ${this.inFeatures}]`,
      )
    return x.shape[0] as number
  }

  /** `[heads, node, outFeatures]` → `[node, …]` */
  #join(heads: Tensor): Tensor {
    const nodes = heads.shape[1] as number
    const joined = this.concat
      ? heads.transpose(0, 1).reshape([nodes, this.heads * this.outFeatures])
      : heads.mean(0)
    return this.bias ? joined.add(this.bias) : joined
  }
}

/**
 * Graph attention: `h = W x`, `e_ij = LeakyReLU(aᵀ [h_i; h_j])`, `α = softmax_j(e)` over neighbours, `y_i = Σ α_ij h_j + b`.
 *
 * Veličković et al. 2018, §2.1, eq. 3-6, arXiv:1710.10903. Their one vector a is cut in two here, `aSelf` and
 * `aNeighbour`; no nonlinearity follows. A node that may look nowhere gets the bias alone.
 *
 * @example
 * const { context, weights } = new GraphAttention(1433, 8, { heads: 8 }).along(features, graph)
 */
export class GraphAttention extends NodeAttention {
  /** `[heads · outFeatures, inFeatures]` */
  readonly weight: Parameter
  /** `[heads, outFeatures]` */
  readonly aSelf: Parameter
  /** `[heads, outFeatures]` */
  readonly aNeighbour: Parameter

  constructor(inFeatures: number, outFeatures: number, options: GraphAttentionOptions = {}) {
    super(inFeatures, outFeatures, options)
    this.weight = parameter([this.heads * outFeatures, inFeatures], xavierUniform(), options)
    this.aSelf = parameter([this.heads, outFeatures], xavierUniform(), options)
    this.aNeighbour = parameter([this.heads, outFeatures], xavierUniform(), options)
  }

  protected parts(x: Tensor): Parts {
    const h = this.perHead(linear(x, this.weight)) // [heads, node, outFeatures]
    const by = (a: Tensor): Tensor => h.matmul(a.unsqueeze(-1)) // [heads, node, 1]
    const score: Score = {
      prepare: keys => keys,
      score: (query, keys) => leakyRelu(query.add(keys.transpose()), this.negativeSlope),
    }
    return { query: by(this.aSelf), key: by(this.aNeighbour), value: h, score }
  }
}

/**
 * Graph attention whose ranking of neighbours depends on who asks: `e_ij = aᵀ LeakyReLU(W_l x_i + W_r x_j)`,
 * `y_i = Σ α_ij W_r x_j + b`.
 *
 * Brody et al. 2022, §3, eq. 7, arXiv:2105.14491. Their one W is cut in two here, `wSelf` (W_l) and `wNeighbour` (W_r).
 */
export class GraphAttentionV2 extends NodeAttention {
  /** `[heads · outFeatures, inFeatures]` */
  readonly wSelf: Parameter
  /** `[heads · outFeatures, inFeatures]` */
  readonly wNeighbour: Parameter
  /** `[heads, outFeatures]` */
  readonly a: Parameter

  constructor(inFeatures: number, outFeatures: number, options: GraphAttentionOptions = {}) {
    super(inFeatures, outFeatures, options)
    this.wSelf = parameter([this.heads * outFeatures, inFeatures], xavierUniform(), options)
    this.wNeighbour = parameter([this.heads * outFeatures, inFeatures], xavierUniform(), options)
    this.a = parameter([this.heads, outFeatures], xavierUniform(), options)
  }

  protected parts(x: Tensor): Parts {
    const asks = this.perHead(linear(x, this.wSelf)) // [heads, node, outFeatures]
    const h = this.perHead(linear(x, this.wNeighbour))
    const score: Score = {
      prepare: keys => keys,
      score: (query, keys) => {
        const [q, a] = split(query, [this.outFeatures, this.outFeatures], -1) as [Tensor, Tensor]
        const pairs = q.unsqueeze(-2).add(keys.unsqueeze(-3)) // [..., query, key, outFeatures]
        return leakyRelu(pairs, this.negativeSlope).matmul(a.unsqueeze(-1)).squeeze(-1)
      },
    }
    // Each query carries the a of its head, so that a row can be looked at alone.
    const query = concat([asks, this.a.unsqueeze(1).expand(asks.shape)], -1)
    return { query, key: h, value: h, score }
  }
}
