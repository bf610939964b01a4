import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { disagreement, emptiness } from './agreement.ts'
import { type CellResult, type CellSubject, gapOf, type Measured, reasonOf, rowsOf } from './cell.ts'
import { coreTimes, DISTURBED_FROM, foreignCores, isDisturbed } from './disturbance.ts'
import { type CellContext, type Note, openSides } from './open.ts'
import { nameOf, type Participant } from './participants.ts'
import { coldStartScript } from './places.ts'
import type { MemoryPoint } from './results.ts'
import { type Side, SideFailed, torchEnvironment } from './side.ts'
import { summarize } from './statistics.ts'
import type { NamedValues } from './values.ts'

/** What is not measured by taking turns. */
export async function measureSpecial(context: CellContext, note: Note): Promise<CellResult> {
  const { kind } = context.cell.variant
  if (kind === 'memory') return await measureMemory(context, note)
  return await measureProcesses(context, kind === 'coldStart' ? coldStarts(context) : mainJob(context))
}

const subjectOf = ({ cell }: CellContext): CellSubject => ({
  place: cell.place,
  workload: cell.workload.name,
  variant: cell.variant.name,
  threads: cell.threads,
  tolerance: cell.variant.tolerance,
  calls: 1,
  compared: cell.variant.compared ?? 1,
})

// Memory over many steps

const LOOK_AT = [10, 20, 50, 100, 200]

/** One participant after the other does 200 steps, or as many as its time allows. */
async function measureMemory(context: CellContext, note: Note): Promise<CellResult> {
  const subject = subjectOf(context)
  const { sides, failed } = await openSides(context, note)
  const gaps = [...failed]
  const measured: (Measured & { memory: MemoryPoint[] })[] = []
  let ours: NamedValues | undefined
  for (const side of sides) {
    try {
      const made = await side.result(subject.compared)
      const problem = emptiness(made) || (ours ? disagreement(ours, made, subject.tolerance) : '')
      if (problem) throw new SideFailed(`not measured: ${problem}`)
      ours ??= made
      measured.push(await memoryOf(side, subject.compared, context.capMs))
    } catch (error) {
      gaps.push(gapOf(subject, nameOf(side.participant), reasonOf(error)))
    }
    side.close()
  }
  const rows = rowsOf(subject, measured).map(row => ({
    ...row,
    heedMemory: measured.find(({ side: { participant: p } }) => p.kind === 'heed' && p.engine === row.engine)
      ?.memory,
    ...(row.peer
      ? {
          peerMemory: measured.find(
            ({ side: { participant: p } }) => p.kind === 'peer' && p.peer === row.peer,
          )?.memory,
        }
      : {}),
  }))
  return { rows, gaps }
}

async function memoryOf(
  side: Side,
  done: number,
  capMs: number,
): Promise<Measured & { memory: MemoryPoint[] }> {
  const memory: MemoryPoint[] = []
  const times: number[] = []
  let [steps, spent, perStep, peakMB] = [done, 0, 0, 0]
  let disturbed = false
  for (const step of LOOK_AT) {
    if (perStep * (step - steps) > 0.8 * capMs - spent) break
    const before = coreTimes()
    const burst = await side.measure(Number.MAX_SAFE_INTEGER, step - steps)
    disturbed ||= isDisturbed({ before, after: coreTimes(), own: burst.cpuMs }, burst)
    times.push(...burst.times)
    memory.push({ step, mb: burst.residentMB })
    spent += burst.wallMs
    perStep = burst.wallMs / (step - steps)
    peakMB = burst.peakMB
    steps = step
  }
  if (times.length === 0) throw new SideFailed('too slow for ten steps')
  return { ...summarize(times), side, disturbed, capped: steps < 200, peakMB, memory }
}

// New processes

/** How one participant is run from start to end: where its milliseconds come from. */
interface Run {
  readonly participant: Participant
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}
interface Runs {
  readonly runs: readonly Run[]
  readonly times: number
}

function coldStarts({ cell, python }: CellContext): Runs {
  const runs = cell.participants.flatMap((participant): Run[] => {
    if (participant.kind === 'peer' && participant.peer === 'torch')
      return python
        ? [{ participant, command: python, args: ['-c', TORCH_START], env: torchEnvironment(cell.threads) }]
        : []
    const name = participant.kind === 'heed' ? participant.engine : participant.peer
    return [{ participant, command: process.execPath, args: [coldStartScript, name, String(cell.threads)] }]
  })
  return { runs, times: 7 }
}

const TORCH_START = `
import time
began = time.perf_counter()
import torch
x = torch.arange(1.0, 65.0).sin().reshape(8, 8)
(x @ x)[0, 0].item()
print('{"ms": %f, "cpuMs": %f}' % ((time.perf_counter() - began) * 1e3, time.process_time() * 1e3))`

/** \`heed train translate\` as a user runs it, on 3000 lines: data, training, testing, report. */
function mainJob({ cell, folder }: CellContext): Runs {
  const cli = createRequire(import.meta.url).resolve('@heed/cli/package.json')
  const args = [join(dirname(cli), 'bin/heed.mjs'), 'train', 'translate', '--lines', '3000', '--no-compare']
  const participant: Participant = { kind: 'heed', engine: 'stock' }
  const threads = String(cell.threads)
  return {
    runs: [
      {
        participant,
        command: process.execPath,
        args: [...args, '--threads', threads, '--out', folder],
      },
    ],
    times: 1,
  }
}

async function measureProcesses(context: CellContext, { runs, times }: Runs): Promise<CellResult> {
  const subject = subjectOf(context)
  const gaps: CellResult['gaps'] = []
  const found = new Map<Run, { ms: number[]; loud: number }>(runs.map(run => [run, { ms: [], loud: 0 }]))
  for (let i = 0; i < times; i++)
    for (const [run, made] of found) {
      if (context.signal.aborted) return { rows: [], gaps }
      try {
        const before = coreTimes()
        const { ms, cpuMs } = await once(run, context)
        const stretch = { before, after: coreTimes(), own: cpuMs }
        made.ms.push(ms)
        if (foreignCores(stretch) >= DISTURBED_FROM) made.loud++
      } catch (error) {
        found.delete(run)
        gaps.push(gapOf(subject, nameOf(run.participant), reasonOf(error)))
      }
    }
  const measured = [...found].map(
    ([{ participant }, { ms, loud }]): Measured => ({
      ...summarize(ms),
      side: idle(participant),
      disturbed: 2 * loud > ms.length,
      capped: false,
      peakMB: 0,
    }),
  )
  return { rows: rowsOf(subject, measured), gaps }
}

/** Runs a process to its end. Its times are what it says last, `{ ms, cpuMs }`, or else what we see. @throws SideFailed */
function once(
  { command, args, env }: Run,
  { capMs, signal }: CellContext,
): Promise<{ ms: number; cpuMs: number }> {
  const began = performance.now()
  const child = spawn(command, [...args], {
    env: env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), capMs)
  let cpuMs = 0
  const watch = setInterval(() => {
    cpuMs = cpuOf(child.pid) ?? cpuMs
  }, 50)
  let out = ''
  let err = ''
  child.stdout?.on('data', chunk => {
    out += chunk
  })
  child.stderr?.on('data', chunk => {
    err += chunk
  })
  return new Promise<{ ms: number; cpuMs: number }>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, killed) => {
      const ms = performance.now() - began
      const [said] = /\{"ms".*\}/.exec(out) ?? []
      if (killed) reject(new SideFailed(`took more than ${Math.round(capMs / 1000)} s`))
      else if (code !== 0) reject(new SideFailed(`ended with code ${code}: ${err.trim().split('\n').at(-1)}`))
      else resolve(said ? (JSON.parse(said) as { ms: number; cpuMs: number }) : { ms, cpuMs })
    })
  }).finally(() => {
    clearTimeout(timer)
    clearInterval(watch)
  })
}

/** Processor time of a running process so far; Linux alone tells. */
function cpuOf(pid: number | undefined): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return 10 * (Number(fields[11]) + Number(fields[12])) // hundredths of a second
  } catch {
    return undefined
  }
}

/** A side whose process has ended. */
function idle(participant: Participant): Side {
  const never = (): never => {
    throw new SideFailed('has ended')
  }
  return { participant, about: '', result: never, measure: never, close: () => {} }
}
