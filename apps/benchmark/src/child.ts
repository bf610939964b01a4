// node child.js SPEC: one participant of one cell. Commands come on stdin, answers go to file 3, one JSON a line.
// What a library prints goes to stdout, where nobody looks.

import { readFileSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Engine, PeerName } from './participants.ts'
import { heedBackend, prepareHeed } from './peers/heed.ts'
import { prepareJax } from './peers/jax.ts'
import { prepareJsPytorch } from './peers/jsPytorch.ts'
import { prepareOrt } from './peers/ort.ts'
import type { Runner } from './peers/runner.ts'
import { prepareTfjs } from './peers/tfjs.ts'
import type { Answer, Ask, ChildSpec } from './protocol.ts'
import { type NamedValues, readValues, writeValues } from './values.ts'
import type { Variant } from './workload.ts'
import { findVariant } from './workloads/index.ts'

process.on('SIGINT', () => {}) // the parent ends us

function answer(what: Answer): void {
  const line = Buffer.from(`${JSON.stringify(what)}\n`)
  for (let at = 0; at < line.length; ) at += writeSync(3, line, at)
}

async function prepare(spec: ChildSpec): Promise<Runner> {
  const variant = findVariant(spec.workload, spec.variant)
  const inputs = readValues(spec.data)
  return spec.peer === 'heed'
    ? prepareHeed(variant, inputs, await heedBackend(spec.threads, spec.engine as Engine))
    : await preparePeer(spec.peer, variant, inputs, spec.threads)
}

async function preparePeer(
  peer: PeerName,
  { peers }: Variant,
  inputs: NamedValues,
  threads: number,
): Promise<Runner> {
  if (peer === 'tfjs' && peers.tfjs) return await prepareTfjs(peers.tfjs, inputs)
  if (peer === 'jax-js' && peers.jax) return await prepareJax(peers.jax, inputs)
  if (peer === 'js-pytorch' && peers.jsPytorch) return await prepareJsPytorch(peers.jsPytorch, inputs)
  if ((peer === 'ort-node' || peer === 'ort-web') && peers.ort)
    return await prepareOrt(peer, peers.ort, inputs, threads)
  throw new Error(`${peer} has no version of this variant`)
}

async function obey(runner: Runner, ask: Ask): Promise<Answer> {
  switch (ask.do) {
    case 'result': {
      const made: [string, NamedValues[string]][] = []
      for (let i = 1; i <= ask.steps; i++)
        for (const [name, values] of Object.entries(await runner.result()))
          made.push([ask.steps === 1 ? name : `${name} ${i}`, values])
      writeValues(ask.into, Object.fromEntries(made))
      return { done: true }
    }
    case 'measure': {
      const times: number[] = []
      const cpu = process.cpuUsage()
      const began = performance.now()
      let now = began
      while (times.length < ask.most && (times.length === 0 || now - began < ask.ms)) {
        const start = performance.now()
        const waiting = runner.run()
        if (waiting) await waiting
        now = performance.now()
        times.push(now - start)
      }
      const used = process.cpuUsage(cpu)
      return {
        times,
        cpuMs: (used.user + used.system) / 1000,
        wallMs: now - began,
        peakMB: resident('VmHWM'),
        residentMB: resident('VmRSS'),
      }
    }
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
  const runner = await prepare(spec)
  answer({ opened: true, about: runner.about })
  for await (const line of createInterface({ input: process.stdin }))
    answer(await obey(runner, JSON.parse(line) as Ask).catch(said))
}

main()
  .catch(error => answer(said(error)))
  .finally(() => process.exit())
