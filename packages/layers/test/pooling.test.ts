import { Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { checkGradient, referenceBackend } from '@heed/core-tensor/testing'
import { describe, expect, it } from 'vitest'
import { AvgPool1d, AvgPool2d, globalAveragePool, MaxPool1d, MaxPool2d } from '../src/index.ts'

setBackend(referenceBackend())

const rng = new Rng(32)
const random = (...shape: number[]): Tensor =>
  tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    { shape },
  )
const row = (...numbers: number[]): Tensor => tensor([[numbers]])
const values = (x: Tensor): number[] => [...x.dataSync()]

describe('max pooling', () => {
  it('gives the gradient to the first of equals', () => {
    const x = row(1, 3, 3, 2, 2, 2)
    x.requiresGrad = true
    new MaxPool1d(3).forward(x).sum().backward()
    expect(values(x.grad as Tensor)).toEqual([0, 1, 0, 1, 0, 0])
  })

  it('says where each value comes from, row by row', () => {
    const x = tensor([[[[1, 5, 2], [7, 0, 3], [4, 9, 8]]]]) // biome-ignore format: an image
    const { values: found, indices } = new MaxPool2d(2, { stride: 1 }).locate(x)
    expect([values(found), values(indices)]).toEqual([[7, 5, 9, 9], [3, 1, 7, 7]]) // biome-ignore format: rows
    expect(values(new MaxPool2d(3, { padding: 1 }).locate(x).indices)).toEqual([3])
  })

  it('never finds padding the largest', () => {
    expect(values(new MaxPool1d(3, { stride: 2, padding: 1 }).forward(row(-4, -2, -3)))).toEqual([-2, -2])
  })

  it('counts a last window that reaches over the end only where asked to', () => {
    const x = row(1, 2, 3, 4, 5)
    expect(values(new MaxPool1d(2).forward(x))).toEqual([2, 4])
    expect(values(new MaxPool1d(2, { ceilMode: true }).forward(x))).toEqual([2, 4, 5])
  })

  it('looks at places apart', () => {
    expect(values(new MaxPool1d(2, { stride: 1, dilation: 2 }).forward(row(4, 1, 2, 9)))).toEqual([4, 9])
  })

  it('takes NaN for the largest', () => {
    expect(values(new MaxPool1d(2).forward(row(1, Number.NaN, 3, 4)))).toEqual([Number.NaN, 4])
  })
})

describe('average pooling', () => {
  const x = row(1, 2, 3, 4, 5)

  it('counts padding as zeros, or not at all', () => {
    expect(values(new AvgPool1d(2, { padding: 1 }).forward(x))).toEqual([0.5, 2.5, 4.5])
    expect(values(new AvgPool1d(2, { padding: 1, countIncludePad: false }).forward(x))).toEqual([1, 2.5, 4.5])
  })

  it('never counts what is beyond the padding', () => {
    expect(values(new AvgPool1d(2, { ceilMode: true }).forward(x))).toEqual([1.5, 3.5, 5])
  })

  it('divides by another number where told to', () => {
    expect(values(new AvgPool1d(2, { divisorOverride: 4 }).forward(x))).toEqual([0.75, 1.75])
  })

  it('over the whole image is the global average', () => {
    const image = random(2, 3, 4, 5)
    const want = values(globalAveragePool(image))
    for (const [i, mean] of values(new AvgPool2d([4, 5]).forward(image)).entries())
      expect(mean).toBeCloseTo(want[i] as number, 12)
  })
})

describe.each<[string, (x: Tensor) => Tensor, number[]]>([
  ['MaxPool1d', x => new MaxPool1d(3, { stride: 2, padding: 1, ceilMode: true }).forward(x), [2, 2, 8]],
  ['MaxPool2d', x => new MaxPool2d([2, 3], { stride: [1, 2], dilation: 2 }).forward(x), [1, 2, 5, 7]],
  ['AvgPool1d', x => new AvgPool1d(3, { stride: 2, padding: 1, ceilMode: true }).forward(x), [2, 2, 8]],
  [
    'AvgPool2d',
    x => new AvgPool2d([2, 3], { padding: [1, 0], countIncludePad: false }).forward(x),
    [1, 2, 5, 7],
  ],
  ['globalAveragePool', globalAveragePool, [2, 2, 3, 2]],
])('%s', (_, pool, shape) => {
  it('has the gradient that differences give', () => {
    expect(checkGradient(pool as (...x: Tensor[]) => Tensor, [random(...shape)])).toBeLessThan(1e-6)
  })

  it('gives an empty batch for an empty batch', () => {
    expect(pool(random(0, ...shape.slice(1))).shape[0]).toBe(0)
  })
})

describe('pooling', () => {
  it('does the same with and without a batch', () => {
    const x = random(2, 6)
    expect(values(new MaxPool1d(2).forward(x))).toEqual(values(new MaxPool1d(2).forward(x.unsqueeze(0))))
  })

  it.each<[() => unknown, string]>([
    [
      () => new MaxPool1d(2, { padding: 2 }).forward(row(1, 2, 3)),
      'MaxPool1d: padding 2 with windows of 2; pad half a window at most, so that every window holds something',
    ],
    [
      () => new MaxPool1d(4).forward(row(1, 2, 3)),
      'MaxPool1d: windows of 4 on axis −1 of length 3 with padding 0; use smaller windows, or a larger input',
    ],
    [
      () => new AvgPool2d(2).forward(random(2, 3)),
      'AvgPool2d: the input is [2, 3]; use [batch, channels, height, width]',
    ],
    [
      () => new MaxPool2d(2).forward(random(1, 1, 2, 2).cast('int32')),
      "MaxPool2d: int32 input; use x.cast('float32') first",
    ],
    [() => new AvgPool1d(2, { divisorOverride: 0 }), 'AvgPool1d: divisorOverride is 0; use another number'],
    [
      () => new MaxPool2d([2, 2, 2]),
      'MaxPool2d: kernelSize is [2,2,2] for 2 spatial axes; use one whole number of 1 or more, or one for each',
    ],
    [
      () => globalAveragePool(random(2, 3)),
      'globalAveragePool: the input is [2, 3]; use [batch, channels, ...spatial]',
    ],
  ])('says what is wrong, %#', (make, message) => {
    expect(make).toThrow(message)
  })
})
