// Long loops in a process of their own, whose memory nothing else uses. Prints what it measured as JSON.

import {
  applyAll,
  memory,
  noGrad,
  normal,
  ops,
  Parameter,
  Rng,
  scope,
  setBackend,
  type Tensor,
} from '@heed/core-tensor'
import { cpu } from '../../src/index.ts'

const [, , name = '', steps = '10000'] = process.argv
const STEPS = Number(steps)
const backend = await cpu({ threads: 2 })
setBackend(backend)
const rng = new Rng(3)

const weights = [normal([32, 16], { rng }), normal([16, 8], { rng })].map(w => new Parameter(w.mul(0.1)))
const moments = weights.map(w => [new Parameter(w.mul(0)), new Parameter(w.mul(0))] as const)
const settings = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  decoupled: false,
}

/** One step of training, of a size that changes from step to step as lengths of sentences do. */
function train(step: number): Tensor {
  const x = normal([8 + (step % 7), 32], { rng })
  const [w1, w2] = weights as [Parameter, Parameter]
  const loss = x.matmul(w1).tanh().matmul(w2).sub(x.slice([{}, { stop: 8 }])).pow(2).mean() // biome-ignore format: one line reads best
  loss.backward()
  for (const [i, p] of weights.entries()) {
    const [m, v] = moments[i] as (typeof moments)[number]
    const made = noGrad(() => applyAll(ops.adam, [p, p.grad as Tensor, m, v], { ...settings, step }))
    for (const [k, kept] of [p, m, v].entries()) kept.assign(made[k] as Tensor)
    p.zeroGrad()
  }
  return loss
}

const scenes: Readonly<Record<string, (step: number) => unknown>> = {
  'without a pause': step => scope(() => train(step).dataSync()),
  'with await': step => scope(async () => (await train(step).data())[0]),
  'awaited outside of scopes': async step => {
    await train(step).item() // what is left is the collector's
  },
}

interface Measured {
  readonly bytes: number
  readonly count: number
  readonly reserved: number
  readonly rss: number
}

/** After the collector's callbacks have had their turn. */
async function measure(): Promise<Measured> {
  globalThis.gc?.()
  await new Promise(resolve => setTimeout(resolve, 20))
  return { ...memory(backend), rss: process.memoryUsage.rss() }
}

const scene = scenes[name]
if (!scene) throw new Error(`no scene ${name}`)
const measured: Measured[] = []
for (let step = 1; step <= STEPS; step++) {
  const result = scene(step)
  if (result instanceof Promise) await result
  if (step % (STEPS / 5) === 0) measured.push(await measure())
}
process.stdout.write(JSON.stringify(measured))
