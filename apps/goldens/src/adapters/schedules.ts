import type { Schedule } from '@heed/training'
import * as training from '@heed/training'
import type { Case, Tolerance } from '../cases.ts'
import { type Adapter, differ } from '../compare.ts'
import { attributes } from './settings.ts'

type Reader = ReturnType<typeof attributes>

const rates = (c: Case, made: readonly number[]): { outputs: Record<string, never> } => {
  const problem = differ('lr', made, c.raw.lr as number[], c.tolerance.out as Tolerance)
  if (problem) throw new Error(problem)
  return { outputs: {} }
}

const schedule =
  (make: (rate: number, s: Reader) => Schedule): Adapter =>
  c => {
    const settings = attributes(c)
    const at = make(settings.number('base_lr', 0), settings)
    return rates(
      c,
      Array.from({ length: settings.number('steps') }, (_, step) => at(step)),
    )
  }

export const schedules: Record<string, Adapter> = {
  noam: schedule((_, s) =>
    training.noam({
      modelSize: s.number('d_model'),
      warmup: s.number('warmup'),
      factor: s.number('factor', 1),
    }),
  ),
  cosine: schedule((rate, s) =>
    training.cosine(rate, { total: s.number('T_max'), final: s.number('eta_min', 0) }),
  ),
  step: schedule((rate, s) =>
    training.stepDecay(rate, { size: s.number('step_size'), gamma: s.number('gamma') }),
  ),
  multistep: schedule((rate, s) =>
    training.multiStep(rate, { milestones: s.numbers('milestones'), gamma: s.number('gamma') }),
  ),
  exponential: schedule((rate, s) => training.exponential(rate, { gamma: s.number('gamma') })),
  linear: schedule((rate, s) =>
    training.linearWarmup(rate, {
      start: s.number('start_factor'),
      end: s.number('end_factor'),
      total: s.number('total_iters'),
    }),
  ),
  one_cycle: schedule((_, s) =>
    training.oneCycle(s.number('max_lr'), {
      total: s.number('total_steps'),
      rising: s.number('pct_start', 0.3),
      shape: s.word('anneal', 'cos') === 'cos' ? 'cosine' : 'linear',
      divide: s.number('div_factor', 25),
      divideFinal: s.number('final_div_factor', 1e4),
      threePhase: s.flag('three_phase'),
    }),
  ),
  warm_restarts: schedule((rate, s) =>
    training.warmRestarts(rate, {
      first: s.number('T_0'),
      factor: s.number('T_mult', 1),
      final: s.number('eta_min', 0),
    }),
  ),
  warmup_cosine: schedule((rate, s) =>
    training.warmupCosine(rate, {
      warmup: s.number('warmup'),
      total: s.number('total'),
      final: s.number('min_lr', 0),
    }),
  ),
  inverse_sqrt: schedule((rate, s) => training.inverseSqrt(rate, { warmup: s.number('warmup') })),
  plateau: c => {
    const s = attributes(c)
    const plateau = new training.Plateau(s.number('base_lr'), {
      mode: s.word<'min' | 'max'>('mode'),
      factor: s.number('factor'),
      patience: s.number('patience'),
      threshold: s.number('threshold'),
      thresholdMode: s.word<'rel' | 'abs'>('threshold_mode'),
      cooldown: s.number('cooldown'),
      minRate: s.number('min_lr'),
    })
    return rates(
      c,
      s.numbers('metrics').map(metric => plateau.observe(metric)),
    )
  },
}
