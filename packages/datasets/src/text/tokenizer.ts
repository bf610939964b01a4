import { ConfigError } from '@heed/core-tensor'
import { bpe } from './bpe.ts'

/** A tokeniser as JSON: what a run folder stores. */
export interface TokenizerConfig {
  readonly kind: 'graphemes' | 'words' | 'spaces' | 'bpe'
  /** `words` and `bpe` only: write everything in lower case. */
  readonly lowercase?: boolean
  /** `bpe` only: which two tokens become one, first learned first. */
  readonly merges?: readonly string[]
}

/** Cuts a text into tokens and puts tokens together again. */
export interface Tokenizer {
  readonly config: TokenizerConfig
  encode(text: string): string[]
  /** Takes any tokens, also those that a model made up. */
  join(tokens: readonly string[]): string
}

/** The tokeniser that a configuration names. @throws ConfigError if there is none of that name */
export function createTokenizer({ kind, lowercase = false, merges }: TokenizerConfig): Tokenizer {
  if (kind === 'graphemes') return graphemes()
  if (kind === 'words') return words({ lowercase })
  if (kind === 'spaces') return spaces()
  if (kind === 'bpe') {
    if (!Array.isArray(merges))
      throw new ConfigError(
        'tokenizer: bpe without merges; learn them by learnBpe, or load a saved configuration',
      )
    return bpe(merges, { lowercase })
  }
  throw new ConfigError(`tokenizer: unknown kind ${String(kind)}; use graphemes, words, spaces or bpe`)
}

/**
 * One token for each run of characters without white space: for texts that are cut already, as generated ones, gold
 * alignments and film reviews are. `join(encode(text))` is the text with single spaces.
 */
export function spaces(): Tokenizer {
  return {
    config: { kind: 'spaces' },
    encode: text => text.match(/\S+/gu) ?? [],
    join: tokens => tokens.join(' '),
  }
}

/**
 * One token per character as a reader counts them: `'é'`, `'हि'` and `'👩‍🚀'` are one each (Unicode annex 29, extended
 * grapheme clusters). `join(encode(text))` is the text, exactly.
 */
export function graphemes(): Tokenizer {
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
  return {
    config: { kind: 'graphemes' },
    encode: text =>
      SINGLES.test(text) ? text.split('') : Array.from(segmenter.segment(text), ({ segment }) => segment),
    join: tokens => tokens.join(''),
  }
}

/**
 * Texts of which each UTF-16 unit is a cluster by itself, as most are: the segmenter is twenty times slower than `split`.
 * Latin, Greek, Cyrillic, Hebrew and Arabic letters, punctuation, kana, Han, Hangul syllables; no combining marks, no CR.
 */
const SINGLES =
  /^[\x20-\u02ff\u0370-\u0482\u048a-\u052f\u05d0-\u05f4\u060c\u0620-\u064a\u1e00-\u1fff\u200e-\u2027\u202f\u2030-\u205e\u3001-\u3029\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]*$/

/** Marks the side on which a token has no space: `'Go.'` is `'Go'` and `'￭.'`. The sign of the OpenNMT tokeniser. */
export const JOINER = '￭'

/**
 * Words, numbers and single punctuation marks, as for translation: `"L'eau, ici !"` gives `"L'￭"`, `'eau'`, `'￭,'`,
 * `'ici'`, `'!'`.
 *
 * Words end where Unicode says (annex 29) and after an apostrophe, so that the parts of `l'eau` and `don't` are words of
 * their own. Where the text has no space between two tokens, the punctuation among them carries the {@link JOINER} on
 * that side. So `join(encode(text))` is the text as {@link normalizeText} writes it, in lower case if so asked.
 */
export function words({ lowercase = false }: { lowercase?: boolean } = {}): Tokenizer {
  const segmenter = new Intl.Segmenter('en', { granularity: 'word' })
  return {
    config: { kind: 'words', lowercase },
    encode: text => {
      const normal = normalizeText(text)
      const tokens: string[] = []
      for (const chunk of (lowercase ? normal.toLowerCase() : normal).split(' ')) {
        const [, article, word, mark] = PLAIN.exec(chunk) ?? []
        if (word) {
          if (article) tokens.push(article + JOINER)
          tokens.push(word)
          if (mark) tokens.push(JOINER + mark)
        } else if (chunk) {
          const pieces = Array.from(segmenter.segment(chunk), ({ segment }) =>
            segment.split(AFTER_APOSTROPHE),
          )
          tokens.push(...markJoins(pieces.flat()))
        }
      }
      return tokens
    },
    join: tokens => {
      let text = ''
      let open = false // no space before the next token
      for (const token of tokens) {
        const start = token.startsWith(JOINER)
        const end = token.length > 1 && token.endsWith(JOINER)
        text += `${text === '' || open || start ? '' : ' '}${token.slice(start ? 1 : 0, end ? -1 : undefined)}`
        open = end
      }
      return text
    },
  }
}

/** NFC, every run of spaces (no-break, narrow and thin ones too) and line ends one space, none at the ends. */
export function normalizeText(text: string): string {
  return text.normalize('NFC').replaceAll(JOINER, '■').replace(/\s+/g, ' ').trim()
}

const AFTER_APOSTROPHE = /(?<=\p{L}['’])(?=\p{L})/u
/**
 * `word`, `word.` and `l'word` in Latin, Greek or Cyrillic letters, which need no segmenter: without this, a file of
 * 140,000 sentences takes eight seconds in place of one.
 */
const PLAIN =
  /^([A-Za-zÀ-ÖØ-öø-ɏ\u0386\u0388-\u03ceЀ-ҁҊ-ԯ]+['’])?([A-Za-zÀ-ÖØ-öø-ɏ\u0386\u0388-\u03ceЀ-ҁҊ-ԯ]+)([.,!?]?)$/

const STARTS_AS_WORD = /^[\p{L}\p{N}\p{M}]/u
const ENDS_AS_WORD = /[\p{L}\p{N}\p{M}]$/u

/** Marks each seam of pieces that stand together: on the punctuation, between two words on the right one. */
function markJoins(pieces: readonly string[]): string[] {
  const marked = [...pieces]
  for (let i = 1; i < pieces.length; i++) {
    const after = STARTS_AS_WORD.test(pieces[i] as string) && !ENDS_AS_WORD.test(pieces[i - 1] as string)
    if (after) marked[i - 1] += JOINER
    else marked[i] = JOINER + marked[i]
  }
  return marked
}
