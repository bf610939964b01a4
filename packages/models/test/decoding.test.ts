import { getBackend, indexSelect, noGrad, Rng, setBackend, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { captureAttention } from '@heed/layers'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type BeamEntry,
  type BeamOptions,
  beam,
  GPT,
  greedy,
  type Hypothesis,
  type Stepper,
  sample,
} from '../src/index.ts'
import { BEGIN, END, ids, KINDS, pairs, small } from './pairs.ts'

beforeAll(() => setBackend(referenceBackend()))

const options = { begin: BEGIN, end: END, maxLength: 8 }
const [A, B, C] = [4, 5, 6]

/** The next word depends on the last one alone, by a table of probabilities; weights, if any, too. */
function chain(
  table: Readonly<Record<number, Readonly<Record<number, number>>>>,
  looks?: Readonly<Record<number, readonly number[]>>,
): () => Stepper<null> {
  const rows = Array.from({ length: 8 }, (_, last) =>
    Array.from({ length: 8 }, (_, next) => Math.log(table[last]?.[next] ?? 1e-9)),
  )
  const seen = looks && Array.from({ length: 8 }, (_, last) => looks[last] ?? [0, 0])
  return () => {
    const stepper: Stepper<null> = {
      start: null,
      step: last => ({
        logits: indexSelect(tensor(rows), 0, last),
        state: null,
        weights: seen ? indexSelect(tensor(seen), 0, last) : null,
      }),
      repeat: () => stepper,
    }
    return stepper
  }
}

const best = async (
  make: () => Stepper<null>,
  given: Partial<BeamOptions> = {},
): Promise<readonly Hypothesis[]> =>
  (await beam(make, 1, getBackend(), { ...options, lengthPenalty: 0, ...given }))[0] as Hypothesis[]

/** A looks best at first, but nothing good follows it. */
const trap = chain({
  [BEGIN]: { [A]: 0.6, [B]: 0.4 },
  [A]: { [A]: 0.35, [B]: 0.33, [END]: 0.32 },
  [B]: { [C]: 0.9, [END]: 0.1 },
  [C]: { [END]: 1 },
})

describe('beam', () => {
  it('finds a better sequence than greedy where the first step misleads', async () => {
    const [row] = await greedy(trap, 1, getBackend(), options)
    const [found] = await best(trap, { width: 2 })
    expect(row?.ids[0]).toBe(A)
    expect(found?.ids).toEqual([B, C])
    expect(found?.logProb).toBeCloseTo(Math.log(0.4 * 0.9), 6)
    const [one] = await best(trap, { width: 1 })
    expect(one?.logProb).toBeLessThan(found?.logProb as number)
  })

  it('finds the best sequence of all where it is wide enough', async () => {
    // Every sequence up to three words, by hand.
    const found = await best(trap, { width: 8, nBest: 3 })
    const wanted = [
      [[B, C], 0.36],
      [[A], 0.6 * 0.32],
      [[A, B, C], 0.6 * 0.33 * 0.9],
    ] as const // biome-ignore format: a table
    expect(found.map(h => h.ids)).toEqual(wanted.map(([words]) => words))
    for (const [i, h] of found.entries()) expect(h.logProb).toBeCloseTo(Math.log(wanted[i]?.[1] as number), 5)
  })

  it.each(Object.entries(KINDS))('of width 1 is greedy: %s', async (_, config) => {
    const model = small(config, 2).eval()
    const { source, sourceLengths } = pairs([5, 2, 3], [1, 1, 1])
    const make = (): Stepper<unknown> =>
      model.stepper(source, sourceLengths, { ids: source, extra: 0 }) as Stepper<unknown>
    const rows = await greedy(make, 3, getBackend(), options)
    const beams = await beam(make, 3, getBackend(), { ...options, width: 1 })
    for (const [i, row] of rows.entries()) {
      const [{ ids, weights, ended }] = beams[i] as [Hypothesis]
      expect({ ids, weights, ended }).toEqual(row)
    }
  })

  it('gives sorted n-best lists, each with the weights of its own words, whatever rows lie beside', async () => {
    const model = small({ attention: 'bahdanau' }, 4).eval()
    const batch = pairs([5, 2, 3], [1, 1, 1])
    const found = await beam(() => model.stepper(batch.source, batch.sourceLengths), 3, getBackend(), {
      ...options,
      width: 4,
      nBest: 4,
    })
    for (const [i, list] of found.entries()) {
      expect(list).toHaveLength(4)
      for (const group of [list.filter(h => h.ended), list.filter(h => !h.ended)])
        for (const [k, h] of group.entries())
          if (k) expect(h.score).toBeLessThanOrEqual((group[k - 1] as Hypothesis).score)
      expect(new Set(list.map(h => h.ids.join())).size).toBe(4)
      const { source } = batch.rows[i] as { source: number[] }
      const alone = await beam(() => model.stepper(ids([source]), tensor(Int32Array.of(source.length))), 1, getBackend(), { ...options, width: 4, nBest: 4 }) // biome-ignore format: one line
      expect(alone[0]?.map(h => h.ids)).toEqual(list.map(h => h.ids))
      for (const h of list) {
        // Scored and looked at as the model does when it is given these words.
        const words = h.ended ? [...h.ids, END] : h.ids
        const { logits, weights } = noGrad(() => model.forward(ids([source]), tensor(Int32Array.of(source.length)), ids([[BEGIN, ...words.slice(0, -1)]]))) // biome-ignore format: one line
        const scores = logits.dataSync() as Float32Array
        const looked = weights?.dataSync() as Float32Array
        let logProb = 0
        for (const [t, id] of words.entries()) {
          const row = scores.slice(t * 11, (t + 1) * 11)
          logProb += (row[id] as number) - Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0))
          const own = h.weights[t] as Float32Array
          for (let k = 0; k < source.length; k++) expect(own[k]).toBeCloseTo(looked[t * source.length + k] as number, 5) // biome-ignore format: one line
        }
        expect(h.logProb).toBeCloseTo(logProb, 4)
      }
    }
  })

  it('with a length penalty prefers longer outputs', async () => {
    const wordy = chain({
      [BEGIN]: { [END]: 0.3, [A]: 0.7 },
      [A]: { [B]: 0.7, [END]: 0.3 },
      [B]: { [C]: 0.7, [END]: 0.3 },
      [C]: { [END]: 0.8, [A]: 0.2 },
    })
    const lengths: number[] = []
    for (const lengthPenalty of [0, 1, 2])
      lengths.push((await best(wordy, { width: 6, lengthPenalty }))[0]?.ids.length as number)
    expect(lengths).toEqual([0, 3, 3])
    const [h] = await best(wordy, { width: 6, lengthPenalty: 1 })
    expect(h?.score).toBeCloseTo((h?.logProb as number) / ((5 + 4) / 6), 10) // Wu et al. 2016, eq. 14
  })

  it('with a coverage penalty prefers outputs that looked at all of the source', async () => {
    const table = { [BEGIN]: { [A]: 0.55, [B]: 0.45 }, [A]: { [END]: 1 }, [B]: { [END]: 1 } }
    const looks = { [BEGIN]: [1, 0], [A]: [1, 0], [B]: [0, 1] }
    const make = chain(table, looks)
    expect((await best(make, { width: 2 }))[0]?.ids).toEqual([A])
    const [found, other] = await best(make, { width: 2, nBest: 2, coveragePenalty: 0.1 })
    expect(found?.ids).toEqual([B])
    expect(found?.score).toBeCloseTo(Math.log(0.45), 6)
    expect(other?.score).toBeCloseTo(Math.log(0.55) + 0.1 * Math.log(1e-9), 6)
    await expect(best(trap, { width: 2, coveragePenalty: 1 })).rejects.toThrow(
      'a coverage penalty needs weights',
    )
  })

  it('tells what it kept: the tree of the search', async () => {
    const told: (readonly [step: number, kept: readonly BeamEntry[]])[] = []
    await best(trap, { width: 2, onStep: (_, step, kept) => void told.push([step, kept]) })
    expect(told[0]?.[1].map(entry => [entry.parent, entry.id])).toEqual([[0, A], [0, B]]) // biome-ignore format: one line
    expect(told[1]?.[1].map(entry => [entry.parent, entry.id, entry.ended])).toEqual([[1, C, false], [0, A, false]]) // biome-ignore format: one line
    expect(told[2]?.[1][0]).toMatchObject({ parent: 0, id: END, ended: true })
  })

  it('gives what it has where nothing ended in time', async () => {
    const [found] = await best(chain({ [BEGIN]: { [A]: 1 }, [A]: { [A]: 1 } }), { width: 2, maxLength: 3 })
    expect(found).toMatchObject({ ids: [A, A, A], ended: false })
  })

  it('is not changed by looking', async () => {
    const model = small({ attention: 'general' }, 4).eval()
    const { source, sourceLengths } = pairs([5, 3], [1, 1])
    const search = (): Promise<Hypothesis[][]> =>
      beam(() => model.stepper(source, sourceLengths), 2, getBackend(), { ...options, width: 3 })
    const { output, maps } = await captureAttention(model, search)
    expect(output).toEqual(await search())
    expect(maps.length).toBeGreaterThan(0)
  })

  it('refuses sizes that make no sense', () => {
    expect(() => beam(trap, 1, getBackend(), { ...options, width: 0 })).toThrow(
      'beam: width is 0; use a whole number',
    )
    expect(() => beam(trap, 1, getBackend(), { ...options, nBest: 5 })).toThrow(
      'beam: nBest is 5; use a whole number from 1 to the width, 4',
    )
  })
})

describe('sample', () => {
  const dice = chain({
    [BEGIN]: { [A]: 0.5, [B]: 0.3, [C]: 0.2 },
    [A]: { [END]: 1 },
    [B]: { [END]: 1 },
    [C]: { [END]: 1 },
  })
  const shares = async (given: object, seed = 1): Promise<number[]> => {
    const rows = await sample(dice, 2000, getBackend(), { ...options, rng: new Rng(seed), ...given })
    return [A, B, C].map(word => rows.filter(row => row.ids[0] === word).length / rows.length)
  }
  const near = (found: readonly number[], wanted: readonly number[]): void => {
    for (const [i, share] of wanted.entries())
      expect(Math.abs((found[i] as number) - share)).toBeLessThan(0.04)
  }

  it('draws words as often as they are likely', async () => near(await shares({}), [0.5, 0.3, 0.2]))

  it('with a temperature sharpens or flattens', async () => {
    const cold = [0.5, 0.3, 0.2].map(p => p ** 2)
    const sum = cold.reduce((a, b) => a + b, 0)
    near(await shares({ temperature: 0.5 }), cold.map(p => p / sum)) // biome-ignore format: one line
    near(await shares({ temperature: 0.01 }), [1, 0, 0])
  })

  it('with top-k and top-p leaves out the tail', async () => {
    near(await shares({ topK: 2 }), [0.625, 0.375, 0])
    expect((await shares({ topK: 2 }))[2]).toBe(0)
    near(await shares({ topP: 0.7 }), [0.625, 0.375, 0])
    near(await shares({ topP: 0.5 }), [1, 0, 0])
    near(await shares({ topP: 0.81 }), [0.5, 0.3, 0.2])
  })

  it('with top-k 1 is greedy, weights too', async () => {
    const model = small({ attention: 'bahdanau' }, 2).eval()
    const { source, sourceLengths } = pairs([5, 2, 3], [1, 1, 1])
    const rows = await greedy(() => model.stepper(source, sourceLengths), 3, getBackend(), options)
    const drawn = await sample(() => model.stepper(source, sourceLengths), 3, getBackend(), {
      ...options,
      topK: 1,
    })
    expect(drawn.map(({ logProb, ...row }) => row)).toEqual(rows)
    for (const row of drawn) expect(row.logProb).toBeLessThan(0)
  })

  it('gives the same for the same seed, another for another, several for one source', async () => {
    const model = small({ attention: 'bahdanau' }, 2).eval()
    const { source, sourceLengths } = pairs([5], [1])
    const make = (): Stepper<unknown> => model.stepper(source, sourceLengths).repeat?.(6) as Stepper<unknown>
    const draw = async (seed: number): Promise<string[]> =>
      (await sample(make, 6, getBackend(), { ...options, rng: new Rng(seed) })).map(row => row.ids.join())
    const rows = await draw(1)
    expect(await draw(1)).toEqual(rows)
    expect(await draw(2)).not.toEqual(rows)
    expect(new Set(rows).size).toBeGreaterThan(3)
  })

  it('refuses what makes no sense', () => {
    expect(() => sample(dice, 1, getBackend(), { ...options, temperature: 0, topK: 0, topP: 2 })).toThrow(
      'sample: temperature is 0, use a number above 0, or greedy(); topK is 0, use a whole number of 1 or more; topP is 2, use a share above 0, up to 1',
    )
  })
})

describe('GPT', () => {
  const model = (): GPT =>
    new GPT({ vocab: 9, maxLength: 12, embedding: 8, heads: 2, layers: 2 }, { rng: new Rng(3) }).eval()

  it('decodes behind prompts of its own for each row, by beam too', async () => {
    const gpt = model()
    const prompts = [[4, 5, 6], [7, 8, 4]] // biome-ignore format: a matrix
    const given = { ...options, begin: [6, 4], end: -1, maxLength: 5 }
    const rows = await greedy(() => gpt.stepper(ids(prompts)), 2, getBackend(), given)
    const beams = await beam(() => gpt.stepper(ids(prompts)), 2, getBackend(), {
      ...given,
      width: 3,
      nBest: 3,
    })
    for (const [i, prompt] of prompts.entries()) {
      const words = [...prompt]
      for (let t = 0; t < 5; t++) {
        const { logits } = noGrad(() => gpt.forward(ids([words])))
        words.push(logits.argmax(-1).dataSync().at(-1) as number)
      }
      expect(rows[i]?.ids).toEqual(words.slice(3)) // the same with the cache as without
      const [top] = beams[i] as Hypothesis[]
      const logProbOf = (next: readonly number[]): number => {
        const { logits } = noGrad(() => gpt.forward(ids([[...prompt, ...next.slice(0, -1)]])))
        const scores = logits.dataSync() as Float32Array
        return next.reduce((sum, id, t) => {
          const row = scores.slice((2 + t) * 9, (3 + t) * 9)
          return sum + (row[id] as number) - Math.log(row.reduce((all, x) => all + Math.exp(x), 0))
        }, 0)
      }
      expect(top?.logProb).toBeCloseTo(logProbOf(top?.ids as number[]), 4)
      expect(top?.logProb).toBeGreaterThanOrEqual(logProbOf(rows[i]?.ids as number[]) - 1e-5)
    }
  })
})
