import { type ops, sizeOf, type TensorSpec } from '@heed/core-tensor'
import type { Family, Input, Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'

/** The settings that `adam` takes. */
type AdamStep = Parameters<NonNullable<typeof ops.adam.compose>>[1]

/** One step of Adam in one launch. */
export function optimize(machine: Machine): Family<'adam'> {
  return {
    adam: (inputs, outputs, attrs: AdamStep) => {
      const { learningRate, beta1, beta2, epsilon, step, weightDecay, decoupled } = attrs
      const program = machine.program('adam', () => ({
        params: [
          ...[['n', 'u32'], ['pAt', 'u32'], ['gAt', 'u32'], ['mAt', 'u32'], ['vAt', 'u32']] as const,
          ...[['shrink', 'f32'], ['decay', 'f32'], ['beta1', 'f32'], ['rest1', 'f32'], ['beta2', 'f32']] as const,
          ...[['rest2', 'f32'], ['root', 'f32'], ['epsilon', 'f32'], ['rate', 'f32']] as const,
        ], // biome-ignore format: a list
        reads: { p0: 'f32', g0: 'f32', m0: 'f32', v0: 'f32' },
        writes: { p1: 'f32', m1: 'f32', v1: 'f32' },
        body: `let x = p0[p.pAt + i] * p.shrink;
  let g = fma(x, p.decay, g0[p.gAt + i]);
  let m = fma(m0[p.mAt + i], p.beta1, g * p.rest1);
  let v = fma(v0[p.vAt + i], p.beta2, g * g * p.rest2);
  p1[i] = x - m / fma(sqrt(v), p.root, p.epsilon) * p.rate;
  m1[i] = m;
  v1[i] = v;`,
      }))
      const made = machine.outputs(outputs)
      machine.each(
        program,
        sizeOf((outputs[0] as TensorSpec).shape),
        [
          ...inputs.map(x => x.offset),
          decoupled ? 1 - learningRate * weightDecay : 1,
          decoupled ? 0 : weightDecay,
          ...[beta1, 1 - beta1, beta2, 1 - beta2],
          1 / Math.sqrt(1 - beta2 ** step),
          epsilon,
          learningRate / (1 - beta1 ** step),
        ],
        [...inputs.map((x: Input): Storage => x.storage), ...made],
      )
      return made
    },
  }
}
