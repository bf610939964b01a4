// The parts of the matrix product that depend on the size of the register tile and on whether multiplication and addition
// are one instruction, as AssemblyScript. A build is one line: see builds.mjs.
//
// V8 has 15 vector registers to give: rows × columns/4 accumulators, columns/4 parts of B, one number of A, and one
// product where it is rounded apart. The loop over k is not unrolled: Binaryen would nest the sums otherwise, and spill.

const range = n => Array.from({ length: n }, (_, i) => i)
const lines = (n, text, separator = '\n') => range(n).map(text).join(separator)

/** The text of './tile'. @param {{ rows: number, columns: number, fused: boolean, paired?: boolean }} build */
export function tile({ rows, columns, fused, paired = false }) {
  return `
import { column0, column1, column2, column3 } from './vector'

/** Rows and columns of the register tile. */
export const ROWS: i32 = ${rows}
export const COLUMNS: i32 = ${columns}

/** a · b + c, ${fused ? 'rounded once where the processor can' : 'rounded after each step'}. */
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  return ${fused ? 'f32x4.relaxed_madd(a, b, c)' : 'f32x4.add(f32x4.mul(a, b), c)'}
}

/** Where the fraction of tanh is 1 exactly, with madd's roundings. */
export const TANH_MOST: usize = memory.data<f32>([${fused ? 7.998811721801758 : 7.905311107635498}])
export const TANH_LEAST: usize = memory.data<f32>([${fused ? -7.998811721801758 : -7.905311107635498}])

${lines(rows, i => micro(i + 1, columns, paired))}
${chooser(rows)}
${[1, 4].map(slivers => rowBy(slivers, columns)).join('\n')}
${packRows(rows)}
${packColumns(columns)}
`
}

/**
 * A row times one or four slivers of packed columns, `next` bytes apart: y = or y = before + x B. Sums as in the micro-kernels;
 * four slivers, since fewer leave the processor waiting, for sums and for memory.
 */
function rowBy(slivers, columns) {
  const vectors = range(slivers).flatMap(s => range(columns / 4).map(j => ({ s, j, name: `c${s}${j}` })))
  const at = ({ s, j }) => 4 * columns * s + 16 * j
  return `
export function rowBy${slivers}(k: i32, x: usize, b: usize, next: usize, y: usize, before: usize): void {
  ${vectors.map(({ name }) => `let ${name} = f32x4.splat(0)`).join('\n  ')}
  ${lines(slivers - 1, i => `let b${i + 1} = b + ${i + 1} * next`, '\n  ')}
  for (; k > 0; k--) {
    const a = v128.load32_splat(x)
    ${vectors.map(({ s, j, name }) => `${name} = madd(a, v128.load(${s ? `b${s}` : 'b'}, ${16 * j}), ${name})`).join('\n    ')}
    x += 4
    b += ${4 * columns}
    ${lines(slivers - 1, i => `b${i + 1} += ${4 * columns}`, '\n    ')}
  }
  if (before) {
    ${vectors.map(v => `const t${v.name} = f32x4.add(v128.load(before, ${at(v)}), ${v.name})`).join('\n    ')}
    ${vectors.map(v => `v128.store(y, t${v.name}, ${at(v)})`).join('\n    ')}
  } else {
    ${vectors.map(v => `v128.store(y, ${v.name}, ${at(v)})`).join('\n    ')}
  }
}`
}

/**
 * The inner product of `height` packed rows and `columns` packed columns, over k: C = A B, or C = before + A B with an address
 * of what was before and the distance of its rows. Each element is one chain of madd in the order of k, whatever the height.
 * Engines widen vectors that are stored side by side: `paired` computes a row of results whole before it stores any.
 */
function micro(height, columns, paired) {
  const vectors = range(columns / 4)
  const sums = range(height).flatMap(i => vectors.map(j => `c${i}${j}`))
  const step = i => `
    const a${i} = v128.load32_splat(a, ${4 * i})
    ${vectors.map(j => `c${i}${j} = madd(a${i}, b${j}, c${i}${j})`).join('\n    ')}`
  const store = (i, value) => vectors.map(j => `v128.store(c, ${value(i, j)}, ${16 * j})`).join('\n    ')
  const whole =
    i => `${vectors.map(j => `const t${i}${j} = f32x4.add(v128.load(before, ${16 * j}), c${i}${j})`).join('\n    ')}
    ${store(i, (i, j) => `t${i}${j}`)}`
  const added = i =>
    paired ? whole(i) : store(i, (i, j) => `f32x4.add(v128.load(before, ${16 * j}), c${i}${j})`)
  return `
function micro${height}(k: i32, a: usize, b: usize, c: usize, row: usize, before: usize, beforeRow: usize): void {
  ${sums.map(sum => `let ${sum} = f32x4.splat(0)`).join('\n  ')}
  for (; k > 0; k--) {
    ${vectors.map(j => `const b${j} = v128.load(b, ${16 * j})`).join('\n    ')}${lines(height, step)}
    a += ${4 * height}
    b += ${4 * columns}
  }
  if (before) {
    ${lines(height, added, '\n    c += row\n    before += beforeRow\n    ')}
  } else {
    ${lines(height, i => store(i, (i, j) => `c${i}${j}`), '\n    c += row\n    ')}
  }
}`
}

/** One micro-kernel for each number of rows that may be left at the lower edge. */
function chooser(rows) {
  return `
/** C = [before +] 'height' packed rows times COLUMNS packed columns, over k. */
export function micro(
  height: i32, k: i32, a: usize, b: usize, c: usize, row: usize, before: usize, beforeRow: usize,
): void {
  ${[rows, ...range(rows - 1).map(i => i + 1)].map(h => `if (height == ${h}) return micro${h}(k, a, b, c, row, before, beforeRow)`).join('\n  ')}
}`
}

/**
 * Packs rows of A: all rows' first elements, all rows' second elements, … Elements that lie side by side in a row are turned four
 * by four; those that lie side by side in a column are copied.
 */
function packRows(rows) {
  const heights = range(rows - 3).map(i => i + 4)
  const turn = height => `
function turnRows${height}(a: usize, row: usize, k: i32, to: usize): void {
  for (; k >= 4; k -= 4) {
    ${lines(height, i => `const r${i} = v128.load(a + ${i} * row)`, '\n    ')}
    ${transposed(
      height,
      (l, i, value) => `v128.store(to, ${value}, ${4 * (l * height + i)})`,
      (l, i, name) => `v128.store32_lane(to, ${name}, ${l}, ${4 * (l * height + i)})`,
    )}
    a += 16
    to += ${16 * height}
  }
}`
  // The vectors of a height, whole ones first; the last may overlap the one before.
  const starts = height => [
    ...range(Math.floor(height / 4)).map(i => 4 * i),
    ...(height % 4 ? [height - 4] : []),
  ]
  const copy = height => `
function copyRows${height}(a: usize, column: usize, k: i32, to: usize): void {
  for (; k > 0; k--) {
    ${starts(height)
      .map(i => `v128.store(to, v128.load(a, ${4 * i}), ${4 * i})`)
      .join('\n    ')}
    a += column
    to += ${4 * height}
  }
}`
  return `${heights.flatMap(h => [turn(h), copy(h)]).join('\n')}

/** ${rows} rows or less, over k; \`row\` and \`column\` are the strides of A in bytes. */
export function packRows(a: usize, row: usize, column: usize, height: i32, k: i32, to: usize): void {
  if (height > 3 && row == 4) {
    ${heights.map(h => `if (height == ${h}) return copyRows${h}(a, column, k, to)`).join('\n    ')}
  }
  if (height > 3 && column == 4) {
    ${heights.map(h => `if (height == ${h}) turnRows${h}(a, row, k, to)`).join('\n    ')}
    a += <usize>(k & ~3) << 2
    to += <usize>((k & ~3) * height) << 2
    k &= 3
  }
  for (let l = 0; l < k; l++) {
    for (let i = 0; i < height; i++) store<f32>(to + (<usize>i << 2), load<f32>(a + <usize>i * row))
    a += column
    to += <usize>height << 2
  }
}`
}

/** Packs columns of B: slivers of COLUMNS columns, in each a row of them after the other, filled up with zeros. */
function packColumns(columns) {
  return `
/** ${columns} columns or less, over k; \`row\` and \`column\` are the strides of B in bytes. */
export function packColumns(b: usize, row: usize, column: usize, width: i32, k: i32, to: usize): void {
  if (width == COLUMNS && column == 4) {
    for (; k > 0; k--) {
      ${lines(columns / 4, j => `v128.store(to, v128.load(b, ${16 * j}), ${16 * j})`, '\n      ')}
      b += row
      to += ${4 * columns}
    }
    return
  }
  if (width == COLUMNS && row == 4) {
    for (; k >= 4; k -= 4) {
      ${lines(columns, j => `const r${j} = v128.load(b + ${j} * column)`, '\n      ')}
      ${transposed(
        columns,
        (l, i, value) => `v128.store(to, ${value}, ${4 * (l * columns + i)})`,
        () => '',
      )}
      b += 16
      to += ${16 * columns}
    }
  }
  for (; k > 0; k--) {
    for (let j = 0; j < COLUMNS; j++) {
      const value = j < width ? load<f32>(b + <usize>j * column) : 0
      store<f32>(to + (<usize>j << 2), value)
    }
    b += row
    to += ${4 * columns}
  }
}`
}

/** Vectors r0, r1, … of four elements of k each, written with k outside: by fours where four are left, else lane by lane. */
function transposed(count, storeFour, storeOne) {
  const text = []
  let i = 0
  for (; i + 4 <= count; i += 4)
    for (const l of range(4)) text.push(storeFour(l, i, `column${l}(r${i}, r${i + 1}, r${i + 2}, r${i + 3})`))
  for (; i < count; i++) for (const l of range(4)) text.push(storeOne(l, i, `r${i}`))
  return text.join('\n      ')
}
