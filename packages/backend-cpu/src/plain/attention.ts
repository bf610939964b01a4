import type { Args, TypedArray } from '@heed/core-tensor'

/** Sizes of an additive score. */
export interface Sizes {
  readonly batch: number
  readonly queries: number
  readonly keys: number
  readonly size: number
}

type All = Args<TypedArray>

const at = (numbers: TypedArray, i: number): number => numbers[i] as number

/** Calls with the place of each term in y, query, key and v, and its tanh. */
function eachTerm(
  { batch, queries, keys, size }: Sizes,
  query: TypedArray,
  key: TypedArray,
  visit: (y: number, q: number, k: number, a: number, t: number) => void,
): void {
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < queries; i++)
      for (let j = 0; j < keys; j++)
        for (let a = 0; a < size; a++) {
          const q = (b * queries + i) * size + a
          const k = (b * keys + j) * size + a
          visit((b * queries + i) * keys + j, q, k, a, Math.tanh(at(query, q) + at(key, k)))
        }
}

/** The formula of `additiveScore` in attention.ts of core-tensor, plainly. */
export function additiveScore(sizes: Sizes, [query, key, v]: All, [y]: All): void {
  y.fill(0)
  eachTerm(sizes, query, key, (out, _q, _k, a, t) => {
    y[out] = at(y, out) + at(v, a) * t
  })
}

/** Its gradients. */
export function additiveScoreGrad(sizes: Sizes, [dy, query, key, v]: All, [dq, dk, dv]: All): void {
  for (const gradient of [dq, dk, dv]) gradient.fill(0)
  eachTerm(sizes, query, key, (out, q, k, a, t) => {
    const through = at(dy, out) * at(v, a) * (1 - t * t)
    dq[q] = at(dq, q) + through
    dk[k] = at(dk, k) + through
    dv[a] = at(dv, a) + at(dy, out) * t
  })
}

/** Sizes of scaled dot-product attention, heads of all rows counted together. */
export interface DotSizes {
  readonly heads: number
  readonly queries: number
  readonly keys: number
  readonly size: number
  readonly valueSize: number
  readonly scale: number
  /** Query i sees keys up to i + offset. */
  readonly offset: number | null
}

/** Whether a query of a head may look at a key, but for its place. */
export type May = (head: number, query: number, key: number) => boolean

/** One query's weights; zeros where it may look nowhere. */
function weightsOf(
  sizes: DotSizes,
  q: TypedArray,
  k: TypedArray,
  may: May,
  head: number,
  i: number,
): number[] {
  const { queries, keys, size, scale, offset } = sizes
  const scores = Array.from({ length: keys }, (_, j) => {
    if ((offset !== null && j > i + offset) || !may(head, i, j)) return Number.NEGATIVE_INFINITY
    let sum = 0
    for (let a = 0; a < size; a++)
      sum += at(q, (head * queries + i) * size + a) * at(k, (head * keys + j) * size + a)
    return sum * scale
  })
  const most = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const above = most === Number.NEGATIVE_INFINITY ? 0 : most
  const powers = scores.map(score => Math.exp(score - above))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map(power => (sum === 0 ? 0 : power / sum))
}

/** The formula of `scaledDotAttention` in attention.ts of core-tensor, plainly; its second output stays 0. */
export function scaledDot(sizes: DotSizes, [q, k, v]: All, may: May, [y, logSums]: All): void {
  const { heads, queries, valueSize, keys } = sizes
  y.fill(0)
  logSums.fill(0)
  for (let head = 0; head < heads; head++)
    for (let i = 0; i < queries; i++)
      for (const [j, weight] of weightsOf(sizes, q, k, may, head, i).entries())
        for (let a = 0; a < valueSize && weight !== 0; a++) {
          const out = (head * queries + i) * valueSize + a
          y[out] = at(y, out) + weight * at(v, (head * keys + j) * valueSize + a)
        }
}

/** Its gradients. */
export function scaledDotGrad(sizes: DotSizes, [dy, y, , q, k, v]: All, may: May, [dq, dk, dv]: All): void {
  const { heads, queries, keys, size, valueSize, scale } = sizes
  for (const gradient of [dq, dk, dv]) gradient.fill(0)
  for (let head = 0; head < heads; head++)
    for (let i = 0; i < queries; i++) {
      const row = (head * queries + i) * valueSize
      let inner = 0
      for (let a = 0; a < valueSize; a++) inner += at(dy, row + a) * at(y, row + a)
      for (const [j, weight] of weightsOf(sizes, q, k, may, head, i).entries()) {
        if (weight === 0) continue
        let through = -inner
        for (let a = 0; a < valueSize; a++) {
          const place = (head * keys + j) * valueSize + a
          through += at(dy, row + a) * at(v, place)
          dv[place] = at(dv, place) + weight * at(dy, row + a)
        }
        for (let a = 0; a < size; a++) {
          const [from, to] = [(head * queries + i) * size + a, (head * keys + j) * size + a]
          dq[from] = at(dq, from) + weight * through * scale * at(k, to)
          dk[to] = at(dk, to) + weight * through * scale * at(q, from)
        }
      }
    }
}
