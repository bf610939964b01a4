import { ConfigError, FormatError } from '@heed/core-tensor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Bpe,
  bpe,
  countTokens,
  createTokenizer,
  learnBpe,
  spaces,
  UNKNOWN,
  Vocabulary,
} from '../src/index.ts'

fc.configureGlobal({ seed: 1 })

const LINES = [
  'low lower lowest',
  'new newer newest',
  'wide wider widest',
  "it's so they're",
  'ein Haus für 12 Häuser',
]
const any = fc.string({ unit: 'binary' })

describe('learnBpe', () => {
  it('merges the pairs that occur most often, and cuts words it never saw into their parts', () => {
    const { encode, join } = learnBpe(['low low low lower', 'lowest newest new newest'], { size: 264 })
    expect(encode('lowest newt')).toEqual(['low', 'est', 'Ġnew', 't'])
    expect(join(['low', 'est', 'Ġnew', 't'])).toBe('lowest newt')
  })

  it('stops at the size, or when no pair is frequent enough', () => {
    expect(learnBpe(LINES, { size: 260 }).merges).toHaveLength(4)
    expect(learnBpe(LINES, { size: 256 }).merges).toEqual([])
    const all = learnBpe(LINES, { size: 10_000, minCount: 1 })
    expect(all.encode('lower')).toEqual(['lower'].flatMap(word => all.encode(word)))
    expect(all.vocabulary().size).toBeLessThan(500)
    expect(learnBpe([], { size: 300 }).encode('né')).toEqual(['n', 'Ã', '©'])
  })

  it('learns the same from the same text, in any pieces that keep words whole', () => {
    const once = learnBpe(LINES, { size: 300 }).merges
    expect(learnBpe(LINES, { size: 300 }).merges).toEqual(once)
    expect(learnBpe([...LINES].reverse(), { size: 300 }).merges).toEqual(once)
  })

  it('writes in lower case if asked', () => {
    const lower = learnBpe(['Haus HAUS haus'], { size: 300, lowercase: true })
    expect(lower.join(lower.encode('HAUS'))).toBe('haus')
    expect(createTokenizer(lower.config).encode('HaUs')).toEqual(lower.encode('haus'))
  })

  it('refuses sizes that make no sense', () => {
    expect(() => learnBpe(LINES, { size: 255 })).toThrow(ConfigError)
    expect(() => learnBpe(LINES, { size: 255 })).toThrow(
      'bpe: size must be a whole number from 256, the bytes, got 255',
    )
    expect(() => learnBpe(LINES, { size: 300, minCount: 0 })).toThrow('minCount must be')
  })
})

describe('bpe', () => {
  const tokenizer = learnBpe(LINES, { size: 300 })

  it('puts every text together again exactly, whatever the merges', () => {
    fc.assert(
      fc.property(
        any,
        fc.array(any, { maxLength: 20 }),
        fc.integer({ min: 256, max: 330 }),
        (text, corpus, size) => {
          const { encode, join } = learnBpe([...corpus, text], { size })
          expect(join(encode(text))).toBe(text)
          expect(tokenizer.join(tokenizer.encode(text))).toBe(text)
        },
      ),
    )
  })

  it('makes every half of a surrogate pair the sign of an unknown character, as UTF-8 does', () => {
    expect(tokenizer.join(tokenizer.encode('a\ud800b'))).toBe('a\ufffdb')
    expect(tokenizer.join(tokenizer.encode('\ufeffa'))).toBe('\ufeffa')
  })

  it('knows every token of every text, and gives it an id of its own', () => {
    const vocabulary = tokenizer.vocabulary()
    expect(vocabulary.size).toBe(4 + 256 + tokenizer.merges.length)
    fc.assert(
      fc.property(any, text => {
        const ids = vocabulary.encode(tokenizer.encode(text))
        expect(ids.includes(UNKNOWN)).toBe(false)
        expect(tokenizer.join(vocabulary.decode(ids))).toBe(text)
      }),
    )
  })

  it('is the same after saving and loading, with its vocabulary', () => {
    const again = createTokenizer(JSON.parse(JSON.stringify(tokenizer.config))) as Bpe
    expect(again.merges).toEqual(tokenizer.merges)
    expect(again.vocabulary().toJSON()).toEqual(tokenizer.vocabulary().toJSON())
    fc.assert(fc.property(any, text => void expect(again.encode(text)).toEqual(tokenizer.encode(text))))
    expect(Vocabulary.fromJSON(JSON.parse(JSON.stringify(tokenizer.vocabulary()))).size).toBe(
      tokenizer.vocabulary().size,
    )
  })

  it('joins whatever a model writes: half characters, special tokens, foreign letters', () => {
    expect(tokenizer.join(['Ã', 'x'])).toBe('\ufffdx')
    expect(tokenizer.join(['<unknown>', 'Ġ', '語'])).toBe('<unknown> 語')
    expect(tokenizer.join([])).toBe('')
  })

  it('cuts a long text without a space in moderate time', () => {
    const text = 'lowestnewer'.repeat(3000)
    expect(tokenizer.join(tokenizer.encode(text))).toBe(text)
  })

  it('refuses merges that are none, saying which', () => {
    expect(() => bpe(['l o', 'lo x y'])).toThrow(FormatError)
    expect(() => bpe(['l o', 'lo x y'])).toThrow('bpe: merge 1 is "lo x y", not two tokens known before it')
    expect(() => bpe(['lo w'])).toThrow('merge 0 is "lo w"')
    expect(() => bpe([3 as unknown as string])).toThrow('merge 0 is 3')
    expect(() => createTokenizer({ kind: 'bpe' })).toThrow('tokenizer: bpe without merges')
  })
})

describe('spaces', () => {
  it('cuts at white space alone and joins by one space', () => {
    const { encode, join, config } = spaces()
    expect(encode('  n3 *b\tdon’t\n12.5 %  ')).toEqual(['n3', '*b', 'don’t', '12.5', '%'])
    expect(join(encode(' a  b '))).toBe('a b')
    expect(createTokenizer(config).encode('a b')).toEqual(['a', 'b'])
    fc.assert(fc.property(any, text => encode(join(encode(text))).join('\n') === encode(text).join('\n')))
    expect(Vocabulary.fromCounts(countTokens([encode('b a b')])).encode(['b'])[0]).toBe(4)
  })
})
