import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError } from '@heed/core-tensor'
import { writeAtomic } from '@heed/training/node'
import { Interrupted, type Sitting } from './sitting.ts'

/** What a file of trials holds: settings, and what came of each trial, by its name. */
export interface Trials<Settings, Outcome> {
  readonly schema: 'heed-results/trials-1'
  readonly settings: Settings
  readonly outcomes: Readonly<Record<string, Outcome>>
}

/**
 * Runs trials of a minute or so one after the other, keeping each at once, so that a sitting goes on behind the last whole one.
 *
 * @param run what makes a trial, told how far it is from 0 to 1
 * @returns what came of all of them, by name
 * @throws Interrupted if the signal says so; ConfigError if the file is of other settings, or there and not to be gone on with
 */
export async function runTrials<Settings extends object, Outcome>(
  path: string,
  settings: Settings,
  names: readonly string[],
  run: (name: string, onShare: (share: number, words: string) => void) => Promise<Outcome>,
  { resume, signal, progress, say }: Sitting,
): Promise<Readonly<Record<string, Outcome>>> {
  const outcomes = new Map(Object.entries(readTrials<Settings, Outcome>(path, settings, resume)))
  const left = names.filter(name => !outcomes.has(name))
  progress.begin(names.length, names.length - left.length)
  for (const [i, name] of left.entries()) {
    const done = names.length - left.length + i
    const outcome = await run(name, (share, words) =>
      progress.update(done + Math.min(0.999, share), `${name}: ${words}`),
    )
    if (signal.aborted)
      throw new Interrupted(`stopped during ${name}; ${done} of ${names.length} trials are kept`)
    outcomes.set(name, outcome)
    mkdirSync(dirname(path), { recursive: true })
    const trials: Trials<Settings, Outcome> = {
      schema: 'heed-results/trials-1',
      settings,
      outcomes: Object.fromEntries(outcomes),
    }
    writeAtomic(path, `${JSON.stringify(trials)}\n`)
    progress.update(done + 1, name)
  }
  if (!left.length) say(`${path}: all ${names.length} trials are there`)
  return Object.fromEntries(names.map(name => [name, outcomes.get(name) as Outcome]))
}

function readTrials<Settings extends object, Outcome>(
  path: string,
  settings: Settings,
  resume: boolean,
): Readonly<Record<string, Outcome>> {
  if (!existsSync(path)) return {}
  if (!resume)
    throw new ConfigError(`${path}: there are results already; add --resume to go on, or give another --out`)
  const before = JSON.parse(readFileSync(path, 'utf8')) as Trials<Settings, Outcome>
  if (JSON.stringify(before.settings) !== JSON.stringify(settings))
    throw new ConfigError(
      `${path}: made with ${JSON.stringify(before.settings)}, asked for ${JSON.stringify(settings)}; give another --out`,
    )
  return before.outcomes
}
