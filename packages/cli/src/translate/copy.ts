import { tensor } from '@heed/core-tensor'
import { BEGIN, type EncodeOptions, PAD, UNKNOWN, type Vocabulary } from '@heed/datasets'
import type { Seq2SeqBatch } from '@heed/models'

/** A source as a copying model's decoder sees it. */
export interface Copyable {
  /** Each source token in the target's vocabulary; words it lacks are numbered from its size on. */
  readonly ids: number[]
  /** Those words, in the order of their numbers. */
  readonly words: readonly string[]
}

/** Numbers the tokens of one source for copying; `end` adds the token that ends, as the source itself has it. */
export function copyable(
  tokens: readonly string[],
  vocabulary: Vocabulary,
  { end = false }: Pick<EncodeOptions, 'end'> = {},
): Copyable {
  const words: string[] = []
  const ids = Array.from(vocabulary.encode([...tokens], { end }))
  for (const [i, token] of tokens.entries()) {
    if (ids[i] !== UNKNOWN) continue
    const at = words.indexOf(token)
    ids[i] = vocabulary.size + (at < 0 ? words.push(token) - 1 : at)
  }
  return { ids, words }
}

/** A target's numbers where words that its vocabulary lacks can be copied: what the source lacks too stays unknown. */
export function copiedTarget(
  tokens: readonly string[],
  vocabulary: Vocabulary,
  { words }: Copyable,
): Int32Array {
  const ids = vocabulary.encode([...tokens], { begin: true, end: true })
  for (const [i, token] of tokens.entries()) {
    const at = ids[i + 1] === UNKNOWN ? words.indexOf(token) : -1
    if (at >= 0) ids[i + 1] = vocabulary.size + at
  }
  return ids
}

/** The words of a decoded line, copied ones among them. */
export function copiedWords(
  ids: readonly number[],
  vocabulary: Vocabulary,
  { words }: Pick<Copyable, 'words'>,
): string[] {
  return ids
    .filter(id => id !== PAD && id !== BEGIN)
    .map(id => (id < vocabulary.size ? vocabulary.token(id) : (words[id - vocabulary.size] ?? '')))
}

/** What a batch of sources can be copied from. */
export function copyBatch(sources: readonly Copyable[]): NonNullable<Seq2SeqBatch['copy']> {
  const time = Math.max(...sources.map(({ ids }) => ids.length))
  const flat = new Int32Array(sources.length * time) // padding is 0, which no weight lies on
  for (const [row, { ids }] of sources.entries()) flat.set(ids, row * time)
  return {
    ids: tensor(flat, { shape: [sources.length, time] }),
    extra: Math.max(...sources.map(({ words }) => words.length)),
  }
}
