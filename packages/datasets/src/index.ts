// batches
export {
  type Batch,
  Batches,
  type BatchesOptions,
  collate,
  type Epoch,
  type IdPair,
  type Padded,
  pad,
} from './batches.ts'
// datasets
export { type Dataset, type DatasetCard, examples, generated, type Split, type TextPair } from './dataset.ts'
// files of pairs
export { type Column, type FilePair, pairFormat, type ReadPairsOptions, readPairs } from './files/pairs.ts'
export type { TableFormat } from './files/rows.ts'
export { type Parts, type SplitOptions, splitBySource } from './split.ts'
// tasks
export { type CopyOptions, copy } from './tasks/copy.ts'
export { type DateLine, type DatesOptions, dates } from './tasks/dates.ts'
export {
  DATE_DAYS,
  DATE_FORMS,
  DATE_LOCALES,
  type DateTable,
  type DateTableOptions,
  type DateWriter,
  dateTable,
  foldDate,
  icuVersion,
  isoDate,
} from './tasks/dateTable.ts'
// text
export {
  createTokenizer,
  graphemes,
  JOINER,
  normalizeText,
  type Tokenizer,
  type TokenizerConfig,
  words,
} from './text/tokenizer.ts'
export {
  BEGIN,
  countTokens,
  END,
  type EncodeOptions,
  PAD,
  UNKNOWN,
  Vocabulary,
  type VocabularyJson,
  type VocabularyOptions,
} from './text/vocabulary.ts'
