import { FormatError, Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { browserFolder, type FolderHome, StorageError } from '@heed/core-tensor/browser'
import { referenceBackend } from '@heed/core-tensor/testing'
import { Dropout, Linear, Module, mseLoss } from '@heed/layers'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checkpoints, loadCheckpoint, restore, saveCheckpoint } from '../src/browser/index.ts'
import {
  Adam,
  type BatchSource,
  type Callback,
  earlyStopping,
  Trainer,
  type TrainerOptions,
} from '../src/index.ts'

beforeAll(() => setBackend(referenceBackend()))

interface Batch {
  readonly x: Tensor
  readonly y: Tensor
}

class Net extends Module {
  readonly a = new Linear(2, 4, { rng: new Rng(3) })
  readonly b = new Linear(4, 1, { rng: new Rng(4) })
  readonly dropout = new Dropout(0.3)
  forward(x: Tensor): Tensor {
    return this.b.forward(this.dropout.forward(this.a.forward(x).tanh()))
  }
  loss({ x, y }: Batch): Tensor {
    return mseLoss(this.forward(x), y)
  }
}

const source: BatchSource<Batch> = {
  steps: () => 5,
  batch(epoch, step) {
    const rng = new Rng(1).split(epoch * 5 + step)
    const rows = Array.from({ length: 3 }, () => [rng.normal(), rng.normal()] as const)
    return { x: tensor(rows.map(row => [...row])), y: tensor(rows.map(([a, b]) => [a - 2 * b])) }
  },
}

const FOLDER = 'test/run'
const json = (facts: unknown): unknown => facts

describe.each<FolderHome>(['opfs', 'indexeddb'])('checkpoints in %s', home => {
  beforeEach(async () => {
    const folder = await browserFolder(FOLDER, { home })
    for (const file of await folder.names()) await folder.remove(file)
  })

  const trainer = (...first: Callback<Batch>[]): Trainer<Batch> => {
    const model = new Net()
    const options: TrainerOptions<Batch> = {
      optimizer: new Adam(model.namedParameters(), { learningRate: 0.05 }),
      accumulate: 2,
      callbacks: [...first, earlyStopping({ patience: 9 }), checkpoints(FOLDER, { home })],
    }
    return new Trainer(model, options)
  }
  const metrics = [3, 1, 2, 2]
  const fit = (t: Trainer<Batch>, signal?: AbortSignal): Promise<boolean> =>
    t.fit(source, {
      epochs: 4,
      validate: () => ({ loss: metrics[t.position.epoch - 1] as number }),
      ...(signal ? { signal } : {}),
    })
  const weights = async (t: Trainer<Batch>): Promise<Record<string, number[]>> =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(t.state().tensors).map(
          async ([name, x]) => [name, Array.from(await x.data())] as const,
        ),
      ),
    )

  it('keep the best and the last; stopped and resumed is never stopped, bit for bit', async () => {
    const whole = trainer()
    await fit(whole)
    const names = await (await browserFolder(FOLDER, { home })).names()
    expect(names.map(name => name.replace(/-[0-9a-f]{12}/, ''))).toEqual([
      'best.safetensors',
      'best.json',
      'last.safetensors',
      'last.json',
    ])
    const best = trainer()
    await restore(best, FOLDER, { name: 'best', home })
    expect(best.position.epoch).toBe(2)

    const stop = new AbortController()
    const part = trainer({ name: 'stop', onStep: ({ total }) => void (total === 8 && stop.abort()) })
    expect(await fit(part, stop.signal)).toBe(false)
    const rest = trainer()
    await restore(rest, FOLDER, { home })
    expect(rest.position).toEqual({ epoch: 2, step: 4, total: 8 })
    await fit(rest)
    expect(await weights(rest)).toEqual(await weights(whole))
    expect(rest.state().memories).toEqual(whole.state().memories)
  })

  it('say what is missing or damaged', async () => {
    const load = (): Promise<unknown> => loadCheckpoint(FOLDER, json, { home })
    await expect(load()).rejects.toThrow(
      'checkpoint: checkpoint.json of test/run is missing; restore it, or train again',
    )
    await saveCheckpoint(FOLDER, { tensors: { x: tensor([1, 2]) }, facts: 7 }, { home })
    const folder = await browserFolder(FOLDER, { home })
    const [file] = (await folder.names()).filter(name => name.endsWith('.safetensors')) as [string]
    const bytes = (await folder.read(file)) as Uint8Array
    await folder.write(file, bytes.with(-1, 1))
    await expect(load()).rejects.toThrow(/is not the file that was written \(its SHA-256 differs\)/)
    await folder.remove(file)
    await expect(load()).rejects.toThrow(`checkpoint: ${file} of test/run is missing`)
    await folder.write('checkpoint.json', bytes)
    await expect(load()).rejects.toThrow(FormatError)
  })

  it('of one name replace each other, and leave those of other names alone', async () => {
    const save = (name: string, value: number): Promise<void> =>
      saveCheckpoint(FOLDER, { tensors: { x: tensor([value]) }, facts: value }, { home, name })
    await save('best', 1)
    await save('best-of-two', 2)
    await save('best', 3)
    // Two pages at once: one of both stays, whole.
    await Promise.all([save('last', 4), save('last', 5), save('last', 6)])
    const facts = (name: string): Promise<unknown> =>
      loadCheckpoint(FOLDER, json, { home, name }).then(async ({ facts, tensors }) => [
        facts,
        await (tensors.x as Tensor).item(),
      ])
    expect([await facts('best'), await facts('best-of-two')]).toEqual([
      [3, 3],
      [2, 2],
    ])
    const [fact, value] = (await facts('last')) as [number, number]
    expect(fact).toBe(value)
    expect(await (await browserFolder(FOLDER, { home })).names()).toHaveLength(6)
  })

  it('that do not fit leave the one before as it was', async () => {
    await saveCheckpoint(FOLDER, { tensors: { x: tensor([1, 2]) }, facts: 'old' }, { home })
    const before = await (await browserFolder(FOLDER, { home })).names()
    // What a browser does that has no room is tried in a real one in closedPages.test.ts.
    const { createWritable } = FileSystemFileHandle.prototype
    const { put } = IDBObjectStore.prototype
    const full = (): never => {
      throw new DOMException('no room', 'QuotaExceededError')
    }
    FileSystemFileHandle.prototype.createWritable = async () => full()
    IDBObjectStore.prototype.put = full
    try {
      const save = saveCheckpoint(FOLDER, { tensors: { x: tensor([3, 4]) }, facts: 'new' }, { home })
      await expect(save).rejects.toThrow(/^browserFolder: no room for checkpoint-[0-9a-f]{12}\.safetensors of test\/run \(\d+ bytes\)/) // biome-ignore format: one line
      await expect(save).rejects.toThrow(StorageError)
    } finally {
      FileSystemFileHandle.prototype.createWritable = createWritable
      IDBObjectStore.prototype.put = put
    }
    expect(await (await browserFolder(FOLDER, { home })).names()).toEqual(before)
    expect((await loadCheckpoint(FOLDER, json, { home })).facts).toBe('old')
  })
})
