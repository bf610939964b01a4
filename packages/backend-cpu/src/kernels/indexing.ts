import { bytesPerElement, outside, rowMajor, type Shape, sizeOf } from '@heed/core-tensor'
import { copyTo } from '../machine/copy.ts'
import { address, type Input } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import { elementsOf, firstOf } from '../plain/elements.ts'
import { eachPlace } from '../plain/walk.ts'

/** Elements and rows found, or added up, by number. */
export function indexing(machine: Machine): Family<'gather' | 'scatterAdd' | 'take' | 'scatterRows'> {
  const { heap, wasm } = machine
  return {
    gather: kernel<{ axis: number }>(([x, index], [out], { axis }) => {
      const places = indexed(machine, 'gather', x.shape, index, axis)
      const y = heap.output(out)
      const [from, to, first] = [heap.view(x.dtype), elementsOf(heap, y, out), firstOf(x)]
      for (let i = 0; i < places.length; i++) to[i] = from[first + (places[i] as number)] as number
      return [y]
    }),
    scatterAdd: kernel<{ axis: number }>(([x, index, source], [out], { axis }) => {
      const places = indexed(machine, 'scatterAdd', x.shape, index, axis)
      const y = heap.output(out)
      copyTo(machine, x, y.pointer, rowMajor(out.shape))
      const [from, to, first] = [heap.view(x.dtype), elementsOf(heap, y, out), firstOf(source)]
      let i = 0
      eachPlace(index.shape, source.strides, place => {
        const target = places[i++] as number
        to[target] = (to[target] as number) + (from[first + place] as number)
      })
      return [y]
    }),
    take: kernel(([table, ids], [out]) => {
      const rows = numbers(machine, 'take', ids, table.shape[0] as number)
      const width = sizeOf(table.shape.slice(1))
      const y = heap.output(out)
      if (bytesPerElement[table.dtype] === 4) {
        wasm.take(address(table), address(ids), y.pointer, rows.length, width)
        return [y]
      }
      const [from, to, first] = [heap.view(table.dtype), elementsOf(heap, y, out), firstOf(table)]
      for (let i = 0; i < rows.length; i++) {
        const start = first + (rows[i] as number) * width
        for (let j = 0; j < width; j++) to[i * width + j] = from[start + j] as number
      }
      return [y]
    }),
    scatterRows: kernel<{ rows: number }>(([ids, source], [out], { rows: count }) => {
      const rows = numbers(machine, 'scatterRows', ids, count)
      const width = sizeOf(out.shape.slice(1))
      const y = heap.output(out)
      if (source.dtype === 'float32') {
        wasm.scatterRows(address(source), address(ids), y.pointer, rows.length, width, count)
        return [y]
      }
      const [from, to, first] = [heap.view(source.dtype), elementsOf(heap, y, out), firstOf(source)]
      to.fill(0)
      for (let i = 0; i < rows.length; i++) {
        const start = (rows[i] as number) * width
        for (let j = 0; j < width; j++)
          to[start + j] = (to[start + j] as number) + (from[first + i * width + j] as number)
      }
      return [y]
    }),
  }
}

/** The numbers of an index (row-major). @throws IndexError if one is outside 0 … length − 1 */
function numbers({ heap, wasm }: Machine, where: string, index: Input, length: number): Int32Array {
  const first = firstOf(index)
  const found = heap.int32.subarray(first, first + sizeOf(index.shape))
  const wrong = wasm.firstOutside(address(index), found.length, length)
  if (wrong >= 0) throw outside(where, found[wrong] as number, length)
  return found
}

/** The place in a row-major tensor of each element that an index picks along an axis. @throws IndexError */
function indexed(machine: Machine, where: string, shape: Shape, index: Input, axis: number): Float64Array {
  const ids = numbers(machine, where, index, shape[axis] as number)
  const strides = rowMajor(shape)
  const step = strides[axis] as number
  const places = new Float64Array(ids.length)
  let i = 0
  eachPlace(
    index.shape,
    strides.map((stride, a) => (a === axis ? 0 : stride)),
    place => {
      places[i] = place + (ids[i] as number) * step
      i++
    },
  )
  return places
}
