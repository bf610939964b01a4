import type { Page } from 'playwright'
import { describe, expect } from 'vitest'
import { looking, served } from './site.ts'

// The page on a GPU in a worker, as a reader meets it, on a machine whose only adapter is the processor's.

const { read } = served()
const address = '/guide/gpu-worker.html'

const said = async (page: Page, name: string): Promise<string> =>
  ((await page.locator(`[data-${name}]`).textContent()) ?? '').trim()
const longest = async (page: Page): Promise<number> => Number.parseFloat(await said(page, 'longest'))
/** Waits until so many steps are done. */
const steps = async (page: Page, count: number): Promise<void> => {
  await page.waitForFunction(
    least =>
      Number(/Step (\d+)/.exec(document.querySelector('[data-status]')?.textContent ?? '')?.[1]) >= least,
    count,
    { timeout: 60_000 },
  )
}
const lossOf = (status: string): number => Number(/loss ([\d.]+)/.exec(status)?.[1])

describe('a model in a worker', () => {
  looking('where the only adapter computes on the CPU, says so, and leaves the choice to the reader', () =>
    read(address, async page => {
      await page.locator('[data-start]').click()
      const alert = page.locator('.lab [role=alert]')
      await alert.waitFor()
      expect(await alert.textContent()).toMatch(/the only adapter, .*, computes on the CPU/)
      expect(await said(page, 'runs-on')).toBe('nothing yet')
      expect(await page.locator('[data-ask]').isDisabled()).toBe(true)
      expect(await page.locator('[data-instead]').allTextContents()).toEqual([
        'Use that adapter all the same',
        'Train on the CPU',
      ])
      await page.locator('[data-instead=cpu]').click()
      await steps(page, 5)
      expect(await said(page, 'runs-on')).toMatch(/^the CPU/)
    }),
  )

  looking('trains and answers on WebGPU while the page has its frames, and stops when it is told to', () =>
    read(address, async page => {
      await page.locator('[data-start]').click()
      await page.locator('[data-instead=software]').click()
      const began = performance.now()
      await steps(page, 5)
      const early = lossOf(await said(page, 'status'))
      expect(await said(page, 'runs-on')).toMatch(/webgpu, .*swiftshader/i)
      const turned = await page.locator('.alive g').getAttribute('transform')
      await page.locator('[data-ask]').click() // while it trains
      await page.locator('[data-answer]', { hasText: '→' }).waitFor({ timeout: 30_000 })
      expect(await said(page, 'answer')).toMatch(/^7\.3\.2024 → .*after \d+ steps$/)
      await steps(page, 40)
      expect(lossOf(await said(page, 'status'))).toBeLessThan(0.9 * early)
      expect(await page.locator('.alive g').getAttribute('transform')).not.toBe(turned)
      // Two cores compute the GPU, the page and the browser: 60 to 300 ms, while training takes many seconds.
      const gap = await longest(page)
      expect(gap).toBeGreaterThan(0)
      expect(gap).toBeLessThan((performance.now() - began) / 4)
      await page.locator('[data-stop]').click()
      await page.locator('[data-stop]:disabled').waitFor()
      const status = await said(page, 'status')
      // The measure is one: a page that is held for half a second has no frames, give or take one.
      await page.locator('[data-hold]').click()
      await page.waitForTimeout(600)
      expect(await longest(page)).toBeGreaterThanOrEqual(450)
      expect(await said(page, 'status')).toBe(status)
      await page.getByLabel(/A date in numbers/).fill('heute')
      await page.locator('[data-ask]').click()
      await page.locator('[data-answer]', { hasText: '"h" is none of these' }).waitFor()
    }),
  )
})
