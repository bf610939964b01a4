import { ShapeError } from '../errors.ts'
import { show } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

/**
 * Sums of products over named axes: `einsum('bqd,bkd->bqk', query, key)`.
 *
 * Letters name axes; those that are not in the result are summed. A letter that stands twice in one tensor takes its
 * diagonal, `...` stands for any axes in front that stretch as usual. Without `->` the result has the letters that stand
 * once, in the alphabet's order, behind the dots.
 *
 * @throws ShapeError if the equation does not fit the tensors
 */
export function einsum(equation: string, ...tensors: readonly Tensor[]): Tensor {
  const { inputs, output } = parse(equation, tensors)
  const wide = Math.max(
    0,
    ...inputs.map(({ letters }, i) => (letters.includes('.') ? rankOf(tensors, i) - letters.length + 1 : 0)),
  )
  const dots = Array.from({ length: wide }, (_, i) => `.${i}`)
  const terms = inputs.map(({ letters }, i): Term => {
    const x = tensors[i] as Tensor
    const own = letters.includes('.') ? x.shape.length - letters.length + 1 : 0
    return diagonals(equation, {
      x,
      axes: letters.flatMap(l => (l === '.' ? dots.slice(dots.length - own) : [l])),
    })
  })
  checkLengths(equation, terms)
  const result = output.flatMap(l => (l === '.' ? dots : [l]))
  const last = terms.reduce((left, right, i) => {
    const wanted = new Set([...result, ...terms.slice(i + 1).flatMap(term => term.axes)])
    return product(left, right, wanted)
  })
  return arranged(summed(last, new Set(result)), result)
}

/** A tensor whose axes have names. */
interface Term {
  readonly x: Tensor
  readonly axes: readonly string[]
}

function rankOf(tensors: readonly Tensor[], i: number): number {
  return (tensors[i] as Tensor).shape.length
}

function parse(
  equation: string,
  tensors: readonly Tensor[],
): { inputs: { letters: string[] }[]; output: string[] } {
  const compact = equation.replaceAll(/\s/g, '').replaceAll('...', '.')
  const [left = '', right, ...more] = compact.split('->')
  const inputs = left.split(',').map(text => ({ letters: [...text] }))
  const shapes = tensors.map(x => show(x.shape)).join(', ')
  if (more.length || /[^A-Za-z.,]/.test(left) || /[^A-Za-z.]/.test(right ?? ''))
    throw new ShapeError(`einsum: cannot read "${equation}"; use letters, commas, ... and one ->`)
  if (inputs.length !== tensors.length)
    throw new ShapeError(
      `einsum: "${equation}" names ${inputs.length} tensors, ${tensors.length} are given; make them equal`,
    )
  for (const [i, { letters }] of inputs.entries()) {
    const dots = letters.filter(l => l === '.').length
    const named = letters.length - dots
    if (dots > 1 || (dots ? rankOf(tensors, i) < named : rankOf(tensors, i) !== named))
      throw new ShapeError(
        `einsum: "${equation}" does not fit ${shapes}: tensor ${i} has ${rankOf(tensors, i)} axes, the equation ${letters.join('')}; name every axis`,
      )
  }
  const all = inputs.flatMap(({ letters }) => letters)
  const once = [...new Set(all)].filter(l => l !== '.' && all.filter(a => a === l).length === 1).sort()
  const output = right === undefined ? [...(all.includes('.') ? ['.'] : []), ...once] : [...right]
  if (new Set(output).size !== output.length || output.some(l => !all.includes(l)))
    throw new ShapeError(
      `einsum: the result of "${equation}" names an axis twice, or one that no tensor has; use each once`,
    )
  return { inputs, output }
}

/** Axes that stand twice become one: the diagonal. */
function diagonals(equation: string, { x, axes }: Term): Term {
  const twice = axes.findIndex((name, i) => axes.indexOf(name) < i)
  if (twice < 0) return { x, axes }
  const first = axes.indexOf(axes[twice] as string)
  const [m, n] = [x.shape[first] as number, x.shape[twice] as number]
  if (m !== n)
    throw new ShapeError(
      `einsum: "${equation}" takes a diagonal of ${show(x.shape)}, axes of ${m} and ${n}; they must be equal`,
    )
  // Put both last, flatten them, and step over the row and one more.
  const others = axes.map((_, i) => i).filter(i => i !== first && i !== twice)
  const flat = x.permute([...others, first, twice]).reshape([...others.map(i => x.shape[i] as number), n * n])
  const diagonal = flat.slice([...others.map(() => ({})), { step: n + 1 }])
  return diagonals(equation, {
    x: diagonal,
    axes: [...others.map(i => axes[i] as string), axes[first] as string],
  })
}

function checkLengths(equation: string, terms: readonly Term[]): void {
  const lengths = new Map<string, number>()
  for (const { x, axes } of terms)
    for (const [i, name] of axes.entries()) {
      const length = x.shape[i] as number
      const known = lengths.get(name) ?? 1
      if (known !== 1 && length !== 1 && known !== length)
        throw new ShapeError(
          `einsum: axis ${name} of "${equation}" has length ${known} in one tensor and ${length} in another; make them equal`,
        )
      lengths.set(name, Math.max(known, length))
    }
}

/** Sums the axes that nobody wants any more. */
function summed({ x, axes }: Term, wanted: ReadonlySet<string>): Term {
  const over = axes.flatMap((name, i) => (wanted.has(name) ? [] : [i]))
  return over.length ? { x: x.sum(over), axes: axes.filter(name => wanted.has(name)) } : { x, axes }
}

/** The axes in a given order; missing ones have length 1. */
function arranged({ x, axes }: Term, order: readonly string[]): Tensor {
  const present = order.filter(name => axes.includes(name))
  const turned = x.permute(present.map(name => axes.indexOf(name)))
  if (present.length === order.length) return turned
  return turned.reshape(
    order.map(name => (present.includes(name) ? (turned.shape[present.indexOf(name)] as number) : 1)),
  )
}

/** The product of two terms as one matrix product: shared axes that are wanted in front, shared ones that are not summed. */
function product(left: Term, right: Term, wanted: ReadonlySet<string>): Term {
  const needed = (other: Term): ReadonlySet<string> => new Set([...wanted, ...other.axes])
  const [a, b] = [summed(left, needed(right)), summed(right, needed(left))]
  const shared = a.axes.filter(name => b.axes.includes(name))
  const batch = shared.filter(name => wanted.has(name))
  const inner = shared.filter(name => !wanted.has(name))
  const rows = a.axes.filter(name => !shared.includes(name))
  const columns = b.axes.filter(name => !shared.includes(name))
  const length = (name: string): number =>
    Math.max(
      ...[a, b].map(({ x, axes }) => (axes.includes(name) ? (x.shape[axes.indexOf(name)] as number) : 1)),
    )
  const stretched = ({ x, axes }: Term, names: readonly string[]): Tensor => {
    const turned = arranged({ x, axes }, names)
    const full = names.map(name =>
      inner.includes(name) ? length(name) : (turned.shape[names.indexOf(name)] as number),
    )
    return turned.expand(full)
  }
  const size = (names: readonly string[]): number => names.reduce((n, name) => n * length(name), 1)
  const x = stretched(a, [...batch, ...rows, ...inner])
  const y = stretched(b, [...batch, ...inner, ...columns])
  const made = x
    .reshape([...x.shape.slice(0, batch.length), size(rows), size(inner)])
    .matmul(y.reshape([...y.shape.slice(0, batch.length), size(inner), size(columns)]))
  const axes = [...batch, ...rows, ...columns]
  return {
    x: made.reshape(axes.map((name, i) => (i < batch.length ? (made.shape[i] as number) : length(name)))),
    axes,
  }
}
