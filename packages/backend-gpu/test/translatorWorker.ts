// The module of a worker: trains the translator of dates, and translates.
import { noGrad, Rng } from '@heed/core-tensor'
import { DeviceLostError, gpu, serve } from '../src/index.ts'
import { pair, Translator } from './translator.ts'

const backend = await gpu({ mode: 'webgpu', software: true })
const translator = new Translator(backend)
let steps = 0

const calls = {
  async *train(count: number) {
    const rng = new Rng(1)
    for (let step = 0; step < count; step++) {
      const pairs = Array.from({ length: 16 }, () => pair(rng))
      const loss = translator.step(pairs, 0.02)
      steps++
      yield await loss.item()
      loss.release('by the loop')
    }
  },
  translate: (sources: string[]) => noGrad(() => translator.translate(sources)),
  steps: () => steps,
  numbers: (n: number) => ({ data: new Float32Array(n).fill(n) }),
  fail: () => {
    throw new DeviceLostError('the test wants it')
  },
}
export type TranslatorCalls = typeof calls
serve(calls)
