import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { Dropout, Linear, Module, mseLoss } from '@heed/layers'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  Adagrad,
  Adam,
  type BatchSource,
  clipGradNorm,
  DivergenceError,
  RMSprop,
  SGD,
  Trainer,
  warmupCosine,
} from '../src/index.ts'
import { loadCheckpoint, saveCheckpoint } from '../src/node/index.ts'

beforeAll(() => setBackend(referenceBackend()))

interface Batch {
  readonly x: Tensor
  readonly y: Tensor
}

/** Two linear layers with dropout between. */
class Net extends Module {
  readonly a: Linear
  readonly b: Linear
  readonly dropout = new Dropout(0.3)
  constructor(rng: Rng) {
    super()
    this.a = new Linear(2, 8, { rng })
    this.b = new Linear(8, 1, { rng })
  }
  forward(x: Tensor): Tensor {
    return this.b.forward(this.dropout.forward(this.a.forward(x).tanh()))
  }
  loss({ x, y }: Batch): Tensor {
    return mseLoss(this.forward(x), y)
  }
}

/** y = x₀ − 2 x₁, eight rows a batch, a function of epoch and step alone. */
const source: BatchSource<Batch> = {
  steps: () => 5,
  batch(epoch, step) {
    const rng = new Rng(1).split(epoch).split(step)
    const rows = Array.from({ length: 8 }, () => [rng.normal(), rng.normal()] as const)
    return { x: tensor(rows), y: tensor(rows.map(([a, b]) => [a - 2 * b])) }
  },
}

function trainer(): Trainer<Batch> {
  const model = new Net(new Rng(3))
  return new Trainer(model, {
    optimizer: new Adam(model.namedParameters(), { learningRate: 0.05 }),
    schedule: warmupCosine(0.05, { warmup: 2, total: 40 }),
    clipNorm: 1,
    seed: 9,
  })
}

const weights = (t: Trainer<Batch>): number[] =>
  Object.values(t.model.stateDict()).flatMap(x => [...x.dataSync()])

describe('Trainer', () => {
  it('learns, and reports each step', async () => {
    const t = trainer()
    const losses: number[] = []
    expect(await t.fit(source, { epochs: 8, onStep: ({ loss }) => void losses.push(loss) })).toBe(true)
    expect(losses).toHaveLength(40)
    const mean = (part: number[]): number => part.reduce((a, b) => a + b, 0) / part.length
    expect(mean(losses.slice(-5))).toBeLessThan(mean(losses.slice(0, 5)) / 3)
    expect(t.position).toEqual({ epoch: 8, step: 0, total: 40 })
  })

  it('stopped, saved, loaded and resumed gives the same bits as never stopped', async () => {
    const whole = trainer()
    await whole.fit(source, { epochs: 4 })
    const folder = mkdtempSync(join(tmpdir(), 'heed-'))
    try {
      const first = trainer()
      const stop = new AbortController()
      expect(
        await first.fit(source, {
          epochs: 4,
          signal: stop.signal,
          onStep: ({ total }) => {
            if (total === 7) stop.abort()
          },
        }),
      ).toBe(false)
      const { tensors, position } = first.state()
      await saveCheckpoint(folder, { tensors, facts: position })
      const { tensors: back, facts } = loadCheckpoint(folder, json => json as typeof position)
      const second = trainer()
      second.load({ tensors: back, position: facts })
      await second.fit(source, { epochs: 4 })
      expect(weights(second)).toEqual(weights(whole))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('stops with an error where the loss is no longer a number', async () => {
    const t = trainer()
    const broken: BatchSource<Batch> = {
      steps: () => 1,
      batch: () => ({ x: tensor([[1, 2]]), y: tensor([[Number.NaN]]) }),
    }
    await expect(t.fit(broken, { epochs: 1 })).rejects.toThrow(DivergenceError)
    await expect(t.fit(source, { epochs: Number.NaN })).rejects.toThrow(
      'Trainer: epochs is NaN; use a number',
    )
    await expect(t.fit({ ...source, steps: () => 0 }, { epochs: 1 })).rejects.toThrow(/epoch 0 has 0 batches/)
  })

  it('refuses the state of another model', async () => {
    const t = trainer()
    const { tensors, position } = t.state()
    const { 'model.a.weight': _, ...rest } = tensors
    expect(() => trainer().load({ tensors: rest, position })).toThrow(/missing a.weight/)
    expect(() => trainer().load({ tensors: { ...tensors, 'optimizer.c.m': tensor([1]) }, position })).toThrow(
      /the saved state has c.m/,
    )
  })
})

describe('a checkpoint', () => {
  const make = async (folder: string, value: number): Promise<void> =>
    saveCheckpoint(folder, { tensors: { w: tensor([value, 2]) }, facts: { value } })
  const load = (folder: string): unknown => loadCheckpoint(folder, json => json)
  const inFolder = async (body: (folder: string) => Promise<void>): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), 'heed-'))
    await body(folder).finally(() => rmSync(folder, { recursive: true }))
  }
  const data = (folder: string): string =>
    join(folder, readdirSync(folder).find(name => name.endsWith('.safetensors')) as string)

  it('replaces the one before, and leaves no other file', () =>
    inFolder(async folder => {
      await make(folder, 1)
      await make(folder, 5)
      expect(readdirSync(folder)).toHaveLength(2)
      const { tensors, facts } = loadCheckpoint(folder, json => json as { value: number })
      expect([facts.value, ...(tensors.w as Tensor).dataSync()]).toEqual([5, 5, 2])
    }))

  it('says which file is missing or damaged', () =>
    inFolder(async folder => {
      expect(() => load(folder)).toThrow(/checkpoint.json is missing/)
      await make(folder, 1)
      const path = data(folder)
      const bytes = readFileSync(path)
      bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1
      writeFileSync(path, bytes)
      expect(() => load(folder)).toThrow(/is not the file that was written/)
      rmSync(path)
      expect(() => load(folder)).toThrow(/\.safetensors is missing/)
      writeFileSync(join(folder, 'checkpoint.json'), '{"schema": ')
      expect(() => load(folder)).toThrow(/checkpoint.json is not JSON/)
      writeFileSync(
        join(folder, 'checkpoint.json'),
        '{"schema":"heed-checkpoint/1","file":"../x","sha256":""}',
      )
      expect(() => load(folder)).toThrow(/is not a checkpoint of this kind/)
    }))

  it('that cannot be written leaves the old one as it was', () =>
    inFolder(async folder => {
      await make(folder, 1)
      writeFileSync(join(folder, 'file'), '')
      await expect(
        saveCheckpoint(join(folder, 'file', 'below'), { tensors: { w: tensor([1]) }, facts: {} }),
      ).rejects.toThrow(/ENOTDIR/)
      expect(load(folder)).toMatchObject({ facts: { value: 1 } })
    }))
})

describe('optimisers', () => {
  it('refuse rates, decays and parameters that make no sense', () => {
    const model = new Linear(1, 1)
    expect(() => new SGD([], { learningRate: 0.1 })).toThrow(/SGD: no parameters; pass model.namedParameters/)
    expect(() => new Adam(model.namedParameters(), { learningRate: -1 })).toThrow(/learningRate is -1/)
    expect(() => new Adam(model.namedParameters(), { betas: [0.9, 1] })).toThrow(/betas are 0.9 and 1/)
    expect(() => new Adam(model.namedParameters(), { epsilon: Number.NaN, weightDecay: -1 })).toThrow(
      'Adam: epsilon is NaN, weightDecay is -1; use numbers of 0 or more',
    )
    expect(() => new SGD(model.namedParameters(), { learningRate: 1, momentum: -1 })).toThrow(/SGD: momentum is -1/) // biome-ignore format: one line
    expect(() => new RMSprop(model.namedParameters(), { alpha: Number.NaN })).toThrow(/RMSprop: alpha is NaN/)
    expect(() => new Adagrad(model.namedParameters(), { rateDecay: -1 })).toThrow(/Adagrad: rateDecay is -1/)
    expect(() => clipGradNorm(model.parameters(), 1)).toThrow(/no parameter has a gradient/)
    expect(() => warmupCosine(1, { warmup: 5, total: 5 })).toThrow(/use 0 ≤ warmup < total/)
  })

  it('rise and fall along the schedule', () => {
    const rate = warmupCosine(1, { warmup: 2, total: 12, final: 0.1 })
    expect([0, 1, 2, 7, 12, 99].map(step => Number(rate(step).toFixed(6)))).toEqual([
      0.5, 1, 1, 0.55, 0.1, 0.1,
    ])
  })
})
