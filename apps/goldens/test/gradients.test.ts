import { cpu } from '@heed/backend-cpu'
import { type Backend, grad, isFloat, Rng, type Tensor, tensor } from '@heed/core-tensor'
import { checkGradient, checkSecondGradient, gradientCases, referenceBackend } from '@heed/core-tensor/testing' // biome-ignore format: one line
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

// The reference backend has these cases in core-tensor's own tests.
let backend: Backend
beforeAll(async () => {
  backend = await cpu({ threads: 1 })
})
afterAll(() => backend.dispose())

describe('on the cpu backend, in float64', () => {
  it.each(gradientCases())(
    'the gradient of $name agrees with finite differences, and so does its own',
    ({ f, inputs }) => {
      expect(checkGradient(f, inputs(backend))).toBeLessThan(1e-6)
      expect(checkSecondGradient(f, inputs(backend))).toBeLessThan(1e-6)
    },
  )
})

describe('on the cpu backend, in float32, where kernels are fused', () => {
  const fused = gradientCases().filter(({ name }) => /^(gru|lstm|rnn|additiveScore|scaledDotAttention|softmax|logSoftmax|linear)/.test(name)) // biome-ignore format: one line

  /** The gradients by all inputs of Σ r · (Σ w · f)′, r and w random: an order above the gradient. */
  const second = (f: (...x: Tensor[]) => Tensor, inputs: readonly Tensor[]): Float64Array => {
    const places = inputs.flatMap((x, i) => (isFloat(x.dtype) ? [i] : []))
    const random = (like: Tensor, seed: number): Tensor => {
      const rng = new Rng(seed)
      return tensor(Float64Array.from({ length: like.size }, () => rng.normal()), { shape: like.shape, dtype: like.dtype, backend: like.backend }) // biome-ignore format: one line
    }
    const all = (floats: readonly Tensor[]): Tensor[] => inputs.map((x, i) => floats[places.indexOf(i)] ?? x)
    const scalar = (...floats: Tensor[]): Tensor => {
      const y = f(...all(floats))
      return y.mul(random(y, 1)).sum()
    }
    const above = (...floats: Tensor[]): Tensor =>
      grad(scalar)(...floats)
        .map((dx, i) => dx.mul(random(dx, 2 + i)).sum())
        .reduce((a, b) => a.add(b))
    const made = grad(above)(...places.map(i => inputs[i] as Tensor))
    return Float64Array.from(made.flatMap(dx => [...dx.dataSync()]))
  }

  it.each(fused)('gradients of gradients of $name equal those of its composition', ({ f, inputs }) => {
    const want = second(f, inputs(referenceBackend()))
    const got = second(f, inputs(backend).map(x => (isFloat(x.dtype) ? x.cast('float32') : x))) // biome-ignore format: one line
    expect(got.length).toBe(want.length)
    expect(want.some(v => v !== 0)).toBe(true)
    for (const [i, v] of got.entries()) {
      const w = want[i] as number
      expect(Math.abs(v - w)).toBeLessThan(1e-4 * (1 + Math.abs(w)))
    }
  })
})
