import { concat, linear, noGrad, normal, Rng, setBackend, type Tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import {
  attend,
  type CoverageAttention,
  captureAttention,
  type GRUCell,
  type Linear,
  type LocalPredictive,
} from '@heed/layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { type CopySource, greedy, type Seq2Seq, type Seq2SeqBatch, type Seq2SeqConfig } from '../src/index.ts'
import { look } from '../src/seq2seq/look.ts'
import { apart, BEGIN, batchOf, END, KINDS, pairs, small, values } from './pairs.ts'

beforeAll(() => setBackend(referenceBackend()))

/** The source itself, in the target's vocabulary: what a model that copies is given. */
const copyOf = (batch: Seq2SeqBatch): CopySource => ({ ids: batch.source, extra: 2 })
const run = (model: Seq2Seq, batch: Seq2SeqBatch) =>
  noGrad(() => model.forward(batch.source, batch.sourceLengths, batch.target, { copy: copyOf(batch) }))
const logits = (config: Partial<Seq2SeqConfig>, batch = pairs([4, 3], [3, 2])): number[] =>
  values(run(small(config), batch).logits)

describe.each(Object.entries(KINDS))('%s', (_, config) => {
  const batch = (): ReturnType<typeof pairs> => pairs([5, 2, 3], [4, 3, 1])

  it('gives padded rows what they get alone', () => {
    const model = small(config)
    const all = batch()
    const together = run(model, all)
    const vocab = together.logits.shape[2] as number
    const time = all.target.shape[1] as number
    for (const [i, row] of all.rows.entries()) {
      const alone = run(model, batchOf([row]))
      const length = row.target.length
      const start = i * time * vocab
      expect(apart(values(alone.logits), values(together.logits).slice(start, start + length * vocab))).toBeLessThan(1e-6) // biome-ignore format: one line
    }
  })

  it('puts all weight on the source, none on padding', () => {
    const { weights } = run(small(config), batch())
    if (!weights) return expect(config.attention).toBe('none')
    for (const [i, rows] of nested(weights).entries())
      for (const row of rows) {
        const length = [5, 2, 3][i] as number
        expect(row.slice(length)).toEqual(new Array(5 - length).fill(0))
        const sum = row.reduce((a, b) => a + b, 0)
        if (config.locality === 'predictive') expect(sum).toBeLessThanOrEqual(1 + 1e-6)
        else expect(sum).toBeCloseTo(1, 5)
      }
  })

  it('is not changed by looking, which shows the same weights', () => {
    const model = small(config)
    const plain = run(model, batch())
    const { output, maps } = captureAttention(model, () => run(model, batch()))
    expect(values(output.logits)).toEqual(values(plain.logits))
    expect(maps.length > 0).toBe(config.attention !== 'none')
    if (!plain.weights) return
    const [queries, keys] = plain.weights.shape.slice(1) as [number, number]
    const seen = nested(plain.weights)
    for (const [t, map] of maps.entries()) {
      const one = map.shape[1] === 1 // a map for each step, or one for all
      const row = values(map.row({ batch: 1, query: one ? 0 : queries - 1 }))
      expect(row).toHaveLength(keys)
      expect(apart(row, seen[1]?.[one ? t : queries - 1] as number[])).toBeLessThan(1e-6)
    }
  })

  it('decodes what it scores: step by step equals all at once', async () => {
    const model = small(config, 3).eval()
    const all = pairs([4, 3], [1, 1])
    const options = { begin: BEGIN, end: END, maxLength: 6 }
    const copy = copyOf(all)
    const rows = await greedy(
      () => model.stepper(all.source, all.sourceLengths, copy),
      2,
      all.source.backend,
      options,
    )
    for (const [i, row] of rows.entries()) {
      const target = [BEGIN, ...row.ids]
      const source = (all.rows[i] as { source: number[] }).source
      const { logits: scores, weights } = run(model, batchOf([{ source, target }]))
      const best = values(scores.argmax(-1))
      const said = row.ended ? [...row.ids, END] : row.ids
      expect(best.slice(0, said.length)).toEqual(said)
      if (!weights) expect(row.weights).toEqual([])
      else
        for (const [t, seen] of row.weights.entries())
          expect(apart(seen.slice(0, source.length), nested(weights)[0]?.[t] as number[])).toBeLessThan(1e-5)
    }
  })
})

function nested(x: Tensor): number[][][] {
  const [a, b, c] = x.shape as [number, number, number]
  const data = values(x)
  return Array.from({ length: a }, (_, i) =>
    Array.from({ length: b }, (_, j) => data.slice((i * b + j) * c, (i * b + j + 1) * c)),
  )
}

describe('the presets', () => {
  it('of Luong equal the paper’s equations: move, look, join, feed', () => {
    const model = small({ attention: 'general' })
    const batch = pairs([4], [2])
    const found = run(model, batch)
    const memory = noGrad(() => model.encode(batch.source, batch.sourceLengths))
    const general = model.score as unknown as { weight: Tensor }
    let hidden = memory.first
    let fed = memory.first.mul(0)
    for (const t of [0, 1]) {
      const word = model.targetEmbedding
        .forward(batch.target.slice([{}, { start: t, stop: t + 1 }]))
        .squeeze(1)
      hidden = (model.cell as GRUCell).forward(concat([word, fed], 1), hidden) // h_t
      const scores = hidden.matmul(general.weight).unsqueeze(1).matmul(memory.states.transpose()) // h_tᵀ W h̄_s
      const e = scores.exp()
      const weights = e.div(e.sum(-1, { keepDims: true }))
      const context = weights.matmul(memory.states).squeeze(1)
      fed = linear(concat([context, hidden], 1), (model.combine as Linear).weight).tanh() // h̃_t
      const step = [{}, { start: t, stop: t + 1 }]
      expect(apart(values(found.logits.slice(step)), values(model.output.forward(fed)))).toBeLessThan(1e-5)
      expect(apart(values((found.weights as Tensor).slice(step)), values(weights))).toBeLessThan(1e-6)
    }
  })

  it('of Bahdanau equal the paper’s equations: look, move, join', () => {
    const model = small({ attention: 'bahdanau' })
    const batch = pairs([4], [2])
    const found = run(model, batch)
    const memory = noGrad(() => model.encode(batch.source, batch.sourceLengths))
    const score = model.score as never
    let hidden = memory.first
    for (const t of [0, 1]) {
      const word = model.targetEmbedding
        .forward(batch.target.slice([{}, { start: t, stop: t + 1 }]))
        .squeeze(1)
      const { context } = attend(hidden.unsqueeze(1), memory.states, memory.states, { score })
      const c = context.squeeze(1)
      hidden = (model.cell as GRUCell).forward(concat([word, c], 1), hidden)
      const wanted = model.output.forward(concat([hidden, c, word], 1))
      expect(apart(values(found.logits.slice([{}, { start: t, stop: t + 1 }])), values(wanted))).toBeLessThan(
        1e-5,
      )
    }
  })

  it('ask with the state before (Bahdanau) or after the step (Luong); the other one says otherwise', () => {
    for (const attention of ['bahdanau', 'general'] as const) {
      const [preset, previous, current] = [{}, { queryState: 'previous' }, { queryState: 'current' }].map(
        given => logits({ attention, ...(given as Partial<Seq2SeqConfig>) }),
      ) as [number[], number[], number[]]
      expect(apart(previous, current)).toBeGreaterThan(1e-3)
      expect(preset).toEqual(attention === 'bahdanau' ? previous : current)
    }
  })
})

describe('an option changes what comes out:', () => {
  const base = { attention: 'general', bidirectional: false } as const
  it.each<[string, Partial<Seq2SeqConfig>, Partial<Seq2SeqConfig>]>([
    ['reverseSource', base, { ...base, reverseSource: true }],
    ['locality monotonic', base, { ...base, locality: 'monotonic', window: 1 }],
    ['window', { ...base, locality: 'monotonic', window: 1 }, { ...base, locality: 'monotonic', window: 2 }],
    ['copy', { attention: 'bahdanau' }, { attention: 'bahdanau', copy: true }],
    ['without context', base, { ...base, without: ['context'] }],
    ['without word', base, { ...base, without: ['word'] }],
    ['without state', base, { ...base, without: ['state'] }],
    ['without context, fixed vector', { attention: 'none' }, { attention: 'none', without: ['context'] }],
  ])('%s', (_, one, other) => {
    const common = Math.min(logits(one).length, logits(other).length)
    expect(apart(logits(one).slice(0, common), logits(other).slice(0, common))).toBeGreaterThan(1e-3)
  })

  it('input feeding and how it joins change the gates’ inputs', () => {
    const sizes = (config: Partial<Seq2SeqConfig>): readonly number[] =>
      small(config).cell.weights.weightIh.shape
    expect(sizes({ attention: 'general' })).toEqual([24, 14])
    expect(sizes({ attention: 'general', inputFeeding: false })).toEqual([24, 6])
    expect(sizes({ attention: 'bahdanau' })).toEqual([24, 22])
    expect(sizes({ attention: 'bahdanau', feedBy: 'add' })).toEqual([24, 6])
    expect(small({ feedBy: 'add' }).feed?.weight.shape).toEqual([6, 16])
  })

  it('coverage: a place looked at before is looked at otherwise', () => {
    const model = small({ attention: 'bahdanau', coverage: true })
    const batch = pairs([4], [4])
    const before = run(model, batch)
    const score = model.score as CoverageAttention
    score.wCoverage.assign(score.wCoverage.mul(0).sub(50))
    const after = run(model, batch)
    const first = (x: Tensor | null): number[] => nested(x as Tensor)[0]?.[0] as number[]
    expect(first(after.weights)).toEqual(first(before.weights)) // nothing was looked at before the first step
    expect(apart(values(after.weights as Tensor), values(before.weights as Tensor))).toBeGreaterThan(1e-2)
  })

  it('coverage is that of the layer: See et al. 2017, eq. 11', () => {
    const model = small({ attention: 'bahdanau', coverage: true })
    const batch = pairs([4], [3])
    const { weights } = run(model, batch)
    const layer = model.score as CoverageAttention
    const memory = noGrad(() => model.encode(batch.source, batch.sourceLengths))
    const step = layer.forward(memory.first, memory.states, { mask: memory.mask.squeeze(1) })
    expect(apart(nested(weights as Tensor)[0]?.[0] as number[], values(step.weights))).toBeLessThan(1e-6)
  })
})

describe('contexts', () => {
  it('are all the same without attention, and differ at every step with it', () => {
    const batch = pairs([5], [4])
    const steps = (config: Partial<Seq2SeqConfig>): number[][] =>
      nested(run(small(config), batch).contexts)[0] as number[][]
    const fixed = steps({ attention: 'none' })
    for (const context of fixed) expect(context).toEqual(fixed[0])
    for (const attention of ['bahdanau', 'general'] as const) {
      const all = steps({ attention })
      for (const [i, a] of all.entries())
        for (const b of all.slice(i + 1)) expect(apart(a, b)).toBeGreaterThan(1e-5)
    }
  })
})

describe('reading from the end', () => {
  it('turns each row round within its length, and keeps weights in the source’s order', () => {
    const config = { attention: 'general', bidirectional: false } as const
    const [plain, turned] = [small(config), small({ ...config, reverseSource: true })]
    const batch = pairs([4, 2], [3, 3])
    const backwards = batchOf(batch.rows.map(row => ({ ...row, source: [...row.source].reverse() })))
    const [a, b] = [run(turned, batch), run(plain, backwards)]
    expect(apart(values(a.logits), values(b.logits))).toBeLessThan(1e-5)
    const mine = nested(a.weights as Tensor)
    for (const [i, rows] of nested(b.weights as Tensor).entries())
      for (const [t, row] of rows.entries()) {
        const length = [4, 2][i] as number
        const back = [...row.slice(0, length)].reverse()
        expect(apart(mine[i]?.[t]?.slice(0, length) as number[], back)).toBeLessThan(1e-6)
      }
  })
})

describe('local attention', () => {
  it('looks nowhere outside its window, and with a wide one everywhere (local-m)', () => {
    const batch = pairs([6], [4])
    const config = { attention: 'general', locality: 'monotonic' } as const
    const rows = nested(run(small({ ...config, window: 1 }), batch).weights as Tensor)[0] as number[][]
    for (const [t, row] of rows.entries())
      for (const [i, weight] of row.entries()) expect(weight > 0).toBe(Math.abs(i - Math.min(t, 5)) <= 1)
    const wide = values(run(small({ ...config, window: 50 }), batch).logits)
    expect(apart(wide, logits({ attention: 'general' }, batch))).toBeLessThan(1e-6)
  })

  it('is the layer’s where nothing is padded, gradients too (local-p, Luong et al. 2015, eq. 9-10)', () => {
    const model = small({ attention: 'dot', locality: 'predictive', window: 2 })
    const centre = model.centre as LocalPredictive
    const { source, sourceLengths } = pairs([6], [1])
    const memory = noGrad(() => model.encode(source, sourceLengths))
    const queries = noGrad(() => normal([1, 3, 8], { rng: new Rng(1) }))
    const gradient = (of: () => { readonly context: Tensor }): number[] => {
      model.zeroGrad()
      const { context } = of()
      const found = values(context)
      context.mul(context).sum().backward()
      return [...found, ...values(centre.weight.grad as Tensor), ...values(centre.v.grad as Tensor)]
    }
    const mine = gradient(() => look(model, queries, memory, 0))
    expect(
      apart(
        mine,
        gradient(() => centre.forward(queries, memory.states)),
      ),
    ).toBeLessThan(1e-6)
  })

  it('fades by a Gaussian around a centre that it chooses, which learns (local-p)', () => {
    const model = small({ attention: 'general', locality: 'predictive', window: 2 })
    const batch = pairs([6, 3], [4, 2])
    model.loss(batch).backward()
    const gradient = values(model.centre?.v.grad as Tensor)
    expect(gradient.some(g => Math.abs(g) > 1e-6)).toBe(true)
    const rows = nested(run(model, batch).weights as Tensor)[0] as number[][]
    for (const row of rows) expect(row.filter(w => w > 0).length).toBeLessThanOrEqual(5)
  })
})

describe('teacher forcing', () => {
  const batch = (): Seq2SeqBatch => pairs([4, 3], [5, 4])
  const loss = (share: number, seed = 1): number =>
    noGrad(() => small().loss(batch(), { teacherForcing: share, rng: new Rng(seed) })).dataSync()[0] as number

  it('always is the plain loss; never is another, and in between depends on the draw', () => {
    const plain = noGrad(() => small().loss(batch())).dataSync()[0]
    expect(loss(1 - 1e-9)).toBeCloseTo(plain as number, 5)
    expect(Math.abs(loss(0) - (plain as number))).toBeGreaterThan(1e-4)
    expect(loss(0, 1)).toBe(loss(0, 2))
    expect(new Set([1, 2, 3, 4].map(seed => loss(0.5, seed))).size).toBeGreaterThan(1)
  })
})

describe('a configuration that makes no sense', () => {
  it.each<[Partial<Seq2SeqConfig>, string]>([
    [{ hidden: 0 }, 'hidden is 0, use a whole number of 1 or more'],
    [{ attention: 'soft' as 'dot' }, 'attention is soft, use none, bahdanau'],
    [
      { attention: 'dot', encoderHidden: 8 },
      'dot needs equal sizes, the decoder has 8 and the source states 16',
    ],
    [{ attention: 'none', copy: true }, 'copy needs attention, which is none; use bahdanau'],
    [{ attention: 'dot', coverage: true }, 'coverage is part of the additive score, attention is dot'],
    [{ attention: 'none', locality: 'monotonic' }, 'locality is monotonic but attention none'],
    [{ copy: true, unknown: 99 }, 'unknown is 99, use a token of the target, 0 to 10'],
  ])('%j is refused', (config, message) => {
    expect(() => small(config)).toThrow(message)
  })

  it('as well as targets without a next word, and a copying model without a source to copy', () => {
    const batch = batchOf([{ source: [4], target: [BEGIN] }])
    expect(() => small().loss(batch)).toThrow('Seq2Seq: targets of 1 tokens have no next word')
    expect(() => small({ copy: true }).loss(pairs([2], [2]))).toThrow('pass copy: { ids, extra }')
    const long = pairs([60], [2])
    expect(() => run(small({ attention: 'location' }), long)).toThrow(
      'Location has places for 50 keys, there are 60',
    )
  })
})
