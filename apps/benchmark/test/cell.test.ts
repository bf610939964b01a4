import { describe, expect, it } from 'vitest'
import { disagreement, emptiness } from '../src/agreement.ts'
import { measureCell } from '../src/cell.ts'
import { Capped } from '../src/side.ts'
import type { NamedValues } from '../src/values.ts'
import { heed, QUICK, side, torch } from './sides.ts'

const subject = {
  place: 'node' as const,
  workload: 'gemm',
  variant: 'small',
  threads: 1,
  tolerance: 1e-5,
  calls: 1,
  compared: 1,
}
const changed =
  (change: (x: number, i: number) => number) =>
  (values: NamedValues): NamedValues =>
    Object.fromEntries(
      Object.entries(values).map(([name, { shape, data }]) => [
        name,
        { shape, data: Float32Array.from(data, change) },
      ]),
    )

describe('a cell', () => {
  it('gives a row for a peer that agrees, its ratio above 1 where Heed is faster', async () => {
    const peer = await side(torch)
    peer.measure = async () => ({ times: [6, 6, 6], cpuMs: 18, wallMs: 18, peakMB: 70, residentMB: 60 })
    const { rows, gaps } = await measureCell(subject, [await side(heed), peer], QUICK)
    expect(gaps).toEqual([])
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({
      peer: 'torch',
      engine: 'stock',
      heedMs: 3,
      peerMs: 6,
      ratio: 2,
      heedMinMs: 2,
    })
    expect(rows[0]).toMatchObject({ heedPeakMB: 50, peerPeakMB: 70, capped: false })
  })

  it('refuses to time a peer that computes something else, and says by how much', async () => {
    const wrong = await side(
      torch,
      changed((x, i) => (i === 4 ? x + 0.5 : x)),
    )
    const { rows, gaps } = await measureCell(subject, [await side(heed), wrong], QUICK)
    expect(rows.map(row => row.peer)).toEqual([null])
    expect(gaps).toHaveLength(1)
    expect(gaps[0]?.reason).toMatch(
      /^not timed: differs from Heed by 0\.\d+ .* 0\.00001 is allowed \(z, element 4: /,
    )
    expect(wrong.closed).toBe(true)
  })

  it('refuses a peer whose result is all zeros, or not a number', async () => {
    for (const [value, words] of [
      [0, 'all zeros'],
      [Number.NaN, 'not finite'],
    ] as const) {
      const peer = await side(
        torch,
        changed(() => value),
      )
      const { gaps } = await measureCell(subject, [await side(heed), peer], QUICK)
      expect(gaps[0]?.reason).toContain(words)
    }
  })

  it('goes on with the others where one fails', async () => {
    const failing = await side(torch)
    failing.result = () => Promise.reject(new Error('out of heap'))
    const jax = await side({ kind: 'peer', peer: 'jax-js' })
    const { rows, gaps } = await measureCell(subject, [await side(heed), failing, jax], QUICK)
    expect(rows.map(row => row.peer)).toEqual(['jax-js'])
    expect(gaps.map(gap => [gap.participant, gap.reason])).toEqual([['torch', 'out of heap']])
  })

  it('times nobody where Heed gives nothing to compare with', async () => {
    const broken = await side(heed)
    broken.result = () => Promise.reject(new Error('out of memory'))
    const { rows, gaps } = await measureCell(subject, [broken, await side(torch)], QUICK)
    expect(rows).toEqual([])
    expect(gaps.map(gap => gap.participant)).toEqual(['heed', 'torch'])
  })

  it('says that a peer took longer than it may', async () => {
    const slow = await side(torch)
    slow.measure = () => Promise.reject(new Capped('torch: took more than 60 s'))
    const { gaps } = await measureCell(subject, [await side(heed), slow], QUICK)
    expect(gaps[0]?.reason).toBe('torch: took more than 60 s')
  })

  it('marks a row whose process did not get its core', async () => {
    const starved = await side(torch)
    starved.measure = async () => ({ times: [6], cpuMs: 3, wallMs: 6, peakMB: 70, residentMB: 60 })
    const { rows } = await measureCell(subject, [await side(heed), starved], QUICK)
    expect(rows[0]?.disturbed).toBe(true)
  })

  const paced = (times: readonly number[][]) => {
    let turn = 0
    return async () => {
      const taken = times[Math.min(turn++, times.length - 1)] as number[]
      return { times: taken, cpuMs: 1e4, wallMs: 1e4, peakMB: 70, residentMB: 60 }
    }
  }

  it('leaves out turns in which the machine was slower than in others, and takes more', async () => {
    const peer = await side(torch)
    peer.measure = paced([[9], [10, 16, 16], [10, 10.5], [11]])
    const { rows } = await measureCell(subject, [await side(heed), peer], QUICK)
    expect(rows[0]).toMatchObject({ peerMs: 10.5, disturbed: false })
  })

  it('marks a row of which no two turns agree', async () => {
    const peer = await side(torch)
    peer.measure = paced([[9], [16], [10], [13]])
    const { rows } = await measureCell(subject, [await side(heed), peer], QUICK)
    expect(rows[0]).toMatchObject({ peerMs: 13, disturbed: true })
  })

  it('warms up until two turns are no faster', async () => {
    const peer = await side(torch)
    peer.measure = paced([[20], [12], [8], [8], [7.9], [5], [5]])
    const { rows } = await measureCell(subject, [await side(heed), peer], { ...QUICK, warmUps: 8 })
    expect(rows[0]).toMatchObject({ peerMs: 5 })
  })

  it('divides by the calls of a step', async () => {
    const { rows } = await measureCell({ ...subject, calls: 1000 }, [await side(heed)], QUICK)
    expect(rows[0]).toMatchObject({ heedMs: 0.003, peer: null, ratio: null })
  })
})

describe('agreement', () => {
  const values = (...data: number[]): NamedValues => ({
    z: { shape: [data.length], data: Float32Array.from(data) },
  })

  it('is measured against the root mean square', () => {
    // rms of (3, 4) is √12.5; a distance of 0.5 is 0.1414 of it
    expect(disagreement(values(3, 4), values(3, 4.5), 0.15)).toBe('')
    expect(disagreement(values(3, 4), values(3, 4.5), 0.14)).toContain('differs from Heed by 0.14')
  })

  it('needs the same shapes and names', () => {
    expect(disagreement(values(1, 2), values(1), 1)).toContain('z is [1]')
    expect(disagreement(values(1, 2), {}, 1)).toContain('no z')
  })

  it('never holds for what is not a number', () =>
    expect(disagreement(values(1, 2), values(1, Number.NaN), 1)).not.toBe(''))

  it('finds nothing wrong with ordinary numbers', () => expect(emptiness(values(0, 1))).toBe(''))
})
