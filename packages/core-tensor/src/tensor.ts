import type { Backend, Operand } from './backend.ts'
import { type BackwardOptions, backward, graphOf, type Node, note } from './backward.ts'
import { getBackend } from './current.ts'
import { apply, type Interpreter, setBase } from './dispatch.ts'
import { BackendError, DTypeError, MemoryError, ShapeError } from './errors.ts'
import { describe, nested } from './format.ts'
import { gradEnabled, noGrad } from './gradMode.ts'
import { Block, collected, type Leftover, type Tracked, track } from './memory.ts'
import type { Args, Attrs, Op } from './op.ts'
import * as arithmetic from './ops/arithmetic.ts'
import * as elementwise from './ops/elementwise.ts'
import { gather, scatterAdd } from './ops/indexing.ts'
import { matmul } from './ops/matmul.ts'
import { concat, copy, expand, permute, place, reshape, slice } from './ops/movement.ts'
import * as reduce from './ops/reduce.ts'
import {
  axesOf,
  axisOf,
  type DType,
  isDense,
  isFloat,
  type Layout,
  type Nested,
  rowMajor,
  type Shape,
  show,
  sizeOf,
  type TensorSpec,
  type TypedArray,
  typedArray,
} from './shape.ts'

/** Part of an axis, as in Python's slices: from `start` up to `stop`, `step` apart; negative places count from the end. */
export interface Range {
  /** The first place; the axis's first (last, backwards) unless given. */
  readonly start?: number
  /** The first place that is left out; to the end unless given. */
  readonly stop?: number
  /** From one place to the next; 1 unless given, negative for backwards. */
  readonly step?: number
}

/** What becomes of reduced axes. */
export interface KeepDims {
  /** Whether reduced axes stay, with length 1. */
  readonly keepDims?: boolean
}

type Axes = number | readonly number[]

/**
 * Numbers of one type in a box of any number of axes. A value: no operation changes it (only a {@link Parameter} can be
 * assigned). Nobody needs to free one by hand: see `scope`.
 *
 * The methods are the small fixed set that gradients are written with; everything else is a function.
 */
export class Tensor implements Operand<unknown>, Tracked {
  /** The length of each axis. */
  readonly shape: Shape
  /** What one element is. */
  readonly dtype: DType
  /** Where it lives. */
  readonly backend: Backend
  /** Whether `backward()` shall leave a gradient here; results of tensors that do, do. */
  requiresGrad = false
  /** What `backward()` left: the derivative of the loss by this tensor, of the same shape. */
  grad: Tensor | null = null

  /** @internal */ strides: readonly number[]
  /** @internal */ offset: number
  /** @internal how it came about: an operation's name, or another word */
  readonly origin: string
  /** @internal */ persistent = false
  /** @internal */ node: Node | null = null
  /** @internal the gradient on its way, during backward() */
  incoming: Tensor | null = null
  /** @internal how many places of backward() still look at this gradient */
  uses = 0
  /** @internal how often it was assigned */
  version = 0
  #block: Block | null
  #leftover: Leftover | null = null
  #freed = ''

  /** @internal Use `tensor()`, `zeros()` … */
  constructor(
    spec: TensorSpec,
    layout: Pick<Layout, 'strides' | 'offset'>,
    block: Block | null,
    backend: Backend,
    origin: string,
  ) {
    this.shape = spec.shape
    this.dtype = spec.dtype
    this.strides = layout.strides
    this.offset = layout.offset
    this.backend = backend
    this.origin = origin
    this.#block = block?.hold() ?? null
    if (block) track(this)
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape)
  }

  /** @internal */
  get block(): Block {
    if (!this.#block)
      throw new MemoryError(
        `${this.origin} ${show(this.shape)}: this tensor was freed ${this.#freed || 'or never computed (a traced tensor has no values)'}`,
      )
    return this.#block
  }

  /** @internal */
  get storage(): unknown {
    return this.block.storage
  }

  /** @internal */
  release(why: string): void {
    if (!this.#block) return
    this.#freed = why
    this.#drop()
  }

  /** @internal */
  abandon(): void {
    if (!this.#block || this.#leftover) return
    this.#leftover = { block: this.#block }
    collected.register(this, this.#leftover, this.#leftover)
  }

  #drop(): void {
    this.#block?.letGo()
    this.#block = null
    if (!this.#leftover) return
    collected.unregister(this.#leftover) // without a turn of the event loop they would pile up
    this.#leftover = null
  }

  /** @internal Takes over the memory of an equal tensor. */
  adopt(from: Tensor): void {
    const block = from.block.hold()
    this.#block?.letGo()
    this.#block = block
    if (this.#leftover) this.#leftover.block = block
    this.strides = from.strides
    this.offset = from.offset
  }

  /** @internal Another tensor on the same memory. */
  alias(): Tensor {
    return new Tensor(this, this, this.block, this.backend, this.origin)
  }

  /** @internal */
  saved(): Iterable<Tensor> {
    return graphOf(this)
  }

  // ── values ──

  /** A copy of the elements in row-major order, once they are computed. */
  async data(): Promise<TypedArray> {
    const dense = noGrad(() => makeDense(this))
    const values = await this.backend.read(dense)
    await turn()
    return values
  }

  /** A copy of the elements at once. @throws BackendError where the device cannot */
  dataSync(): TypedArray {
    if (!this.backend.readSync)
      throw new BackendError(`dataSync: ${this.backend.name} cannot read at once; use await x.data()`)
    return this.backend.readSync(noGrad(() => makeDense(this)))
  }

  /** The one number in it. @throws ShapeError if there are more or none */
  async item(): Promise<number> {
    if (this.size !== 1)
      throw new ShapeError(`item: ${show(this.shape)} has ${this.size} elements; use data() or toArray()`)
    return (await this.data())[0] as number
  }

  /** The elements in nested arrays. */
  async toArray(): Promise<Nested> {
    return nested(await this.data(), this.shape, this.dtype)
  }

  /** Shape, type and the numbers, long axes shortened; what `console.log` prints in Node. */
  toString(): string {
    return describe(this, this.#block && this.backend.readSync ? this.dataSync() : null)
  }

  static {
    // What Node's `console.log` asks for.
    const inspect = Symbol.for('nodejs.util.inspect.custom')
    Object.defineProperty(Tensor.prototype, inspect, { value: Tensor.prototype.toString })
  }

  // ── gradients ──

  /**
   * Leaves in every tensor that requires one, and that this one was computed from, the derivative of this one: added to
   * `grad`. Frees the values in between; this tensor, and what was passed to `keep()`, survive.
   *
   * @throws ShapeError if this is not one number and no `gradient` of its shape is given
   */
  backward(options: BackwardOptions = {}): void {
    backward(this, options)
  }

  /** The same values, cut off from how they came about. */
  detach(): Tensor {
    return this.alias()
  }

  /** The same values on another backend. @throws BackendError if they cannot be read at once */
  to(backend: Backend): Tensor {
    if (backend === this.backend) return this
    const moved = fromData(this.dataSync(), this, backend, 'to')
    moved.requiresGrad = this.requiresGrad
    return moved
  }

  // ── element by element ──

  /** −x */
  neg(): Tensor {
    return apply(elementwise.neg, [this], {})
  }
  /** |x|; its gradient at 0 is 0. */
  abs(): Tensor {
    return apply(elementwise.abs, [this], {})
  }
  /** −1, 0 or 1; no gradient flows. */
  sign(): Tensor {
    return apply(elementwise.sign, [this], {})
  }
  /** eˣ */
  exp(): Tensor {
    return apply(elementwise.exp, [this], {})
  }
  /** The natural logarithm. */
  log(): Tensor {
    return apply(elementwise.log, [this], {})
  }
  /** √x */
  sqrt(): Tensor {
    return apply(elementwise.sqrt, [this], {})
  }
  /** sin x */
  sin(): Tensor {
    return apply(elementwise.sin, [this], {})
  }
  /** cos x */
  cos(): Tensor {
    return apply(elementwise.cos, [this], {})
  }
  /** tanh x */
  tanh(): Tensor {
    return apply(elementwise.tanh, [this], {})
  }
  /** 1 / (1 + e⁻ˣ) */
  sigmoid(): Tensor {
    return apply(elementwise.sigmoid, [this], {})
  }
  /** The same numbers as another type; to bool: whether not 0. */
  cast(dtype: DType): Tensor {
    return dtype === this.dtype ? this : apply(elementwise.cast, [this], { dtype })
  }

  /** a + b, stretched to one shape. */
  add(other: Tensor | number): Tensor {
    return apply(arithmetic.add, [this, this.#like('add', other)], {})
  }
  /** a − b, stretched to one shape. */
  sub(other: Tensor | number): Tensor {
    return apply(arithmetic.sub, [this, this.#like('sub', other)], {})
  }
  /** a · b, element by element, stretched to one shape. */
  mul(other: Tensor | number): Tensor {
    return apply(arithmetic.mul, [this, this.#like('mul', other)], {})
  }
  /** a / b, stretched to one shape; whole numbers are divided towards zero. */
  div(other: Tensor | number): Tensor {
    return apply(arithmetic.div, [this, this.#like('div', other)], {})
  }
  /** aᵇ, stretched to one shape. */
  pow(exponent: Tensor | number): Tensor {
    if (this.dtype === 'int32' && typeof exponent === 'number' && exponent < 0)
      throw new DTypeError(`pow: int32 with ${exponent}; use x.cast('float32') first`)
    return apply(arithmetic.pow, [this, this.#like('pow', exponent)], {})
  }
  /** The larger of two, stretched to one shape; NaN where one is. Equal ones share the gradient. */
  maximum(other: Tensor | number): Tensor {
    return apply(arithmetic.maximum, [this, this.#like('maximum', other)], {})
  }
  /** The smaller of two, stretched to one shape; NaN where one is. Equal ones share the gradient. */
  minimum(other: Tensor | number): Tensor {
    return apply(arithmetic.minimum, [this, this.#like('minimum', other)], {})
  }
  /** a = b, as bool; NaN equals nothing. */
  equal(other: Tensor | number): Tensor {
    return apply(arithmetic.equal, [this, this.#like('equal', other)], {})
  }
  /** a < b, as bool. */
  less(other: Tensor | number): Tensor {
    return apply(arithmetic.less, [this, this.#like('less', other)], {})
  }
  /** a ≤ b, as bool. */
  lessEqual(other: Tensor | number): Tensor {
    return apply(arithmetic.lessEqual, [this, this.#like('lessEqual', other)], {})
  }
  /** a > b, as bool. */
  greater(other: Tensor | number): Tensor {
    return apply(arithmetic.less, [this.#like('greater', other), this], {})
  }
  /** a ≥ b, as bool. */
  greaterEqual(other: Tensor | number): Tensor {
    return apply(arithmetic.lessEqual, [this.#like('greaterEqual', other), this], {})
  }
  /** Both hold. Inputs are bool. */
  logicalAnd(other: Tensor): Tensor {
    return apply(arithmetic.minimum, [truth('logicalAnd', this), truth('logicalAnd', other)], {})
  }
  /** One of them holds. Inputs are bool. */
  logicalOr(other: Tensor): Tensor {
    return apply(arithmetic.maximum, [truth('logicalOr', this), truth('logicalOr', other)], {})
  }
  /** Does not hold. The input is bool. */
  logicalNot(): Tensor {
    return apply(arithmetic.equal, [truth('logicalNot', this), constant(0, 'bool', this.backend)], {})
  }
  /** These values where the condition (bool) holds, elsewhere the other's. */
  where(condition: Tensor, other: Tensor | number): Tensor {
    return apply(arithmetic.where, [condition, this, this.#like('where', other)], {})
  }

  // ── along axes ──

  /** The sum along axes, or of all; 0 where there are none. */
  sum(axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
    return apply(reduce.sum, [this], { axes: axesOf('sum', axes, this.shape), keepDims })
  }
  /** The sum over the number of elements; NaN where there are none, as in PyTorch. */
  mean(axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
    const over = axesOf('mean', axes, this.shape)
    if (!isFloat(this.dtype)) throw new DTypeError(`mean: ${this.dtype} input; use x.cast('float32') first`)
    return apply(reduce.sum, [this], { axes: over, keepDims }).mul(
      1 / sizeOf(over.map(axis => this.shape[axis] as number)),
    )
  }
  /** The product along axes, or of all; 1 where there are none. */
  prod(axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
    return apply(reduce.prod, [this], { axes: axesOf('prod', axes, this.shape), keepDims })
  }
  /** The largest along axes, or of all; NaN where one is. Equal ones share the gradient. @throws ShapeError where there are none */
  max(axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
    return apply(reduce.max, [this], { axes: axesOf('max', axes, this.shape), keepDims })
  }
  /** The smallest along axes, or of all; NaN where one is. Equal ones share the gradient. @throws ShapeError where there are none */
  min(axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
    return apply(reduce.min, [this], { axes: axesOf('min', axes, this.shape), keepDims })
  }
  /** The place of the largest along an axis, or in row-major order over all: int32. */
  argmax(axis?: number, { keepDims = false }: KeepDims = {}): Tensor {
    return apply(reduce.argmax, [this], { axes: axesOf('argmax', axis, this.shape), keepDims })
  }
  /** The place of the smallest along an axis, or in row-major order over all: int32, the first of equals. */
  argmin(axis?: number, { keepDims = false }: KeepDims = {}): Tensor {
    return apply(reduce.argmin, [this], { axes: axesOf('argmin', axis, this.shape), keepDims })
  }
  /** Running sums along an axis. */
  cumsum(axis: number): Tensor {
    return apply(reduce.cumsum, [this], { axis: axisOf('cumsum', axis, this.shape) })
  }
  /** Running products along an axis. */
  cumprod(axis: number): Tensor {
    return apply(reduce.cumprod, [this], { axis: axisOf('cumprod', axis, this.shape) })
  }

  /** `[..., m, k] × [..., k, n] → [..., m, n]`; a vector counts as a row on the left, as a column on the right. */
  matmul(other: Tensor): Tensor {
    if (this.shape.length === 0 || other.shape.length === 0)
      throw new ShapeError(
        `matmul: ${show(this.shape)} × ${show(other.shape)}: a single number has no matrix product; use mul`,
      )
    if (this.shape.length === 1)
      return squeeze(this.reshape([1, this.size]).matmul(other), other.shape.length === 1 ? -1 : -2)
    if (other.shape.length === 1) return squeeze(this.matmul(other.reshape([other.size, 1])), -1)
    if (
      this.shape.length > 2 &&
      other.shape.length === 2 &&
      this.shape.at(-1) === other.shape[0] &&
      isDense(this)
    ) {
      // One large product in place of many small ones, here and in the gradient.
      const lead = this.shape.slice(0, -1)
      const rows = this.reshape([sizeOf(lead), other.shape[0] as number])
      return apply(matmul, [rows, other], {}).reshape([...lead, other.shape[1] as number])
    }
    return apply(matmul, [this, other], {})
  }

  // ── the same elements, arranged otherwise ──

  /** The same elements under another shape; −1 stands for the length that makes it fit. */
  reshape(shape: Shape): Tensor {
    const to = completed(this, shape)
    return apply(reshape, [makeDense(this)], { shape: to })
  }
  /** Two axes exchanged; the last two unless named. */
  transpose(a = -2, b = -1): Tensor {
    const [i, j] = [axisOf('transpose', a, this.shape), axisOf('transpose', b, this.shape)]
    const order = this.shape.map((_, axis) => (axis === i ? j : axis === j ? i : axis))
    return apply(permute, [this], { order })
  }
  /** The axes in another order. */
  permute(order: readonly number[]): Tensor {
    return apply(permute, [this], { order: order.map(axis => axisOf('permute', axis, this.shape)) })
  }
  /** Stretched to a larger shape: axes of length 1 repeat; −1 keeps a length. */
  expand(shape: Shape): Tensor {
    const ahead = shape.length - this.shape.length
    const to = shape.includes(-1) ? shape.map((n, axis) => (n === -1 ? (this.shape[axis - ahead] ?? n) : n)) : shape // biome-ignore format: one line reads best
    return apply(expand, [this], { shape: to })
  }
  /** A new axis of length 1. */
  unsqueeze(axis: number): Tensor {
    const at = axisOf('unsqueeze', axis, [...this.shape, 1])
    return this.reshape([...this.shape.slice(0, at), 1, ...this.shape.slice(at)])
  }
  /** Without an axis of length 1. @throws ShapeError if it is longer */
  squeeze(axis: number): Tensor {
    return squeeze(this, axis)
  }
  /** Part of each axis, in order; axes not named stay whole. */
  slice(ranges: readonly Range[]): Tensor {
    if (ranges.length > this.shape.length)
      throw new ShapeError(`slice: ${ranges.length} ranges for ${show(this.shape)}; give one an axis at most`)
    const cuts = this.shape.map((length, axis) => cut(ranges[axis] ?? {}, length))
    return apply(slice, [this], {
      start: cuts.map(c => c.start),
      length: cuts.map(c => c.length),
      step: cuts.map(c => c.step),
    })
  }
  /** Backwards along axes. */
  flip(axes: Axes): Tensor {
    const turned = axesOf('flip', axes, this.shape)
    const flipped = (axis: number): boolean => turned.includes(axis)
    return apply(slice, [this], {
      start: this.shape.map((n, axis) => (flipped(axis) ? Math.max(0, n - 1) : 0)),
      length: this.shape,
      step: this.shape.map((_, axis) => (flipped(axis) ? -1 : 1)),
    })
  }
  /** More places before and after on each axis, filled with `value`. */
  pad(padding: readonly (readonly [before: number, after: number])[], value = 0): Tensor {
    const around = this.shape.map((_, axis) => padding[axis] ?? ([0, 0] as const))
    if (
      around.some(around => !around.every(n => Number.isSafeInteger(n) && n >= 0)) ||
      padding.length > this.shape.length
    )
      throw new ShapeError(
        `pad: ${JSON.stringify(padding)} for ${show(this.shape)}; give [before, after], whole numbers of 0 or more, for an axis at most`,
      )
    return apply(place, [this], {
      shape: around.map(([before, after], axis) => before + (this.shape[axis] as number) + after),
      start: around.map(([before]) => before),
      step: around.map(() => 1),
      fill: fitting('pad', value, this.dtype),
    })
  }
  /** This one and then the others, along an axis. */
  concat(others: readonly Tensor[], axis: number): Tensor {
    return others.length
      ? apply(concat, [this, ...others], { axis: axisOf('concat', axis, this.shape) })
      : this
  }

  /** Elements picked along an axis by number: `out[i][j] = x[index[i][j]][j]` for axis 0. */
  gather(axis: number, index: Tensor): Tensor {
    return apply(gather, [this, index], { axis: axisOf('gather', axis, this.shape) })
  }
  /** With `source` added at the places that `index` names along an axis. */
  scatterAdd(axis: number, index: Tensor, source: Tensor): Tensor {
    return apply(scatterAdd, [this, index, source], { axis: axisOf('scatterAdd', axis, this.shape) })
  }

  #like(where: string, other: Tensor | number): Tensor {
    if (other instanceof Tensor) return other
    return constant(fitting(where, other, this.dtype), this.dtype, this.backend)
  }
}

/** A number that a type holds. @throws DTypeError for one that it does not */
function fitting(where: string, value: number, dtype: DType): number {
  if (typeof value !== 'number' && typeof value !== 'boolean')
    throw new DTypeError(
      `${where}: a tensor or a number is needed, got ${Array.isArray(value) ? 'an array' : typeof value}; wrap it in tensor()`,
    )
  if (dtype === 'int32' && value !== (value | 0))
    throw new DTypeError(`${where}: int32 with ${value}; use x.cast('float32') first`)
  if (dtype === 'bool' && Number(value) !== 0 && Number(value) !== 1)
    throw new DTypeError(`${where}: bool with ${value}; use 0 or 1, or x.cast('float32') first`)
  return Number(value)
}

/** @internal A tensor that holds the given numbers. */
export function fromData(data: TypedArray, spec: TensorSpec, backend: Backend, origin: string): Tensor {
  return new Tensor(
    spec,
    { strides: rowMajor(spec.shape), offset: 0 },
    new Block(backend, backend.write(data, spec)),
    backend,
    origin,
  )
}

/**
 * Keeps tensors alive beyond `backward()` and the end of a scope; from then on the collector looks after them.
 *
 * @returns the tensor given
 */
export function keep<T extends Tensor>(tensor: T): T {
  tensor.persistent = true
  tensor.abandon()
  return tensor
}

function truth(where: string, x: Tensor): Tensor {
  if (x.dtype !== 'bool')
    throw new DTypeError(`${where}: ${x.dtype} input; compare first, for example x.greater(0)`)
  return x
}

function squeeze(x: Tensor, axis: number): Tensor {
  const at = axisOf('squeeze', axis, x.shape)
  if (x.shape[at] !== 1)
    throw new ShapeError(
      `squeeze: axis ${axis} of ${show(x.shape)} has length ${x.shape[at]}, not 1; name another`,
    )
  return x.reshape(x.shape.filter((_, i) => i !== at))
}

function completed(x: Tensor, shape: Shape): Shape {
  const open = shape.indexOf(-1)
  if (open < 0) return shape
  const rest = sizeOf(shape.filter((_, axis) => axis !== open))
  if (!(rest > 0) || x.size % rest !== 0 || shape.indexOf(-1, open + 1) >= 0)
    throw new ShapeError(
      `reshape: ${show(x.shape)} does not fit ${show(shape)}; −1 may stand once, and the other lengths must divide ${x.size}`,
    )
  return shape.map((n, axis) => (axis === open ? x.size / rest : n))
}

/** Python's rules for slices. */
function cut(
  { start, stop, step = 1 }: Range,
  length: number,
): { start: number; length: number; step: number } {
  if (!Number.isInteger(step) || step === 0)
    throw new ShapeError(`slice: the step is ${step}; use a whole number other than 0`)
  for (const at of [start, stop])
    if (at !== undefined && !Number.isInteger(at) && Math.abs(at) !== Number.POSITIVE_INFINITY)
      throw new ShapeError(`slice: place ${at}; use whole numbers`)
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1]
  const place = (at: number | undefined, missing: number): number =>
    at === undefined ? missing : Math.min(high, Math.max(low, at < 0 ? at + length : at))
  const from = place(start, step > 0 ? 0 : length - 1)
  const to = place(stop, step > 0 ? length : -1)
  const count = Math.max(0, Math.ceil((to - from) / step))
  return { start: count === 0 ? 0 : from, length: count, step }
}

/** The tensor with its elements in row-major order: copied once, where they are not. */
function makeDense(x: Tensor): Tensor {
  if (isDense(x)) return x
  const dense = noGrad(() => apply(copy, [x], {}))
  x.adopt(dense)
  dense.release('after copying')
  return x
}

const constants = /* @__PURE__ */ new WeakMap<Backend, Map<string, Tensor>>()

/** A single number as a tensor; the first 512 are kept, later ones are tensors like others. */
function constant(value: number, dtype: DType, backend: Backend): Tensor {
  let known = constants.get(backend)
  if (!known) {
    known = new Map()
    constants.set(backend, known)
  }
  const key = `${dtype} ${Object.is(value, -0) ? '-0' : value}`
  let made = known.get(key)
  if (!made) {
    const data = typedArray(dtype, 1)
    data[0] = value
    made = fromData(data, { shape: [], dtype }, backend, `${value}`)
    if (known.size >= 512) return made
    made.persistent = true
    made.abandon()
    known.set(key, made)
  }
  return made
}

/**
 * {@link apply} for operations without inputs.
 *
 * It stands here so that who makes a tensor brings {@link eager} along: bundlers leave a module out that nothing is taken from.
 */
export function create<A extends Attrs>(op: Op<A>, attrs: A, backend: Backend): Tensor {
  return apply(op, [], attrs, backend)
}

/** Carries operations out at once, and notes what gradients will need. */
const eager: Interpreter = {
  run<A extends Attrs>(op: Op<A>, inputs: readonly Tensor[], attrs: A, given?: Backend): readonly Tensor[] {
    const specs = op.infer(inputs as readonly Tensor[] as Args<Tensor>, attrs)
    const backend = inputs.length ? common(op.name, inputs) : (given ?? getBackend())
    const wanted =
      gradEnabled() && inputs.some(x => x.requiresGrad) && specs.some(({ dtype }) => isFloat(dtype))
    const outputs = compute(op, inputs, attrs, specs, backend, wanted)
    if (!outputs) return composition(op, inputs, attrs)
    if (wanted) note(op, inputs, outputs, attrs)
    return outputs
  },
}

function compute<A extends Attrs>(
  op: Op<A>,
  inputs: readonly Tensor[],
  attrs: A,
  specs: readonly TensorSpec[],
  backend: Backend,
  wanted: boolean,
): readonly Tensor[] | undefined {
  if (op.view) {
    const x = inputs[0] as Tensor
    const { block } = x
    return op
      .view(x, attrs)
      .map((layout, i) => new Tensor(specs[i] as TensorSpec, layout, block, backend, op.name))
  }
  const kernel = backend.kernels[op.name]
  if (!kernel || (wanted && !op.grad && !op.recompute && op.compose)) return undefined
  if (!backend.strided.has(op.name)) for (let i = 0; i < inputs.length; i++) makeDense(inputs[i] as Tensor)
  const storages = kernel(inputs, specs, attrs)
  const outputs: Tensor[] = []
  for (let i = 0; i < storages.length; i++) {
    const spec = specs[i] as TensorSpec
    const layout = { strides: rowMajor(spec.shape), offset: 0 }
    outputs.push(new Tensor(spec, layout, new Block(backend, storages[i]), backend, op.name))
  }
  return outputs
}

function composition<A extends Attrs>(op: Op<A>, inputs: readonly Tensor[], attrs: A): readonly Tensor[] {
  if (op.compose) return op.compose(inputs as readonly Tensor[] as Args<Tensor>, attrs)
  throw new BackendError(
    `${op.name}: ${inputs[0]?.backend.name ?? 'the backend'} has no kernel for it, and it has no composition; use another backend`,
  )
}

function common(name: string, inputs: readonly Tensor[]): Backend {
  const { backend } = inputs[0] as Tensor
  for (let i = 1; i < inputs.length; i++) {
    const other = (inputs[i] as Tensor).backend
    if (other !== backend)
      throw new BackendError(
        `${name}: inputs on ${backend.name} and on ${other.name}; bring them together, use x.to(backend)`,
      )
  }
  return backend
}

/** Lets the collector's callbacks, timers and signals have a turn. */
function turn(): Promise<void> {
  return new Promise(resolve => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}

setBase(eager)
