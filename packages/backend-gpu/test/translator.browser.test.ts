/// <reference types="vite/client" />
import { type Backend, noGrad, Rng } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { describe, expect, it } from 'vitest'
import { open } from './open.ts'
import { type Pair, pair, Translator } from './translator.ts'

const BATCH = 64

function draw(rng: Rng, n: number): Pair[] {
  return Array.from({ length: n }, () => pair(rng))
}

/** The losses of the first steps. */
async function losses(backend: Backend, steps: number): Promise<number[]> {
  const translator = new Translator(backend)
  const rng = new Rng(1)
  const found: number[] = []
  for (let step = 0; step < steps; step++)
    found.push(await translator.step(draw(rng, BATCH / 4), 0.02).item())
  return found
}

describe('a translator of dates, trained on the GPU', () => {
  it('has the losses of a CPU, and they fall', async () => {
    const backend = await open()
    const found = await losses(backend, 20)
    backend.dispose()
    const wanted = await losses(referenceBackend(), 3)
    for (const [i, loss] of wanted.entries())
      expect(Math.abs((found[i] as number) - loss)).toBeLessThan(1e-4 * loss)
    expect(found.at(-1)).toBeLessThan(0.75 * (found[0] as number))
  })

  // Minutes: VITE_HEED_LONG=1 npx vitest run --project browser packages/backend-gpu/test/translator
  // Minutes long: for those who ask for it by VITE_HEED_LONG=1.
  if (import.meta.env.VITE_HEED_LONG)
    it('translates 95 % of unseen dates after less than 5 minutes', async () => {
      const backend = await open()
      const translator = new Translator(backend)
      const rng = new Rng(1)
      const unseen = draw(new Rng(2), 400)
      const start = performance.now()
      let right = 0
      while (right < 0.95 * unseen.length && performance.now() - start < 300_000) {
        for (let i = 0; i < 50; i++) {
          const loss = translator.step(draw(rng, BATCH), 0.01)
          loss.release('by the loop')
        }
        const made = await noGrad(() => translator.translate(unseen.map(p => p.source)))
        right = made.filter((text, i) => text === unseen[i]?.target).length
      }
      expect(right).toBeGreaterThanOrEqual(0.95 * unseen.length)
      expect(performance.now() - start).toBeLessThan(300_000)
      backend.dispose()
    }, 400_000)
})
