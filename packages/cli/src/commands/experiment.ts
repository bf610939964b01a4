import { relative } from 'node:path'
import { cpu } from '@heed/backend-cpu'
import { ConfigError, setBackend } from '@heed/core-tensor'
import type { Command } from 'commander'

import { experiments } from '../experiments/index.ts'
import { armsOf, cell } from '../experiments/page.ts'
import { runExperiment } from '../experiments/run.ts'
import { listenForCtrlC } from '../failure.ts'
import { type Screen, terminal } from '../screen.ts'
import { table } from '../words.ts'
import { whole } from './numbers.ts'

interface ExperimentOptions {
  readonly seeds?: number
  readonly quick?: boolean
  readonly threads?: number
  readonly out: string
}

const EXAMPLES = `
Examples:
  heed experiment list
      all claims that can be put to the test
  heed experiment X2 --quick
      the tweet of 44 words by five read-outs, three seeds, within two minutes
  heed experiment X1 --seeds 5
      the whole forgetting curve; Ctrl-C keeps what was measured, the same command goes on`

/** Adds `heed experiment`. */
export function addExperiment(program: Command): void {
  program
    .command('experiment')
    .description('put a claim of the texts to the test, or list them')
    .argument('<id>', 'list, or the experiment: X1, X2, …')
    .option(
      '--seeds <count>',
      'how often everything is repeated (default: 5; with --quick 3; more where that is cheap)',
      whole,
    )
    .option('--quick', 'fewer steps and places, within two minutes')
    .option('--threads <count>', 'processor cores to use (default: all)', whole)
    .option('--out <folder>', 'where results are kept', 'results')
    .addHelpText('after', EXAMPLES)
    .action((id: string, options: ExperimentOptions) => experiment(id, options))
}

async function experiment(
  id: string,
  { seeds, quick = false, threads, out }: ExperimentOptions,
): Promise<void> {
  const screen = terminal()
  if (id.toLowerCase() === 'list') return list(screen)
  const found = experiments.find(one => one.id.toLowerCase() === id.toLowerCase())
  if (!found)
    throw new ConfigError(
      `experiment ${id}: there is none of that name; use ${experiments.map(one => one.id).join(', ')}, or list`,
    )
  const ctrlC = listenForCtrlC()
  const backend = await cpu(threads === undefined ? {} : { threads })
  setBackend(backend)
  try {
    screen.print(`${found.id}. ${found.title}`)
    screen.print(`claim: ${found.claim}`)
    const { judgement, results, page } = await runExperiment(found, {
      seeds: seeds ?? found.seeds?.(quick) ?? (quick ? 3 : 5),
      quick,
      out,
      backend: backend.build,
      screen,
      signal: ctrlC.signal,
    })
    const arms = armsOf(results)
    for (const measure of found.measures) {
      const places = results.places().filter(x => arms.some(arm => results.at(arm, x, measure.key)))
      if (!places.length) continue
      screen.print()
      screen.print(`${measure.title} (${measure.unit})`)
      screen.print(
        table(
          [found.xLabel, ...arms],
          places.map(x => [
            found.places?.[x] ?? x.toLocaleString('en'),
            ...arms.map(arm => cell(results.at(arm, x, measure.key), measure)),
          ]),
        ),
      )
    }
    screen.print()
    screen.print(`${judgement.verdict}: ${judgement.because}, page ${relative('.', page)}`)
  } finally {
    ctrlC.ignore()
    backend.dispose()
  }
}

function list(screen: Screen): void {
  for (const { id, title } of experiments) screen.print(`${id.padEnd(4)} ${title}`)
}
