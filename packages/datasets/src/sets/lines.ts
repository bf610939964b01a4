import { ConfigError, FormatError } from '@heed/core-tensor'
import type { LabelledText, Split } from '../dataset.ts'
import { checksumOf, type DataFile } from '../download/file.ts'
import { decodeUtf8 } from '../files/decode.ts'
import { listed } from '../files/rows.ts'
import { splitOf } from '../split.ts'

/** Which part of a set without official ones: all, or what {@link splitOf} puts there. */
export interface PartOptions {
  readonly split: Split | 'all'
  /** Decides on the parts; 0 unless given. */
  readonly seed?: number
}

/** The lines of a file without the line ends. @throws FormatError unless it is UTF-8 */
export function linesOf(bytes: Uint8Array, where: string): string[] {
  return decodeUtf8(bytes, where)
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
}

/** The cells of each line of tab-separated text. @throws FormatError naming the lines of another width */
export function cellsOf(bytes: Uint8Array, width: number, where: string): string[][] {
  const rows = linesOf(bytes, where).map(line => line.split('\t'))
  const wrong = rows.flatMap((row, i) => (row.length === width ? [] : [`line ${i + 1} has ${row.length}`]))
  if (wrong.length)
    throw new FormatError(
      `${where}: ${width} columns are expected, ${listed(wrong)}; it is damaged or another edition`,
    )
  return rows
}

/** The word that a code stands for. @throws FormatError if it stands for none */
export function labelFor(labels: Readonly<Record<string, string>>, code: string, where: string): string {
  const label = Object.hasOwn(labels, code) ? labels[code] : undefined
  if (label === undefined)
    throw new FormatError(
      `${where}: unknown label ${JSON.stringify(code)}, there are ${Object.keys(labels).join(', ')}; it is another edition`,
    )
  return label
}

/** Those of the split, by their text. @throws ConfigError if the split is unknown */
export function partOf<Example>(
  all: readonly Example[],
  { split, seed = 0 }: PartOptions,
  textOf: (example: Example) => string,
  where: string,
): Example[] {
  if (split === 'all') return [...all]
  oneOf(where, 'split', split, ['train', 'validation', 'test'])
  return all.filter(example => splitOf(seed, textOf(example)) === split)
}

/** Each text once, at its first place. */
export function withoutRepeats<Example extends LabelledText>(all: readonly Example[]): Example[] {
  const seen = new Set<string>()
  return all.filter(({ text }) => !seen.has(text) && seen.add(text))
}

/** @throws ConfigError unless the value is one of the choices */
export function oneOf<Choice extends string>(
  where: string,
  option: string,
  value: Choice,
  choices: readonly Choice[],
): Choice {
  if (!choices.includes(value))
    throw new ConfigError(`${where}: unknown ${option} ${String(value)}; use ${choices.join(', ')}`)
  return value
}

/** The checksum for the card of a set that is read from these files. */
export async function checksumFor(...files: readonly DataFile[]): Promise<string> {
  const sums = files.map(file => checksumOf(file)?.[1] ?? '')
  if (sums.length === 1) return sums[0] as string
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(sums.join('\n')))
  return Array.from(new Uint8Array(digest), byte => byte.toString(16).padStart(2, '0')).join('')
}
