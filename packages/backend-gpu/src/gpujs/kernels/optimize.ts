import { type ops, sizeOf } from '@heed/core-tensor'
import { type Family, type Input, only, type Runner } from '../runner.ts'

/** One step of Adam: a kernel for each of its results. */
export function optimize(runner: Runner): Family<'adam'> {
  return {
    adam: (inputs, outputs, attrs: ops.AdamStep) => {
      const { learningRate, beta1, beta2, epsilon, step, weightDecay, decoupled } = attrs
      const [p, g, m, v] = inputs as readonly [Input, Input, Input, Input]
      const size = sizeOf(only(outputs).shape)
      const added = decoupled ? 0 : weightDecay
      const moved = (name: string, code: string, old: Input, beta: number) =>
        runner.run(
          name,
          () => ({
            tensors: ['p', 'g', 'old'],
            ints: ['pAt', 'gAt', 'oldAt'],
            floats: ['beta', 'rest', 'added'],
            body: `let slope = g[gAt + this.thread.x] + p[pAt + this.thread.x] * added;
return old[oldAt + this.thread.x] * beta + ${code} * rest;`,
          }),
          size,
          [p.storage, g.storage, old.storage],
          [p.offset, g.offset, old.offset, beta, 1 - beta, added],
        )
      const nextM = moved('adam m', 'slope', m, beta1)
      const nextV = moved('adam v', '(slope * slope)', v, beta2)
      const nextP = runner.run(
        'adam p',
        () => ({
          tensors: ['p', 'm', 'v'],
          ints: ['pAt'],
          floats: ['rate', 'keep', 'rootScale', 'epsilon'],
          body: `return p[pAt + this.thread.x] * keep - m[this.thread.x] / (sqrtOf(v[this.thread.x]) * rootScale + epsilon) * rate;`,
        }),
        size,
        [p.storage, nextM, nextV],
        [
          p.offset,
          learningRate / (1 - beta1 ** step),
          decoupled ? 1 - learningRate * weightDecay : 1,
          1 / Math.sqrt(1 - beta2 ** step),
          epsilon,
        ],
      )
      return [nextP, nextM, nextV]
    },
  }
}
