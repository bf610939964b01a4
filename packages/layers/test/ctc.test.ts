import { logSoftmax, Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { checkGradient, referenceBackend } from '@heed/core-tensor/testing'
import { describe, expect, it } from 'vitest'
import { ctcLoss } from '../src/index.ts'

setBackend(referenceBackend())

const rng = new Rng(33)
const random = (...shape: number[]): Tensor =>
  tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    { shape },
  )
const ids = (...rows: number[][]): Tensor => tensor(rows, { dtype: 'int32' })
const lengths = (...values: number[]): Tensor => tensor(values, { dtype: 'int32' })
const values = (x: Tensor): number[] => [...x.dataSync()]

/** The sum over every path, one by one. */
function byPaths(logProbs: Tensor, labels: readonly number[], blank: number): number {
  const [time, , classes] = logProbs.shape as [number, number, number]
  const p = logProbs.dataSync()
  let total = 0
  for (let path = 0; path < classes ** time; path++) {
    const steps = Array.from({ length: time }, (_, t) => Math.floor(path / classes ** t) % classes)
    const spelled = steps.filter((label, t) => label !== blank && label !== steps[t - 1])
    if (spelled.join() !== labels.join()) continue
    total += Math.exp(steps.reduce((sum, label, t) => sum + (p[t * classes + label] as number), 0))
  }
  return -Math.log(total)
}

describe('ctcLoss', () => {
  it.each([
    [[], 0],
    [[1], 0],
    [[1, 2], 0],
    [[1, 1], 0],
    [[2, 2, 1], 0],
    [[0, 1, 0], 2],
  ])('sums over all paths that spell %j, blank %i', (labels, blank) => {
    const logProbs = logSoftmax(random(5, 1, 3))
    const targets = tensor(Int32Array.from(labels), { shape: [1, labels.length] })
    const [loss] = values(ctcLoss(logProbs, targets, { blank, reduction: 'none' }))
    expect(loss).toBeCloseTo(byPaths(logProbs, labels, blank), 10)
  })

  it('has the gradient that differences give', () => {
    const f = (x: Tensor): Tensor =>
      ctcLoss(logSoftmax(x), ids([1, 1, 2], [3, 2, 0]), {
        inputLengths: lengths(6, 4),
        targetLengths: lengths(3, 2),
      })
    expect(checkGradient(f, [random(6, 2, 4)])).toBeLessThan(1e-6)
  })

  it('is infinite, with a gradient of 0, where no path spells the labels', () => {
    const logits = random(2, 2, 3)
    logits.requiresGrad = true
    const targets = ids([1, 1], [1, 2])
    const losses = ctcLoss(logSoftmax(logits), targets, { reduction: 'none' })
    expect(values(losses)[0]).toBe(Number.POSITIVE_INFINITY)
    expect(values(losses)[1]).toBeLessThan(10)
    losses.slice([{ start: 0, stop: 1 }]).sum().backward() // biome-ignore format: one line
    expect(values(logits.grad as Tensor)).toEqual(new Array(12).fill(0))
    expect(values(ctcLoss(logSoftmax(logits), targets, { reduction: 'none', zeroInfinity: true }))[0]).toBe(0)
  })

  it('does not look at what stands behind the labels and behind the input', () => {
    const x = logSoftmax(random(5, 1, 3))
    const garbage = x.slice([{ stop: 3 }]).concat([x.slice([{ start: 3 }]).mul(Number.NaN)], 0)
    const options = { inputLengths: lengths(3), targetLengths: lengths(1) }
    expect(values(ctcLoss(garbage, ids([2, -7]), options))).toEqual(values(ctcLoss(x, ids([2, 1]), options)))
  })

  it('costs nothing to spell nothing in no time', () => {
    const options = { inputLengths: lengths(0, 0), targetLengths: lengths(0, 1), reduction: 'none' } as const
    const losses = ctcLoss(logSoftmax(random(2, 2, 3)), ids([1], [1]), options)
    expect(values(losses).map(Math.abs)).toEqual([0, Number.POSITIVE_INFINITY])
  })

  it('stands probabilities of 0', () => {
    const never = Number.NEGATIVE_INFINITY
    const sure = tensor([[[0, never]], [[never, 0]]]) // biome-ignore format: time, batch, classes
    expect(values(ctcLoss(sure, ids([1]), { reduction: 'none' })).map(Math.abs)).toEqual([0])
  })

  it('divides each row by its labels for the mean, 1 at least', () => {
    const [x, targets] = [logSoftmax(random(6, 2, 4)), ids([1, 2], [0, 0])]
    const options = { targetLengths: lengths(2, 0) }
    const [a, b] = values(ctcLoss(x, targets, { ...options, reduction: 'none' })) as [number, number]
    expect(values(ctcLoss(x, targets, options))[0]).toBeCloseTo((a / 2 + b) / 2, 10)
    expect(values(ctcLoss(x, targets, { ...options, reduction: 'sum' }))[0]).toBeCloseTo(a + b, 10)
  })

  it('takes one row without a batch', () => {
    const x = logSoftmax(random(5, 1, 3))
    const alone = ctcLoss(x.squeeze(1), ids([1, 2]).squeeze(0), {
      inputLengths: tensor(4, { dtype: 'int32' }),
    })
    expect(alone.shape).toEqual([])
    expect(values(alone)).toEqual(values(ctcLoss(x, ids([1, 2]), { inputLengths: lengths(4) })))
  })

  it.each<[() => unknown, string]>([
    [
      () => ctcLoss(random(5, 2, 3), ids([1])),
      'ctcLoss: log probabilities [5, 2, 3], targets [1, 1] and lengths not given do not fit; use [time, batch, classes], [batch, labels], [batch]',
    ],
    [() => ctcLoss(random(5, 1, 3), ids([1]), { blank: 3 }), 'ctcLoss: blank is 3 of 3 classes; use 0 to 2'],
    [
      () => ctcLoss(random(5, 1, 3), random(1, 1)),
      'ctcLoss: float64 log probabilities with float64 targets; use a float type, and int32 for targets and lengths',
    ],
  ])('says what is wrong, %#', (make, message) => {
    expect(make).toThrow(message)
  })
})
