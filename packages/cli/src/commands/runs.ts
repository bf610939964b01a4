import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '@heed/core-tensor'
import type { Command } from 'commander'
import { z } from 'zod'
import { type AnyConfig, RunFolder, readJson } from '../run.ts'
import { duration, terminal } from '../screen.ts'
import { percent, table } from '../words.ts'

const EXAMPLES = `
Examples:
  heed runs
      all runs in runs/, the newest last
  heed runs runs/tweets-20260301-101500 runs/tweets-20260301-102000
      what two runs differ in, and what came out
  heed runs --json
      one JSON object a line: name, task, configuration, results`

/** Adds `heed runs`. */
export function addRuns(program: Command): void {
  program
    .command('runs')
    .description('list runs, or compare some')
    .argument('[run...]', 'folders of runs to compare; all of --out are listed if none is given')
    .option('--out <folder>', 'where runs are kept', 'runs')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], options: { readonly out: string; readonly json?: boolean }) => {
      const { print } = terminal()
      const found = paths.length ? paths.map(open) : list(options.out)
      if (options.json) for (const one of found) print(JSON.stringify(one))
      else if (paths.length > 1) print(comparison(found))
      else print(overview(found))
    })
}

const resultSchema = z.object({
  results: z.array(
    z.object({
      title: z.string(),
      seconds: z.number(),
      parameters: z.number(),
      score: z.looseObject({
        exact: z.number().optional(),
        bleu: z.number().optional(),
        accuracy: z.object({ value: z.number(), low: z.number(), high: z.number() }).optional(),
      }),
    }),
  ),
})
type Results = z.infer<typeof resultSchema>['results']

/** A run as a line of the list. */
interface Listed {
  readonly name: string
  readonly config: AnyConfig
  /** None while it is not finished. */
  readonly results: Results | undefined
  readonly step: number
}

/** @throws ConfigError if there is no such run, FormatError if it is damaged */
function open(path: string): Listed {
  const run = RunFolder.openAny(path)
  const results = run.has('results.json')
    ? resultSchema.safeParse(readJson(run.file('results.json'))).data?.results
    : undefined
  const step = Math.max(0, ...run.readLog().flatMap(line => (typeof line.step === 'number' ? [line.step] : []))) // biome-ignore format: one line
  return { name: path, config: run.config, results, step }
}

/** The runs of a folder, in the order of their names' times; what is damaged is said and left out. */
function list(folder: string): Listed[] {
  if (!existsSync(folder))
    throw new ConfigError(`${folder}: there is no such folder; train something first: heed train sentiment`)
  const names = readdirSync(folder).filter(name => existsSync(join(folder, name, 'config.json')))
  if (!names.length)
    throw new ConfigError(`${folder}: there are no runs; train something first: heed train sentiment`)
  const age = (name: string): number => statSync(join(folder, name, 'config.json')).mtimeMs
  return names
    .sort((a, b) => age(a) - age(b))
    .flatMap(name => {
      try {
        return [open(join(folder, name))]
      } catch (error) {
        process.stderr.write(`heed: ${error instanceof Error ? error.message : error}\n`)
        return []
      }
    })
}

function overview(found: readonly Listed[]): string {
  return table(
    ['run', 'task', 'data', 'model', 'seed', 'result', 'time'],
    found.map(({ name, config, results, step }) => [
      name,
      config.task,
      dataOf(config),
      modelOf(config),
      String(config.seed),
      results?.[0] ? resultOf(results[0]) : `stopped, step ${step}`,
      results?.[0] ? duration(results[0].seconds) : '',
    ]),
  )
}

/** A column for each run: the settings that differ, then the results of every arm. */
function comparison(found: readonly Listed[]): string {
  const flat = found.map(({ config }) => flatten(config))
  const settings = [...new Set(flat.flatMap(one => Object.keys(one)))].filter(
    key => new Set(flat.map(one => one[key])).size > 1,
  )
  const arms = [...new Set(found.flatMap(({ results }) => results?.map(({ title }) => title) ?? []))]
  const row = (title: string, of: (one: Listed, i: number) => string | undefined): string[] => [
    title,
    ...found.map((one, i) => of(one, i) ?? '–'),
  ]
  const arm = (one: Listed, title: string) => one.results?.find(result => result.title === title)
  return table(
    ['', ...found.map(({ name }) => name)],
    [
      row('task', ({ config }) => config.task),
      ...settings.filter(key => key !== 'task').map(key => row(key, (_, i) => flat[i]?.[key])),
      ...arms.flatMap(title => [
        row(title, one => {
          const result = arm(one, title)
          return result && resultOf(result)
        }),
        row('  parameters', one => arm(one, title)?.parameters.toLocaleString('en')),
        row('  training', one => {
          const result = arm(one, title)
          return result && duration(result.seconds)
        }),
      ]),
    ],
  )
}

function flatten(value: unknown, path = ''): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { [path]: Array.isArray(value) ? value.join(',').slice(0, 40) : String(value) }
  return Object.assign({}, ...Object.entries(value).map(([key, inner]) => flatten(inner, path ? `${path}.${key}` : key))) // biome-ignore format: one line
}

function dataOf({ data }: AnyConfig): string {
  return data.kind === 'file' ? (data.path.split(/[\\/]/).at(-1) ?? '') : data.kind
}

function modelOf(config: AnyConfig): string {
  return config.task === 'translate'
    ? `${config.cell ?? 'gru'} ${config.hidden}, ${config.attention}`
    : `${config.bidirectional ? 'bi-' : ''}${config.cell} ${config.hidden}, ${config.readout}`
}

function resultOf({ score: { accuracy, exact, bleu } }: Results[number]): string {
  if (accuracy) return `accuracy ${percent(accuracy.value)}`
  return `exact ${percent(exact ?? 0)}, BLEU ${(bleu ?? 0).toFixed(1)}`
}
