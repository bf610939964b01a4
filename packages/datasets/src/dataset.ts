import { ConfigError, outside } from '@heed/core-tensor'

/** What a reader must know about a set of examples before using it. */
export interface DatasetCard {
  readonly name: string
  /** What is asked, in one sentence. */
  readonly task: string
  /** Where the examples come from. */
  readonly source: string
  readonly licence: string
  /** Counts worth knowing, each under its unit: `{ examples: 30000, locales: 28 }`. */
  readonly sizes: Readonly<Record<string, number>>
  /** SHA-256 of the file, where there is one; of several files, of their checksums under each other. */
  readonly checksum?: string
  /** The classes, where examples have labels. */
  readonly labels?: readonly string[]
  /** Defects and limits that a user must know of. */
  readonly notes?: readonly string[]
}

/** A numbered set of examples, made or read on demand: `at(i)` is the same example whenever it is asked for. */
export interface Dataset<Example> {
  readonly card: DatasetCard
  readonly length: number
  /** @param index 0 … length − 1 @throws IndexError outside of that */
  at(index: number): Example
}

/** Two texts, the question and its answer. */
export interface TextPair {
  readonly source: string
  readonly target: string
}

/** Which words belong together, counted from 0: `[source, target]`. */
export type Links = readonly (readonly [source: number, target: number])[]

/** Two texts of tokens, and which token of the answer comes from which of the question. */
export interface AlignedPair extends TextPair {
  readonly links: Links
}

/** A text and what it says. */
export interface LabelledText {
  readonly text: string
  readonly label: string
}

/** A text and all that it says. */
export interface MultiLabelledText {
  readonly text: string
  /** One or more, in the order of the card's labels. */
  readonly labels: readonly string[]
}

/** A labelled text of which it is known what decides. */
export interface CuedText extends LabelledText {
  /** The place of the deciding word among the words, from 0. */
  readonly cue: number
}

/** Which part of a task: to learn from, to tune on, to report. */
export type Split = 'train' | 'validation' | 'test'

/** The examples with these numbers; all of them without arguments. @throws IndexError if there are fewer than `end` */
export function examples<Example>(
  dataset: Dataset<Example>,
  start = 0,
  end: number = dataset.length,
): Example[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => dataset.at(start + i))
}

/** A dataset whose examples are computed from their number. @throws ConfigError unless `length` is a whole number */
export function generated<Example>(
  card: DatasetCard,
  length: number,
  make: (index: number) => Example,
): Dataset<Example> {
  if (!Number.isSafeInteger(length) || length < 1)
    throw new ConfigError(
      `${card.name}: size must be a whole number from 1, got ${length}; use for example 1000`,
    )
  return {
    card,
    length,
    at: index => {
      if (!(Number.isInteger(index) && index >= 0 && index < length)) throw outside(card.name, index, length)
      return make(index)
    },
  }
}

/** Examples that are at hand as a dataset. @throws ConfigError if there is none */
export function stored<Example>(
  card: Omit<DatasetCard, 'sizes'> & { readonly sizes?: DatasetCard['sizes'] },
  list: readonly Example[],
): Dataset<Example> {
  return generated(
    { ...card, sizes: { examples: list.length, ...card.sizes } },
    list.length,
    i => list[i] as Example,
  )
}
