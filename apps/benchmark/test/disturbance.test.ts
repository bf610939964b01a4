import { describe, expect, it } from 'vitest'
import { type CoreTimes, coreTimes, foreignCores, isDisturbed } from '../src/disturbance.ts'

const at = (ms: number, busy: number, stolen = 0): CoreTimes => ({ at: ms, busy, stolen })
const computing = { cpuMs: 1000, wallMs: 1000 }

describe('a stretch of a second', () => {
  it('is quiet where all work was ours', () => {
    const stretch = { before: at(0, 0), after: at(1000, 1010), own: 1000 }
    expect(foreignCores(stretch)).toBeCloseTo(0.01)
    expect(isDisturbed(stretch, computing)).toBe(false)
  })

  it('is disturbed where others kept half a core busy', () => {
    const stretch = { before: at(0, 200), after: at(1000, 1700), own: 1000 }
    expect(foreignCores(stretch)).toBeCloseTo(0.5)
    expect(isDisturbed(stretch, computing)).toBe(true)
  })

  it('is disturbed where the machine below took processor time away', () =>
    expect(isDisturbed({ before: at(0, 0), after: at(1000, 1000, 300), own: 1000 }, computing)).toBe(true))

  it('is disturbed where our process had to wait for a core', () =>
    expect(
      isDisturbed({ before: at(0, 0), after: at(1000, 1000), own: 1000 }, { cpuMs: 700, wallMs: 1000 }),
    ).toBe(true))

  it('is quiet where our process waited for a GPU, but not where others computed', () => {
    const waiting = { cpuMs: 50, wallMs: 1000 }
    expect(isDisturbed({ before: at(0, 0), after: at(1000, 60), own: 50 }, waiting, 'gpu')).toBe(false)
    expect(isDisturbed({ before: at(0, 0), after: at(1000, 600), own: 50 }, waiting, 'gpu')).toBe(true)
  })

  it('with two threads of ours is quiet', () =>
    expect(
      isDisturbed({ before: at(0, 0), after: at(1000, 2000), own: 2000 }, { cpuMs: 2000, wallMs: 1000 }),
    ).toBe(false))

  it('never counts less than no foreign load, since clocks differ', () =>
    expect(foreignCores({ before: at(0, 0), after: at(1000, 900), own: 1000 })).toBe(0))
})

it('core times of this machine only grow', async () => {
  const before = coreTimes()
  const end = performance.now() + 50
  while (performance.now() < end);
  const after = coreTimes()
  expect(after.busy).toBeGreaterThanOrEqual(before.busy)
  expect(after.at).toBeGreaterThan(before.at)
})
