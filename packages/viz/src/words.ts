import { controlPicture } from './markup.ts'

/**
 * A word as a reader can see it: spaces at its ends as `␣`, control characters as control pictures, an empty word as
 * `∅`.
 *
 * Unicode's embeddings, overrides and isolates (U+202A–U+202E, U+2066–U+2069) become `�`: inside a word they would turn
 * round what stands after it.
 */
export function visible(word: string): string {
  if (word === '') return '∅'
  return word
    .replace(/\p{Surrogate}|[\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD')
    .replace(/\p{Control}/gu, character => controlPicture(character.charCodeAt(0)))
    .replace(/^\s+|\s+$/g, spaces => '␣'.repeat(spaces.length))
}

/**
 * What stands between the words of a sentence: nothing when they bring their own spaces or are single characters, else
 * one space.
 */
export function separatorOf(words: readonly string[]): '' | ' ' {
  if (words.some(word => /^\s|\s$/.test(word))) return ''
  return words.every(word => graphemes(word).length <= 1) ? '' : ' '
}

/** The words as one sentence. */
export function joinWords(words: readonly string[], separator: string = separatorOf(words)): string {
  return words.map(word => (/^\s+$/.test(word) ? ' ' : visible(word).replaceAll('␣', ' '))).join(separator)
}

/** What a reader calls the characters of a text (Unicode's extended grapheme clusters). */
export function graphemes(text: string): string[] {
  return Array.from(new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text), part => part.segment)
}
