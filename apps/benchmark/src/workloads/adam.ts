import type { Step, Untyped } from '../workload.ts'

// Training steps of peers: Adam with a rate of 0.001 and PyTorch's other settings.

/** One step of tfjs: forward, backward, Adam. */
export function adamStep(tf: Untyped, variables: readonly Untyped[], loss: () => Untyped): Step<Untyped> {
  const adam = tf.train.adam(1e-3, 0.9, 0.999, 1e-8)
  return () => ({ loss: adam.minimize(loss, true, variables) })
}

type Tree = Readonly<Record<string, Untyped>>

/**
 * The same of jax-js, under one jit: its README's optimiser package is not on npm.
 *
 * @param loss uses up its arguments
 */
export function jaxTrainer(
  jax: Untyped,
  parameters: Tree,
  data: readonly Untyped[],
  loss: (parameters: Tree, ...data: Untyped[]) => Untyped,
): Step<Untyped> {
  const { numpy: np, jit, valueAndGrad, tree } = jax
  let p = parameters
  let moments: Tree = Object.fromEntries(
    Object.entries(p).map(([name, { shape }]) => [name, [np.zeros(shape), np.zeros(shape)]]),
  )
  let steps = 0
  const step = jit((p: Tree, old: Tree, c1: Untyped, c2: Untyped, ...inputs: Untyped[]) => {
    const [value, gradients] = valueAndGrad(loss)(tree.ref(p), ...inputs)
    const next: Record<string, Untyped> = {}
    const nextMoments: Record<string, Untyped> = {}
    for (const [name, parameter] of Object.entries(p)) {
      const m = old[name][0].mul(0.9).add(gradients[name].ref.mul(0.1))
      const v = old[name][1].mul(0.999).add(np.square(gradients[name]).mul(0.001))
      const root = np.sqrt(v.ref.mul(c2.ref)).add(1e-8)
      next[name] = parameter.sub(m.ref.mul(c1.ref).div(root).mul(1e-3))
      nextMoments[name] = [m, v]
    }
    c1.dispose()
    c2.dispose()
    return [value, next, nextMoments]
  })
  return async () => {
    steps++
    const [c1, c2] = [np.array(1 / (1 - 0.9 ** steps)), np.array(1 / (1 - 0.999 ** steps))]
    const [value, next, nextMoments] = step(p, moments, c1, c2, ...data.map(x => x.ref))
    p = next
    moments = nextMoments
    await jax.blockUntilReady([p, moments])
    return { loss: value }
  }
}
