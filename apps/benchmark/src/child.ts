// node child.js SPEC: one participant of one cell, in this process or in a page of Chromium. Commands come on stdin, answers go to
// file 3, one JSON a line. What a library prints goes to stdout, where nobody looks.

import { readFileSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { clockTick, obey, type Participating, resultOf, timesOf } from './obey.ts'
import { nodeShelf } from './peers/load.ts'
import { prepare } from './prepare.ts'
import type { Answer, Ask, ChildSpec } from './protocol.ts'
import { readValues, writeValues } from './valueFiles.ts'

process.on('SIGINT', () => {}) // the parent ends us

function answer(what: Answer): void {
  const line = Buffer.from(`${JSON.stringify(what)}\n`)
  for (let at = 0; at < line.length; ) at += writeSync(3, line, at)
}

async function openHere(spec: ChildSpec): Promise<Participating> {
  const tickMs = clockTick()
  const runner = await prepare(spec, readValues(spec.data), nodeShelf)
  return {
    about: runner.about,
    result: async (steps, into) => writeValues(into, await resultOf(runner, steps)),
    time: (ms, most) => timesOf(runner, ms, most, tickMs),
    usage() {
      const { user, system } = process.cpuUsage()
      return {
        cpuMs: (user + system) / 1000,
        peakMB: resident('VmHWM'),
        residentMB: resident('VmRSS'),
      }
    },
  }
}

/** Of this process, in MB: `VmHWM` the most so far, `VmRSS` now. Outside Linux both are what it holds now. */
function resident(field: 'VmHWM' | 'VmRSS'): number {
  try {
    const [, kilobytes = '0'] =
      new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    return Number(kilobytes) / 1024
  } catch {
    return process.memoryUsage.rss() / 2 ** 20
  }
}

const said = (error: unknown): Answer => ({
  error:
    error instanceof Error ? (error.message || error.name).split('\n').slice(0, 2).join(' ') : String(error),
})

async function main(): Promise<void> {
  const spec = JSON.parse(process.argv[2] ?? '{}') as ChildSpec // from side.ts
  const one = spec.pages
    ? await (await import('./chromium/relay.ts')).openPage(spec, spec.pages)
    : await openHere(spec)
  answer({ opened: true, about: one.about })
  for await (const line of createInterface({ input: process.stdin }))
    answer(await obey(one, JSON.parse(line) as Ask).catch(said))
}

main()
  .catch(error => answer(said(error)))
  .finally(() => process.exit())
