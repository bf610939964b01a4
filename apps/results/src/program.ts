import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { cpu } from '@heed/backend-cpu'
import { ConfigError, FormatError, setBackend } from '@heed/core-tensor'
import type { Shelf } from '@heed/datasets'
import { downloads, folder } from '@heed/datasets/node'
import { type Manifest, machine, writeResults } from './output.ts'
import { type Recipe, recipes, type Wishes } from './recipes.ts'
import { Interrupted, progressTo, type Sitting, stopwatch } from './sitting.ts'

/** Where words go: results to `out`, everything about the run to `err`. */
export interface Output {
  readonly out: { write(text: string): unknown }
  readonly err: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number }
}

const DATA = '../shared/data'

const HELP = `npm run results -- RECIPE [options]

Recipes:
${recipes.map(({ name, about }) => `  ${name.padEnd(11)} ${about}`).join('\n')}

Options:
  --model NAMES   multi30k, lengths: plain, context, bahdanau, luong, with commas; all unless given
  --set NAMES     sentiment: tweets, sst2, polarity, imdb-short; aer: generated, enfr; all unless given
  --epochs N      multi30k, sentiment, forgetting
  --seeds N       sentiment: models of each kind, 2 unless given
  --data FOLDER   the data sets, each in a folder of its name (default: ${DATA})
  --download      from their public addresses, into the cache, in place of a folder
  --out FOLDER    where results go (default: runs/real/RECIPE)
  --threads N     processor cores to use (default: 1)
  --resume        go on from what is there

Ctrl-C saves and stops; the same command with --resume goes on.
`

const options = {
  model: { type: 'string' },
  set: { type: 'string' },
  epochs: { type: 'string' },
  seeds: { type: 'string' },
  data: { type: 'string' },
  download: { type: 'boolean' },
  out: { type: 'string' },
  threads: { type: 'string' },
  resume: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Runs the command line. @returns 0 well, 1 the environment failed, 2 the input was wrong, 130 interrupted */
export async function results(argv: readonly string[], output: Output): Promise<number> {
  try {
    return await run(argv, output)
  } catch (error) {
    const said = (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ')
    if (error instanceof Interrupted) {
      output.err.write(`${said}; go on with: npm run results -- ${again(argv)}\n`)
      return 130
    }
    output.err.write(`results: ${said}\n`)
    const input = error instanceof ConfigError || error instanceof FormatError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') // biome-ignore format: one line
    return input ? 2 : 1
  }
}

async function run(argv: readonly string[], { out, err }: Output): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true })
  if (values.help || !positionals.length) {
    ;(values.help ? out : err).write(HELP)
    return values.help ? 0 : 2
  }
  const recipe = recipeOf(positionals)
  for (const option of ['model', 'set', 'epochs', 'seeds'] as const)
    if (values[option] !== undefined && !recipe.options.includes(option))
      throw new ConfigError(`--${option}: ${recipe.name} has no such option; it has ${recipe.options.map(name => `--${name}`).join(', ')}`) // biome-ignore format: one line
  const wishes: Wishes = {
    ...source(values),
    model: values.model,
    set: values.set,
    epochs: count('epochs', values.epochs),
    seeds: count('seeds', values.seeds),
  }
  const threads = count('threads', values.threads) ?? 1
  const backend = await cpu({ threads })
  setBackend(backend)
  const stop = new AbortController()
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130) // a second Ctrl-C does not wait
    err.write('stopping; what was learned is kept\n')
    stop.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    const sitting: Sitting = {
      folder: resolve(values.out ?? `runs/real/${recipe.name === 'lengths' ? 'multi30k' : recipe.name}`),
      resume: values.resume ?? false,
      signal: stop.signal,
      say: line => void err.write(`${line}\n`),
      progress: progressTo(err),
    }
    const spent = stopwatch()
    const { settings, data, summary } = await recipe.run(wishes, sitting)
    const manifest: Manifest = {
      schema: 'heed-results/manifest-1',
      recipe: recipe.name,
      command: `npm run results -- ${withoutPlaces(argv).join(' ')}`,
      settings,
      data: data.map(({ name, source, licence, checksum }) => ({ name, source, licence, ...(checksum ? { checksum } : {}) })), // biome-ignore format: one line
      node: process.version,
      backend: backend.name,
      threads,
      machine: machine(),
      sitting: spent(),
      finishedAt: new Date().toISOString(),
    }
    const stem = [recipe.name, ...(values.set ?? values.model ?? '').split(',')].filter(Boolean).join('-') // a part does not replace the whole
    writeResults(sitting.folder, { [`${stem}.manifest.json`]: manifest, [`${stem}.md`]: summary })
    out.write(`${summary}\n\nresults: ${sitting.folder}\n`)
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
  return 0
}

function recipeOf([name, ...more]: readonly string[]): Recipe {
  const recipe = recipes.find(one => one.name === name)
  if (!recipe || more.length)
    throw new ConfigError(
      `${[name, ...more].join(' ')}: give one recipe of ${recipes.map(one => one.name).join(', ')}`,
    )
  return recipe
}

/** Where files come from. @throws ConfigError if they are nowhere */
function source({
  data,
  download,
}: {
  readonly data?: string | undefined
  readonly download?: boolean | undefined
}): { readonly from: Shelf; readonly data: string | undefined } {
  if (download) return { from: downloads(), data: undefined }
  const path = resolve(data ?? DATA)
  if (!existsSync(path))
    throw new ConfigError(
      `${path}: there is no such folder; give the data sets by --data FOLDER, or --download`,
    )
  return { from: folder(path), data: path }
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new ConfigError(`--${option} ${text}: give a whole number from 1`)
  return value
}

const again = (argv: readonly string[]): string =>
  (argv.includes('--resume') ? argv : [...argv, '--resume']).join(' ')

/** What was asked for, without where things lie on this machine. */
function withoutPlaces(argv: readonly string[]): string[] {
  return argv.filter((word, i) => !/^--(data|out)\b/.test(word) && !/^--(data|out)$/.test(argv[i - 1] ?? ''))
}
