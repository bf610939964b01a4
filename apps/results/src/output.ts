import { mkdirSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import type { DatasetCard } from '@heed/datasets'
import type { Interval } from '@heed/training'
import { writeAtomic } from '@heed/training/node'
import type { Spent } from './sitting.ts'

/** What a reader needs to know of a run: what was asked, on what, with what, for how long. */
export interface Manifest {
  readonly schema: 'heed-results/manifest-1'
  readonly recipe: string
  readonly command: string
  readonly settings: unknown
  readonly data: readonly Pick<DatasetCard, 'name' | 'source' | 'licence' | 'checksum'>[]
  readonly node: string
  readonly backend: string
  readonly threads: number
  readonly machine: string
  /** Of this sitting; what training took in all is in the results. */
  readonly sitting: Spent
  readonly finishedAt: string
}

/** What this process computes on. */
export function machine(): string {
  return `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`
}

/** Writes files of a recipe: objects as JSON, texts as they are. Each is whole or not there. */
export function writeResults(folder: string, files: Readonly<Record<string, unknown>>): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, content] of Object.entries(files))
    writeAtomic(
      join(folder, name),
      typeof content === 'string' ? `${content}\n` : `${JSON.stringify(content, null, 1)}\n`,
    )
}

/** `25.6 (24.1 to 27.0)` */
export function withInterval({ value, low, high }: Interval, digits = 1, factor = 1): string {
  const [v, l, h] = [value, low, high].map(x => (factor * x).toFixed(digits))
  return `${v} (${l} to ${h})`
}

/** `76.2 % (74.1 to 78.0)` */
export function percent({ value, low, high }: Interval): string {
  const [v, l, h] = [value, low, high].map(x => (100 * x).toFixed(1))
  return `${v} % (${l} to ${h})`
}

/** Rows under each other in columns, as Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map(row => (row[i] ?? '').length)))
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i] as number)).join(' | ')} |` // biome-ignore format: one line
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
