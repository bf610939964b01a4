import { noGrad, Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { attend, captureAttention, LSTM } from '@heed/layers'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type ClassifierBatch,
  type ClassifierConfig,
  type ClassifierOptions,
  type ConcatReadout,
  carrySensitivity,
  classifierConfig,
  concatHeadParameters,
  type ReadoutKind,
  SequenceClassifier,
  sensitivity,
} from '../src/index.ts'
import { apart, ids, learn, values } from './pairs.ts'

beforeAll(() => setBackend(referenceBackend()))

const READOUTS: readonly ReadoutKind[] = ['last', 'concat', 'mean', 'max', 'attention']

const small = (
  config: Partial<ClassifierConfig> = {},
  options: ClassifierOptions = {},
  seed = 1,
): SequenceClassifier =>
  new SequenceClassifier(classifierConfig({ vocab: 12, embedding: 5, hidden: 6, time: 5, ...config }), { rng: new Rng(seed), ...options }) // biome-ignore format: one line

/** Random texts, padded to the longest, or to `time`. */
function texts(lengths: readonly number[], time = 0): { rows: number[][]; ids: Tensor; lengths: Tensor } {
  const rng = new Rng(7)
  const rows = lengths.map(length => Array.from({ length }, () => 4 + rng.int(8)))
  const padded = rows.map((row, i) => (i === 0 ? [...row, ...new Array<number>(Math.max(0, time - row.length)).fill(0)] : row)) // biome-ignore format: one line
  return { rows, ids: ids(padded), lengths: tensor(Int32Array.from(lengths)) }
}

const run = (model: SequenceClassifier, text: { ids: Tensor; lengths: Tensor }) =>
  noGrad(() => model.forward(text.ids, text.lengths))

describe.each([
  ['rnn', 1, false],
  ['gru', 1, true],
  ['lstm', 1, false],
  ['lstm', 2, true],
  ['gru', 3, false],
] as const)('a classifier of %s, %i layers, both ways: %s', (cell, layers, bidirectional) => {
  it.each(READOUTS)('gives padded rows what they get alone: %s', readout => {
    const model = small({ cell, layers, bidirectional, readout })
    const all = texts([3, 5, 1])
    const together = values(run(model, all).logits)
    for (const [i, row] of all.rows.entries()) {
      const alone = { ids: ids([readout === 'concat' ? [...row, 0, 0, 0, 0].slice(0, 5) : row]), lengths: tensor(Int32Array.of(row.length)) } // biome-ignore format: one line
      expect(apart(values(run(model, alone).logits), [together[i] as number])).toBeLessThan(1e-6)
    }
  })
})

describe('read-outs', () => {
  it('say how much each state counts, where that can be said', () => {
    for (const readout of READOUTS) {
      const { weights } = run(small({ readout }), texts([3, 5]))
      if (readout !== 'mean' && readout !== 'attention') expect(weights).toBeNull()
      else
        for (const [i, length] of [3, 5].entries()) {
          const row = values(weights as Tensor).slice(i * 5, (i + 1) * 5)
          expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
          expect(row.slice(length).every(w => w === 0)).toBe(true)
          if (readout === 'mean') for (const w of row.slice(0, length)) expect(w).toBeCloseTo(1 / length, 6)
        }
    }
  })

  it('are five different things', () => {
    const found = READOUTS.map(readout => {
      const model = small({ readout })
      return values(run(model, texts([5])).context)
        .slice(0, 6)
        .join()
    })
    expect(new Set(found).size).toBe(5)
  })

  it('last: with two directions, the last state of one and the first of the other', () => {
    const model = small({ readout: 'last', bidirectional: true })
    const text = texts([3])
    const { context } = run(model, text)
    const { outputs } = noGrad(() => model.recurrence.forward(model.embedding.forward(text.ids), { lengths: text.lengths })) // biome-ignore format: one line
    const states = values(outputs) // [3, 12]
    expect(values(context)).toEqual([...states.slice(24, 30), ...states.slice(6, 12)])
  })

  it('mean: attention whose scores are all alike, to the bit', () => {
    const model = small({ readout: 'mean' })
    const text = texts([5])
    const { context, weights } = run(model, text)
    const { outputs } = noGrad(() => model.recurrence.forward(model.embedding.forward(text.ids), { lengths: text.lengths })) // biome-ignore format: one line
    const alike = attend(outputs.slice([{}, { stop: 1 }]).mul(0), outputs)
    expect(values(context)).toEqual(values(alike.context))
    expect(values(weights as Tensor)).toEqual(values(alike.weights))
  })

  it('concat: a head that grows with the length, takes no other, and wastes what is padded', () => {
    const parameters = (model: SequenceClassifier): number => model.head.parameters().reduce((sum, p) => sum + p.size, 0) // biome-ignore format: one line
    for (const time of [44, 200]) {
      const model = small({ readout: 'concat', time, task: 'multi-class', classes: 3 })
      expect(parameters(model)).toBe(time * 6 * 3 + 3)
      expect(parameters(model)).toBe(concatHeadParameters(time, 6, 3))
    }
    expect(concatHeadParameters(100_000, 64, 2)).toBe(12_800_002)
    const model = small({ readout: 'concat' })
    expect(() => run(model, texts([4]))).toThrow(
      'concat: the head was made for 5 steps, the sequences have 4; pad them to 5, or use mean, max or attention',
    )
    expect((model.readout as ConcatReadout).wasted([5, 1])).toBeCloseTo(0.4, 12)
  })

  it('of the others keep their number of parameters at any length', () => {
    for (const readout of ['last', 'mean', 'max', 'attention'] as const) {
      const count = (time: number): number =>
        small({ readout, time }).parameters().reduce((sum, p) => sum + p.size, 0) // biome-ignore format: one line
      expect(count(5)).toBe(count(200))
      expect(run(small({ readout }), texts([9])).logits.shape).toEqual([1])
    }
  })
})

describe('looking', () => {
  it.each(['mean', 'attention'] as const)('never changes the answer, and shows the weights: %s', readout => {
    const model = small({ readout, bidirectional: true })
    const text = texts([4, 5])
    const plain = run(model, text)
    const { output, maps } = captureAttention(model, () => run(model, text))
    expect(values(output.logits)).toEqual(values(plain.logits))
    expect(maps.map(map => map.path)).toEqual([readout === 'mean' ? 'readout' : 'readout.pool'])
    const row = maps[0]?.row({ batch: 1, query: 0 }) as Tensor
    expect(apart(values(row), values(plain.weights as Tensor).slice(5))).toBeLessThan(1e-6)
  })
})

describe('tasks', () => {
  const text = (): ReturnType<typeof texts> => texts([3, 5])

  it('binary: one probability, yes above one half', () => {
    const model = small()
    const { logits } = run(model, text())
    expect(logits.shape).toEqual([2])
    expect(values(model.decide(logits))).toEqual(
      values(model.probabilities(logits)).map(p => Number(p > 0.5)),
    )
    const loss = model.loss({ ...text(), labels: tensor(Int32Array.of(1, 0)) })
    const [p, q] = values(model.probabilities(logits)) as [number, number]
    expect(values(loss)[0]).toBeCloseTo(-(Math.log(p) + Math.log(1 - q)) / 2, 5)
  })

  it('multi-class: probabilities that sum to 1, the likeliest is decided on', () => {
    const model = small({ task: 'multi-class', classes: 4 })
    const { logits } = run(model, text())
    const p = values(model.probabilities(logits))
    expect(p.slice(0, 4).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6)
    expect(values(model.decide(logits))[0]).toBe(p.indexOf(Math.max(...p.slice(0, 4))))
    const loss = model.loss({ ...text(), labels: tensor(Int32Array.of(2, 0)) })
    expect(values(loss)[0]).toBeCloseTo(-(Math.log(p[2] as number) + Math.log(p[4] as number)) / 2, 5)
  })

  it('multi-label: each label by itself', () => {
    const model = small({ task: 'multi-label', classes: 3 })
    const { logits } = run(model, text())
    const p = values(model.probabilities(logits))
    expect(values(model.decide(logits))).toEqual(p.map(x => Number(x > 0.5)))
    const labels = [1, 0, 1, 0, 0, 1]
    const loss = model.loss({ ...text(), labels: tensor(Int32Array.from(labels), { shape: [2, 3] }) })
    const wanted = labels.reduce((sum, y, i) => sum - Math.log(y ? (p[i] as number) : 1 - (p[i] as number)), 0) / 6 // biome-ignore format: one line
    expect(values(loss)[0]).toBeCloseTo(wanted, 5)
  })

  it('are smoothed where asked', () => {
    for (const task of ['binary', 'multi-class'] as const) {
      const model = small({ task, classes: task === 'binary' ? 1 : 3 })
      const batch = { ...text(), labels: tensor(Int32Array.of(1, 0)) }
      const [a, b] = [0, 0.2].map(
        labelSmoothing => values(model.loss(batch, { labelSmoothing }))[0] as number,
      )
      expect(a).not.toBeCloseTo(b as number, 4)
    }
  })
})

describe('embeddings', () => {
  const vectors = (): Tensor => tensor(Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)), { shape: [12, 5] }) // biome-ignore format: one line
  const changes = (embeddings: ClassifierConfig['embeddings']): boolean => {
    const model = small({ embeddings }, embeddings === 'learned' ? {} : { vectors: vectors() })
    const before = values(model.embedding.weight)
    if (embeddings !== 'learned') expect(before).toEqual(values(vectors()))
    model.loss({ ...texts([3, 5]), labels: tensor(Int32Array.of(1, 0)) }).backward()
    for (const p of model.parameters()) if (p.grad) p.assign(p.sub(p.grad).detach())
    expect(Object.keys(model.stateDict())).toContain('embedding.weight') // frozen ones are saved too
    return apart(before, values(model.embedding.weight)) > 0
  }

  it('learned, fine-tuned and frozen share one API; frozen ones stay as they are', () => {
    expect(changes('learned')).toBe(true)
    expect(changes('fine-tuned')).toBe(true)
    expect(changes('frozen')).toBe(false)
  })

  it('that are given must be there, and fit', () => {
    expect(() => small({ embeddings: 'frozen' })).toThrow('embeddings are frozen, but no vectors are given; pass { vectors }') // biome-ignore format: one line
    expect(() => small({}, { vectors: tensor([[1]]) })).toThrow('vectors are [1, 1], the words need [12, 5]; give a row for each word') // biome-ignore format: one line
    expect(() => small({ classes: 3, readout: 'sum' as 'mean' })).toThrow(
      'SequenceClassifier: readout is sum, use last, concat, mean, max, attention; a binary task has 1 output, classes is 3',
    )
  })

  it('may come from elsewhere: read() takes vectors of words', () => {
    const model = small()
    const text = texts([3, 5])
    const { logits } = noGrad(() => model.read(model.embedding.forward(text.ids), text.lengths))
    expect(values(logits)).toEqual(values(run(model, text).logits))
  })
})

describe('learning', () => {
  /** Texts of eight words, one of which, anywhere, says yes (4) or no (5). */
  const batch = (seed: number, size = 16): ClassifierBatch => {
    const rng = new Rng(seed)
    const labels = Int32Array.from({ length: size }, () => rng.int(2))
    const rows = Array.from(labels, label => {
      const row = Array.from({ length: 8 }, () => 6 + rng.int(6))
      row[rng.int(8)] = 4 + label
      return row
    })
    return { ids: ids(rows), lengths: tensor(new Int32Array(size).fill(8)), labels: tensor(labels) }
  }

  it('attention finds the word that decides', () => {
    const model = small({ hidden: 8, embedding: 8, cell: 'gru' }, {}, 3)
    learn(model, step => model.loss(batch(10 + step)), 60, 0.02)
    const test = batch(1, 100)
    const { logits, weights } = run(model.eval(), test)
    const said = values(model.decide(logits))
    const right = values(test.labels).filter((label, i) => said[i] === label).length
    expect(right / 100).toBeGreaterThan(0.95)
    const looked = values(weights as Tensor)
    const words = values(test.ids)
    const onCue =
      words.reduce((sum, id, i) => sum + (id === 4 || id === 5 ? (looked[i] as number) : 0), 0) / 100
    expect(onCue).toBeGreaterThan(2 / 8) // at least twice its share
  })
})

describe('sensitivity', () => {
  it('is the norm of the derivative of a vector by each place', () => {
    const x = tensor([[[1, 2], [3, 4], [5, 6]]], { dtype: 'float64' }) // biome-ignore format: a matrix
    const by = tensor([[[1, 0], [0, 2], [0, 0]]], { dtype: 'float64' }) // biome-ignore format: a matrix
    expect(values(sensitivity(y => y.mul(by).sum(1), x))).toEqual([1, 2, 0])
  })

  it('of the last state falls with the distance from the end; of attention it does not', () => {
    const vectors = noGrad(() => small().embedding.forward(texts([12]).ids))
    const lengths = tensor(Int32Array.of(12))
    const of = (readout: ReadoutKind): number[] => {
      const model = small({ readout, cell: 'rnn' })
      return values(sensitivity(x => model.read(x, lengths).context, vectors))
    }
    const [last, attention] = [of('last'), of('attention')] as [number[], number[]]
    expect(last[0]).toBeLessThan((last[11] as number) / 50)
    expect(attention[0]).toBeGreaterThan((attention[11] as number) / 10)
  })

  it('along an LSTM’s cells is the product of its forget gates where nothing else comes back', () => {
    const layer = new LSTM(2, 3, { rng: new Rng(1) })
    const [weights] = layer.weights
    weights?.weightHh.assign(weights.weightHh.mul(0)) // gates see the input alone: c_T = Π f · c_t + …
    const x = tensor([[[1, 2], [0.5, -1], [2, 0.3], [1, 1]]]) // biome-ignore format: a matrix
    const norms = carrySensitivity(layer, x).map(norm => values(norm)[0] as number)
    const gates = values(weights?.forward(x) as Tensor)
    const forget = [1, 2, 3].map(t => [0, 1, 2].map(i => 1 / (1 + Math.exp(-((gates[t * 12 + 3 + i] as number) + (values(weights?.biasHh as Tensor)[3 + i] as number)))))) // biome-ignore format: one line
    for (const [t, norm] of norms.entries()) {
      const products = [0, 1, 2].map(i => forget.slice(t).reduce((p, f) => p * (f[i] as number), 1))
      expect(norm).toBeCloseTo(Math.hypot(...products), 5)
    }
    expect(norms).toHaveLength(3)
  })
})
