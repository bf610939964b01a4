import {
  ConfigError,
  concat,
  linear,
  type Parameter,
  ShapeError,
  type Tensor,
  zeros,
} from '@heed/core-tensor'
import { checkAxes, checkMask, checkWhole } from '../check.ts'
import { Dropout } from '../dropout.ts'
import { type LayerOptions, normalInit, parameter, xavierUniform, zerosInit } from '../init.ts'
import { Linear } from '../linear.ts'
import { causal, causalFromEnd, Mask, maskOf } from '../masks.ts'
import { Module, type StateEntry } from '../module.ts'
import type { Score } from './attend.ts'
import { type Attended, attend, withContext } from './attend.ts'
import { withoutHiddenKeys, withoutIdleQueries } from './hidden.ts'

/** What {@link scaledDotProductAttention} may look at, and how scores are scaled. */
export interface ScaledDotOptions {
  /** What may be looked at: true = may, stretched over `[..., query, key]`. */
  readonly mask?: Tensor | Mask | undefined
  /** Keys up to the query's own place; `end`: where the queries are the last of the keys. */
  readonly causal?: boolean | 'end'
  /** Added to the scores, stretched over `[..., query, key]`. */
  readonly bias?: Tensor | undefined
  /** What scores are multiplied by; 1/√size unless given. */
  readonly scale?: number | undefined
  /** What the weights pass through: dropout. */
  readonly dropout?: Dropout | undefined
  /** Who attends, for captureAttention. */
  readonly owner?: Module | undefined
  /** Whether what the mask hides is known to be finite: see {@link AttendOptions}. */
  readonly finite?: boolean
}

/**
 * `softmax(q kᵀ · scale + bias) v`. Vaswani et al. 2017, eq. 1, arXiv:1706.03762.
 *
 * @param q `[..., query, size]`
 * @param k `[..., key, size]`
 * @param v `[..., key, valueSize]`
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: ScaledDotOptions = {},
): Attended {
  const { bias, scale = 1 / Math.sqrt(q.shape.at(-1) as number), dropout, owner } = options
  const score: Score = {
    prepare: keys => keys,
    factor: () => scale,
    score: (query, keys) => query.mul(scale).matmul(keys.transpose()),
  }
  return attend(q, k, v, {
    score,
    mask: both(options.mask, options.causal),
    bias,
    dropout: dropout?.active ? weights => dropout.forward(weights) : undefined,
    owner,
    finite: options.finite ?? false,
  })
}

function both(
  mask: Tensor | Mask | undefined,
  order: boolean | 'end' | undefined,
): Tensor | Mask | undefined {
  if (!order) return mask
  const past = order === 'end' ? causalFromEnd : causal
  return mask ? past.and(mask instanceof Mask ? mask : maskOf(mask)) : past
}

/**
 * What heads are made of, `[batch, time, size]` each, without what the mask hides; and the call to go on with. Projections
 * would carry NaN into their gradients otherwise.
 */
function shown<Call extends MultiHeadCall>(
  { where, heads }: { readonly where: string; readonly heads: number },
  [query, keys, values]: readonly [Tensor, Tensor, Tensor],
  options: Call,
): { parts: [Tensor, Tensor, Tensor]; call: Call & { readonly finite: boolean } } {
  const mask = both(options.mask, options.causal)
  const [batch, queries, count] = [query.shape[0] as number, query.shape[1] as number, keys.shape[1] as number] // biome-ignore format: one line
  if (options.mask && !(options.mask instanceof Mask))
    checkMask(where, options.mask, [batch, heads, queries, count])
  const open = mask instanceof Mask ? mask.open(queries, count) : { keys: !mask, queries: !mask }
  if (!mask || (open.keys && open.queries))
    return { parts: [query, keys, values], call: { ...options, finite: true } }
  const numbers = mask instanceof Mask ? mask.tensor(queries, count, query) : mask
  const without = (x: Tensor, hide: (x: Tensor, mask: Tensor) => Tensor): Tensor =>
    hide(x.unsqueeze(1), numbers).squeeze(1) // all heads at once
  const k = open.keys ? keys : without(keys, withoutHiddenKeys)
  const v = values === keys ? k : open.keys ? values : without(values, withoutHiddenKeys)
  const q = open.queries ? query : without(query, withoutIdleQueries)
  return { parts: [q, k, v], call: { ...options, mask: numbers, causal: false, finite: true } }
}

/** How {@link MultiHeadAttention} is made; names as in PyTorch. */
export interface MultiHeadOptions extends LayerOptions {
  readonly bias?: boolean
  /** Dropped from the weights, while learning. */
  readonly dropout?: number
  /** Size of the keys, where it is not the queries'. */
  readonly keySize?: number | undefined
  /** Size of the values, where it is not the queries'. */
  readonly valueSize?: number | undefined
  /** One learned key and value more for everybody. */
  readonly addBiasKv?: boolean
  /** One key and value of zeros more for everybody. */
  readonly addZeroAttention?: boolean
  /** Whether sequences are `[time, batch, features]`, PyTorch's default; ours is batch first. */
  readonly timeFirst?: boolean
}

/** What heads may look at in one call. */
export interface MultiHeadCall {
  /**
   * What may be looked at: true = may, stretched to `[batch, heads, query, key]`. PyTorch's `key_padding_mask` and
   * `attn_mask` say the opposite, true = may not; for the former pass `padding(lengths)`, or `mask.logicalNot()` with two
   * axes more: `.unsqueeze(1).unsqueeze(1)`.
   */
  readonly mask?: Tensor | Mask | undefined
  readonly causal?: boolean | 'end'
  /** Added to the scores, stretched to `[batch, heads, query, key]`. */
  readonly bias?: Tensor | undefined
  /** Changes queries and keys before they meet, `[batch, heads, time, headSize]` → the same: {@link rotary} positions. */
  readonly turn?: ((x: Tensor) => Tensor) | undefined
}

/**
 * Attention in several smaller spaces at once: `[head₁ … head_h] W_O`, `headᵢ = attention(Q Wᵢ_Q, K Wᵢ_K, V Wᵢ_V)`.
 *
 * Vaswani et al. 2017, §3.2.2, arXiv:1706.03762; packed projections, first weights and names as PyTorch's.
 */
export class MultiHeadAttention extends Module {
  readonly embedSize: number
  readonly numHeads: number
  /** `[embedSize, embedSize]` */
  readonly wQuery: Parameter
  /** `[embedSize, keySize]` */
  readonly wKey: Parameter
  /** `[embedSize, valueSize]` */
  readonly wValue: Parameter
  /** `[embedSize]` each */
  readonly bQuery: Parameter | null
  readonly bKey: Parameter | null
  readonly bValue: Parameter | null
  /** `[1, 1, embedSize]` each: one more key and value */
  readonly biasKey: Parameter | null
  readonly biasValue: Parameter | null
  readonly wOut: Linear
  readonly dropout: Dropout
  readonly #zero: boolean
  readonly #timeFirst: boolean

  /** @throws ConfigError unless the heads divide the size */
  constructor(embedSize: number, numHeads: number, options: MultiHeadOptions = {}) {
    super()
    const {
      bias = true,
      dropout = 0,
      keySize = embedSize,
      valueSize = embedSize,
      addBiasKv = false,
      addZeroAttention = false,
      timeFirst = false,
      ...layer
    } = options
    checkWhole('MultiHeadAttention', { embedSize, numHeads }, 1)
    if (embedSize % numHeads)
      throw new ConfigError(
        `MultiHeadAttention: ${numHeads} heads do not divide size ${embedSize}; use a divisor`,
      )
    this.embedSize = embedSize
    this.numHeads = numHeads
    // PyTorch draws packed projections as one matrix of three times the rows.
    const packed = keySize === embedSize && valueSize === embedSize
    const init = (inside: number) =>
      parameter([embedSize, inside], packed ? xavierUniform(Math.sqrt(1 / 2)) : xavierUniform(), layer)
    this.wQuery = init(embedSize)
    this.wKey = init(keySize)
    this.wValue = init(valueSize)
    const zero = (): Parameter | null => (bias ? parameter([embedSize], zerosInit, layer) : null)
    this.bQuery = zero()
    this.bKey = zero()
    this.bValue = zero()
    const extra = (): Parameter | null =>
      addBiasKv ? parameter([1, 1, embedSize], normalInit(Math.sqrt(1 / embedSize)), layer) : null
    this.biasKey = extra()
    this.biasValue = extra()
    this.wOut = new Linear(embedSize, embedSize, { bias, ...layer })
    this.wOut.bias?.assign(zeros([embedSize], this.wOut.bias)) // as PyTorch starts it
    this.dropout = new Dropout(dropout)
    this.#zero = addZeroAttention
    this.#timeFirst = timeFirst
  }

  protected override state(): Record<string, StateEntry> {
    const { wQuery, wKey, wValue, bQuery, bKey, bValue, biasKey, biasValue, embedSize } = this
    const packed = wKey.shape[1] === embedSize && wValue.shape[1] === embedSize
    return {
      ...(packed
        ? { in_proj_weight: [wQuery, wKey, wValue] }
        : { q_proj_weight: wQuery, k_proj_weight: wKey, v_proj_weight: wValue }),
      ...(bQuery && bKey && bValue ? { in_proj_bias: [bQuery, bKey, bValue] } : {}),
      ...(biasKey && biasValue ? { bias_k: biasKey, bias_v: biasValue } : {}),
    }
  }

  protected override stateName(field: string): string {
    return field === 'wOut' ? 'out_proj' : field
  }

  /**
   * Every head looks from the queries at the keys; what they found is joined and projected.
   *
   * @param query `[batch, query, embedSize]`
   * @param keys `[batch, key, keySize]`; the query unless given
   * @param values `[batch, key, valueSize]`; the keys unless given
   * @returns context `[batch, query, embedSize]`, weights and scores `[batch, heads, query, key]`
   */
  forward(query: Tensor, keys: Tensor = query, values: Tensor = keys, options: MultiHeadCall = {}): Attended {
    checkAxes('MultiHeadAttention', { query, keys, values }, axes => axes === 3, '[batch, time, size] each')
    const first = (x: Tensor): Tensor => (this.#timeFirst ? x.transpose(0, 1) : x)
    const [queryFirst, keysFirst] = [first(query), keys === query ? first(query) : first(keys)]
    const valuesFirst = values === keys ? keysFirst : first(values)
    const { parts, call } = shown(
      { where: 'MultiHeadAttention', heads: this.numHeads },
      [queryFirst, keysFirst, valuesFirst],
      options,
    )
    const q = this.#heads(linear(parts[0], this.wQuery, this.bQuery)) // [batch, heads, query, headSize]
    const k = this.#heads(this.#more(linear(parts[1], this.wKey, this.bKey), this.biasKey))
    const v = this.#heads(this.#more(linear(parts[2], this.wValue, this.bValue), this.biasValue))
    const extra = (k.shape[2] as number) - (keysFirst.shape[1] as number)
    const { turn = (x: Tensor): Tensor => x } = options
    const attended = scaledDotProductAttention(turn(q), turn(k), v, {
      ...opened(call, extra, q, k),
      dropout: this.dropout,
      owner: this,
    })
    return withContext(attended, first(this.wOut.forward(this.#joined(attended.context))))
  }

  /** The context alone. */
  read(query: Tensor, keys: Tensor = query, values: Tensor = keys, options: MultiHeadCall = {}): Tensor {
    return this.forward(query, keys, values, options).context
  }

  /** One learned row more, and one of zeros, where asked for. */
  #more(x: Tensor, row: Parameter | null): Tensor {
    const [batch, , size] = x.shape as [number, number, number]
    const rows = [
      ...(row ? [row.expand([batch, 1, size])] : []),
      ...(this.#zero ? [zeros([batch, 1, size], { backend: x.backend })] : []),
    ]
    return rows.length ? concat([x, ...rows], 1) : x
  }

  /** `[batch, time, embedSize]` → `[batch, heads, time, headSize]` */
  #heads(x: Tensor): Tensor {
    const [batch, time, size] = x.shape as [number, number, number]
    if (size !== this.embedSize)
      throw new ShapeError(
        `MultiHeadAttention: size ${size} where ${this.embedSize} is meant; check the input`,
      )
    return x.reshape([batch, time, this.numHeads, size / this.numHeads]).transpose(1, 2)
  }

  /** `[batch, heads, time, headSize]` → `[batch, time, embedSize]` */
  #joined(x: Tensor): Tensor {
    const [batch, , time] = x.shape as [number, number, number]
    return x.transpose(1, 2).reshape([batch, time, this.embedSize])
  }
}

/** Masks and biases for keys of which the last `extra` are open to everybody. */
function opened(
  options: MultiHeadCall & { readonly finite: boolean },
  extra: number,
  q: Tensor,
  k: Tensor,
): typeof options {
  if (!extra) return options
  const [queries, keys] = [q.shape[2] as number, k.shape[2] as number]
  const open = new Mask('extra keys', ({ key }) => key.greaterEqual(keys - extra))
  const wide = (mask: Tensor): Tensor =>
    mask.shape.at(-1) === 1
      ? mask
      : mask
          .cast('int32')
          .pad([...mask.shape.slice(1).map(() => [0, 0] as const), [0, extra] as const])
          .cast('bool')
  const mask =
    options.mask &&
    maskOf(wide(options.mask instanceof Mask ? options.mask.tensor(queries, keys - extra, q) : options.mask))
  const past =
    options.causal &&
    maskOf(wide((options.causal === 'end' ? causalFromEnd : causal).tensor(queries, keys - extra, q)))
  const all = mask && past ? mask.and(past) : (mask ?? (past || undefined))
  const { bias } = options
  return {
    finite: options.finite,
    mask: all?.or(open),
    bias:
      bias && bias.shape.at(-1) !== 1
        ? bias.pad([...bias.shape.slice(1).map(() => [0, 0] as const), [0, extra] as const])
        : bias,
  }
}

/** How {@link GroupedQueryAttention} is made. */
export interface GroupedQueryOptions extends LayerOptions {
  /** How many heads of keys and values there are; each serves as many query heads. 1: multi-query attention. */
  readonly numKvHeads: number
  readonly headSize?: number
  readonly bias?: boolean
  readonly dropout?: number
}

/**
 * Query heads that share keys and values in groups.
 *
 * Ainslie et al. 2023, arXiv:2305.13245; with one head of keys: Shazeer 2019, arXiv:1911.02150.
 */
export class GroupedQueryAttention extends Module {
  readonly numHeads: number
  readonly numKvHeads: number
  readonly headSize: number
  readonly wQuery: Linear
  readonly wKey: Linear
  readonly wValue: Linear
  readonly wOut: Linear
  readonly dropout: Dropout

  constructor(embedSize: number, numHeads: number, options: GroupedQueryOptions) {
    super()
    const { numKvHeads, headSize = embedSize / numHeads, bias = false, dropout = 0, ...layer } = options
    checkWhole('GroupedQueryAttention', { embedSize, numHeads, numKvHeads }, 1)
    if (numHeads % numKvHeads || !Number.isInteger(headSize))
      throw new ConfigError(
        `GroupedQueryAttention: ${numHeads} heads over ${numKvHeads} of keys, of size ${headSize}; use divisors`,
      )
    this.numHeads = numHeads
    this.numKvHeads = numKvHeads
    this.headSize = headSize
    this.wQuery = new Linear(embedSize, numHeads * headSize, { bias, ...layer })
    this.wKey = new Linear(embedSize, numKvHeads * headSize, { bias, ...layer })
    this.wValue = new Linear(embedSize, numKvHeads * headSize, { bias, ...layer })
    this.wOut = new Linear(numHeads * headSize, embedSize, { bias, ...layer })
    this.dropout = new Dropout(dropout)
  }

  /** `[batch, query, embedSize]`, keys and values alike → context `[batch, query, embedSize]`, weights `[batch, heads, query, key]`. */
  forward(query: Tensor, keys: Tensor = query, values: Tensor = keys, options: MultiHeadCall = {}): Attended {
    checkAxes(
      'GroupedQueryAttention',
      { query, keys, values },
      axes => axes === 3,
      '[batch, time, size] each',
    )
    const heads = (x: Tensor, count: number): Tensor =>
      x.reshape([...x.shape.slice(0, 2), count, this.headSize]).transpose(1, 2)
    const { parts, call } = shown(
      { where: 'GroupedQueryAttention', heads: this.numHeads },
      [query, keys, values],
      options,
    )
    const q = heads(this.wQuery.forward(parts[0]), this.numHeads)
    const k = heads(this.wKey.forward(parts[1]), this.numKvHeads)
    const v = heads(this.wValue.forward(parts[2]), this.numKvHeads)
    const { turn = (x: Tensor): Tensor => x } = options
    const attended = groupedQueryAttention(turn(q), turn(k), v, {
      ...call,
      dropout: this.dropout,
      owner: this,
    })
    const [batch, , time] = attended.context.shape as [number, number, number]
    const joined = attended.context.transpose(1, 2).reshape([batch, time, this.numHeads * this.headSize])
    return withContext(attended, this.wOut.forward(joined))
  }
}

/** Query heads `[batch, heads, query, size]` over fewer heads of keys and values `[batch, kvHeads, key, size]`: head i uses ⌊i / (heads / kvHeads)⌋. */
export function groupedQueryAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: ScaledDotOptions = {},
): Attended {
  const [heads, shared] = [q.shape[1] as number, k.shape[1] as number]
  if (heads % shared)
    throw new ShapeError(
      `groupedQueryAttention: ${heads} query heads over ${shared} of keys; the second must divide the first`,
    )
  const repeated = (x: Tensor): Tensor => {
    const [batch, , time, size] = x.shape as [number, number, number, number]
    return x
      .unsqueeze(2)
      .expand([batch, shared, heads / shared, time, size])
      .reshape([batch, heads, time, size])
  }
  return scaledDotProductAttention(q, repeated(k), repeated(v), options)
}
