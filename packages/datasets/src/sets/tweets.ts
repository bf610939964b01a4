import { FormatError } from '@heed/core-tensor'
import { type Dataset, type LabelledText, type MultiLabelledText, type Split, stored } from '../dataset.ts'
import { type DataFile, github, type Shelf, take, takeFirst } from '../download/file.ts'
import { decodeUtf8 } from '../files/decode.ts'
import { listed, readRows } from '../files/rows.ts'
import { cellsOf, checksumFor, labelFor, linesOf, oneOf, type PartOptions, partOf } from './lines.ts'

/** A tweet with the part of it that a person marked as carrying the sentiment. */
export interface MarkedTweet extends LabelledText {
  /** A part of the text, letter by letter; it can begin or end within a word. */
  readonly rationale: string
}

/** Settings of {@link tweetSentiment}. */
export interface TweetSentimentOptions extends PartOptions {
  /** Leaves the neutral ones out; no unless given. */
  readonly binary?: boolean
}

/**
 * 27,485 tweets that are negative, neutral or positive, with human rationales: "Tweet Sentiment Extraction" of Kaggle. Of
 * them 16,368 are negative or positive. No official parts.
 *
 * @param from where the files come from, as for {@link multi30k}
 */
export async function tweetSentiment(
  from: Shelf,
  { binary = false, ...part }: TweetSentimentOptions,
): Promise<Dataset<MarkedTweet>> {
  const { file, bytes } = await takeFirst(from, [
    {
      set: 'tweets',
      name: 'tweet-sentiment-extraction-train.tsv',
      urls: [],
      bytes: 3_493_627,
      sha256: '949822dfc96ad315fea33b1985ee72e5ffbf9a26708e293b558f2f9347937bf9',
    },
    {
      ...github(
        'tweets',
        'jonykarki/Kaggle-Tweet-Sentiment-Extraction',
        'db00c23bdd176804d941ad7c618d17d3d07c0cd9',
        'input/tweet-sentiment-extraction',
      )('train.csv', 3_513_944, '74264f932d3cfb126b49ac0f98cfb7bc79b8cd2760a54cd5aff0c8d3053aaf1e'),
    },
  ])
  const rows = file.name.endsWith('.csv')
    ? (await readRows(decodeUtf8(bytes, file.name), 'csv', [], file.name)).map(({ cells }) => {
        const [id, text = '', selected = '', sentiment] = cells.map(cell => cell.replace(/[\t\r\n]/g, ' '))
        return [id, sentiment, text, selected]
      })
    : cellsOf(bytes, 4, file.name)
  const labels = { negative: 'negative', neutral: 'neutral', positive: 'positive' }
  const all = rows
    .slice(1)
    .filter(([, , text]) => text)
    .map(([, label, text, rationale]) => ({
      text: text as string,
      label: labelFor(labels, label as string, file.name),
      rationale: rationale as string,
    }))
    .filter(({ label }) => !binary || label !== 'neutral')
  return stored(
    {
      name: `tweet sentiment${binary ? ', negative and positive' : ''}, ${part.split}`,
      task: 'tell the sentiment of a tweet',
      source: 'github.com/jonykarki/Kaggle-Tweet-Sentiment-Extraction, commit db00c23; Figure Eight',
      licence: 'CC BY 4.0 by the page of Kaggle; the repository states none',
      checksum: await checksumFor(file),
      labels: Object.keys(labels).filter(label => !binary || label !== 'neutral'),
      notes: [
        'words of real people, some of them rude',
        'HTML entities are left as they are',
        'noisy labels',
      ],
    },
    partOf(all, part, ({ text }) => text, 'tweet sentiment'),
  )
}

const EVALUATIONS = {
  sentiment: {
    labels: { 0: 'negative', 1: 'neutral', 2: 'positive' },
    task: 'tell the sentiment of a tweet (SemEval-2017 task 4)',
    rows: { validation: 2000, test: 12_284 },
    prepared: {
      validation: [221_084, 'a0668108b0f8ad0785d450224afa5f69334601aab003397d431b5915b739bbaa'],
      test: [1_168_984, 'c49483d9a9b69c0768165cdab6db17506eec1f6d5c47bd424567e44b57db8733'],
    },
    files: {
      validation: [
        [219_137, 'e5b021e6fc45064c260b09814b803d8f56cada519c4d952d72f43d48a350a964'],
        [4000, 'b4566926c72e2e4e2916c864def94e76c4cdde52446af2c7ba4fc2006e057e51'],
      ],
      test: [
        [1_156_877, '09a93a55c63fd93f97485ef7302889d7edb4091cd49733aa37da094f0bfa0675'],
        [24_568, '6afb4afe9374d1f983bcf9a7c79b108d0f37fdf020a83f30488309bed215db9d'],
      ],
    },
  },
  emotion: {
    labels: { 0: 'anger', 1: 'joy', 2: 'optimism', 3: 'sadness' },
    task: 'tell the emotion of a tweet (SemEval-2018 task 1)',
    rows: { train: 3257, validation: 374, test: 1421 },
    prepared: {
      train: [309_558, 'a34b6e7ca5da326335851a250007edc743053c0501f8345f9656e6afa0bf5862'],
      validation: [34_907, 'e93e7c5d9b7f7530c77ea5e1d323502fa59230d83c664b6877ae2d1375a8d728'],
      test: [133_856, '468862833827715c4ac202da1d570964bc9ffea161eb230e8076583cb4a721cf'],
    },
    files: {
      train: [
        [306_630, '2c62f67aeb3eac1aea0e5a9c3d0f4bc337992581f3f858061786a1fb4d79d95e'],
        [6514, '987e767d8679e18abdf7de37a6d2bcd0a40a296ddd704e8d515cf0e3033c8d9c'],
      ],
      validation: [
        [34_556, 'e2e30c86b8cbb97944d6543aedc06eace3bb275cb2f381aba787b838b4f23ca5'],
        [748, '313730630160b7e0a6b4235b800c76683f4aeeb72d094eb69646630cd5cfe338'],
      ],
      test: [
        [132_523, '7e1070f5d3e3fcece5bc73680bff9981e90d8f7b2f1009bfe7a01d059d1c6091'],
        [2842, '245072348c711961785be6d395997f97cf7fcda3effeae7805664171dc75f913'],
      ],
    },
  },
} as const

type Sized = readonly [bytes: number, sha256: string]

/** Settings of {@link tweetEval}. `sentiment` has no `train` here: its file has no known checksum. */
export type TweetEvalOptions =
  | { readonly task: 'sentiment'; readonly split: 'validation' | 'test' }
  | { readonly task: 'emotion'; readonly split: Split }

/**
 * Tweets of TweetEval: sentiment (three classes; 2,000 and 12,284) or emotion (four; 3,257, 374 and 1,421), in the
 * official parts. Barbieri et al. 2020. User names are masked as `@user`.
 *
 * @param from where the files come from, as for {@link multi30k}
 */
export async function tweetEval(
  from: Shelf,
  { task, split }: TweetEvalOptions,
): Promise<Dataset<LabelledText>> {
  const { labels, ...about } = EVALUATIONS[oneOf('tweeteval', 'task', task, ['sentiment', 'emotion'])]
  const parts = Object.keys(about.files) as Split[]
  oneOf(`tweeteval ${task}`, 'split', split as Split, parts)
  const short = split === 'validation' ? 'val' : split
  const [bytes, sha256] = (about.prepared as Partial<Record<Split, Sized>>)[split] as Sized
  const [texts, codes] = (about.files as Partial<Record<Split, readonly [Sized, Sized]>>)[split] as readonly [
    Sized,
    Sized,
  ]
  const original = github(
    `tweeteval-${task}`,
    'cardiffnlp/tweeteval',
    '4fbd22cd78421f05b1ecdb4fc5725bc7a7bd8f66',
    `datasets/${task}`,
  )
  const { file, bytes: found } = await takeFirst(from, [
    { set: 'tweets', name: `tweeteval-${task}-${short}.tsv`, urls: [], bytes, sha256 },
    original(`${short}_text.txt`, ...texts),
  ])
  let rows: string[][]
  if (file.name.endsWith('.tsv')) rows = cellsOf(found, 2, file.name)
  else {
    const labelFile = original(`${short}_labels.txt`, ...codes)
    const [codeLines, textLines] = [
      linesOf(await take(from, labelFile), labelFile.name),
      linesOf(found, file.name),
    ]
    if (codeLines.length !== textLines.length)
      throw new FormatError(
        `tweeteval: ${textLines.length} texts, but ${codeLines.length} labels; fetch the files again`,
      )
    rows = codeLines.map((code, i) => [code.trim(), textLines[i] as string])
  }
  return stored(
    {
      name: `tweeteval ${task}, ${split}`,
      task: about.task,
      source: `github.com/cardiffnlp/tweeteval, datasets/${task}, commit 4fbd22c`,
      licence: 'no restriction by its authors; the terms of Twitter and of the tasks apply',
      checksum: await checksumFor(file),
      labels: Object.values(labels),
      notes: ['words of real people, some of them rude'],
    },
    rows.map(([code, text]) => ({
      text: (text as string).trimEnd(),
      label: labelFor(labels, code as string, file.name),
    })),
  )
}

/** The 27 emotions of {@link goEmotions} and `neutral`, in the order of their numbers. */
export const GO_EMOTIONS: readonly string[] =
  /* @__PURE__ */ 'admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval disgust embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief remorse sadness surprise neutral'.split(
    ' ',
  )

/**
 * Comments of Reddit with one or more of 27 emotions or `neutral`, in the official parts of 43,410, 5,426 and 5,427.
 *
 * Demszky et al. 2020, arXiv:2005.00547. @param from where the files come from, as for {@link multi30k}
 */
export async function goEmotions(
  from: Shelf,
  { split }: { readonly split: Split },
): Promise<Dataset<MultiLabelledText>> {
  const comments = github(
    'goemotions',
    'monologg/GoEmotions-pytorch',
    'b75f9d3a8b76bc1060687925b04ca98a1b8ea66b',
    'data/original',
  )
  const files: Readonly<Record<Split, DataFile>> = {
    train: comments(
      'train.tsv',
      3_519_053,
      '1c254a142be5c00e80d819b9ae1bbd36d94b2eeb8f4b1271846508d57e57d9c5',
    ),
    validation: comments(
      'dev.tsv',
      439_059,
      '575489c079c9de1097062a01738f998590d6b7ead66dd1c9fd1d2ba01fd8bc62',
    ),
    test: comments('test.tsv', 436_706, '0587b2dd8b27b97352adbfc3fb083d46005c8946657fdc2b1ca8b1cc7f1f8be4'),
  }
  const file = files[oneOf('goemotions', 'split', split, ['train', 'validation', 'test'])]
  const rows = cellsOf(await take(from, file), 3, file.name)
  const wrong = rows.flatMap(([, ids], i) =>
    (ids as string).split(',').every(id => GO_EMOTIONS[Number(id)]) ? [] : [`line ${i + 1} has ${ids}`],
  )
  if (wrong.length)
    throw new FormatError(`${file.name}: emotions are 0 to 27, ${listed(wrong)}; it is another edition`)
  return stored(
    {
      name: `goemotions, ${split}`,
      task: 'name each emotion of a comment',
      source:
        'github.com/monologg/GoEmotions-pytorch, data/original, commit b75f9d3; google-research/goemotions',
      licence: 'Apache-2.0 (repository), CC BY 4.0 (data)',
      checksum: await checksumFor(file),
      labels: GO_EMOTIONS,
      notes: [
        '37 texts of test are also in train',
        'very uneven: neutral is frequent, grief rare',
        'some are rude',
      ],
    },
    rows.map(([text, ids]) => ({
      text: text as string,
      labels: (ids as string)
        .split(',')
        .map(Number)
        .sort((a, b) => a - b)
        .map(id => GO_EMOTIONS[id] as string),
    })),
  )
}
