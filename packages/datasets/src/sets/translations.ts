import { ConfigError, FormatError, Rng } from '@heed/core-tensor'
import { type Dataset, generated, stored, type TextPair } from '../dataset.ts'
import { type DataFile, github, type Shelf, take, takeFirst } from '../download/file.ts'
import { unzip } from '../files/archive.ts'
import { gunzip } from '../files/decode.ts'
import { cellsOf, checksumFor, linesOf, oneOf, type PartOptions, partOf } from './lines.ts'

const captions = /* @__PURE__ */ github(
  'multi30k',
  'multi30k/dataset',
  'a3d2e0d26b56f3846f66a952536ffed4e401d05a',
  'data/task1/raw',
)

type Language = 'en' | 'de' | 'fr'

/** Bytes and SHA-256 of `train.en.gz` and so on. */
const CAPTIONS = {
  train: {
    en: [568_929, 'd79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f'],
    de: [637_044, '726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6'],
    fr: [604_242, '622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c'],
  },
  val: {
    en: [21_650, '14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28'],
    de: [24_681, 'f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a'],
    fr: [23_001, 'ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9'],
  },
  test_2016_flickr: {
    en: [21_077, '611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9'],
    de: [22_890, '9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8'],
    fr: [22_310, '6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90'],
  },
  test_2017_flickr: {
    en: [19_138, '76a444ee25172e72695cddb13ae4a3bda59430617be88e0bb46b60504f054074'],
    de: [21_471, 'a2c89666db00c495cd8513b9d708d5a3acc205d7de312ef2bf5fb7ebc1540aee'],
    fr: [20_434, '3ba671ceb2299f3304ffafefea7a833d08632fbaf0ba18546f8a2ec2391af496'],
  },
  test_2017_mscoco: {
    en: [8_844, 'aab300bfb4427697987e02cd0aacd44bfe8aa50456231b6474c08038bbed2b58'],
    de: [10_230, '799e4854c25d601cb6cb6be29eabe5667734c61ace2f495e03e429031a0bc338'],
    fr: [9_751, '754f3072ba9f124569ba5258b32730fc1d214bbf8e0c6dfb2b74401676220db0'],
  },
} as const satisfies Record<string, Record<Language, readonly [bytes: number, sha256: string]>>

const CAPTION_SPLITS = {
  train: 'train',
  validation: 'val',
  test: 'test_2016_flickr',
  test_2017_flickr: 'test_2017_flickr',
  test_2017_mscoco: 'test_2017_mscoco',
} as const

/** Settings of {@link multi30k}. */
export interface Multi30kOptions {
  /** `test` is that of 2016. */
  readonly split: keyof typeof CAPTION_SPLITS
  readonly source: Language
  readonly target: Language
}

/**
 * Descriptions of pictures in English, German and French: Multi30k, task 1, as its authors split it.
 *
 * 29,000, 1,014 and 1,000 pairs, not tokenised. Elliott et al. 2016, arXiv:1605.00459; 2017 for French and the later tests.
 *
 * @param from where the files come from: `downloads()` or `folder(path)` of `@heed/datasets/node`, or {@link fetched}
 */
export async function multi30k(
  from: Shelf,
  { split, source, target }: Multi30kOptions,
): Promise<Dataset<TextPair>> {
  const part = CAPTION_SPLITS[oneOf('multi30k', 'split', split, Object.keys(CAPTION_SPLITS) as never)]
  if (source === target) throw new ConfigError(`multi30k: both languages are ${source}; name two`)
  const files = [source, target].map(language => {
    oneOf('multi30k', 'language', language, ['en', 'de', 'fr'])
    const [bytes, sha256] = CAPTIONS[part][language]
    return captions(`${part}.${language}.gz`, bytes, sha256)
  }) as [DataFile, DataFile]
  const [sources, targets] = (await Promise.all(
    files.map(async file => linesOf(await gunzip(await take(from, file), file.name), file.name)),
  )) as [string[], string[]]
  if (sources.length !== targets.length)
    throw new FormatError(
      `multi30k: ${sources.length} lines in ${source}, ${targets.length} in ${target}; fetch the files again`,
    )
  return stored(
    {
      name: `multi30k ${source}-${target}, ${split}`,
      task: 'translate the description of a picture',
      source: 'github.com/multi30k/dataset, data/task1/raw, commit a3d2e0d',
      licence: 'none stated; descriptions of Flickr30k, for research; cite Elliott et al. 2016',
      checksum: await checksumFor(...files),
      notes: ['one of the 1,014 English sentences of validation is also in train'],
    },
    sources.map((line, i) => ({ source: line, target: targets[i] as string })),
  )
}

/** Settings of {@link tatoeba}. */
export interface TatoebaOptions extends PartOptions {
  readonly target: 'fra' | 'deu'
}

const TATOEBA: Readonly<Record<TatoebaOptions['target'], readonly DataFile[]>> = {
  fra: [
    {
      set: 'tatoeba-eng-fra',
      name: 'fra.tsv',
      urls: [],
      bytes: 10_009_515,
      sha256: '2546838ae46e0eac4c02ab7032ea0a02a006074a5340077a36a9444f41e02888',
    },
    {
      set: 'tatoeba-eng-fra',
      name: 'fra-eng.zip',
      urls: [
        'https://raw.githubusercontent.com/genimind/seq2seq/4f3f8eb0adde54fcc8b89394336b002e7961244c/fra-eng.zip',
        'https://cdn.jsdelivr.net/gh/genimind/seq2seq@4f3f8eb0adde54fcc8b89394336b002e7961244c/fra-eng.zip',
      ],
      bytes: 2_951_390,
      sha256: '16c4f7d0df9e7c5e6c54cdb0447f3f4a18a55052ff5e2e0b27dd4a06c0e49d04',
    },
  ],
  deu: [
    {
      set: 'tatoeba-eng-deu',
      name: 'deu.tsv',
      urls: [],
      bytes: 2_138_358,
      sha256: 'fd7636e4f85ae5414c7f0c2dcb5992a1fcb110404fd7e2526b746553273d0510',
    },
    /* @__PURE__ */ github(
      'tatoeba-eng-deu',
      'DarrenCarvalho/Language-Translation',
      'a30fc3ec31687d0ed561047a9c7d7fdb5915f89c',
      'data',
    )('deu.txt', 2_188_364, 'ad109252de3e35f8ec8030669ccddf6ee2f5cc1656c1928468e175233c01eb1d'),
  ],
}

/**
 * Short English sentences with French or German ones by the volunteers of Tatoeba, in the editions of ManyThings.
 *
 * 142,787 French pairs, 50,001 German ones (the shortest of the set). One English sentence has several translations, so
 * the parts are divided by it; the order is that of the file, by length.
 *
 * @param from where the files come from, as for {@link multi30k}
 */
export async function tatoeba(from: Shelf, { target, ...part }: TatoebaOptions): Promise<Dataset<TextPair>> {
  oneOf('tatoeba', 'target', target, ['fra', 'deu'])
  const { file, bytes } = await takeFirst(from, TATOEBA[target])
  const text = file.name.endsWith('.zip')
    ? [...(await unzip(bytes, name => /(^|\/)fra\.txt$/.test(name), file.name)).values()][0]
    : bytes
  const rows = cellsOf(text as Uint8Array, 2, file.name)
  if (file.name === 'deu.txt') rows.shift() // a header, `1` and `2`
  const pairs = rows.map(([source, target]) => ({ source: source as string, target: target as string }))
  return stored(
    {
      name: `tatoeba eng-${target}, ${part.split}`,
      task: 'translate a short sentence',
      source: 'manythings.org/anki and tatoeba.org, edition of 2017-09-29',
      licence: 'CC BY 2.0 FR; name manythings.org/anki and tatoeba.org',
      checksum: await checksumFor(file),
      notes: [
        'several translations of one sentence: score against all of them',
        'sorted by length: shuffle before taking some',
        'French has four kinds of space before punctuation: normalizeText',
      ],
    },
    partOf(pairs, part, ({ source }) => source, 'tatoeba'),
  )
}

/** Settings of {@link concatenated}. */
export interface ConcatenatedOptions {
  readonly seed: number
  /** Number of examples. */
  readonly size: number
  /** The fewest pairs of one example; 1 unless given. */
  readonly minPairs?: number
  /** The most pairs of one example. */
  readonly maxPairs: number
}

/**
 * Several pairs of a dataset as one, source behind source and target behind target: long texts out of short ones, for the
 * quality by length (Bahdanau et al. 2015, figure 2). Numbers of pairs from the fewest to the most come equally often; a pair
 * occurs once in an example.
 *
 * @throws ConfigError if a number makes no sense
 */
export function concatenated(
  dataset: Dataset<TextPair>,
  { seed, size, minPairs = 1, maxPairs }: ConcatenatedOptions,
): Dataset<TextPair> {
  if (
    ![minPairs, maxPairs].every(Number.isInteger) ||
    minPairs < 1 ||
    maxPairs < minPairs ||
    maxPairs > dataset.length
  )
    throw new ConfigError(
      `concatenated: ${minPairs} to ${maxPairs} of ${dataset.length} pairs make no sense; use for example minPairs 1, maxPairs 4`,
    )
  const { card } = dataset
  const stream = new Rng(seed).split('concatenated')
  return generated(
    { ...card, name: `${card.name}, ${minPairs} to ${maxPairs} in one`, sizes: { examples: size } },
    size,
    index => {
      const rng = stream.split(index)
      const chosen = new Set<number>()
      while (chosen.size < minPairs + (index % (maxPairs - minPairs + 1))) chosen.add(rng.int(dataset.length))
      const pairs = Array.from(chosen, i => dataset.at(i))
      return {
        source: pairs.map(({ source }) => source).join(' '),
        target: pairs.map(({ target }) => target).join(' '),
      }
    },
  )
}
