import { ConfigError, Rng } from '@heed/core-tensor'
import type { Split, TextPair } from './dataset.ts'

/** The sizes of the parts that are kept back from training. */
export interface SplitOptions {
  readonly seed: number
  /** A share (below 1) or a number of pairs; 0.1 unless given. */
  readonly validation?: number
  /** A share (below 1) or a number of pairs; 0.1 unless given. */
  readonly test?: number
}

/** Three parts of a dataset without a source sentence in common. */
export interface Parts<Pair> {
  readonly train: Pair[]
  readonly validation: Pair[]
  readonly test: Pair[]
}

/**
 * Divides pairs at random, all translations of one source sentence into the same part, each part in the order of the
 * input. Sources that differ only in spaces or Unicode form (NFC) are the same sentence. A part is filled up until it has
 * its size, so it can exceed it by the translations of one sentence.
 *
 * @throws ConfigError if a size makes no sense or nothing is left for a part
 */
export function splitBySource<Pair extends TextPair>(
  pairs: readonly Pair[],
  { seed, validation = 0.1, test = 0.1 }: SplitOptions,
): Parts<Pair> {
  const wanted = [
    wantedPairs('test', test, pairs.length),
    wantedPairs('validation', validation, pairs.length),
  ]
  const bySource = new Map<string, number[]>()
  for (const [i, { source }] of pairs.entries()) {
    const key = source.normalize('NFC').replace(/\s+/g, ' ').trim()
    const group = bySource.get(key)
    if (group) group.push(i)
    else bySource.set(key, [i])
  }
  const groups = [...bySource.values()]
  const order = new Rng(seed).split('split').permutation(groups.length)
  const parts: [number[], number[], number[]] = [[], [], []] // test, validation, train
  let filling = 0
  for (const at of order) {
    while (filling < 2 && (parts[filling] as number[]).length >= (wanted[filling] as number)) filling++
    for (const i of groups[at] as number[]) (parts[filling] as number[]).push(i)
  }
  const [inTest, inValidation, train] = parts.map(part =>
    part.sort((a, b) => a - b).map(i => pairs[i] as Pair),
  ) as [Pair[], Pair[], Pair[]]
  if (!train.length || (wanted[1] && !inValidation.length))
    throw new ConfigError(
      `split: ${pairs.length} pairs with ${groups.length} different source sentences do not suffice for three parts ` +
        `(validation ${validation}, test ${test}); give more pairs or make the parts smaller`,
    )
  return { train, validation: inValidation, test: inTest }
}

/** A share or a number of pairs, as a number of pairs; at least one unless none is asked for. */
function wantedPairs(name: string, size: number, total: number): number {
  if (!(size >= 0) || (size >= 1 && !Number.isInteger(size)))
    throw new ConfigError(
      `split: ${name} must be a share below 1 or a whole number of pairs, got ${size}; use for example 0.1`,
    )
  return size >= 1 || size === 0 ? size : Math.max(1, Math.round(size * total))
}

/**
 * The split that a text belongs to, by seed and text alone: 80 % of all texts are for training, 10 % each for validation
 * and test. So a set that has no official parts, or is generated, can be divided anywhere without comparing its parts.
 */
export function splitOf(seed: number, text: string): Split {
  const tenth = new Rng(seed).split('split of').split(text).int(10)
  return tenth === 0 ? 'test' : tenth === 1 ? 'validation' : 'train'
}

/** The fewest different texts that are divided between splits; of fewer, each split holds all. */
const FEW = 1000

/**
 * Draws until a text of the split comes.
 *
 * @param different how many different texts can come; if they are few, the first one is taken, whatever its split
 * @param textOf what must not occur in two splits
 */
export function drawOf<Draft>(
  { seed, split }: { readonly seed: number; readonly split: Split },
  different: number,
  draw: () => Draft,
  textOf: (draft: Draft) => string,
): Draft {
  let draft = draw()
  if (different < FEW) return draft
  // one in ten belongs: 500 draws fail once in 10²² examples
  for (let tries = 0; tries < 500; tries++) {
    if (splitOf(seed, textOf(draft)) === split) return draft
    draft = draw()
  }
  throw new ConfigError(
    `${split}: no text of this split among 500; use train, validation or test, and more different words`,
  )
}

/** Classes in turn, shuffled within each round: every `count` examples in a row hold each class once. */
export function balanced(rng: Rng, index: number, count: number): number {
  const round = rng.split('balance').split(Math.floor(index / count))
  return round.permutation(count)[index % count] as number
}
