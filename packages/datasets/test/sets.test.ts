import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError, FormatError } from '@heed/core-tensor'
import { strToU8, zipSync } from 'fflate'
import { createTarGzip } from 'nanotar'
import { describe, expect, it, type TestContext } from 'vitest'
import {
  concatenated,
  type DataFile,
  type Dataset,
  type DatasetCard,
  examples,
  goEmotions,
  imdb,
  imdbShort,
  longReviews,
  multi30k,
  parseAlignments,
  type Shelf,
  sentencePolarity,
  sst2,
  tatoeba,
  tinyShakespeare,
  tweetEval,
  tweetSentiment,
  wordAlignments,
} from '../src/index.ts'
import { folder } from '../src/node/index.ts'
import { dataFolder } from './data.ts'

function count<T>(dataset: Dataset<T>, fits: (example: T) => boolean): number {
  return examples(dataset).filter(fits).length
}

function checkCard(card: DatasetCard): void {
  for (const text of [card.name, card.task, card.source, card.licence]) expect(text).toMatch(/\w{3}/)
  expect(card.checksum).toMatch(/^[0-9a-f]{64}$/)
}

const shelf = (ctx: TestContext): Shelf => folder(dataFolder(ctx))

// Counts as in the READMEs of the data; theirs of distinct English sentences of eng-deu, 37,679, is one too many.
describe('real sets, with the counts of their READMEs', () => {
  it('multi30k', async ctx => {
    const from = shelf(ctx)
    const test = await multi30k(from, { split: 'test', source: 'de', target: 'en' })
    expect(test.length).toBe(1000)
    checkCard(test.card)
    const train = await multi30k(from, { split: 'train', source: 'en', target: 'fr' })
    expect(train.length).toBe(29_000)
    expect(train.at(0)).toEqual({
      source: 'Two young, White males are outside near many bushes.',
      target: 'Deux jeunes hommes blancs sont dehors près de buissons.',
    })
    for (const split of ['validation', 'test_2017_flickr', 'test_2017_mscoco'] as const)
      expect((await multi30k(from, { split, source: 'en', target: 'de' })).length).toBe(
        { validation: 1014, test_2017_flickr: 1000, test_2017_mscoco: 461 }[split],
      )
    const long = concatenated(test, { seed: 1, size: 40, maxPairs: 4 })
    expect(
      examples(long).map(({ source }) => (source.match(/[.!?](?= |$)/g) ?? []).length > 0),
    ).not.toContain(false)
    const parts = new Set(examples(test).map(({ target }) => target))
    expect([...parts].filter(target => long.at(3).target.includes(target)).length).toBeGreaterThanOrEqual(4)
  })

  it('tatoeba', async ctx => {
    const all = await tatoeba(shelf(ctx), { target: 'deu', split: 'all' })
    expect([all.length, new Set(examples(all).map(({ source }) => source)).size]).toEqual([50_001, 37_678])
    checkCard(all.card)
    const [train, test] = (await Promise.all(
      (['train', 'test'] as const).map(split => tatoeba(shelf(ctx), { target: 'deu', split, seed: 3 })),
    )) as [typeof all, typeof all]
    const trained = new Set(examples(train).map(({ source }) => source))
    expect(count(test, ({ source }) => trained.has(source))).toBe(0)
    expect(Math.abs(train.length / all.length - 0.8)).toBeLessThan(0.02)
    expect((await tatoeba(shelf(ctx), { target: 'fra', split: 'all' })).length).toBe(142_787)
  })

  it('sst2', async ctx => {
    const sizes = { train: [6920, 3610], validation: [872, 444], test: [1821, 909] }
    for (const split of ['train', 'validation', 'test'] as const) {
      const part = await sst2(shelf(ctx), { split })
      expect([part.length, count(part, ({ label }) => label === 'positive')]).toEqual(sizes[split])
      checkCard(part.card)
    }
  })

  it('sentence polarity', async ctx => {
    const all = await sentencePolarity(shelf(ctx), { split: 'all' })
    expect([all.length, count(all, ({ label }) => label === 'positive')]).toEqual([10_662, 5331])
    const parts = await Promise.all(
      (['train', 'validation', 'test'] as const).map(split => sentencePolarity(shelf(ctx), { split })),
    )
    expect(parts.reduce((sum, { length }) => sum + length, 0)).toBe(10_662)
    for (const part of parts)
      expect(count(part, ({ label }) => label === 'positive') / part.length).toBeCloseTo(0.5, 1)
  })

  it('long reviews', async ctx => {
    const all = await longReviews(shelf(ctx), { split: 'all' })
    expect([
      all.length,
      count(all, ({ label }) => label === 'positive'),
      count(all, ({ fold }) => fold === 9),
    ]).toEqual([2000, 1000, 200])
    const lengths = examples(all)
      .map(({ text }) => text.split(/\s+/).length)
      .sort((a, b) => a - b)
    expect([lengths[0], lengths[1000], lengths.at(-1)]).toEqual([17, 697, 2678])
    checkCard(all.card)
  })

  it('short imdb reviews, each text once', async ctx => {
    const all = await imdbShort(shelf(ctx), { split: 'all' })
    expect(all.length).toBe(6017 - 58)
    expect(new Set(examples(all).map(({ text }) => text)).size).toBe(all.length)
  })

  it('tweets', async ctx => {
    const all = await tweetSentiment(shelf(ctx), { split: 'all' })
    expect([all.length, count(all, ({ label }) => label === 'neutral')]).toEqual([27_485, 11_117])
    expect(count(all, ({ text, rationale }) => !text.includes(rationale))).toBe(0)
    const binary = await tweetSentiment(shelf(ctx), { split: 'all', binary: true })
    expect([binary.length, binary.card.labels]).toEqual([16_368, ['negative', 'positive']])
    const sentiment = await tweetEval(shelf(ctx), { task: 'sentiment', split: 'test' })
    expect(
      ['negative', 'neutral', 'positive'].map(one => count(sentiment, ({ label }) => label === one)),
    ).toEqual([3972, 5937, 2375])
    const emotion = await tweetEval(shelf(ctx), { task: 'emotion', split: 'train' })
    expect([emotion.length, emotion.card.labels]).toEqual([3257, ['anger', 'joy', 'optimism', 'sadness']])
    checkCard(emotion.card)
  })

  it('goemotions', async ctx => {
    const sizes = { train: [43_410, 7102], validation: [5426, 878], test: [5427, 837] }
    for (const split of ['train', 'validation', 'test'] as const) {
      const part = await goEmotions(shelf(ctx), { split })
      expect([part.length, count(part, ({ labels }) => labels.length > 1)]).toEqual(sizes[split])
      checkCard(part.card)
    }
    const names = (await readFile(dataFolder(ctx, 'goemotions/labels.txt'), 'utf8')).trim().split('\n')
    expect((await goEmotions(shelf(ctx), { split: 'test' })).card.labels).toEqual(names)
  })

  it('gold word alignments, and the error rates that others publish for their aligners', async ctx => {
    const sizes = { enfr: [447, 4038, 13_400], roen: [248, 6198, 0], zhen: [450, 11_238, 178] }
    for (const pair of ['enfr', 'roen', 'zhen'] as const) {
      const gold = await wordAlignments(shelf(ctx), { pair })
      const total = (of: 'sure' | 'possible') => examples(gold).reduce((sum, one) => sum + one[of].length, 0)
      expect([gold.length, total('sure'), total('possible') - total('sure')]).toEqual(sizes[pair])
      checkCard(gold.card)
    }
    const rows = (await readFile(dataFolder(ctx, 'word-alignments/reference-aer.tsv'), 'utf8'))
      .trim()
      .split('\n')
      .slice(1)
    for (const row of rows) {
      const [pair, name, aer] = row.split('\t') as ['enfr', string, string]
      const { gunzipSync } = await import('node:zlib')
      const found = parseAlignments(
        gunzipSync(await readFile(join(dataFolder(ctx, 'word-alignments'), name))),
        { base: 0, name },
      )
      const gold = await wordAlignments(shelf(ctx), { pair })
      let [hits, all] = [0, 0]
      for (const [i, { sure, possible }] of examples(gold).entries()) {
        const set = (links: typeof sure) => new Set(links.map(String))
        const [s, p, links] = [set(sure), set(possible), set(found[i]?.sure ?? [])]
        for (const link of links) hits += Number(s.has(link)) + Number(p.has(link))
        all += links.size + s.size
      }
      // of jaen, six sure links past the end are left out of 13,562
      expect(Math.abs(1 - hits / all - Number(aer)), row).toBeLessThan(
        pair === ('jaen' as string) ? 3e-4 : 1e-6,
      )
    }
  })

  it('tiny shakespeare', async ctx => {
    const [train, validation] = [
      await tinyShakespeare(shelf(ctx), { split: 'train' }),
      await tinyShakespeare(shelf(ctx), { split: 'validation' }),
    ]
    expect([train.at(0).length, validation.at(0).length]).toEqual([1_003_854, 111_540])
    expect(train.at(0).slice(0, 13)).toBe('First Citizen')
    checkCard(train.card)
  })
})

/** A shelf with these files alone, in the form in which the public addresses give them; checks nothing. */
function original(files: Readonly<Record<string, Uint8Array | string>>): Shelf & { asked: string[] } {
  const asked: string[] = []
  return Object.assign(
    async (file: DataFile) => {
      asked.push(file.name)
      const found = files[file.name]
      return typeof found === 'string' ? strToU8(found) : found
    },
    { asked },
  )
}

describe('the public form of a set', () => {
  it('tatoeba: a zip archive, and text with a header', async () => {
    const french = original({
      'fra-eng.zip': zipSync({
        '_about.txt': strToU8('x'),
        'fra.txt': strToU8('Go.\tVa !\nRun!\tCours !\n'),
      }),
    })
    expect(examples(await tatoeba(french, { target: 'fra', split: 'all' }))).toEqual([
      { source: 'Go.', target: 'Va !' },
      { source: 'Run!', target: 'Cours !' },
    ])
    const german = original({ 'deu.txt': '1\t2\r\nGo.\tGeh.\r\n' })
    expect(examples(await tatoeba(german, { target: 'deu', split: 'all' }))).toEqual([
      { source: 'Go.', target: 'Geh.' },
    ])
  })

  it('reviews: archives of one file a label or a review', async () => {
    const polarity = zipSync({
      'sentence_polarity/': new Uint8Array(),
      'sentence_polarity/rt-polarity.pos': strToU8('good .\nfine . \n'),
      'sentence_polarity/rt-polarity.neg': strToU8('bad .\n'),
    })
    expect(
      examples(await sentencePolarity(original({ 'sentence_polarity.zip': polarity }), { split: 'all' })),
    ).toEqual([
      { text: 'bad .', label: 'negative' },
      { text: 'good .', label: 'positive' },
      { text: 'fine .', label: 'positive' },
    ])
    const reviews = zipSync({
      'movie_reviews/README': strToU8('x'),
      'movie_reviews/neg/cv123_4567.txt': strToU8('bad . \n'),
      'movie_reviews/pos/cv999_1.txt': strToU8('good .'),
    })
    expect(examples(await longReviews(original({ 'movie_reviews.zip': reviews }), { split: 'all' }))).toEqual(
      [
        { text: 'bad .', label: 'negative', fold: 1 },
        { text: 'good .', label: 'positive', fold: 9 },
      ],
    )
    const tar = await createTarGzip(
      ['train/pos/2_9', 'train/neg/0_3', 'train/unsup/1_0', 'test/pos/0_7'].map(name => ({
        name: `aclImdb/${name}.txt`,
        data: strToU8(`${name} text`),
      })),
    )
    expect(examples(await imdb(original({ 'aclImdb_v1.tar.gz': tar }), { split: 'train' }))).toEqual([
      { text: 'train/neg/0_3 text', label: 'negative' },
      { text: 'train/pos/2_9 text', label: 'positive' },
    ])
    const csv =
      'review,sentiment,sent_len\n"A ""fine""\nfilm.",positive,3\nBad.,negative,1\nBad.,negative,1\n'
    expect(examples(await imdbShort(original({ 'imdb_reviews.csv': csv }), { split: 'all' }))).toEqual([
      { text: 'A "fine" film.', label: 'positive' },
      { text: 'Bad.', label: 'negative' },
    ])
  })

  it('tweets: texts and labels in two files, and a table', async () => {
    const files = original({ 'val_text.txt': 'so glad \nso sad\n', 'val_labels.txt': '1\n3\n' })
    expect(examples(await tweetEval(files, { task: 'emotion', split: 'validation' }))).toEqual([
      { text: 'so glad', label: 'joy' },
      { text: 'so sad', label: 'sadness' },
    ])
    const csv =
      'textID,text,selected_text,sentiment\na,"so, glad",glad,positive\nb,,,neutral\nc,"two\nlines",two,neutral\n'
    expect(examples(await tweetSentiment(original({ 'train.csv': csv }), { split: 'all' }))).toEqual([
      { text: 'so, glad', label: 'positive', rationale: 'glad' },
      { text: 'two lines', label: 'neutral', rationale: 'two' },
    ])
    const short = original({ 'val_text.txt': 'so glad\n', 'val_labels.txt': '1\n3\n' })
    await expect(tweetEval(short, { task: 'emotion', split: 'validation' })).rejects.toThrow(
      '1 texts, but 2 labels',
    )
  })
})

describe('a set that cannot be read', () => {
  it.each([
    [
      () => sst2(original({}), { split: 'test' }),
      'sst2: test.tsv is not there; put it into the folder, or let it be downloaded from https://raw.',
    ],
    [
      () => sst2(original({ 'test.tsv': 'good\n' }), { split: 'test' }),
      'test.tsv: 2 columns are expected, line 1 has 1',
    ],
    [
      () => sst2(original({ 'test.tsv': 'good\t2\n' }), { split: 'test' }),
      'test.tsv: unknown label "2", there are 0, 1',
    ],
    [
      () => goEmotions(original({ 'dev.tsv': 'good\t1,28\tx\n' }), { split: 'validation' }),
      'dev.tsv: emotions are 0 to 27, line 1 has 1,28',
    ],
    [
      () => longReviews(original({ 'movie_reviews.jsonl': '{"text":"a"}' }), { split: 'all' }),
      'movie_reviews.jsonl: line 1 lacks text, label or fold',
    ],
    [
      () => longReviews(original({ 'movie_reviews.jsonl': 'a' }), { split: 'all' }),
      'movie_reviews.jsonl: line 1 is not JSON',
    ],
    [
      () => longReviews(original({ 'movie_reviews.zip': strToU8('no zip') }), { split: 'all' }),
      'movie_reviews.zip: not a zip file, or a damaged one',
    ],
    [
      () => longReviews(original({ 'movie_reviews.zip': zipSync({ x: strToU8('y') }) }), { split: 'all' }),
      'movie_reviews.zip: the zip file holds none of the files asked for',
    ],
    [
      () => imdb(original({ 'aclImdb_v1.tar.gz': strToU8('no gzip') }), { split: 'test' }),
      'aclImdb_v1.tar.gz: not a gzip file',
    ],
    [
      () =>
        wordAlignments(original({ 'enfr.src-tgt': 'a ||| b\n', 'enfr.gold': '1-1\n2-1\n' }), {
          pair: 'enfr',
        }),
      'word alignments: 1 sentences, but links of 2',
    ],
    [
      () => wordAlignments(original({ 'enfr.src-tgt': 'a b\n', 'enfr.gold': '1-1\n' }), { pair: 'enfr' }),
      'enfr.src-tgt: line 1 is not two sentences',
    ],
    [
      () =>
        wordAlignments(original({ 'enfr.src-tgt': 'a ||| b\n', 'enfr.gold': '0-1 x\n' }), { pair: 'enfr' }),
      'enfr.gold: no link is "0-1" in line 1, "x" in line 1',
    ],
  ])('says what is wrong, case %#', async (read, message) => {
    await expect(read()).rejects.toThrow(FormatError)
    await expect(read()).rejects.toThrow(message)
  })

  it.each([
    [
      () => sst2(original({}), { split: 'dev' as 'test' }),
      'sst2: unknown split dev; use train, validation, test',
    ],
    [
      () => multi30k(original({}), { split: 'test', source: 'de', target: 'de' }),
      'multi30k: both languages are de',
    ],
    [
      () => multi30k(original({}), { split: 'test', source: 'es' as 'de', target: 'de' }),
      'multi30k: unknown language es',
    ],
    [
      () => tweetEval(original({}), { task: 'sentiment', split: 'train' as 'test' }),
      'tweeteval sentiment: unknown split train; use validation, test',
    ],
    [
      () => sentencePolarity(original({ 'rt-polarity.tsv': 'neg\tbad\n' }), { split: 'half' as 'all' }),
      'sentence polarity: unknown split half',
    ],
  ])('says what to ask for, case %#', async (read, message) => {
    await expect(read()).rejects.toThrow(ConfigError)
    await expect(read()).rejects.toThrow(message)
  })

  it('leaves out links past the end of a sentence, and says so on the card', async () => {
    const files = original({ 'jaen.src-tgt': 'a b ||| c\n', 'jaen.gold': '1-1 2p1 3-1 1-2\n' })
    const gold = await wordAlignments(files, { pair: 'jaen' })
    expect(gold.at(0)).toEqual({
      source: 'a b',
      target: 'c',
      sure: [[0, 0]],
      possible: [
        [0, 0],
        [1, 0],
      ],
    })
    expect(gold.card.notes).toEqual(['links past the end of a sentence are left out'])
  })
})
