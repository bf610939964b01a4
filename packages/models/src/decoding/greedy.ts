import { type Backend, noGrad, scope, tensor } from '@heed/core-tensor'
import { firstWords } from './rows.ts'
import type { Decoded, DecodeOptions, Stepper } from './stepper.ts'

/**
 * The most likely word at each step, until every row has ended.
 *
 * @param makeStepper called inside the scope that frees everything at the end
 * @param batch how many rows
 */
export function greedy<State>(
  makeStepper: () => Stepper<State>,
  batch: number,
  backend: Backend,
  options: DecodeOptions,
): Promise<Decoded[]> {
  const { end, maxLength } = options
  return noGrad(() =>
    scope(async () => {
      const rows = Array.from({ length: batch }, () => ({
        ids: [] as number[],
        weights: [] as Float32Array[],
        ended: false,
      }))
      const stepper = makeStepper()
      let now = { state: stepper.start, last: tensor(firstWords(options, batch), { backend }) }
      for (let t = 0; t < maxLength && rows.some(row => !row.ended); t++)
        now = await scope(async () => {
          const next = stepper.step(now.last, now.state)
          const last = next.logits.argmax(-1)
          const [ids, weights] = await Promise.all([last.data(), next.weights?.data()])
          const width = next.weights?.shape[1] ?? 0
          for (const [i, row] of rows.entries()) {
            if (row.ended) continue
            if (weights) row.weights.push((weights as Float32Array).slice(i * width, (i + 1) * width))
            if (ids[i] === end) row.ended = true
            else row.ids.push(ids[i] as number)
          }
          return { state: next.state, last }
        })
      return rows
    }),
  )
}
