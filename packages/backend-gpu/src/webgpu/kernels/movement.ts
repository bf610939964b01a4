import { rowMajor, sizeOf, stretch, type TensorSpec } from '@heed/core-tensor'
import { elementOf, type Family, type Input, type Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import { joined, places, placeValues } from '../walk.ts'

interface Placing {
  readonly start: readonly number[]
  readonly step: readonly number[]
  readonly fill: number
}

interface Windows {
  readonly axis: number
  readonly stride: number
  readonly dilation: number
}

/** Elements set in their place in a larger tensor, and tensors one behind the other. */
export function movement(machine: Machine): Family<'place' | 'concat' | 'fold'> {
  const fill = (y: Storage, n: number, value: number, element: 'f32' | 'i32'): void => {
    const program = machine.program(`fill ${element}`, () => ({
      params: [['n', 'u32'], ['value', element]],
      reads: {},
      writes: { y: element },
      body: 'y[i] = p.value;',
    })) // biome-ignore format: a record
    machine.each(program, n, [value], [y])
  }
  /** Writes all elements of x at places of y given by strides. */
  const scatter = (x: Input, y: Storage, strides: readonly number[], offset: number): void => {
    const element = elementOf(x.dtype) as 'f32' | 'i32'
    const walk = joined(x.shape, x.strides, strides)
    const program = machine.program(`scatter ${element} ${walk.shape.length}`, () => {
      const { params, code } = places(walk.shape.length, ['x', 'y'])
      return {
        params: [['n', 'u32'], ...params],
        reads: { xData: element },
        writes: { yData: element },
        body: `${code}
  yData[yAt] = xData[xAt];`,
      }
    })
    machine.each(program, sizeOf(x.shape), placeValues(walk, [x.offset, offset]), [x.storage, y])
  }
  return {
    place: ([x], [out], { start, step, fill: value }: Placing) => {
      const { shape, dtype } = out as TensorSpec
      const y = machine.output(out as TensorSpec)
      const n = sizeOf(shape)
      if (n > sizeOf((x as Input).shape)) fill(y, n, value, elementOf(dtype) as 'f32' | 'i32')
      const strides = rowMajor(shape)
      const offset = strides.reduce((sum, stride, axis) => sum + stride * (start[axis] as number), 0)
      scatter(x as Input, y, strides.map((stride, axis) => stride * (step[axis] as number)), offset) // biome-ignore format: one line reads best
      return [y]
    },
    concat: (inputs, [out], { axis }: { axis: number }) => {
      const y = machine.output(out as TensorSpec)
      const strides = rowMajor((out as TensorSpec).shape)
      let offset = 0
      for (const x of inputs) {
        scatter(x, y, strides, offset)
        offset += (x.shape[axis] as number) * (strides[axis] as number)
      }
      return [y]
    },
    fold: ([windows], [out], { axis, stride, dilation }: Windows) => {
      const { shape } = out as TensorSpec
      const x = windows as Input
      const element = elementOf(x.dtype) as 'f32' | 'i32'
      // Each place of the result adds up the windows that it is in: the k-th place of window w is at w·stride + k·dilation.
      const front = x.strides.slice(0, -1).map((s, a) => (a === axis ? 0 : s))
      const marks = shape.map((_, a) => (a === axis ? 1 : 0))
      const walk = joined(shape, stretch({ shape, strides: front }, shape), marks)
      const program = machine.program(`fold ${element} ${walk.shape.length}`, () => {
        const { params, code } = places(walk.shape.length, ['x', 'place'])
        return {
          params: [
            ...[['n', 'u32'], ['count', 'i32'], ['size', 'i32'], ['stride', 'i32'], ['dilation', 'i32']] as const,
            ...[['windowStep', 'i32'], ['sizeStep', 'i32']] as const,
            ...params,
          ], // biome-ignore format: a list
          reads: { xData: element },
          writes: { y: element },
          body: `${code}
  var sum = ${element}(0);
  for (var k = 0; k < p.size; k++) {
    let ahead = placeAt - k * p.dilation;
    if (ahead >= 0 && ahead % p.stride == 0 && ahead / p.stride < p.count) {
      sum += xData[xAt + ahead / p.stride * p.windowStep + k * p.sizeStep];
    }
  }
  y[i] = sum;`,
        }
      })
      const y = machine.output(out as TensorSpec)
      const [count, size] = [x.shape[axis] as number, x.shape.at(-1) as number]
      const values = [count, size, stride, dilation, x.strides[axis] as number, x.strides.at(-1) as number]
      machine.each(program, sizeOf(shape), [...values, ...placeValues(walk, [x.offset, 0])], [x.storage, y])
      return [y]
    },
  }
}
