import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** An experiment that was run, as its page shows it. */
export interface ExperimentShown {
  readonly id: string
  readonly claim: string
  readonly rule: string
  readonly verdict: string
  readonly because: string
  /** The command that makes it again. */
  readonly command: string
  readonly circumstances: string
  /** SVG, by file name. */
  readonly pictures: readonly { readonly name: string; readonly svg: string }[]
}

declare const data: readonly ExperimentShown[]

export { data }

const folder = new URL('../../../results/', import.meta.url)

// Folders that `heed experiment` wrote, as they are.
export default {
  watch: ['../../../results/*/manifest.json'],
  load: (): ExperimentShown[] =>
    existsSync(folder)
      ? readdirSync(folder)
          .sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)))
          .map(shown)
      : [],
}

function shown(id: string): ExperimentShown {
  const own = new URL(`${id}/`, folder)
  const manifest = JSON.parse(readFileSync(new URL('manifest.json', own), 'utf8'))
  const { claim, rule, verdict, because, quick, seeds, environment, seconds, finishedAt } = manifest
  return {
    id,
    claim,
    rule,
    verdict,
    because,
    command: `npx heed experiment ${id}${quick ? ' --quick' : ''}`,
    circumstances: `${seeds.length} seeds, ${Math.round(seconds)} s on ${environment.machine}, Node ${environment.node}, ${environment.backend}, ${finishedAt.slice(0, 10)}`,
    pictures: readdirSync(own)
      .filter(name => name.endsWith('.svg'))
      .sort()
      .map(name => ({ name, svg: readFileSync(new URL(name, own), 'utf8') })),
  }
}
