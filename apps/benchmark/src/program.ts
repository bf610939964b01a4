import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { ConfigError } from '@heed/core-tensor'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { bench } from './bench.ts'
import { installPeers } from './install.ts'
import {
  type Engine,
  engines,
  livesIn,
  type PeerName,
  type Place,
  peerNames,
  places,
  runsIn,
} from './participants.ts'
import { plan } from './plan.ts'
import { rowLine } from './progress.ts'
import { page } from './report/page.ts'
import { type Adapter, type Results, resultsSchema } from './results.ts'
import { workloads } from './workloads/index.ts'

interface Options {
  readonly place: Place
  readonly threads?: number[]
  readonly engines?: Engine[]
  readonly peers?: PeerName[]
  readonly python?: string
  readonly minutes: number
  readonly json?: string
  readonly report?: boolean
}

/** Where words go: figures to `out`, everything about the run to `err`. */
export interface Output {
  out(text: string): void
  err(text: string): void
}

const REPORT = 'runs/benchmark.html'

const EXAMPLES = `
Workloads:
${workloads.map(({ name, title, variants }) => `  ${name.padEnd(12)} ${title}: ${variants.map(one => one.name).join(', ')}`).join('\n')}

Examples:
  npm run bench                                          everything, at most 25 minutes
  npm run bench -- gemm attention/forward --peers torch  a part of it
  npm run bench -- --threads 1,2 --json results.json --report
  npm run bench -- gemm --place chromium                 Heed and the peers from npm in a page of Chromium
  npm run bench -- gemm attention --place gpu            Heed's GPU backend and those of peers, on WebGPU and WebGL`

/** Runs the command line. @returns 0 well, 1 the environment failed, 2 the input was wrong, 130 interrupted */
export async function benchmark(argv: readonly string[], output: Output): Promise<number> {
  let code = 0
  const program = new Command('bench')
    .description('Measures Heed beside its peers: the same work, in the same run.')
    .argument('[names...]', 'workloads, as gemm or gemm/512; all unless given')
    .addOption(
      new Option('--place <place>', 'where Heed and the peers from npm compute')
        .choices(places)
        .default('node'),
    )
    .option('--threads <counts>', 'threads, as 2 or 1,2 (default: 1, then all cores)', threadCounts)
    .option(
      '--engines <list>',
      'stock, wide (256-bit SIMD, Node 24 and later); on a GPU webgpu, webgl2',
      listOf(engines),
    )
    .option('--peers <list>', `${peerNames.join(', ')}, or none; all unless given`, listOf(peerNames))
    .option('--python <command>', 'the Python that imports torch (default: python3, else /usr/bin/python3)')
    .option('--minutes <count>', 'when to stop', minutes, 25)
    .option('--json <file>', 'write the results there')
    .option('--report', `write a page with charts to ${REPORT}`)
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeOut: output.out,
      writeErr: text => output.err(text.replace(/^error: (option |)/, 'bench: ')),
    })
    .action(async (names: string[], options: Options) => {
      code = await run(names, options, output)
    })
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2 // it has said so itself
    output.err(`bench: ${error instanceof Error ? error.message.replaceAll('\n', ' ') : error}\n`)
    return error instanceof ConfigError ? 2 : 1
  }
  return code
}

async function run(names: readonly string[], options: Options, output: Output): Promise<number> {
  const deadline = performance.now() + options.minutes * 60_000 - 15_000 // the report takes a moment
  const say = (line: string): void => output.err(`${line}\n`)
  const cores = availableParallelism()
  const { place } = options
  checkPlace(options)
  const asked = (options.peers ?? peerNames).filter(peer => livesIn(peer, place))
  const adapter = place === 'gpu' ? await lookForAdapter(say) : undefined
  const wide = place === 'node' && Number.parseInt(process.versions.node, 10) >= 24
  const wish = {
    place,
    names,
    threads: options.threads ?? (cores > 1 && place !== 'gpu' ? [1, cores] : [1]),
    engines: options.engines ?? usualEngines(place, wide),
    software: adapter?.software ?? false,
  }
  plan(workloads, { ...wish, peers: asked }) // a wrong name is said before anything is installed
  if (options.json) writable(options.json)
  if (place !== 'node') (await import('./chromium/bundle.ts')).findChromium() // better now than after an installation
  const { peers, python, missing } = await installPeers(asked, { python: options.python, say })
  for (const line of missing) say(line)
  const cells = plan(workloads, { ...wish, peers: asked.filter(peer => peers.has(peer)) })
  const stop = new AbortController()
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130) // a second Ctrl-C does not wait
    say('stopping; what was measured is kept')
    stop.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    const measured = await bench({
      place,
      cells,
      adapter,
      python,
      deadline,
      signal: stop.signal,
      say,
      found: row => output.out(`${rowLine(row)}\n`),
    })
    const absent = missing.map(reason => ({
      workload: 'all',
      variant: 'all',
      threads: 1,
      participant: reason.split(':')[0] ?? '',
      reason,
    }))
    keep(resultsSchema.parse({ ...measured, gaps: [...absent, ...measured.gaps] }), options, say)
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
  return stop.signal.aborted ? 130 : 0
}

function keep(results: Results, { json, report }: Options, say: (line: string) => void): void {
  if (json) {
    writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`)
    say(`results: ${json}`)
  }
  if (report) {
    mkdirSync(dirname(REPORT), { recursive: true })
    writeFileSync(REPORT, page(results, workloads))
    say(`report: ${REPORT}`)
  }
}

/** The GPU that pages of Chromium get. @throws Error if there is no Chromium, or it gets none */
async function lookForAdapter(say: (line: string) => void): Promise<Adapter> {
  const { findChromium } = await import('./chromium/bundle.ts')
  const { findAdapter } = await import('./chromium/adapter.ts')
  const adapter = await findAdapter(findChromium())
  say(
    `adapter: ${adapter.name}, ${adapter.driver}${adapter.software ? ': software on the processor; only ratios mean anything, and only for it' : ''}`,
  )
  return adapter
}

function usualEngines(place: Place, wide: boolean): readonly Engine[] {
  if (place === 'gpu') return ['webgpu']
  return wide ? ['stock', 'wide'] : ['stock']
}

/** @throws ConfigError for what there is not in that place */
function checkPlace({ place, peers = [], engines: wanted = [], threads = [1] }: Options): void {
  const where = `--place ${place}`
  if (place !== 'node' && process.platform !== 'linux')
    throw new Error(`${where}: needs Linux, whose /proc tells what Chromium uses`)
  const strange = peers.filter(peer => !livesIn(peer, place))
  if (strange.length) {
    const here = peerNames.filter(peer => livesIn(peer, place))
    throw new ConfigError(
      `${where}: ${place === 'node' ? 'Node does not run' : place === 'gpu' ? 'there is no GPU backend in' : 'no page runs'} ${strange.join(', ')}; use ${here.join(', ')}`,
    )
  }
  if (wanted.includes('wide') && place === 'chromium')
    throw new ConfigError(`${where}: pages have no wide SIMD; use --engines stock`)
  const odd = wanted.filter(engine => !runsIn(engine, place))
  if (odd.length) {
    const here = engines.filter(engine => runsIn(engine, place))
    throw new ConfigError(`${where}: there is no engine ${odd.join(', ')} there; use ${here.join(', ')}`)
  }
  if (place === 'gpu' && threads.some(count => count !== 1))
    throw new ConfigError(`${where}: a GPU knows no threads; leave --threads out`)
}

/** @throws ConfigError where a file cannot be written: better now than after 25 minutes */
function writable(file: string): void {
  try {
    writeFileSync(file, '', { flag: 'a' })
  } catch (error) {
    throw new ConfigError(`--json ${file}: ${(error as Error).message}`)
  }
}

function threadCounts(text: string): number[] {
  const counts = text.split(',').map(Number)
  if (counts.some(count => !Number.isInteger(count) || count < 1 || count > 32))
    throw new InvalidArgumentError('Give whole numbers from 1 to 32, as 2 or 1,2.')
  return [...new Set(counts)].sort((a, b) => a - b)
}

function minutes(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 1)) throw new InvalidArgumentError('Give a number of 1 or more.')
  return value
}

function listOf<T extends string>(known: readonly T[]): (text: string) => T[] {
  return text => {
    if (text === 'none') return []
    const words = text.split(',')
    const strange = words.filter(word => !(known as readonly string[]).includes(word))
    if (strange.length)
      throw new InvalidArgumentError(`There is no ${strange.join(', ')}; use ${known.join(', ')}.`)
    return words as T[] // each is one of the known
  }
}
