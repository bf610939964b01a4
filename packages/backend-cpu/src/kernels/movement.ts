import { bytesPerElement, rowMajor, type Shape } from '@heed/core-tensor'
import { copyTo, fillWith } from '../machine/copy.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'

interface Placing {
  readonly shape: Shape
  readonly start: readonly number[]
  readonly step: readonly number[]
  readonly fill: number
}

/** The same elements elsewhere. */
export function movement(machine: Machine): Family<'copy' | 'place' | 'concat'> {
  const { heap } = machine
  return {
    copy: kernel(([x], [out]) => {
      const y = heap.output(out)
      copyTo(machine, x, y.pointer, rowMajor(out.shape))
      return [y]
    }),
    place: kernel<Placing>(([x], [out], { start, step, fill }) => {
      const y = heap.output(out)
      fillWith(machine, y, out, fill)
      const strides = rowMajor(out.shape)
      const first = strides.reduce((sum, stride, axis) => sum + stride * (start[axis] as number), 0)
      const apart = strides.map((stride, axis) => stride * (step[axis] as number))
      copyTo(machine, x, y.pointer + first * bytesPerElement[out.dtype], apart)
      return [y]
    }),
    concat: kernel<{ axis: number }>((inputs, [out], { axis }) => {
      const y = heap.output(out)
      const strides = rowMajor(out.shape)
      const step = (strides[axis] as number) * bytesPerElement[out.dtype]
      let to = y.pointer
      for (const x of inputs) {
        copyTo(machine, x, to, strides)
        to += (x.shape[axis] as number) * step
      }
      return [y]
    }),
  }
}
