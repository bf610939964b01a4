import { logSoftmax, Rng, ShapeError, setBackend, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { ctcLoss, Linear } from '@heed/layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { ctcBestPath } from '../src/index.ts'
import { learn } from './pairs.ts'

beforeAll(() => setBackend(referenceBackend()))

/** Log probabilities `[time, 1, classes]` in which the path given has 0.7 at each step. */
const along = (path: readonly number[], classes = 4) =>
  tensor(
    path.map(best => [Array.from({ length: classes }, (_, c) => Math.log(c === best ? 0.7 : 0.3 / (classes - 1)))]), // biome-ignore format: one line
  )

describe('ctcBestPath', () => {
  it.each<[path: number[], labels: number[], steps: [number, number][]]>([
    [[0, 1, 1, 0, 2], [1, 2], [[1, 2], [4, 4]]],
    [[1, 1, 0, 1], [1, 1], [[0, 1], [3, 3]]], // a blank parts a label from itself
    [[3, 2, 1], [3, 2, 1], [[0, 0], [1, 1], [2, 2]]],
    [[0, 0], [], []],
  ])('reads %j as %j', async (path, labels, steps) => {
    const [row] = await ctcBestPath(along(path))
    expect([row?.path, row?.ids, row?.steps]).toEqual([path, labels, steps])
    expect(row?.logProb).toBeCloseTo(path.length * Math.log(0.7), 5)
    for (const weights of row?.weights ?? []) expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 6)
  }) // biome-ignore format: a table

  it('ends each row at its length, and takes any class for the blank', async () => {
    const both = along([1, 1, 2, 2]).concat([along([3, 1, 1, 1])], 1)
    const rows = await ctcBestPath(both, { inputLengths: tensor([2, 3], { dtype: 'int32' }), blank: 3 })
    expect(rows.map(({ ids, path }) => [ids, path.length])).toEqual([
      [[1], 2],
      [[1], 3],
    ])
  })

  it('spells what a model with ctcLoss has learned, and says where it read each label', async () => {
    const rng = new Rng(3)
    // Each label lasts two or three noisy frames; the model is told the labels and never where they are.
    const classes = 4
    const batch = (count: number) => {
      const rows = Array.from({ length: count }, () => {
        const labels = Array.from({ length: 3 }, () => 1 + rng.int(classes - 1))
        const frames = labels.flatMap(label => [...new Array<number>(2 + rng.int(2)).fill(label), 0])
        return { labels, frames: [...frames, ...new Array<number>(12 - frames.length).fill(0)] }
      })
      const x = rows.map(
        ({ frames }) =>
        frames.map(frame => Array.from({ length: classes }, (_, c) => Number(c === frame) + 0.2 * rng.normal())), // biome-ignore format: one line
      )
      return { x: tensor(x), labels: tensor(rows.map(row => row.labels), { dtype: 'int32' }), rows } // biome-ignore format: one line
    }
    const model = new Linear(classes, classes, { rng: new Rng(1) })
    const logProbs = (x: ReturnType<typeof batch>['x']) => logSoftmax(model.forward(x)).permute([1, 0, 2])
    learn(
      model,
      () => {
        const { x, labels } = batch(8)
        return ctcLoss(logProbs(x), labels)
      },
      60,
      0.1,
    )
    const test = batch(20)
    const found = await ctcBestPath(logProbs(test.x))
    const right = found.filter((row, i) => row.ids.join() === test.rows[i]?.labels.join())
    expect(right.length).toBeGreaterThanOrEqual(18)
    // What a label was read from are frames of that label: its alignment, learned without being told.
    for (const [i, row] of found.entries())
      for (const [k, [first]] of row.steps.entries()) expect(test.rows[i]?.frames[first]).toBe(row.ids[k])
  })

  it('refuses sizes that do not fit', async () => {
    await expect(ctcBestPath(tensor([[0.1]]))).rejects.toThrow(ShapeError)
    await expect(ctcBestPath(along([1]), { blank: 4 })).rejects.toThrow('ctcBestPath: blank is 4 of 4 classes; use 0 to 3') // biome-ignore format: one line
    await expect(ctcBestPath(along([1]), { inputLengths: tensor([1, 1], { dtype: 'int32' }) })).rejects.toThrow('with lengths [2]') // biome-ignore format: one line
  })
})
