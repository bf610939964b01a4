import { ConfigError } from '@heed/core-tensor'

/** How well one class was found, or the mean of several. */
export interface ClassScore {
  /** The share of what was said to be it that is; 0 where nothing was. */
  readonly precision: number
  /** The share of what is it that was found; 0 where nothing is. */
  readonly recall: number
  /** Their harmonic mean. */
  readonly f1: number
  /** How many there are. */
  readonly support: number
}

/** Scores of all classes, and their means: over cases, over classes, over classes by their support. */
export interface Classification {
  /** The share of rows that are right, to the last label. */
  readonly accuracy: number
  readonly classes: readonly ClassScore[]
  readonly micro: ClassScore
  readonly macro: ClassScore
  readonly weighted: ClassScore
}

/**
 * Precision, recall and F1 of one class for each row, as scikit-learn's `precision_recall_fscore_support` counts them.
 *
 * @param classes how many there are; those up to the largest number unless given
 * @throws ConfigError if the lists differ in length or a class is beyond the last
 */
export function classification(
  predicted: ArrayLike<number>,
  wanted: ArrayLike<number>,
  classes: number = 1 + Math.max(-1, ...Array.from(predicted), ...Array.from(wanted)),
): Classification & {
  /** `[wanted][predicted]` → how many rows */ readonly confusion: readonly (readonly number[])[]
} {
  same('classification', predicted.length, wanted.length)
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (let i = 0; i < wanted.length; i++) {
    const [p, w] = [predicted[i] as number, wanted[i] as number]
    const row = confusion[w]
    if (!row || row[p] === undefined)
      throw new ConfigError(
        `classification: row ${i} has class ${row ? p : w}, there are ${classes}; use whole numbers from 0`,
      )
    row[p]++
  }
  const tallies = confusion.map((row, c): Tally => {
    const found = confusion.reduce((sum, other) => sum + (other[c] as number), 0)
    return { right: row[c] as number, found, wanted: row.reduce((a, b) => a + b, 0) }
  })
  const right = tallies.reduce((sum, tally) => sum + tally.right, 0)
  return { ...means(tallies), accuracy: wanted.length ? right / wanted.length : 0, confusion }
}

/**
 * Precision, recall and F1 of any number of labels for each row, 0 or 1 each.
 *
 * @param predicted `[rows][labels]`
 * @throws ConfigError if shapes differ
 */
export function multiLabelClassification(
  predicted: readonly ArrayLike<number>[],
  wanted: readonly ArrayLike<number>[],
): Classification {
  same('multiLabelClassification', predicted.length, wanted.length)
  const labels = wanted[0]?.length ?? 0
  const tallies = Array.from({ length: labels }, (): Tally => ({ right: 0, found: 0, wanted: 0 }))
  let exact = 0
  for (const [i, row] of wanted.entries()) {
    const said = predicted[i] as ArrayLike<number>
    same(`multiLabelClassification: row ${i}`, said.length, labels)
    let all = true
    for (const [c, tally] of tallies.entries()) {
      const [p, w] = [Number(Boolean(said[c])), Number(Boolean(row[c]))]
      tally.right += p * w
      tally.found += p
      tally.wanted += w
      all &&= p === w
    }
    exact += Number(all)
  }
  return { ...means(tallies), accuracy: wanted.length ? exact / wanted.length : 0 }
}

interface Tally {
  right: number
  found: number
  wanted: number
}

function means(tallies: readonly Tally[]): Omit<Classification, 'accuracy'> {
  const classes = tallies.map(score)
  const support = classes.reduce((sum, c) => sum + c.support, 0)
  const mean = (weight: (c: ClassScore) => number): ClassScore => {
    const of = (part: 'precision' | 'recall' | 'f1'): number =>
      classes.reduce((sum, c) => sum + weight(c) * c[part], 0)
    return { precision: of('precision'), recall: of('recall'), f1: of('f1'), support }
  }
  const sum = (part: keyof Tally): number => tallies.reduce((all, tally) => all + tally[part], 0)
  return {
    classes,
    micro: score({ right: sum('right'), found: sum('found'), wanted: sum('wanted') }),
    macro: mean(() => 1 / Math.max(1, classes.length)),
    weighted: mean(c => (support ? c.support / support : 0)),
  }
}

function score({ right, found, wanted }: Tally): ClassScore {
  const precision = found ? right / found : 0
  const recall = wanted ? right / wanted : 0
  return {
    precision,
    recall,
    f1: right ? (2 * precision * recall) / (precision + recall) : 0,
    support: wanted,
  }
}

function same(where: string, predicted: number, wanted: number): void {
  if (predicted !== wanted)
    throw new ConfigError(`${where}: ${predicted} predictions and ${wanted} wanted; give one for each`)
}
