import { arange, type Tensor } from '@heed/core-tensor'

/** Where sequences of the given lengths have something: `[batch]` (int32) → `[batch, time]`, bool, true inside. */
export function lengthMask(lengths: Tensor, time: number): Tensor {
  return arange(0, time, 1, { backend: lengths.backend }).unsqueeze(0).less(lengths.unsqueeze(1))
}

/** The keys that queries may look at, for padded keys: `[batch]` (int32) → `[batch, 1, time]`, bool. */
export function paddingMask(lengths: Tensor, time: number): Tensor {
  return lengthMask(lengths, time).unsqueeze(1)
}

/** Keys up to the query's own place: `[query, key]`, bool; with fewer queries than keys, the queries are the last ones. */
export function causalMask(query: number, like: Tensor, key: number = query): Tensor {
  const { backend } = like
  const places = arange(key - query, key, 1, { backend }).unsqueeze(1)
  return arange(0, key, 1, { backend }).unsqueeze(0).lessEqual(places)
}
