import { logSoftmax, setBackend, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { Vocabulary } from '@heed/datasets'
import { ctcBestPath } from '@heed/models'
import { beforeAll, describe, expect, it } from 'vitest'
import { evidenceOf } from '../src/evidence.ts'
import { copiedTarget, copiedWords, copyable } from '../src/translate/copy.ts'

beforeAll(() => setBackend(referenceBackend()))

const texts = { source: 'zolar won', output: 'zolar won', expected: 'zolar won' }

describe('an evidence card', () => {
  it('is filled by a CTC path as by attention', async () => {
    // Frames that say blank, a, a, b: the path is the alignment.
    const frames = [[9, 0, 0], [0, 9, 0], [0, 9, 0], [0, 0, 9]] // biome-ignore format: one line
    const [path] = await ctcBestPath(logSoftmax(tensor(frames).unsqueeze(1)))
    const output = (path?.ids ?? []).map(id => ['', 'a', 'b'][id] as string)
    const { fields } = evidenceOf({
      source: frames.map((_, t) => `frame ${t}`),
      output,
      weights: path?.weights ?? [],
      testRows: 2000,
      looking: 'best path',
      texts: { source: 'a sound', output: output.join(''), expected: 'ab' },
    })
    expect(fields.alignmentNote).toBe('best path: a ← frame 1 (0.50), frame 2 (0.50); b ← frame 3 (1.00)')
    expect(fields.failureCheck).toContain('omission: hardly looked at: frame 0 (0)')
    expect(fields.failureCheck).toContain('hallucination: every word has a source')
  })

  it('finds the five ways to go wrong in copied words', () => {
    const { fields } = evidenceOf({
      source: ['zolar', 'won', 'a', 'prize'],
      output: ['zolar', 'won', 'zolar', 'won', 'zolar', 'won'],
      weights: [[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25]],
      gold: [[3, 0]],
      testRows: 10,
      texts: { ...texts, output: 'zolar won zolar won zolar won' },
    }) // biome-ignore format: one line a row
    for (const found of [/not the expected one/, /omission: hardly looked at: prize \(3\)|omission: /, /repetition: said before/, /hallucination: no source word behind: won \(5\)/, /wrong alignment: alignment error rate [01]\.\d+/, /weak evaluation: 10 rows tell a share to ±31 % only/]) // biome-ignore format: one line
      expect(fields.failureCheck).toMatch(found)
  })

  it('says where nothing can be told, and is none without what is right', () => {
    const evidence = { source: ['a'], output: ['b'], texts }
    expect(evidenceOf(evidence).fields.alignmentNote).toBe(
      'there are no weights: nothing tells where it looked',
    )
    expect(evidenceOf(evidence).fields.failureCheck).toContain('omission: cannot tell: there are no weights')
    expect(() => evidenceOf({ ...evidence, texts: { ...texts, expected: '' } })).toThrow('missing or empty sourceTarget.target, expectedOutput') // biome-ignore format: one line
  })
})

describe('words to be copied', () => {
  const vocabulary = Vocabulary.fromCounts(new Map([['won', 3], ['lost', 2]])) // biome-ignore format: one line

  it('are numbered in each source anew, the same word once', () => {
    const { ids, words } = copyable(['zolar', 'won', 'muvi', 'zolar'], vocabulary, { end: true })
    const { size } = vocabulary
    expect([ids, words]).toEqual([
      [size, vocabulary.id('won'), size + 1, size, 3],
      ['zolar', 'muvi'],
    ])
  })

  it('are found in the target, where the source has them', () => {
    const source = copyable(['zolar', 'won'], vocabulary)
    const ids = copiedTarget(['zolar', 'lost', 'bamu'], vocabulary, source)
    expect([...ids]).toEqual([2, vocabulary.size, vocabulary.id('lost'), 1, 3])
    expect(copiedWords([...ids].slice(1, 3), vocabulary, source)).toEqual(['zolar', 'lost'])
  })
})
