import { normal, Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  General,
  type LocalOptions,
  LocalPredictive,
  localMonotonic,
  padding,
  paddingMask,
} from '../src/index.ts'

beforeAll(() => setBackend(referenceBackend()))

const LENGTHS = [3, 7]
const lengths = (): Tensor => tensor(LENGTHS, { dtype: 'int32' })
const query = (): Tensor => normal([2, 3, 4], { rng: new Rng(1) })
const keys = (): Tensor => normal([2, 7, 4], { rng: new Rng(2) })
/** One row of a batch. */
const row = (x: Tensor, i: number): Tensor => x.slice([{ start: i, stop: i + 1 }])
/** One row of the keys without its padding. */
const own = (i: number): Tensor => row(keys(), i).slice([{}, { stop: LENGTHS[i] as number }])

const kinds: [string, LocalOptions][] = [
  ['cut and faded', { window: 4 }],
  ['faded alone', { window: 2, cut: false }],
  ['cut alone', { window: 1, gaussian: false }],
]

describe.each(kinds)('local attention to padded keys, %s', (_, options) => {
  const same = (batch: { weights: Tensor; context: Tensor }, one: (i: number) => typeof batch): void => {
    for (const [i, length] of LENGTHS.entries()) {
      const alone = one(i)
      const weights = row(batch.weights, i)
      const near = (got: Tensor, want: Tensor): void => {
        const wanted = want.dataSync()
        for (const [k, value] of got.dataSync().entries()) expect(value).toBeCloseTo(wanted[k] as number, 6)
      }
      near(weights.slice([{}, {}, { stop: length }]), alone.weights)
      near(row(batch.context, i), alone.context)
      for (const value of weights.slice([{}, {}, { start: length }]).dataSync()) expect(value).toBe(0)
    }
  }

  it('that says itself where to look gives each row what it gives that row alone', () => {
    const layer = new LocalPredictive(4, { ...options, rng: new Rng(3) })
    const batch = layer.forward(query(), keys(), keys(), { lengths: lengths() })
    same(batch, i => layer.forward(row(query(), i), own(i)))
    const most = [...batch.centres.dataSync()].map((centre, i) => centre / (LENGTHS[Math.floor(i / 3)] ?? 0))
    for (const share of most) expect(share > 0 && share < 1).toBe(true)
  })

  it('that moves along does so too, by either kind of mask', () => {
    for (const mask of [paddingMask(lengths(), 7), padding(lengths())])
      same(localMonotonic(query(), keys(), keys(), { ...options, mask }), i =>
        localMonotonic(row(query(), i), own(i), own(i), options),
      )
  })
})

describe('local attention', () => {
  it('gives zeros to a query whose window holds nothing but padding', () => {
    const { weights, context } = localMonotonic(query(), keys(), keys(), {
      window: 1,
      first: 5,
      mask: padding(lengths()),
    })
    for (const x of [row(weights, 0), row(context, 0)]) for (const v of x.dataSync()) expect(v).toBe(0)
    expect(
      row(weights, 1)
        .dataSync()
        .some(v => v > 0),
    ).toBe(true)
  })

  it('sees what lengths and another mask both allow', () => {
    const layer = new LocalPredictive(4, { window: 9, rng: new Rng(3) })
    const odd = tensor([0, 1, 0, 1, 0, 1, 0], { dtype: 'bool' })
    const { weights } = layer.forward(query(), keys(), keys(), { lengths: lengths(), mask: odd })
    const seen = (i: number): boolean[] => [...row(weights, i).dataSync()].slice(0, 7).map(v => v > 0)
    expect(seen(0)).toEqual([false, true, false, false, false, false, false])
    expect(seen(1)).toEqual([false, true, false, true, false, true, false])
  })

  it('learns and saves the parameters of its score', () => {
    const score = new General(4, 4, { rng: new Rng(4) })
    const layer = new LocalPredictive(4, { window: 3, score, rng: new Rng(3) })
    expect([...layer.namedParameters()].map(([name]) => name).sort()).toEqual(['score.weight', 'v', 'weight'])
    expect(Object.keys(layer.stateDict()).sort()).toEqual(['score.weight', 'v', 'weight'])
    layer.forward(query(), keys()).context.sum().backward()
    for (const parameter of layer.parameters()) expect(parameter.grad).not.toBeNull()
  })

  it('says what lengths must be', () => {
    const layer = new LocalPredictive(4, { window: 2, rng: new Rng(3) })
    const forward = (): unknown =>
      layer.forward(query(), keys(), keys(), { lengths: tensor([3], { dtype: 'int32' }) })
    expect(forward).toThrow('LocalPredictive: lengths is [1], keys [2, 7, 4]; give one length a row, [2]')
  })
})
