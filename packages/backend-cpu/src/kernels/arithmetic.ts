import { type BinaryName, isDense, sizeOf, stretch, type TensorSpec } from '@heed/core-tensor'
import { denseInput, lastOf, writeAxes } from '../machine/copy.ts'
import { address, type Input } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import { selectInto, zipInto } from '../plain/elements.ts'
import { binary } from '../plain/functions.ts'
import { joined, type Walk } from '../plain/walk.ts'

/** What an element costs, in picoseconds. */
const COST = 400
const POWER = 15_000

/** Functions of two numbers, and the choice between them. */
export function arithmetic(machine: Machine): Family<BinaryName | 'where'> {
  const { heap, wasm } = machine
  const two = (name: BinaryName) => {
    const loop = wasm[name]()
    const cost = name === 'pow' ? POWER : COST
    return kernel(([a, b], [out]) => {
      if (a.dtype !== 'float32') {
        const y = heap.output(out)
        const step = name === 'equal' && a.dtype === 'bool' && serves(a, out) === 16 ? serves(b, out) : -1
        if (step >= 0) wasm.equalBytes(address(a), address(b), step, y.pointer, sizeOf(out.shape))
        else
          zipInto(
            heap,
            name === 'div' && out.dtype === 'int32' ? wholeQuotient : binary[name],
            [a, b],
            y,
            out,
          )
        return [y]
      }
      const size = out.dtype === 'bool' ? 1 : 4
      const n = sizeOf(out.shape)
      const [flatA, flatB] = [serves(a, out), serves(b, out)]
      if (flatA >= 0 && flatB >= 0) {
        const y = heap.output(out)
        if (n > 0) wasm.binary(loop, address(a), flatA, address(b), flatB, y.pointer, size, n, 1, cost)
        return [y]
      }
      const { walk, operands } = inLines(machine, [a, b], out)
      const [firstA, firstB] = operands.map(address) as [number, number]
      const [stepA, stepB] = lastOf(walk) as [number, number]
      const y = heap.output(out)
      if (n === 0) return [y]
      const last = walk.shape.length - 1
      const rows = writeAxes(machine, walk, [4, 4, 0], axis => axis !== last)
      wasm.binary(
        loop,
        firstA,
        16 * stepA,
        firstB,
        16 * stepB,
        y.pointer,
        size,
        walk.shape[last] ?? 1,
        rows,
        cost,
      )
      return [y]
    })
  }
  const where = wasm.where()
  return {
    ...(Object.fromEntries(
      Object.keys(binary).map(name => [name, two(name as BinaryName)]),
    ) as Family<BinaryName>),
    where: kernel(([condition, a, b], [out]) => {
      if (a.dtype !== 'float32' && a.dtype !== 'int32') {
        const y = heap.output(out)
        selectInto(heap, [condition, a, b], y, out)
        return [y]
      }
      const { walk, operands } = inLines(machine, [a, b, condition], out)
      const [firstA, firstB, firstC] = operands.map(address) as [number, number, number]
      const [stepA, stepB, stepC] = lastOf(walk) as [number, number, number]
      const y = heap.output(out)
      if (sizeOf(out.shape) === 0) return [y]
      const last = walk.shape.length - 1
      const rows = writeAxes(machine, walk, [4, 4, 1], axis => axis !== last)
      const line = walk.shape[last] ?? 1
      wasm.select(
        ...[where, firstA, 16 * stepA, firstB, 16 * stepB, firstC, 4 * stepC, y.pointer, line, rows, COST] as const,
      ) // biome-ignore format: arguments as assembly/elementwise.as names them
      return [y]
    }),
  }
}

const wholeQuotient = (a: number, b: number): number => Math.trunc(a / b)

/** Bytes from vector to vector where a tensor serves the result element by element (16) or as one number (0); else −1. */
function serves(x: Input, { shape }: TensorSpec): number {
  const own = x.shape
  let same = own.length === shape.length
  for (let axis = 0; same && axis < own.length; axis++) same = own[axis] === shape[axis]
  if (same) return isDense(x) ? 16 : -1
  return sizeOf(own) === 1 ? 0 : -1
}

/** The axes of the result as the operands pass them, along the last of which each is adjacent or stands still. */
function inLines(
  machine: Machine,
  given: readonly Input[],
  { shape }: TensorSpec,
): { walk: Walk; operands: readonly Input[] } {
  const walkOf = (inputs: readonly Input[]): Walk => joined(shape, ...inputs.map(x => stretch(x, shape)))
  const walk = walkOf(given)
  const steps = lastOf(walk)
  if (steps.every(step => step === 0 || step === 1)) return { walk, operands: given }
  const operands = given.map((x, i) =>
    (steps[i] as number) > 1 || (steps[i] as number) < 0 ? denseInput(machine, x) : x,
  )
  return { walk: walkOf(operands), operands }
}
