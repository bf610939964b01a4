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
export { Buckets, type DealOptions, type Position } from './buckets.ts'
// datasets
export {
  type AlignedPair,
  type CuedText,
  type Dataset,
  type DatasetCard,
  examples,
  generated,
  type LabelledText,
  type Links,
  type MultiLabelledText,
  type Split,
  stored,
  type TextPair,
} from './dataset.ts'
// where files come from
export { fetched } from './download/fetched.ts'
export {
  type DataFile,
  DownloadError,
  type DownloadReason,
  type FailedTry,
  type Shelf,
} from './download/file.ts'
export type { DownloadProgress, TransferOptions } from './download/transfer.ts'
// files of pairs
export { type Column, type FilePair, pairFormat, type ReadPairsOptions, readPairs } from './files/pairs.ts'
export type { TableFormat } from './files/rows.ts'
// real data sets
export {
  type Alignment,
  type GoldPair,
  parseAlignments,
  type WordAlignmentsOptions,
  wordAlignments,
} from './sets/alignments.ts'
export type { PartOptions } from './sets/lines.ts'
export { imdb, imdbShort, type LongReview, longReviews, sentencePolarity, sst2 } from './sets/reviews.ts'
export { tinyShakespeare } from './sets/texts.ts'
export {
  type ConcatenatedOptions,
  concatenated,
  type Multi30kOptions,
  multi30k,
  type TatoebaOptions,
  tatoeba,
} from './sets/translations.ts'
export {
  GO_EMOTIONS,
  goEmotions,
  type MarkedTweet,
  type TweetEvalOptions,
  type TweetSentimentOptions,
  tweetEval,
  tweetSentiment,
} from './sets/tweets.ts'
export { type Parts, type SplitOptions, splitBySource, splitOf } from './split.ts'
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
export { type DocumentsOptions, documents } from './tasks/documents.ts'
export { EMOTIONS, type EmotionalText, type EmotionsOptions, emotion, emotions } from './tasks/emotions.ts'
export {
  type AgreementOptions,
  agreement,
  type ConversationsOptions,
  conversations,
} from './tasks/language.ts'
// tasks
export { type CopyOptions, copy, permute, type SymbolOptions, sort } from './tasks/rearrange.ts'
export {
  type DistanceOptions,
  type LookupOptions,
  lookup,
  type MarkedOptions,
  marked,
  type OrderOptions,
  order,
  type RecallOptions,
  recall,
} from './tasks/recall.ts'
export { type SummariesOptions, summaries } from './tasks/summaries.ts'
export { THE_TRANSLATION, type TranslationOptions, translation } from './tasks/translation.ts'
export { THE_TWEET, type Tweet, type TweetsOptions, tweets } from './tasks/tweets.ts'
// text
export { type Bpe, type BpeOptions, bpe, learnBpe } from './text/bpe.ts'
export { type CountVectorsOptions, countVectors } from './text/countedVectors.ts'
export {
  createTokenizer,
  graphemes,
  JOINER,
  normalizeText,
  spaces,
  type Tokenizer,
  type TokenizerConfig,
  words,
} from './text/tokenizer.ts'
export {
  type ReadVectorsOptions,
  readVectors,
  type VectorTable,
  vectorTable,
  type WordVectors,
} from './text/vectors.ts'
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
