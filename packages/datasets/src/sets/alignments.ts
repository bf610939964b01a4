import { FormatError } from '@heed/core-tensor'
import { type Dataset, type Links, stored, type TextPair } from '../dataset.ts'
import { github, type Shelf, take } from '../download/file.ts'
import { listed } from '../files/rows.ts'
import { checksumFor, linesOf, oneOf } from './lines.ts'

/** A pair of sentences, cut into words by spaces, whose words people have aligned. */
export interface GoldPair extends TextPair {
  /** Links that have to be found. */
  readonly sure: Links
  /** Links that may be found, the sure ones among them. */
  readonly possible: Links
}

const aligned = /* @__PURE__ */ github(
  'word-alignments',
  'neulab/awesome-align',
  '5f150d45bbe51e167daf0a84abebaeb07c3323d1',
  'examples',
)

const PAIRS = {
  enfr: {
    task: 'align English and French words of parliament debates',
    sentences: [82_330, '19d56c3de3634ab8420d553df4d9dfd849502b18225f1599382e98a6de9cfc72'],
    gold: [86_961, '0a11b51cba8a92a7608fb00884cb3cf50fe0fcc4e4aa92d70624fd11451c4ddd'],
  },
  roen: {
    task: 'align Romanian and English words',
    sentences: [61_253, 'e3ae360038e44813c27ebd470e359bf2d2a2a10e4697129060b3cbafbd2742a7'],
    gold: [32_439, '12c3ae50f32817ce27edbd272c90b91ac8156823505d25ecd34266804ed65b10'],
  },
  zhen: {
    task: 'align Chinese and English words',
    sentences: [155_611, '2a35fb66ad1631587cd00fbd11255dd9a8f4c11413b90aaa10f20d7f1a1cd9a9'],
    gold: [61_315, '39e4de909481013653a9bf2b3b0520d9b75c728eff4ff769bd8d11f9cc703a5d'],
  },
  jaen: {
    task: 'align Japanese and English words of articles about Kyoto',
    sentences: [143_992, '64471c1189a30979966078c1172e264558d2aefb376553f7fb1a629d585f5a18'],
    gold: [72_330, '05cace5aad9ee118dca8f73d9a98434c80fa5d6531e83a2b27b16057b583afa6'],
  },
} as const

/** Settings of {@link wordAlignments}. */
export interface WordAlignmentsOptions {
  /** The first two letters are the source. */
  readonly pair: keyof typeof PAIRS
}

/**
 * Sentence pairs with word alignments made by people: 447 English-French (Och and Ney 2000), 248 Romanian-English, 450
 * Chinese-English and 582 Japanese-English pairs. All of it is for testing. Numbers of words count from 0 here.
 *
 * Six links of `jaen` point one word past the end of a sentence; they are left out.
 *
 * @param from where the files come from, as for {@link multi30k}
 * @throws FormatError if sentences and links are not of one set
 */
export async function wordAlignments(
  from: Shelf,
  { pair }: WordAlignmentsOptions,
): Promise<Dataset<GoldPair>> {
  const { task, sentences, gold } =
    PAIRS[oneOf('word alignments', 'pair', pair, ['enfr', 'roen', 'zhen', 'jaen'])]
  const text = aligned(`${pair}.src-tgt`, sentences[0], sentences[1])
  const links = aligned(`${pair}.gold`, gold[0], gold[1])
  const lines = linesOf(await take(from, text), text.name)
  const golds = parseAlignments(await take(from, links), { base: 1, name: links.name })
  if (golds.length !== lines.length)
    throw new FormatError(
      `word alignments: ${lines.length} sentences, but links of ${golds.length}; fetch the files again`,
    )
  let beyond = 0
  const pairs = lines.map((line, i): GoldPair => {
    const [source, target, ...more] = line.split(' ||| ').map(half => half.trim().split(/\s+/))
    if (!source || !target || more.length)
      throw new FormatError(
        `${text.name}: line ${i + 1} is not two sentences with ||| between; it is damaged`,
      )
    const within = (all: Links): Links => {
      const good = all.filter(([from, to]) => from < source.length && to < target.length)
      beyond += all.length - good.length
      return good
    }
    const { sure, possible } = golds[i] as Alignment
    return {
      source: source.join(' '),
      target: target.join(' '),
      sure: within(sure),
      possible: within(possible),
    }
  })
  return stored(
    {
      name: `word alignments ${pair}`,
      task,
      source: 'github.com/neulab/awesome-align, examples, commit 5f150d4',
      licence: 'for research; the repository is BSD-3-Clause, jaen is CC BY-SA 3.0',
      checksum: await checksumFor(text, links),
      sizes: { examples: pairs.length, 'sure links': pairs.reduce((sum, { sure }) => sum + sure.length, 0) },
      notes: beyond ? ['links past the end of a sentence are left out'] : [],
    },
    pairs,
  )
}

/** The links of one sentence pair. */
export interface Alignment {
  readonly sure: Links
  /** The sure links among them. */
  readonly possible: Links
}

/**
 * Links as aligners write them, a sentence pair a line: `0-0 1-2` for sure links, `1p2` for possible ones.
 *
 * `base` is the number of the first word: 0 for the output of aligners, 1 for most gold files.
 *
 * @throws FormatError naming what is no link
 */
export function parseAlignments(
  content: Uint8Array | string,
  { base, name = 'alignments' }: { readonly base: 0 | 1; readonly name?: string },
): Alignment[] {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const wrong: string[] = []
  const found = linesOf(bytes, name).map((line, i) => {
    const sure: [number, number][] = []
    const possible: [number, number][] = []
    for (const written of line.trim().split(/\s+/)) {
      if (!written) continue
      const [, from, kind, to] = /^(\d+)([-p])(\d+)$/.exec(written) ?? []
      const link: [number, number] = [Number(from) - base, Number(to) - base]
      if (!kind || link[0] < 0 || link[1] < 0) {
        wrong.push(`${JSON.stringify(written)} in line ${i + 1}`)
        continue
      }
      if (kind === '-') sure.push(link)
      possible.push(link)
    }
    return { sure, possible }
  })
  if (wrong.length)
    throw new FormatError(`${name}: no link is ${listed(wrong)}; write i-j or ipj with numbers from ${base}`)
  return found
}
