import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultRng, Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { Dropout, Linear, Module, mseLoss } from '@heed/layers'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  Adam,
  type BatchSource,
  type Callback,
  earlyStopping,
  exponentialForcing,
  jsonLines,
  linearForcing,
  meanLoss,
  onPlateau,
  Plateau,
  SGD,
  sigmoidForcing,
  Trainer,
  type TrainerOptions,
  Watch,
} from '../src/index.ts'
import { checkpoints, logFile, restore } from '../src/node/index.ts'

beforeAll(() => setBackend(referenceBackend()))

interface Batch {
  readonly x: Tensor
  readonly y: Tensor
}

class Net extends Module {
  readonly a = new Linear(2, 4, { rng: new Rng(3) })
  readonly b = new Linear(4, 1, { rng: new Rng(4) })
  readonly dropout: Dropout
  constructor(p: number) {
    super()
    this.dropout = new Dropout(p)
  }
  forward(x: Tensor): Tensor {
    return this.b.forward(this.dropout.forward(this.a.forward(x).tanh()))
  }
  loss({ x, y }: Batch): Tensor {
    return mseLoss(this.forward(x), y)
  }
}

/** y = x₀ − 2 x₁. */
function source(size: number, steps = 4): BatchSource<Batch> {
  const row = (i: number): readonly [number, number] => {
    const rng = new Rng(1).split(i)
    return [rng.normal(), rng.normal()]
  }
  return {
    steps: () => steps,
    batch(epoch, step) {
      const rows = Array.from({ length: size }, (_, i) => row((epoch * steps + step) * size + i))
      return { x: tensor(rows), y: tensor(rows.map(([a, b]) => [a - 2 * b])) }
    },
  }
}

function trainer(options: Partial<TrainerOptions<Batch>> = {}, dropout = 0): Trainer<Batch> {
  const model = new Net(dropout)
  const optimizer = new Adam(model.namedParameters(), { learningRate: 0.05 })
  return new Trainer(model, { optimizer, clipNorm: 1, ...options })
}

const weights = (t: Trainer<Batch>): number[] =>
  Object.values(t.model.stateDict()).flatMap(x => [...x.dataSync()])

const inFolder = async (body: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'heed-'))
  await body(folder).finally(() => rmSync(folder, { recursive: true }))
}

describe('gradient accumulation', () => {
  it('over k batches equals one batch k times as large', async () => {
    const small = trainer({ accumulate: 4 })
    const large = trainer()
    const losses: number[][] = [[], []]
    await small.fit(source(2, 8), { epochs: 2, onStep: ({ loss }) => void losses[0]?.push(loss) })
    await large.fit(source(8, 2), { epochs: 2, onStep: ({ loss }) => void losses[1]?.push(loss) })
    expect(small.position).toEqual({ epoch: 2, step: 0, total: 4 })
    expect(losses[0]).toHaveLength(4)
    for (const [i, loss] of (losses[0] as number[]).entries())
      expect(loss).toBeCloseTo(losses[1]?.[i] as number, 6)
    const wanted = weights(large)
    for (const [i, w] of weights(small).entries()) expect(w).toBeCloseTo(wanted[i] as number, 5)
  })

  it('takes what is left in the last step of an epoch', async () => {
    const t = trainer({ accumulate: 3 })
    const steps: number[] = []
    await t.fit(source(2, 4), { epochs: 1, onStep: ({ step }) => void steps.push(step) })
    expect(steps).toEqual([3, 4])
    expect(() => trainer({ accumulate: 0 })).toThrow(
      'Trainer: accumulate is 0; use a whole number of 1 or more',
    )
  })
})

describe('callbacks', () => {
  it('are told of everything, in order', async () => {
    const heard: string[] = []
    const callback: Callback<Batch> = {
      name: 'spy',
      onStart: () => void heard.push('start'),
      onStep: async ({ total }) => void heard.push(`step ${total}`),
      onValidation: ({ metrics, total }) => void heard.push(`validation ${metrics.loss} at ${total}`),
      onEpoch: ({ epoch }) => void heard.push(`epoch ${epoch}`),
      onEnd: finished => void heard.push(`end ${finished}`),
    }
    const t = trainer({ callbacks: [callback] })
    await t.fit(source(2, 2), {
      epochs: 2,
      validate: () => {
        expect(t.model.training).toBe(false)
        return { loss: 7 }
      },
    })
    expect(heard).toEqual(
      ['start', 'step 1', 'step 2', 'validation 7 at 2', 'epoch 1', 'step 3', 'step 4', 'validation 7 at 4', 'epoch 2', 'end true'], // biome-ignore format: one line
    )
    expect(t.model.training).toBe(true)
  })

  it('may give another loss, told where training stands', async () => {
    const seen: number[] = []
    const t = trainer({
      loss(batch, { total }) {
        seen.push(total)
        return t.model.loss(batch).mul(0)
      },
    })
    const before = weights(t)
    await t.fit(source(2, 3), { epochs: 1 })
    expect(seen).toEqual([0, 1, 2])
    expect(weights(t)).toEqual(before)
  })

  it('that remember need names of their own', () => {
    expect(() => trainer({ callbacks: [earlyStopping(), earlyStopping()] })).toThrow(
      'Trainer: callbacks are named earlyStopping, earlyStopping; give each a name of its own',
    )
  })
})

describe('early stopping', () => {
  const falling = [5, 4, 3, 3.5, 3.2, 3.1, 1, 1]

  it('stops after so many looks without getting better, and stays stopped when resumed', async () => {
    const make = (): Trainer<Batch> => trainer({ callbacks: [earlyStopping({ patience: 3 })] })
    const t = make()
    const validate = (at: Trainer<Batch>) => () => ({ loss: falling[at.position.epoch - 1] as number })
    expect(await t.fit(source(2, 1), { epochs: 8, validate: validate(t) })).toBe(true)
    expect(t.position.epoch).toBe(6)
    expect(t.stopped).toBe('loss has not become better than 3 (step 3) in 3 looks')
    const again = make()
    again.load(t.state())
    await again.fit(source(2, 1), { epochs: 8, validate: validate(again) })
    expect(again.position.epoch).toBe(6)
  })

  it('takes larger as better where told, and NaN never', () => {
    const watch = new Watch({ metric: 'bleu', mode: 'max', minDelta: 1 })
    const at = (bleu: number): boolean => watch.better({ epoch: 0, step: 0, total: 1, metrics: { bleu } })
    expect([at(10), at(10.5), at(12), at(Number.NaN)]).toEqual([true, false, true, false])
    expect([watch.best, watch.since]).toEqual([12, 1])
    expect(() => watch.better({ epoch: 0, step: 0, total: 1, metrics: { loss: 1 } })).toThrow(
      'Watch: the validation has loss, not bleu; name one of these',
    )
  })

  it('in the middle of an epoch stops there', async () => {
    const t = trainer({ callbacks: [earlyStopping({ patience: 1 })] })
    await t.fit(source(2, 10), { epochs: 1, validateEvery: 2, validate: () => ({ loss: 1 }) })
    expect(t.position).toEqual({ epoch: 0, step: 4, total: 4 })
  })
})

describe('a plateau', () => {
  it('lowers the rate where a metric stops getting better, and remembers', async () => {
    const make = (): [Plateau, Trainer<Batch>] => {
      const plateau = new Plateau(0.1, { patience: 0, factor: 0.5 })
      return [plateau, trainer({ schedule: () => plateau.rate, callbacks: [onPlateau(plateau)] })]
    }
    const [, t] = make()
    const rates: number[] = []
    const fit = (at: Trainer<Batch>, epochs: number): Promise<boolean> =>
      at.fit(source(2, 1), {
        epochs,
        validate: () => ({ loss: 1 }),
        onStep: ({ learningRate }) => void rates.push(learningRate),
      })
    await fit(t, 2)
    const [, again] = make()
    again.load({ ...t.state(), memories: JSON.parse(JSON.stringify(t.state().memories)) })
    await fit(again, 4)
    expect(rates).toEqual([0.1, 0.1, 0.05, 0.025])
  })
})

describe('checkpoints', () => {
  it('keep the best and the last; stopped and resumed is never stopped, bit for bit', () =>
    inFolder(async folder => {
      const make = (): Trainer<Batch> =>
        trainer({ accumulate: 2, callbacks: [earlyStopping({ patience: 9 }), checkpoints(folder)] }, 0.3)
      const metrics = [3, 1, 2, 2]
      const fit = (t: Trainer<Batch>, signal?: AbortSignal): Promise<boolean> =>
        t.fit(source(3, 5), {
          epochs: 4,
          validate: () => ({ loss: metrics[t.position.epoch - 1] as number }),
          ...(signal ? { signal } : {}),
        })
      const whole = make()
      await fit(whole)
      expect(readdirSync(folder).filter(name => name.endsWith('.json')).sort()).toEqual(['best.json', 'last.json']) // biome-ignore format: one line
      const best = make()
      restore(best, folder, { name: 'best' })
      expect(best.position.epoch).toBe(2)

      const stop = new AbortController()
      const part = trainer(
        {
          accumulate: 2,
          callbacks: [
            { name: 'stop', onStep: ({ total }) => void (total === 8 && stop.abort()) },
            earlyStopping({ patience: 9 }),
            checkpoints(folder),
          ],
        },
        0.3,
      )
      expect(await fit(part, stop.signal)).toBe(false)
      const rest = make()
      restore(rest, folder)
      expect(rest.position).toEqual({ epoch: 2, step: 4, total: 8 })
      await fit(rest)
      expect(weights(rest)).toEqual(weights(whole))
      expect(rest.state().memories).toEqual(whole.state().memories)
    }))
})

it('checkpoints and logs make the folder they are kept in', () =>
  inFolder(async home => {
    const folder = `${home}/runs/first`
    const t = trainer({ callbacks: [logFile(folder, { every: 1 }), checkpoints(folder)] })
    await t.fit(source(2, 1), { epochs: 1, validate: () => ({ loss: 1 }) })
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['best.json', 'last.json', 'log.jsonl']))
  }))

describe('logs', () => {
  it('are an object of JSON a line', () =>
    inFolder(async folder => {
      const lines: string[] = []
      const t = trainer({
        callbacks: [
          jsonLines(line => lines.push(line), { every: 2, facts: { arm: 'a' } }),
          logFile(folder, { every: 2, facts: { arm: 'a' } }),
        ],
      })
      await t.fit(source(2, 4), { epochs: 1, validate: () => ({ loss: 0.123456789, bleu: Number.NaN }) })
      const entries = lines.map(line => JSON.parse(line))
      expect(entries.map(entry => entry.step)).toEqual([1, 2, 4, 4, 4])
      expect(entries[0]).toMatchObject({ arm: 'a', epoch: 0, learningRate: 0.05 })
      expect(entries[3]).toEqual({ arm: 'a', step: 4, epoch: 1, validation: { loss: 0.123457, bleu: null } })
      expect(entries[4]).toEqual({ arm: 'a', step: 4, finished: true })
      expect(readFileSync(join(folder, 'log.jsonl'), 'utf8')).toBe(`${lines.join('\n')}\n`)
    }))
})

describe('meanLoss', () => {
  it('weighs batches, and leaves the model learning as it was', async () => {
    const { model } = trainer({}, 0.9)
    const batches = source(2, 3)
    model.eval()
    const [a, b, c] = [0, 1, 2].map(i => model.loss(batches.batch(0, i)).dataSync()[0]) as [
      number,
      number,
      number,
    ]
    model.train()
    expect(await meanLoss(model, batches)).toBeCloseTo((a + b + c) / 3, 6)
    let i = 0
    const weight = (): number => [1, 2, 3][i++] as number
    expect(await meanLoss(model, batches, { weight })).toBeCloseTo((a + 2 * b + 3 * c) / 6, 6)
    expect(model.training).toBe(true)
  })
})

describe('forcing', () => {
  it('falls from 1 by the three curves of the paper', () => {
    expect([0, 5, 10, 99].map(linearForcing(10, 0.2))).toEqual([1, 0.6, 0.2, 0.2])
    expect([0, 2].map(exponentialForcing(0.5))).toEqual([1, 0.25])
    const sigmoid = sigmoidForcing(10)
    expect(sigmoid(0)).toBeCloseTo(10 / 11, 12)
    expect(sigmoid(10 * Math.log(10))).toBeCloseTo(0.5, 12)
    expect(() => exponentialForcing(1)).toThrow(
      'exponentialForcing: k is 1; use a number above 0 and below 1',
    )
  })
})

describe('steps', () => {
  it('draw from their own stream, also within one step of several batches', async () => {
    const draws: number[] = []
    const model = new Net(0)
    const t = new Trainer(model, {
      optimizer: new SGD(model.namedParameters(), { learningRate: 0.1 }),
      accumulate: 2,
      loss(batch) {
        draws.push(defaultRng().uniform())
        return model.loss(batch)
      },
    })
    await t.fit(source(2, 4), { epochs: 1 })
    expect(new Set(draws).size).toBe(4)
  })
})
