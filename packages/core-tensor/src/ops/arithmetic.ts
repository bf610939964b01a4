import { DTypeError } from '../errors.ts'
import type { Args, Op } from '../op.ts'
import { broadcast, type DType, type TensorSpec } from '../shape.ts'

/** @throws DTypeError unless both have one type, and ShapeError unless they stretch to one shape */
function paired(name: string, a: TensorSpec, b: TensorSpec, out: DType = a.dtype): readonly TensorSpec[] {
  if (a.dtype !== b.dtype)
    throw new DTypeError(
      `${name}: ${a.dtype} and ${b.dtype} do not mix; cast one, for example b.cast('${a.dtype}')`,
    )
  return [{ shape: broadcast(name, a.shape, b.shape), dtype: out }]
}

type Infer = (inputs: Args<TensorSpec>) => readonly TensorSpec[]

function numeric(name: string): Infer {
  return ([a, b]) => {
    if (a.dtype === 'bool')
      throw new DTypeError(`${name}: bool input; use x.cast('float32') or x.cast('int32') first`)
    return paired(name, a, b)
  }
}

/** a + b */
export const add: Op = {
  name: 'add',
  saves: 'neither',
  infer: numeric('add'),
  grad: ({ grads: [dy] }) => [dy, dy],
}

/** a − b */
export const sub: Op = {
  name: 'sub',
  saves: 'neither',
  infer: numeric('sub'),
  grad: ({ grads: [dy], needs: [, b] }) => [dy, b ? dy.neg() : null],
}

/** a · b */
export const mul: Op = {
  name: 'mul',
  saves: 'inputs',
  infer: numeric('mul'),
  grad: ({ grads: [dy], inputs: [a, b], needs }) => [
    needs[0] ? dy.mul(b) : null,
    needs[1] ? dy.mul(a) : null,
  ],
}

/** a / b; whole numbers are divided towards zero. */
export const div: Op = {
  name: 'div',
  saves: 'both',
  infer: numeric('div'),
  grad: ({ grads: [dy], inputs: [, b], outputs: [y], needs }) => {
    const da = dy.div(b)
    return [needs[0] ? da : null, needs[1] ? da.mul(y).neg() : null]
  },
}

/** aᵇ. The gradient is 0 in a where b is 0, and in b where a is 0 and b is not negative, as the limits are. */
export const pow: Op = {
  name: 'pow',
  saves: 'both',
  infer: numeric('pow'),
  grad: ({ grads: [dy], inputs: [a, b], outputs: [y], needs }) => {
    const da = needs[0]
      ? dy
          .mul(b)
          .mul(a.pow(b.sub(1)))
          .where(b.equal(0).logicalNot(), 0)
      : null
    const db = needs[1]
      ? dy
          .mul(y)
          .mul(a.log())
          .where(a.equal(0).logicalAnd(b.less(0).logicalNot()).logicalNot(), 0)
      : null
    return [da, db]
  },
}

/** The larger one; equal ones share the gradient. */
export const maximum: Op = {
  name: 'maximum',
  saves: 'inputs',
  infer: ([a, b]) => paired('maximum', a, b),
  grad: ({ grads: [dy], inputs: [a, b] }) => {
    const half = dy.mul(0.5).where(a.equal(b), 0)
    return [dy.where(b.less(a), half), dy.where(a.less(b), half)]
  },
}

/** The smaller one; equal ones share the gradient. */
export const minimum: Op = {
  name: 'minimum',
  saves: 'inputs',
  infer: ([a, b]) => paired('minimum', a, b),
  grad: ({ grads: [dy], inputs: [a, b] }) => {
    const half = dy.mul(0.5).where(a.equal(b), 0)
    return [dy.where(a.less(b), half), dy.where(b.less(a), half)]
  },
}

/** a = b, as bool. */
export const equal: Op = { name: 'equal', infer: ([a, b]) => paired('equal', a, b, 'bool') }

/** a < b, as bool. */
export const less: Op = { name: 'less', infer: ([a, b]) => paired('less', a, b, 'bool') }

/** a ≤ b, as bool. */
export const lessEqual: Op = { name: 'lessEqual', infer: ([a, b]) => paired('lessEqual', a, b, 'bool') }

/** `a` where the condition holds, elsewhere `b`. Inputs: condition (bool), a, b. */
export const where: Op = {
  name: 'where',
  saves: 'inputs',
  infer: ([condition, a, b]) => {
    if (condition.dtype !== 'bool')
      throw new DTypeError(
        `where: the condition is ${condition.dtype}; make it bool, for example x.greater(0)`,
      )
    const both = paired('where', a, b)[0] as TensorSpec
    return [{ shape: broadcast('where', condition.shape, both.shape), dtype: a.dtype }]
  },
  grad: ({ grads: [dy], inputs: [condition], needs }) => [
    null,
    needs[1] ? dy.where(condition, 0) : null,
    needs[2] ? dy.where(condition.logicalNot(), 0) : null,
  ],
}
