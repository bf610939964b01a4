import { Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { checkGradient, referenceBackend } from '@heed/core-tensor/testing'
import { describe, expect, it } from 'vitest'
import { Conv1d, Conv2d, convolve, Linear, type PaddingMode } from '../src/index.ts'

setBackend(referenceBackend())

const rng = new Rng(31)
const random = (...shape: number[]): Tensor =>
  tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    { shape },
  )
const values = (x: Tensor): number[] => [...x.dataSync()]
const close = (got: Tensor, want: Tensor): void => {
  expect(got.shape).toEqual(want.shape)
  const wanted = want.dataSync()
  for (const [i, v] of got.dataSync().entries()) expect(v).toBeCloseTo(wanted[i] as number, 5)
}

describe('convolve', () => {
  const x = tensor([[[1, 2, 3, 4]]])
  const weight = tensor([[[1, 10, 100]]])

  it.each<[PaddingMode, number[]]>([
    ['zeros', [210, 321, 432, 43]],
    ['reflect', [212, 321, 432, 343]],
    ['replicate', [211, 321, 432, 443]],
    ['circular', [214, 321, 432, 143]],
  ])('pads with %s', (paddingMode, want) => {
    expect(values(convolve(x, weight, null, { padding: 1, paddingMode }))).toEqual(want)
  })

  it('puts the odd place of same padding at the end', () => {
    expect(values(convolve(x, tensor([[[1, 10]]]), null, { padding: 'same' }))).toEqual([21, 32, 43, 4])
  })

  it('adds no padding where it is valid', () => {
    expect(values(convolve(x, weight, null, { padding: 'valid' }))).toEqual([321, 432])
  })

  it('steps and spreads', () => {
    expect(values(convolve(x, tensor([[[1, 10]]]), null, { stride: 2 }))).toEqual([21, 43])
    expect(values(convolve(x, tensor([[[1, 10]]]), null, { dilation: 3 }))).toEqual([41])
  })

  it('does the same with and without a batch', () => {
    const [image, kernel, bias] = [random(2, 5, 4), random(3, 2, 2, 3), random(3)]
    close(convolve(image, kernel, bias), convolve(image.unsqueeze(0), kernel, bias).squeeze(0))
  })

  it('gives an empty batch for an empty batch', () => {
    expect(convolve(random(0, 2, 5), random(3, 2, 2), random(3)).shape).toEqual([0, 3, 4])
  })

  it('with one place in its kernel is a linear map of the channels', () => {
    const [conv, linear] = [new Conv1d(3, 4, 1, { rng }), new Linear(3, 4, { rng })]
    linear.weight.assign(conv.weight.squeeze(2))
    linear.bias?.assign(conv.bias as Tensor)
    const x = random(2, 3, 5).cast('float32')
    close(conv.forward(x), linear.forward(x.transpose()).transpose())
  })

  it('moves along with its input', () => {
    const [x, kernel] = [random(1, 2, 9), random(3, 2, 3)]
    close(
      convolve(x.slice([{}, {}, { start: 2 }]), kernel),
      convolve(x, kernel).slice([{}, {}, { start: 2 }]),
    )
  })

  it('with groups is one convolution for each', () => {
    const [x, kernel] = [random(2, 4, 6), random(6, 2, 3)]
    const part = (start: number): Tensor =>
      convolve(
        x.slice([{}, { start: 2 * start, stop: 2 * start + 2 }]),
        kernel.slice([{ start: 3 * start, stop: 3 * start + 3 }]),
      )
    close(convolve(x, kernel, null, { groups: 2 }), part(0).concat([part(1)], 1))
  })

  it.each<[PaddingMode]>([['zeros'], ['reflect'], ['replicate'], ['circular']])(
    'has the gradient that differences give, padding with %s',
    paddingMode => {
      const f = (x: Tensor, weight: Tensor, bias: Tensor): Tensor =>
        convolve(x, weight, bias, {
          stride: [2, 1],
          padding: [1, 2],
          dilation: [1, 2],
          groups: 2,
          paddingMode,
        })
      expect(
        checkGradient(f as (...x: Tensor[]) => Tensor, [random(1, 4, 5, 6), random(2, 2, 2, 3), random(2)]),
      ).toBeLessThan(1e-6)
    },
  )

  it.each<[() => unknown, string]>([
    [
      () => convolve(random(1, 3, 8), random(4, 2, 3)),
      'convolve: the input has 3 channels, the weight [4, 2, 3] in 1 groups reads 2; make them equal, and groups a divisor of both channels',
    ],
    [
      () => convolve(random(1, 2, 3), random(4, 2, 3), null, { dilation: 2 }),
      'convolve: the kernel [3] reaches over 5 places of axis 2, the padded input has 3; use a smaller kernel, or more padding',
    ],
    [
      () => convolve(random(1, 2, 8), random(4, 2, 3), null, { padding: 'same', stride: 2 }),
      'convolve: same padding with stride [2]; use stride 1, or give the padding in numbers',
    ],
    [
      () => convolve(random(1, 2, 8), random(4, 2, 3), null, { stride: 0 }),
      'convolve: stride is 0 for 1 spatial axis; use one whole number of 1 or more, or one for each',
    ],
    [
      () => convolve(random(1, 2, 3), random(4, 2, 3), null, { padding: 3, paddingMode: 'reflect' }),
      'convolve: reflect padding of 3 and 3 around axis 2 of [1, 2, 3]; use 2 at most',
    ],
    [
      () => convolve(random(1, 2, 8).cast('int32'), random(4, 2, 3)),
      'convolve: int32 input with float64 weight; cast both to one float type',
    ],
    [
      () => convolve(random(8), random(4, 2, 3)),
      'convolve: input [8] and weight [4, 2, 3] do not fit; use [batch, channels, ...spatial] and [outChannels, channels / groups, ...kernel]',
    ],
    [
      () => new Conv2d(3, 4, 3, { groups: 2 }),
      'Conv2d: 3 channels to 4 do not make 2 equal groups; use a divisor of both',
    ],
    [
      () => new Conv2d(3, 4, [3]),
      'Conv2d: kernelSize is [3] for 2 spatial axes; use one whole number of 1 or more, or one for each',
    ],
  ])('says what is wrong, %#', (make, message) => {
    expect(make).toThrow(message)
  })
})

describe('Conv2d', () => {
  it("has PyTorch's names, shapes and first values", () => {
    const conv = new Conv2d(4, 6, [3, 5], { groups: 2, rng })
    const shapes = Object.entries(conv.stateDict()).map(([name, x]) => [name, x.shape])
    expect(shapes).toEqual([['weight', [6, 2, 3, 5]], ['bias', [6]]]) // biome-ignore format: a list
    const bound = 1 / Math.sqrt(2 * 3 * 5)
    expect(Math.max(...values(conv.weight.abs()))).toBeLessThanOrEqual(bound)
    expect(Math.max(...values(conv.weight.abs()))).toBeGreaterThan(0.9 * bound)
    expect(new Conv2d(4, 6, 3, { bias: false }).bias).toBeNull()
  })
})
