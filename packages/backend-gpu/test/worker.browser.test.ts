import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeviceLostError, type Remote, runInWorker } from '../src/index.ts'
import type { TranslatorCalls } from './translatorWorker.ts'

const worker = (): Worker => new Worker(new URL('./translatorWorker.ts', import.meta.url), { type: 'module' })

/** Milliseconds of the longest time in which the page could do nothing, until it is asked. */
function longestGap(): () => number {
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }, 5)
  return () => {
    clearInterval(timer)
    return longest
  }
}

describe('a model in a worker', () => {
  let model: Remote<TranslatorCalls>
  beforeAll(() => {
    model = runInWorker<TranslatorCalls>(worker())
  })
  afterAll(() => model.terminate())

  it('trains and answers while the page stays responsive', async () => {
    await model.translate(['1.2.1999']) // compiled
    const gap = longestGap()
    const losses: number[] = []
    for await (const loss of model.train(10)) losses.push(loss)
    const [answer] = await model.translate(['7.3.2024'])
    const longest = gap()
    expect(losses).toHaveLength(10)
    expect(losses.at(-1)).toBeLessThan(losses[0] as number)
    expect(answer?.length).toBeGreaterThan(0)
    // 60 to 320 ms on two cores with ten times as much work waiting; the device computes for seconds.
    expect(longest).toBeLessThan(500)
  })

  it('stops training when the page leaves its loop', async () => {
    const before = await model.steps()
    for await (const _ of model.train(1000)) if ((await model.steps()) >= before + 3) break
    const after = await model.steps()
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(await model.steps()).toBe(after)
    expect(after).toBeLessThan(before + 6)
  })

  it('hands arrays over, and errors with their class', async () => {
    expect((await model.numbers(5)).data).toEqual(Float32Array.of(5, 5, 5, 5, 5))
    await expect(model.fail()).rejects.toThrow(DeviceLostError)
    const unknown = (model as unknown as Record<string, () => Promise<void>>).nothing as () => Promise<void>
    await expect(unknown()).rejects.toThrow(/serve: there is no nothing here; use train, translate/)
  })

  it('that was terminated fails what is asked of it', async () => {
    const other = runInWorker<TranslatorCalls>(worker())
    const asked = other.steps()
    other.terminate()
    await expect(asked).rejects.toThrow(/terminated/)
    await expect(other.steps()).rejects.toThrow(/terminated/)
  })

  it('whose module does not load says so', async () => {
    const gone = runInWorker<TranslatorCalls>(
      new Worker('data:text/javascript,throw new Error("no such thing")', { type: 'module' }),
    )
    await expect(gone.steps()).rejects.toThrow(/runInWorker: the worker ended \(.*no such thing/)
  })
})
