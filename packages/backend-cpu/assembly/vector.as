// Four numbers at a time.
//
// Tensors may be read up to one vector beyond their end: memory goes on there. They may be written beyond their end only
// where the same thread writes what follows, or where nothing does: blocks are padded to 64 bytes.

/** A number from memory in all four lanes. Constants live in memory: in the code, V8 would rebuild them at every use. */
@inline export function constant(address: usize): v128 {
  return v128.load32_splat(address)
}

/** Writes the first one, two or three lanes. */
@inline export function storeSome(p: usize, v: v128, count: usize): void {
  if (count & 2) {
    v128.store64_lane(p, v, 0)
    if (count & 1) v128.store32_lane(p, v, 2, 8)
  } else v128.store32_lane(p, v, 0)
}

/** Writes a vector, or what is left of it at the end of a line. */
@inline export function storeLeft(p: usize, v: v128, left: usize): void {
  if (left >= 4) v128.store(p, v)
  else storeSome(p, v, left)
}

const FIRST_LANES: usize = memory.data<i32>([-1, -1, -1, -1, 0, 0, 0])

/** All bits of the first `count` lanes. */
@inline export function firstLanes(count: usize): v128 {
  return v128.load(FIRST_LANES + 16 - (count << 2))
}

@inline export function sumOfLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1))
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1)
}

/** NaN if any lane is. */
@inline export function maxOfLanes(v: v128): f32 {
  const pairs = f32x4.max(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1))
  return f32x4.extract_lane(f32x4.max(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2)), 0)
}

@inline export function minOfLanes(v: v128): f32 {
  const pairs = f32x4.min(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1))
  return f32x4.extract_lane(f32x4.min(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2)), 0)
}

/** Rows become columns: of four vectors, the lanes of one number. */
@inline export function column0(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<i64>(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 0, 4, 1, 5), 0, 2)
}

@inline export function column1(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<i64>(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 0, 4, 1, 5), 1, 3)
}

@inline export function column2(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<i64>(v128.shuffle<f32>(a, b, 2, 6, 3, 7), v128.shuffle<f32>(c, d, 2, 6, 3, 7), 0, 2)
}

@inline export function column3(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<i64>(v128.shuffle<f32>(a, b, 2, 6, 3, 7), v128.shuffle<f32>(c, d, 2, 6, 3, 7), 1, 3)
}

/** to[c][i] = from[i][c] for c below `width` and i below n; rows in bytes. */
export function turnInto(from: usize, fromRow: usize, n: i32, width: i32, to: usize, toRow: usize): void {
  for (; n >= 4; n -= 4) {
    let x = from
    let y = to
    let left = width
    for (; left >= 4; left -= 4) {
      const r0 = v128.load(x)
      const r1 = v128.load(x + fromRow)
      const r2 = v128.load(x + 2 * fromRow)
      const r3 = v128.load(x + 3 * fromRow)
      v128.store(y, column0(r0, r1, r2, r3))
      v128.store(y + toRow, column1(r0, r1, r2, r3))
      v128.store(y + 2 * toRow, column2(r0, r1, r2, r3))
      v128.store(y + 3 * toRow, column3(r0, r1, r2, r3))
      x += 16
      y += 4 * toRow
    }
    for (; left > 0; left--) {
      for (let i: usize = 0; i < 4; i++) store<f32>(y + (i << 2), load<f32>(x + i * fromRow))
      x += 4
      y += toRow
    }
    from += 4 * fromRow
    to += 16
  }
  for (; n > 0; n--) {
    for (let c = 0; c < width; c++) store<f32>(to + <usize>c * toRow, load<f32>(from + (<usize>c << 2)))
    from += fromRow
    to += 4
  }
}
