import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { scope } from '@heed/core-tensor'
import { writeAtomic } from '@heed/training/node'
import { z } from 'zod'
import { environment } from '../environment.ts'
import { Interrupted } from '../failure.ts'
import { readJson } from '../run.ts'
import type { Screen } from '../screen.ts'
import { type Experiment, type Judgement, Results, type Row, type Shown } from './experiment.ts'
import { experimentPage, plots } from './page.ts'

/** What came of an experiment. */
export interface Outcome {
  readonly judgement: Judgement
  readonly results: Results
  /** The page. */
  readonly page: string
}

const rawSchema = z.object({
  schema: z.literal('heed-experiment/1'),
  id: z.string(),
  settings: z.unknown(),
  heed: z.string(),
  backend: z.string(),
  finished: z.boolean(),
  done: z.array(z.object({ arm: z.string(), seed: z.number() })),
  rows: z.array(
    z.object({ arm: z.string(), seed: z.number(), x: z.number(), values: z.record(z.string(), z.number()) }),
  ),
})
type Raw = z.infer<typeof rawSchema>

/** How to run an experiment. */
export interface RunExperimentOptions {
  readonly seeds: number
  readonly quick: boolean
  /** Where results are kept: `results`. */
  readonly out: string
  readonly backend: string
  readonly screen: Screen
  readonly signal: AbortSignal
}

/**
 * Measures every arm with every seed, judges, and writes `raw.json`, `manifest.json`, plots and `index.html`.
 *
 * What was measured when Ctrl-C came is kept, and the same call goes on from there.
 *
 * @throws Interrupted after saving, if the signal says so
 */
export async function runExperiment<Settings>(
  experiment: Experiment<Settings>,
  { seeds, quick, out, backend, screen, signal }: RunExperimentOptions,
): Promise<Outcome> {
  const began = performance.now()
  const settings = experiment.settings(quick)
  const folder = join(out, experiment.id)
  mkdirSync(folder, { recursive: true })
  const here = environment(backend)
  const fresh: Raw = {
    schema: 'heed-experiment/1',
    id: experiment.id,
    settings,
    heed: here.heed,
    backend,
    finished: false,
    done: [],
    rows: [],
  }
  const raw = stopped(folder, fresh) ?? fresh
  if (raw.done.length) screen.print(`going on with ${folder}: ${raw.done.length} measurements are there`)
  const save = (finished: boolean): void =>
    writeAtomic(join(folder, 'raw.json'), `${JSON.stringify({ ...raw, finished }, null, 1)}\n`)
  const trials = Array.from({ length: seeds }, (_, i) => i + 1).flatMap(seed =>
    experiment.arms(settings).map(arm => ({ arm, seed })),
  )
  const bar = screen.bar(experiment.id.padEnd(19), trials.length)
  try {
    for (const [i, { arm, seed }] of trials.entries()) {
      if (raw.done.some(one => one.arm === arm && one.seed === seed)) continue
      bar.update(i, `seed ${seed}, ${arm}`)
      try {
        const found = await scope(() => experiment.measure(arm, { settings, seed, signal }))
        raw.rows.push(...found.map(({ x, values }) => ({ arm, seed, x, values: { ...values } })))
        raw.done.push({ arm, seed })
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error
      }
      if (signal.aborted) {
        save(false)
        throw new Interrupted(
          `stopped after ${raw.done.length} of ${trials.length} measurements; the same command goes on`,
        )
      }
      bar.update(i + 1, `seed ${seed}, ${arm}`)
    }
  } finally {
    bar.stop()
  }
  const results = new Results(raw.rows.filter((row): row is Row => trials.some(one => one.arm === row.arm && one.seed === row.seed))) // biome-ignore format: one line
  const shown: Shown = (await scope(async () => experiment.show?.({ settings, seed: 1, signal }))) ?? { pictures: [] } // biome-ignore format: one line
  const judgement = experiment.judge(results, settings)
  const manifest = {
    schema: 'heed-experiment/1',
    id: experiment.id,
    claim: experiment.claim,
    rule: experiment.rule,
    ...judgement,
    quick,
    settings,
    seeds: Array.from({ length: seeds }, (_, i) => i + 1),
    environment: here,
    seconds: Number(((performance.now() - began) / 1000).toFixed(1)),
    finishedAt: new Date().toISOString(),
  }
  save(true)
  writeAtomic(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  for (const { name, svg } of plots(experiment as Experiment, results))
    writeAtomic(join(folder, `${name}.svg`), `${svg}\n`)
  const page = join(folder, 'index.html')
  writeAtomic(page, experimentPage(experiment as Experiment, { results, judgement, shown, manifest }))
  for (const [name, html] of Object.entries(shown.pages ?? {})) writeAtomic(join(folder, name), html)
  return { judgement, results, page }
}

/** What a stopped run of the same kind has measured. */
function stopped(folder: string, fresh: Raw): Raw | undefined {
  const path = join(folder, 'raw.json')
  if (!existsSync(path)) return undefined
  const { data } = rawSchema.safeParse(readJson(path))
  const same = (raw: Raw): string => JSON.stringify([raw.id, raw.settings, raw.heed, raw.backend])
  return data && !data.finished && same(data) === same(fresh) ? data : undefined
}
