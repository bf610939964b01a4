import { Rng, setBackend, softmax, type Tensor, tensor } from '@heed/core-tensor'
import { checkGradient, referenceBackend } from '@heed/core-tensor/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { coverageLoss, guidedAlignmentLoss, type Seq2SeqBatch } from '../src/index.ts'
import { pairs, small, values } from './pairs.ts'

beforeAll(() => setBackend(referenceBackend()))

const number = (x: Tensor): number => x.dataSync()[0] as number

describe('guidedAlignmentLoss', () => {
  it('is −log of the weight on the right source word, the mean over words that have one', () => {
    const weights = tensor([[[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]]]) // biome-ignore format: a matrix
    const alignment = tensor([[[1, 0], [0, 0], [0.5, 0.5]]]) // biome-ignore format: a matrix
    const wanted = (-Math.log(0.5) - 0.5 * Math.log(0.2) - 0.5 * Math.log(0.8)) / 2
    expect(number(guidedAlignmentLoss(weights, alignment))).toBeCloseTo(wanted, 6)
  })

  it('is finite where nothing lies on the right word, and 0 where no word has links', () => {
    const weights = tensor([[[1, 0]]])
    expect(number(guidedAlignmentLoss(weights, tensor([[[0, 1]]])))).toBeCloseTo(-Math.log(1e-9), 3)
    expect(number(guidedAlignmentLoss(weights, tensor([[[0, 0]]])))).toBe(0)
    expect(() => guidedAlignmentLoss(weights, tensor([[[1]]]))).toThrow(
      'weights are [1, 1, 2], the alignment is [1, 1, 1]',
    )
  })

  it('agrees with finite differences', () => {
    const rng = new Rng(1)
    const scores = tensor(Float64Array.from({ length: 24 }, () => rng.normal()), { shape: [2, 3, 4] }) // biome-ignore format: one line
    const places = [0, 2, 1, 3, 3, 0]
    const links = Float64Array.from({ length: 24 }, (_, i) =>
      Number(i % 4 === places[Math.floor(i / 4)] && i < 20),
    )
    checkGradient(x => guidedAlignmentLoss(softmax(x), tensor(links, { shape: [2, 3, 4] })), [scores])
  })
})

describe('coverageLoss', () => {
  it('is what is looked at again, by hand', () => {
    const weights = tensor([[[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]]]) // biome-ignore format: a matrix
    const wanted = (0 + (0.5 + 0.1) + (0.2 + 0.6)) / 3
    expect(number(coverageLoss(weights))).toBeCloseTo(wanted, 6)
    const counted = tensor([[true, true, false]])
    expect(number(coverageLoss(weights, counted))).toBeCloseTo(0.3, 6)
  })

  it('agrees with finite differences', () => {
    const rng = new Rng(2)
    const scores = tensor(Float64Array.from({ length: 24 }, () => rng.normal()), { shape: [2, 3, 4] }) // biome-ignore format: one line
    const counted = tensor([[true, true, true], [true, true, false]]) // biome-ignore format: a matrix
    checkGradient(x => coverageLoss(softmax(x), counted), [scores])
  })
})

describe('terms of the loss', () => {
  const batch = (): Seq2SeqBatch => {
    const given = pairs([4, 3], [3, 2])
    // The first source word for each target word, nothing known of the token that begins and of padding.
    const alignment = Float32Array.from({ length: 2 * 5 * 4 }, (_, i) => {
      const [b, t, s] = [Math.floor(i / 20), Math.floor(i / 4) % 5, i % 4]
      return Number(s === 0 && t > 0 && t < (b ? 4 : 5))
    })
    return { ...given, alignment: tensor(alignment, { shape: [2, 5, 4] }) }
  }

  it('pull attention where alignments point', () => {
    const model = small({ attention: 'general' })
    const given = batch()
    const on = (): number => {
      const { weights } = model.forward(given.source, given.sourceLengths, given.target)
      return values((weights as Tensor).slice([{}, { start: 0, stop: 2 }, { stop: 1 }]).mean())[0] as number
    }
    const before = on()
    for (let step = 0; step < 20; step++) {
      model.zeroGrad()
      model.loss(given, { guidedWeight: 5 }).backward()
      for (const p of model.parameters()) if (p.grad) p.assign(p.sub(p.grad.mul(0.2)).detach())
    }
    expect(on()).toBeGreaterThan(Math.max(0.8, before + 0.2))
  })

  it('are there where they are asked for, and add up', () => {
    const model = small({ attention: 'general' })
    const plain = model.terms(batch(), { guidedWeight: 0 })
    expect(Object.keys(plain)).toEqual(['crossEntropy'])
    const { crossEntropy, guided, coverage } = model.terms(batch(), { guidedWeight: 2, coverageWeight: 0.5 })
    const sum = number(crossEntropy) + number(guided as Tensor) + number(coverage as Tensor)
    expect(number(model.loss(batch(), { guidedWeight: 2, coverageWeight: 0.5 }))).toBeCloseTo(sum, 5)
    const doubled = model.terms(batch(), { guidedWeight: 4, coverageWeight: 1 })
    expect(number(doubled.guided as Tensor)).toBeCloseTo(2 * number(guided as Tensor), 5)
    expect(number(doubled.coverage as Tensor)).toBeCloseTo(2 * number(coverage as Tensor), 6)
    expect(Object.keys(small({ coverage: true }).terms(batch()))).toContain('coverage')
  })

  it('count only real target words: padding changes none of them', () => {
    const model = small({ attention: 'bahdanau', coverage: true })
    const given = batch()
    const longer = {
      ...given,
      target: given.target.pad([[0, 0], [0, 2]]), // biome-ignore format: one line
      alignment: given.alignment?.pad([[0, 0], [0, 2], [0, 0]]) as Tensor, // biome-ignore format: one line
    }
    const [a, b] = [model.terms(given), model.terms(longer)]
    for (const name of ['crossEntropy', 'coverage', 'guided'] as const)
      expect(number(b[name] as Tensor)).toBeCloseTo(number(a[name] as Tensor), 5)
  })

  it('are smoothed where asked', () => {
    const model = small()
    const [plain, smooth] = [0, 0.1].map(labelSmoothing =>
      number(model.loss(pairs([4], [3]), { labelSmoothing })),
    )
    expect(Math.abs((smooth as number) - (plain as number))).toBeGreaterThan(1e-4)
  })
})
