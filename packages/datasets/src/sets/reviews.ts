import { FormatError } from '@heed/core-tensor'
import { type Dataset, type LabelledText, type Split, stored } from '../dataset.ts'
import { type DataFile, github, type Shelf, take, takeFirst } from '../download/file.ts'
import { type Members, untar, unzip } from '../files/archive.ts'
import { decodeUtf8 } from '../files/decode.ts'
import { type Row, readRows } from '../files/rows.ts'
import {
  cellsOf,
  checksumFor,
  labelFor,
  linesOf,
  oneOf,
  type PartOptions,
  partOf,
  withoutRepeats,
} from './lines.ts'

const LABELS = ['negative', 'positive'] as const
const SHORT: Readonly<Record<string, string>> = { neg: 'negative', pos: 'positive' }
const DIGIT: Readonly<Record<string, string>> = { 0: 'negative', 1: 'positive' }

const sentences = /* @__PURE__ */ github(
  'sst2',
  'clairett/pytorch-sentiment-classification',
  '457ffd83de90a9d6d472d8ffc31bbffe40a8b236',
  'data/SST2',
)

/**
 * Whole sentences of film reviews, positive or negative, in the standard parts of 6,920, 872 and 1,821: SST-2.
 *
 * Socher et al. 2013. @param from where the files come from, as for {@link multi30k}
 */
export async function sst2(
  from: Shelf,
  { split }: { readonly split: Split },
): Promise<Dataset<LabelledText>> {
  const files: Readonly<Record<Split, DataFile>> = {
    train: sentences(
      'train.tsv',
      720_259,
      'ec192f833a64da08f475488a77b0d0b47db47acd0f458bd18433fc793b569920',
    ),
    validation: sentences(
      'dev.tsv',
      92_057,
      'eddea6b39e601dd4e7a672b53cc40fdf6019fa80522f351206c24340ca5d9359',
    ),
    test: sentences('test.tsv', 188_749, '831169c7e2e429d6026e1bdbb542f33b636e3e596caad9602ebc953c205928b7'),
  }
  const file = files[oneOf('sst2', 'split', split, ['train', 'validation', 'test'])]
  const rows = cellsOf(await take(from, file), 2, file.name)
  return stored(
    {
      name: `sst2, ${split}`,
      task: 'tell whether a sentence of a film review is positive or negative',
      source: 'github.com/clairett/pytorch-sentiment-classification, data/SST2, commit 457ffd8',
      licence: 'none stated; for research, cite Socher et al. 2013',
      checksum: await checksumFor(file),
      labels: LABELS,
      notes: [
        'two sentences of test are also in train',
        'shares sentences with sentence polarity: never train on one and test on the other',
      ],
    },
    rows.map(([text, label]) => ({
      text: text as string,
      label: labelFor(DIGIT, label as string, file.name),
    })),
  )
}

const corpora = /* @__PURE__ */ github(
  '',
  'nltk/nltk_data',
  '5db857e6f7df11eabb5e5665836db9ec8df07e28',
  'packages/corpora',
)

/**
 * 10,662 sentences of film reviews, half of them positive: sentence polarity 1.0, Pang and Lee 2005. No official parts.
 *
 * @param from where the files come from, as for {@link multi30k}
 */
export async function sentencePolarity(from: Shelf, part: PartOptions): Promise<Dataset<LabelledText>> {
  const { file, bytes } = await takeFirst(from, [
    {
      set: 'sentence-polarity',
      name: 'rt-polarity.tsv',
      urls: [],
      bytes: 1_270_792,
      sha256: '392492fdbd3db7f7e988aa569d9f997e0c5377c0fb1155e203320b51e034405a',
    },
    {
      ...corpora(
        'sentence_polarity.zip',
        490_256,
        '6e1ed4405b65c7eabf1d199a7f7c437091ac21da0ea7467b410a74062574566b',
      ),
      set: 'sentence-polarity',
    },
  ])
  const rows = file.name.endsWith('.zip')
    ? [...(await unzip(bytes, name => /rt-polarity\.(neg|pos)$/.test(name), file.name))].flatMap(
        ([name, member]) => linesOf(member, name).map(line => [name.slice(-3), line.trim()]),
      )
    : cellsOf(bytes, 2, file.name)
  const all = rows
    .map(([label, text]) => ({ text: text as string, label: labelFor(SHORT, label as string, file.name) }))
    .sort((a, b) => Number(a.label > b.label) - Number(a.label < b.label))
  return stored(
    {
      name: `sentence polarity, ${part.split}`,
      task: 'tell whether a sentence of a film review is positive or negative',
      source: 'github.com/nltk/nltk_data, packages/corpora/sentence_polarity.zip, commit 5db857e',
      licence: 'CC BY 4.0, Bo Pang and Lillian Lee',
      checksum: await checksumFor(file),
      labels: LABELS,
      notes: ['shares sentences with sst2: never train on one and test on the other', 'sorted by label'],
    },
    partOf(all, part, ({ text }) => text, 'sentence polarity'),
  )
}

/** A long review, and which of ten parts its authors put it into. */
export interface LongReview extends LabelledText {
  /** 0 to 9, for cross-validation. */
  readonly fold: number
}

/**
 * 2,000 film reviews of 700 words, half of them positive: polarity dataset 2.0, Pang and Lee 2004. No official parts but
 * ten folds. One sentence a line, words parted by spaces.
 *
 * @param from where the files come from, as for {@link multi30k}
 */
export async function longReviews(from: Shelf, part: PartOptions): Promise<Dataset<LongReview>> {
  const { file, bytes } = await takeFirst(from, [
    {
      set: 'movie-reviews-long',
      name: 'movie_reviews.jsonl',
      urls: [],
      bytes: 7_980_186,
      sha256: '8e5b9dcf96d1924b4bee49b70549889e64ddac694840c5a4c3bfb9603c1204ad',
    },
    {
      ...corpora(
        'movie_reviews.zip',
        4_004_848,
        'a41211ae685019137410268134db6a1a14428c89b671eb83056151a878539008',
      ),
      set: 'movie-reviews-long',
    },
  ])
  const all = file.name.endsWith('.zip')
    ? longReviewsOf(await unzip(bytes, name => /\/(neg|pos)\/cv\d+.*\.txt$/.test(name), file.name))
    : linesOf(bytes, file.name).map((line, i) => longReviewOf(line, `${file.name}: line ${i + 1}`))
  return stored(
    {
      name: `long film reviews, ${part.split}`,
      task: 'tell whether a long film review is positive or negative',
      source: 'github.com/nltk/nltk_data, packages/corpora/movie_reviews.zip, commit 5db857e',
      licence: 'CC BY 4.0, Bo Pang and Lillian Lee 2004',
      checksum: await checksumFor(file),
      labels: LABELS,
      notes: [
        'some reviews still hold their rating, as 8/10: mask it',
        'sorted by label',
        '2,000 texts: give intervals',
      ],
    },
    partOf(all, part, ({ text }) => text, 'long film reviews'),
  )
}

function longReviewOf(line: string, where: string): LongReview {
  let value: Partial<Record<string, unknown>>
  try {
    value = JSON.parse(line)
  } catch {
    throw new FormatError(`${where} is not JSON; the file is damaged or another edition`)
  }
  const { text, label, fold } = value ?? {}
  if (typeof text !== 'string' || typeof label !== 'string' || typeof fold !== 'number')
    throw new FormatError(`${where} lacks text, label or fold; it is another edition`)
  return { text, label: labelFor(SHORT, label, where), fold }
}

/** `movie_reviews/neg/cv123_4567.txt`: the first digit is the fold. */
function longReviewsOf(members: Members): LongReview[] {
  return [...members].map(([name, bytes]) => {
    const [, label, fold] = /(neg|pos)\/cv(\d)/.exec(name) as unknown as [string, string, string]
    return { text: decodeUtf8(bytes, name).trim(), label: SHORT[label] as string, fold: Number(fold) }
  })
}

/**
 * 5,959 reviews of IMDB of 4 to 99 words, positive or negative, each text once. No official parts.
 *
 * @param from where the files come from, as for {@link multi30k}
 */
export async function imdbShort(from: Shelf, part: PartOptions): Promise<Dataset<LabelledText>> {
  const { file, bytes } = await takeFirst(from, [
    {
      set: 'imdb-short',
      name: 'imdb-short.tsv',
      urls: [],
      bytes: 2_358_292,
      sha256: 'f25675358a382b6508c35cde1e37ff8baffda7a4665abb7139fde69ae5bdc70b',
    },
    {
      set: 'imdb-short',
      name: 'imdb_reviews.csv',
      urls: [
        'https://raw.githubusercontent.com/LUCE-Blockchain/datafiles/5bb75bee608d1aca27c6563ce13cf474a18827d9/imdb_reviews.csv',
        'https://cdn.jsdelivr.net/gh/LUCE-Blockchain/datafiles@5bb75bee608d1aca27c6563ce13cf474a18827d9/imdb_reviews.csv',
      ],
      bytes: 2_391_217,
      sha256: 'e7aeaf80072d055ccd1c9381657f766ffd825447dce3374770004b41be522a35',
    },
  ])
  const labels = { negative: 'negative', positive: 'positive' }
  const rows = file.name.endsWith('.csv')
    ? (await readRows(decodeUtf8(bytes, file.name), 'csv', [], file.name)).map(({ cells }: Row) => [
        cells[1],
        cells[0]?.replace(/\s+/g, ' ').trim(),
      ])
    : cellsOf(bytes, 2, file.name)
  const all = rows
    .slice(1)
    .map(([label, text]) => ({ text: text as string, label: labelFor(labels, label as string, file.name) }))
  return stored(
    {
      name: `short imdb reviews, ${part.split}`,
      task: 'tell whether a film review of under 100 words is positive or negative',
      source: 'github.com/LUCE-Blockchain/datafiles, imdb_reviews.csv, commit 5bb75be; Maas et al. 2011',
      licence: 'none stated; for research, cite Maas et al. 2011',
      checksum: await checksumFor(file),
      labels: LABELS,
      notes: ['holds <br /> where lines ended', 'mixes the train and test parts of the whole set'],
    },
    partOf(withoutRepeats(all), part, ({ text }) => text, 'short imdb reviews'),
  )
}

/**
 * 50,000 reviews of IMDB, positive or negative, in the authors' parts of 25,000 each, which share no film; there is no
 * validation part. Maas et al. 2011. An archive of 84 MB, of which 130 MB of text are unpacked into memory.
 *
 * @param from where the files come from, as for {@link multi30k}
 */
export async function imdb(
  from: Shelf,
  { split }: { readonly split: 'train' | 'test' },
): Promise<Dataset<LabelledText>> {
  oneOf('imdb', 'split', split, ['train', 'test'])
  const file: DataFile = {
    set: 'imdb',
    name: 'aclImdb_v1.tar.gz',
    urls: ['https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz'],
    sha1: '01ada507287d82875905620988597833ad4e0903',
  }
  const wanted = new RegExp(`(^|/)${split}/(neg|pos)/\\d+_\\d+\\.txt$`)
  const members = await untar(await take(from, file), name => wanted.test(name), file.name)
  return stored(
    {
      name: `imdb, ${split}`,
      task: 'tell whether a film review is positive or negative',
      source: 'ai.stanford.edu/~amaas/data/sentiment',
      licence: 'none stated; for research, cite Maas et al. 2011',
      checksum: await checksumFor(file),
      labels: LABELS,
      notes: ['holds <br /> where lines ended', 'the checksum is SHA-1'],
    },
    [...members]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, bytes]) => ({
        text: decodeUtf8(bytes, name).trim(),
        label: name.includes('/pos/') ? 'positive' : 'negative',
      })),
  )
}
