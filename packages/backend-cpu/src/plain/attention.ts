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
