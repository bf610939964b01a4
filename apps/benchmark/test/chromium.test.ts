import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
// @boundaries-ignore where the browser is, said once for all tests
import { chromium } from '../../../scripts/chromium.ts'
import { disagreement } from '../src/agreement.ts'
import { measureCell } from '../src/cell.ts'
import { described, findAdapter, GPU_FLAGS } from '../src/chromium/adapter.ts'
import { type Bundled, bundlePages } from '../src/chromium/bundle.ts'
import { openPage } from '../src/chromium/relay.ts'
import { serve } from '../src/chromium/server.ts'
import { treeUsage } from '../src/chromium/tree.ts'
import { clockTick, obey, type StepCost, timesOf } from '../src/obey.ts'
import type { Participant, PeerName } from '../src/participants.ts'
import { versionOfPeer } from '../src/peers/load.ts'
import type { Runner } from '../src/peers/runner.ts'
import { rowLine } from '../src/progress.ts'
import type { Burst } from '../src/protocol.ts'
import type { Row } from '../src/results.ts'
import type { Side } from '../src/side.ts'
import { readValues, writeValues } from '../src/valueFiles.ts'
import { drawFrom } from '../src/values.ts'
import { findVariant } from '../src/workloads/index.ts'
import { heed, QUICK } from './sides.ts'

const folder = mkdtempSync(join(tmpdir(), 'heed-bench-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))

describe('a clock', () => {
  it('has the tick that is between its times', () => {
    let calls = 0
    expect(clockTick(() => 0.25 * Math.floor(calls++ / 3))).toBe(0.25)
  })

  const runner = (): Runner & { steps: number } => {
    const made = { about: '', steps: 0, run: () => void made.steps++, result: async () => ({}) }
    return made
  }

  it('that is too coarse for one step times many at once', async () => {
    const fine = await timesOf(runner(), 0, 1_000_000, 0)
    const counted = runner()
    const coarse = await timesOf(counted, 0, 1_000_000, 0.01) // so 2 ms at least are timed
    expect(fine.times).toHaveLength(1)
    expect(coarse.times).toHaveLength(1)
    expect(coarse.wallMs).toBeGreaterThanOrEqual(2)
    expect(counted.steps).toBeGreaterThan(100)
    expect(coarse.times[0]).toBeLessThan(0.02)
  })

  it('has what a step asked of a GPU, on average', async () => {
    const counted = runner()
    const spent = (): StepCost => ({
      launches: 3 * counted.steps,
      uploaded: 8 * counted.steps,
      downloaded: 0,
    })
    const { cost } = await timesOf({ ...counted, run: () => void counted.steps++, spent }, 1e6, 10, 1000)
    expect(cost).toEqual({ launches: 3, uploaded: 8, downloaded: 0 })
    expect((await timesOf(runner(), 0, 1, 0)).cost).toBeUndefined()
  })

  it('never makes it do more steps than it may', async () => {
    const counted = runner()
    await timesOf(counted, 1e6, 10, 1000)
    expect(counted.steps).toBe(10)
  })
})

describe.skipIf(!existsSync('/proc/self/stat'))('what a process and its children use', () => {
  it('has the time and the memory of a child', async () => {
    const before = treeUsage(process.pid)
    const child = spawn(process.execPath, [
      '-e',
      'const end = Date.now() + 300; while (Date.now() < end);console.log(1); setTimeout(() => {}, 60000)',
    ])
    await new Promise(resolve => child.stdout.once('data', resolve))
    const alone = treeUsage(child.pid as number)
    const after = treeUsage(process.pid)
    child.kill('SIGKILL')
    expect(alone.cpuMs).toBeGreaterThan(50)
    expect(after.cpuMs - before.cpuMs).toBeGreaterThanOrEqual(alone.cpuMs)
    expect(after.residentMB).toBeGreaterThan(alone.residentMB)
    expect(alone.peakMB).toBeGreaterThanOrEqual(alone.residentMB)
  })
})

describe('an adapter', () => {
  const words = { vendor: 'nvidia', architecture: 'ada', description: '', fallback: false, driver: '560', type: 'discrete GPU' } // biome-ignore format: one line reads best

  it('is of software where it or its name says so', () => {
    expect(described(words)).toEqual({ name: 'nvidia ada', driver: '560', software: false })
    expect(described({ ...words, fallback: true }).software).toBe(true)
    expect(described({ ...words, type: 'CPU' }).software).toBe(true)
    expect(described({ ...words, architecture: 'llvmpipe' }).software).toBe(true)
  })

  it('without names says so', () =>
    expect(described({ vendor: '', architecture: '', description: '' })).toMatchObject({
      name: 'an adapter without a name',
      driver: 'a driver without a name',
    }))
})

it('the server gives away nothing but its site', async () => {
  writeValues(join(folder, 'inputs'), { x: drawFrom(1).normal([2]) })
  const { address, close } = await serve({
    folder: join(folder, 'site'),
    data: join(folder, 'inputs'),
    into: () => '',
  })
  for (const path of ['%2e%2e%2finputs.bin', '..%2finputs.bin', 'files/x/..%2f..%2fpackage.json'])
    expect((await fetch(address + path)).status, path).toBe(404)
  expect((await (await fetch(`${address}inputs.bin`)).arrayBuffer()).byteLength).toBe(8)
  close()
})

/** What the cells below measure, wherever they are. */
const SMALL_GEMM = { workload: 'gemm', variant: '128', threads: 1, calls: 1, compared: 1 }

/** A peer that is installed; without any, Heed is measured beside itself. */
function installed(name: string): boolean {
  try {
    return versionOfPeer(name) !== ''
  } catch {
    return false
  }
}

const missing = existsSync(chromium) ? '' : `: skipped, there is no ${chromium}`

describe.skipIf(missing)(`a cell in Chromium${missing}`, () => {
  const peers: PeerName[] = installed('@jax-js/jax') ? ['jax-js'] : []
  let bundled: Bundled
  beforeAll(async () => {
    bundled = await bundlePages(join(folder, 'pages'), [...peers, 'torch'])
  }, 60_000)

  it('says of a peer that no page runs', () =>
    expect([...bundled.failed]).toEqual([['torch', expect.stringContaining('does not run in a page')]]))

  async function side(participant: Participant): Promise<Side> {
    const gpuFlags = participant.kind === 'heed' && participant.engine === 'webgpu' ? GPU_FLAGS : undefined
    const spec = {
      peer: participant.kind === 'peer' ? participant.peer : ('heed' as const),
      engine: participant.kind === 'heed' ? participant.engine : ('stock' as const),
      workload: 'gemm',
      variant: '128',
      threads: 1,
      data: join(folder, 'gemm'),
    }
    const page = await openPage(spec, { ...bundled.pages, ...(gpuFlags ? { gpuFlags } : {}) })
    const into = join(folder, spec.peer)
    return {
      participant,
      about: page.about,
      async result(steps) {
        await obey(page, { do: 'result', steps, into })
        return readValues(into)
      },
      measure: async (ms, most) => (await obey(page, { do: 'measure', ms, most })) as Burst,
      close: () => void page.close(),
    }
  }

  it('agrees, takes turns and gives a row', async () => {
    const variant = findVariant('gemm', '128')
    writeValues(join(folder, 'gemm'), variant.inputs(drawFrom(1)))
    const sides = await Promise.all([heed, ...peers.map(peer => ({ kind: 'peer' as const, peer }))].map(side))
    expect(sides[0]?.about).toMatch(/^heed, .*1 thread.*, Chromium \d+/)
    const subject = { ...SMALL_GEMM, place: 'chromium' as const, tolerance: variant.tolerance }
    const { rows, gaps } = await measureCell(subject, sides, { ...QUICK, capMs: 30_000 })
    for (const one of sides) one.close()
    expect(gaps).toEqual([])
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({ place: 'chromium', peer: peers[0] ?? null })
    expect(rows[0]?.heedMs).toBeGreaterThan(0.005)
    expect(rows[0]?.heedMs).toBeLessThan(1000)
    expect(rows[0]?.heedPeakMB).toBeGreaterThan(50)
  })

  it('on a GPU computes there, and its row says what that took', async () => {
    const adapter = await findAdapter(chromium)
    expect(adapter.name).not.toBe('')
    const variant = findVariant('gemm', '128')
    writeValues(join(folder, 'gemm'), variant.inputs(drawFrom(1)))
    const [cpu, onGpu] = [await side(heed), await side({ kind: 'heed', engine: 'webgpu' })]
    expect(onGpu.about).toMatch(/^heed, webgpu, .*, Chromium \d+/)
    const theirs = await onGpu.result(1)
    expect(disagreement(await cpu.result(1), theirs, 1e-5)).toBe('')
    cpu.close()
    const subject = { ...SMALL_GEMM, place: 'gpu' as const, tolerance: variant.tolerance }
    const { rows } = await measureCell(subject, [onGpu], { ...QUICK, capMs: 30_000 })
    onGpu.close()
    expect(rows[0]).toMatchObject({ place: 'gpu', engine: 'webgpu', peer: null })
    expect(rows[0]?.heedCost).toEqual({ launches: 1, submissions: 1, uploaded: 0, downloaded: 0 })
    expect(rowLine(rows[0] as Row)).toContain('on a GPU: heed (webgpu)')
    expect(rowLine(rows[0] as Row)).toContain('(1 launch in 1 submission, 0 bytes up, 0 bytes down)')
  })
})
