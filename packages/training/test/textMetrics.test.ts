import { describe, expect, it } from 'vitest'
import {
  type BleuOptions,
  bleuCounts,
  bleuOf,
  bootstrap,
  bootstrapMean,
  type ChrfOptions,
  chrf,
  chrfCounts,
  chrfOf,
  corpusBleu,
  failureChecks,
  linksOf,
  pairedBootstrap,
  repeatedNgrams,
  rougeL,
  rougeN,
  rougeTokens,
  sentenceBleu,
} from '../src/index.ts'

// sacreBLEU's own example; every number below was printed by sacreBLEU 2.6.0.
const hypotheses = ['The dog bit the man.', "It wasn't surprising.", 'The man had just bitten him.']
const references = [
  ['The dog bit the man.', 'The dog had bit the man.'],
  ['It was not unexpected.', 'No one was surprised.'],
  ['The man bit him first.', 'The man had bitten the dog.'],
]

describe('BLEU', () => {
  it.each<[BleuOptions, number, string]>([
    [{}, 48.530827009929865, 'nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp'],
    [{ tokenize: 'char' }, 72.61064153440596, 'nrefs:2|case:mixed|eff:no|tok:char|smooth:exp'],
    [{ tokenize: 'none' }, 49.19195660047277, 'nrefs:2|case:mixed|eff:no|tok:none|smooth:exp'],
  ])('with %j is sacreBLEU’s, signature too', (options, score, signature) => {
    const found = corpusBleu(hypotheses, references, options)
    expect(found.score).toBeCloseTo(score, 10)
    expect(found.signature).toBe(signature)
  })

  it.each([
    ['exp', 32.159351091190125, 'exp'],
    ['floor', 21.506254256566308, 'floor[0.10]'],
    ['add-k', 41.09599123350154, 'add-k[1.00]'],
    ['none', 0, 'none'],
  ] as const)('smooths orders without a match by %s as sacreBLEU does', (smooth, score, named) => {
    const found = corpusBleu(['the cat sat on the mat'], [['the cat is on the mat today']], { smooth })
    expect(found.score).toBeCloseTo(score, 10)
    expect(found.signature).toBe(`nrefs:1|case:mixed|eff:no|tok:13a|smooth:${named}`)
  })

  it('of a sentence leaves out the orders that it is too short for', () => {
    expect(sentenceBleu('the cat', ['the cat']).score).toBeCloseTo(100, 10)
    expect(sentenceBleu('the cat sat', ['the cat is here']).score).toBeCloseTo(39.43223765116288, 10)
    expect(sentenceBleu('a', ['b']).score).toBe(0)
    expect(sentenceBleu('a', ['a']).signature).toContain('eff:yes')
  })
})

describe('chrF', () => {
  it.each<[ChrfOptions, number, string]>([
    [{}, 59.72751782684763, 'nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no'],
    [{ wordOrder: 2 }, 59.15310444399262, 'nrefs:2|case:mixed|eff:yes|nc:6|nw:2|space:no'],
    [{ lowercase: true }, 60.02302725455764, 'nrefs:2|case:lc|eff:yes|nc:6|nw:0|space:no'],
    [{ whitespace: true }, 65.8764867358276, 'nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:yes'],
    [{ charOrder: 4, beta: 3 }, 66.5893969475156, 'nrefs:2|case:mixed|eff:yes|nc:4|nw:0|space:no'],
  ])('with %j is sacreBLEU’s, signature too', (options, score, signature) => {
    const found = chrf(hypotheses, references, options)
    expect(found.score).toBeCloseTo(score, 10)
    expect(found.signature).toBe(signature)
  })

  it.each([
    ['', 'abc', 0, 0],
    ['abc', '', 0, 0],
    ['a', 'a', 100, 100],
    ['Straße – ß!', 'Strasse - ß !', 30.085617941986207, 26.2059167708037],
    ['the cat sat on the mat', 'the cat is on the mat today', 55.25277108137981, 52.78354809249414],
    ['(a) b...', 'a b ...', 41.142388950664255, 52.415652972228585],
  ])('of %j against %j is sacreBLEU’s, with words and without', (hypothesis, reference, words, plain) => {
    expect(chrf([hypothesis], [[reference]], { wordOrder: 2 }).score).toBeCloseTo(words, 10)
    expect(chrf([hypothesis], [[reference]]).score).toBeCloseTo(plain, 10)
  })

  it('asks for a reference for each', () => {
    expect(() => chrf(['a'], [])).toThrow('chrf: 1 hypotheses and 0 lists of references; give one list each')
    expect(() => chrf(['a'], [[]])).toThrow('chrf: hypothesis 0 has no reference; give one at least')
  })
})

describe('ROUGE', () => {
  it('is rouge_score’s on its own example', () => {
    const [reference, hypothesis] = [
      'The quick brown fox jumps over the lazy dog',
      'The quick brown dog jumps on the log.',
    ].map(rougeTokens) as [string[], string[]]
    expect(rougeN(hypothesis, reference, 1)).toMatchObject({ precision: 0.75, recall: 6 / 9 })
    expect(rougeN(hypothesis, reference, 1).f1).toBeCloseTo(0.7058823529411765, 12)
    expect(rougeL(hypothesis, reference)).toMatchObject({ precision: 0.625, recall: 5 / 9 })
    expect(rougeL(hypothesis, reference).f1).toBeCloseTo(0.5882352941176471, 12)
  })

  it('counts an n-gram as often as both texts have it', () => {
    expect(rougeN(['a', 'a', 'a'], ['a', 'a', 'b'], 1)).toMatchObject({ common: 2, precision: 2 / 3 })
    expect(rougeN(['a'], ['a'], 2)).toEqual({ common: 0, precision: 0, recall: 0, f1: 0 })
  })
})

describe('bootstrap intervals', () => {
  const values = Array.from({ length: 200 }, (_, i) => (i * 37) % 100)

  it('hold the value, are as wide as the theory says, and the same for the same seed', () => {
    const found = bootstrapMean(values, { seed: 3 })
    expect(found).toEqual(bootstrapMean(values, { seed: 3 }))
    expect(found).not.toEqual(bootstrapMean(values, { seed: 4 }))
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    const error = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0)) / values.length
    expect(found.value).toBeCloseTo(mean, 12)
    expect((found.high - found.low) / 2).toBeCloseTo(1.96 * error, 0)
    expect(found.low).toBeLessThan(mean)
    expect(found.high).toBeGreaterThan(mean)
  })

  it('of BLEU and chrF come from sentences counted once', () => {
    const counts = bleuCounts(hypotheses, references)
    const bleu = bootstrap(3, rows => bleuOf(Array.from(rows, i => counts[i] as (typeof counts)[0])).score)
    expect(bleu.value).toBeCloseTo(48.530827009929865, 10)
    expect(bleu.low).toBeLessThan(bleu.value)
    const chrs = chrfCounts(hypotheses, references)
    const score = bootstrap(3, rows => chrfOf(Array.from(rows, i => chrs[i] as (typeof chrs)[0])).score)
    expect(score.value).toBeCloseTo(59.72751782684763, 10)
    expect(score.high).toBeGreaterThan(score.value)
  })

  it('tell two systems apart where they differ, and not where they do not', () => {
    const mean =
      (of: (i: number) => number) =>
      (rows: Uint32Array): number =>
        rows.reduce((sum, i) => sum + of(i), 0) / rows.length
    const better = pairedBootstrap(
      200,
      mean(i => (values[i] as number) + 5),
      mean(i => values[i] as number),
    )
    expect(better.difference.low).toBeCloseTo(5, 10)
    expect(better.pValue).toBe(0)
    const even = pairedBootstrap(
      200,
      mean(i => (i % 2 ? 1 : 0)),
      mean(i => (i % 2 ? 0 : 1)),
    )
    expect(even.difference.low).toBeLessThan(0)
    expect(even.difference.high).toBeGreaterThan(0)
    expect(even.pValue).toBeGreaterThan(0.2)
  })

  it('ask for rows and a share', () => {
    expect(() => bootstrapMean([])).toThrow('bootstrap: 0 rows; give one at least')
    expect(() => bootstrapMean([1], { level: 95 })).toThrow('bootstrap: level is 95; use a share')
  })
})

describe('failure checks', () => {
  const source = ['i', 'love', 'nlp']
  const eye = [[0.9, 0.1, 0], [0.1, 0.8, 0.1], [0, 0.1, 0.9]] // biome-ignore format: a matrix
  const kinds = (evidence: Parameters<typeof failureChecks>[0]): string[] =>
    failureChecks(evidence)
      .filter(check => check.found)
      .map(check => check.kind)

  it('find nothing in a good answer', () => {
    expect(kinds({ source, output: ['ich', 'liebe', 'nlp'], weights: eye, testRows: 1000 })).toEqual([])
  })

  it('find what was left out', () => {
    const weights = [eye[0], eye[0], eye[1]] as number[][]
    const [omission] = failureChecks({ source, output: ['ich', 'mag', 'liebe'], weights })
    expect(omission).toMatchObject({ found: true, places: [2], says: 'hardly looked at: nlp (2)' })
  })

  it('find what was said twice, and looked at again and again', () => {
    const output = ['a', 'b', 'a', 'b', 'a']
    expect(repeatedNgrams(output, 2)).toBe(0.5)
    const [, repetition] = failureChecks({ source, output, weights: output.map(() => [0, 1, 0]) })
    expect(repetition?.says).toBe('said before: a (2), b (3); looked at again and again: love (1)')
  })

  it('find what looks nowhere', () => {
    const weights = [[0.34, 0.33, 0.33], [0.25, 0.25, 0.25], [0, 0, 1]] // biome-ignore format: a matrix
    const checks = failureChecks({ source, output: ['x', 'y', 'z'], weights })
    expect(checks[2]).toMatchObject({ kind: 'hallucination', found: true, places: [1] })
  })

  it('find wrong alignments, by links or by the diagonal', () => {
    const output = ['a', 'b', 'c']
    const turned = [...eye].reverse()
    expect(linksOf(turned)).toEqual([[2, 0], [1, 1], [0, 2]]) // biome-ignore format: links
    expect(linksOf(turned, { threshold: 0.85 })).toHaveLength(2)
    expect(kinds({ source, output, weights: turned })).toEqual(['wrong alignment'])
    const gold = linksOf(turned)
    expect(kinds({ source, output, weights: turned, gold })).toEqual([])
    expect(kinds({ source, output, weights: eye, gold })).toEqual(['wrong alignment'])
  })

  it('warn of small test sets, and say when they cannot tell', () => {
    const checks = failureChecks({ source, output: ['a'], testRows: 20 })
    expect(checks.map(check => check.found)).toEqual([null, false, null, null, true])
    expect(checks[4]?.says).toBe('20 rows tell a share to ±22 % only; test 385 or more')
    expect(() => failureChecks({ source, output: ['a'], weights: [] })).toThrow(
      'failureChecks: weights are 0 rows of 0, the output has 1 words and the source 3',
    )
  })
})
