import { rowMajor, sizeOf, type TensorSpec } from '@heed/core-tensor'
import { elementOf, type Family, type FaultKind, faultNumber, type Input, type Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import { joined, places, placeValues } from '../walk.ts'
import { linesOf, sorted } from './lines.ts'

interface Axis {
  readonly axis: number
}

/** Up to so many indices a line, every result looks through all of them; beyond, they are sorted first. */
const FEW = 32

/** Elements and rows picked and added up by number. Sums are made in the order of the indices: the same bits every time. */
export function indexing(machine: Machine): Family<'gather' | 'scatterAdd' | 'take' | 'scatterRows'> {
  return {
    gather: ([x, index], [out], { axis }: Axis) => {
      const [from, by] = [x as Input, index as Input]
      const element = elementOf(from.dtype)
      const others = rowMajor(from.shape).map((stride, a) => (a === axis ? 0 : stride))
      const walk = joined(by.shape, others, rowMajor(by.shape))
      const program = machine.program(`gather ${element} ${walk.shape.length}`, () => {
        const { params, code } = places(walk.shape.length, ['x', 'index'])
        return {
          params: [['n', 'u32'], ['length', 'i32'], ['step', 'i32'], ...params],
          reads: { xData: element, indexData: 'i32' },
          writes: { y: element },
          faults: true,
          body: `${code}
  let id = indexData[indexAt];
  if (id < 0 || id >= p.length) { fault(${faultNumber('gather')}, id, p.length); return; }
  y[i] = xData[xAt + id * p.step];`,
        }
      })
      const y = machine.output(out as TensorSpec)
      const values = [from.shape[axis] as number, rowMajor(from.shape)[axis] as number]
      machine.each(program, sizeOf(by.shape), [...values, ...placeValues(walk, [from.offset, by.offset])], [from.storage, by.storage, y]) // biome-ignore format: one line reads best
      return [y]
    },
    take: ([table, ids], [out]) => {
      const [from, by] = [table as Input, ids as Input]
      const element = elementOf(from.dtype)
      const program = machine.program(`take ${element}`, () => ({
        params: [['n', 'u32'], ['width', 'u32'], ['rows', 'i32'], ['start', 'u32'], ['first', 'u32']],
        reads: { x: element, ids: 'i32' },
        writes: { y: element },
        faults: true,
        body: `let id = ids[p.first + i / p.width];
  if (id < 0 || id >= p.rows) { fault(${faultNumber('take')}, id, p.rows); return; }
  y[i] = x[p.start + u32(id) * p.width + i % p.width];`,
      })) // biome-ignore format: a record
      const y = machine.output(out as TensorSpec)
      const width = sizeOf(from.shape.slice(1))
      const values = [width, from.shape[0] as number, from.offset, by.offset]
      machine.each(program, sizeOf(by.shape) * width, values, [from.storage, by.storage, y])
      return [y]
    },
    scatterAdd: ([x, index, source], [out], { axis }: Axis) => {
      const [to, by, from] = [x as Input, index as Input, source as Input]
      const y = machine.output(out as TensorSpec)
      checkIndices(machine, 'scatterAdd', by, to.shape[axis] as number)
      const [sortedIds, order, free] = inOrder(machine, by, axis)
      // A place of the result reads the line of indices that hits it: none where the index is shorter on another axis.
      const lengths = by.shape.map((n, a) => (a === axis ? (to.shape[axis] as number) : n))
      const marks = rowMajor(to.shape)
      const element = elementOf(to.dtype)
      const program = machine.program(
        `scatterAdd ${element} ${to.shape.length}${order ? ' sorted' : ''}`,
        () => {
          const { params, code } = places(to.shape.length, ['x'])
          const inside = to.shape.map((_, a) => `c${a} < p.l${a}`).join(' && ')
          return {
            params: [
            ...[['n', 'u32'], ['length', 'i32'], ['step', 'i32'], ['sourceStep', 'i32'], ['axis', 'i32']] as const,
            ...[['first', 'i32'], ['sourceFirst', 'i32']] as const,
            ...params,
            ...to.shape.flatMap((_, a) => [[`l${a}`, 'i32'], [`i${a}`, 'i32'], [`s${a}`, 'i32']] as const),
          ], // biome-ignore format: a list
            reads: { x: element, ids: 'i32', ...(order ? { order: 'i32' as const } : {}), source: element },
            writes: { y: element },
            body: `${code}
  var sum = x[xAt];
  if (${inside || 'true'}) {
    let place = array<i32, ${to.shape.length}>(${to.shape.map((_, a) => `c${a}`).join(', ')})[p.axis];
    let line = p.first + ${to.shape.map((_, a) => `c${a} * p.i${a}`).join(' + ')};
    let start = p.sourceFirst + ${to.shape.map((_, a) => `c${a} * p.s${a}`).join(' + ')};
    ${added(order !== undefined, 'sum += source[start + k * p.sourceStep];')}
  }
  y[i] = sum;`,
          }
        },
      )
      const { length, step } = linesOf(by.shape, axis)
      const [idStrides, sourceStrides] = [rowMajor(by.shape), rowMajor(from.shape)]
      const without = (list: readonly number[], a: number): number => (a === axis ? 0 : (list[a] as number))
      machine.each(
        program,
        sizeOf(to.shape),
        [
          ...[length, step, sourceStrides[axis] as number, axis, order ? 0 : by.offset, from.offset],
          ...placeValues({ shape: to.shape, strides: [marks] }, [to.offset]),
          ...to.shape.flatMap((_, a) => [
            lengths[a] as number,
            without(idStrides, a),
            without(sourceStrides, a),
          ]),
        ],
        [to.storage, sortedIds, ...(order ? [order] : []), from.storage, y],
      )
      free()
      return [y]
    },
    scatterRows: ([ids, source], [out], { rows }: { readonly rows: number }) => {
      const [by, from] = [ids as Input, source as Input]
      const y = machine.output(out as TensorSpec)
      checkIndices(machine, 'scatterRows', by, rows)
      const count = sizeOf(by.shape)
      const [sortedIds, order, free] = inOrder(machine, { ...spec(by), shape: [count] }, 0)
      const element = elementOf(from.dtype)
      const program = machine.program(`scatterRows ${element}${order ? ' sorted' : ''}`, () => ({
        params: [['n', 'u32'], ['length', 'i32'], ['step', 'i32'], ['width', 'u32'], ['line', 'i32'], ['start', 'i32']],
        reads: { ids: 'i32', ...(order ? { order: 'i32' as const } : {}), source: element },
        writes: { y: element },
        body: `let place = i32(i / p.width);
  let column = i32(i % p.width);
  let line = p.line;
  var sum = ${element}(0);
  ${added(order !== undefined, 'sum += source[p.start + k * i32(p.width) + column];')}
  y[i] = sum;`,
      })) // biome-ignore format: a record
      const width = sizeOf((out as TensorSpec).shape.slice(1))
      machine.each(
        program,
        rows * width,
        [count, 1, width, order ? 0 : by.offset, from.offset],
        [sortedIds, ...(order ? [order] : []), from.storage, y],
      )
      free()
      return [y]
    },
  }
}

function spec({ dtype, storage, offset }: Input): Omit<Input, 'shape'> {
  return { dtype, storage, offset, strides: [1] }
}

/** Adds up what is at the indices k of a line that equal `place`: of all, or of the part of the sorted line that does. */
function added(inOrder: boolean, add: string): string {
  if (!inOrder)
    return `for (var k = 0; k < p.length; k++) { if (ids[line + k * p.step] == place) { ${add} } }`
  return `var low = 0;
  var high = p.length;
  while (low < high) {
    let middle = (low + high) / 2;
    if (ids[line + middle * p.step] < place) { low = middle + 1; } else { high = middle; }
  }
  for (; low < p.length && ids[line + low * p.step] == place; low++) { let k = order[line + low * p.step]; ${add} }`
}

/** Indices by size along an axis and where they came from, if there are many; what to call when both have been used. */
function inOrder(
  machine: Machine,
  index: Input,
  axis: number,
): [ids: Storage, order: Storage | undefined, free: () => void] {
  const length = index.shape[axis] as number
  if (length <= FEW) return [index.storage, undefined, () => {}]
  const like: TensorSpec = { shape: index.shape, dtype: 'int32' }
  const [ids, order] = machine.outputs([like, like]) as [Storage, Storage]
  const { shape, storage, offset } = index
  sorted(machine, { shape, axis, element: 'i32', descending: false, offset }, storage, ids, order)
  return [
    ids,
    order,
    () => {
      machine.free(ids)
      machine.free(order)
    },
  ]
}

/** Reports indices that lie outside. */
function checkIndices(machine: Machine, kind: FaultKind, index: Input, length: number): void {
  const program = machine.program(`${kind} check`, () => ({
    params: [['n', 'u32'], ['length', 'i32'], ['first', 'u32']],
    reads: { ids: 'i32' },
    writes: {},
    faults: true,
    body: `let id = ids[p.first + i];
  if (id < 0 || id >= p.length) { fault(${faultNumber(kind)}, id, p.length); }`,
  })) // biome-ignore format: a record
  machine.each(program, sizeOf(index.shape), [length, index.offset], [index.storage])
}
