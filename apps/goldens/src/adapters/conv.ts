import {
  AvgPool1d,
  AvgPool2d,
  type AvgPoolOptions,
  Conv1d,
  Conv2d,
  type ConvOptions,
  globalAveragePool,
  MaxPool1d,
  MaxPool2d,
  type MaxPoolOptions,
  type PaddingMode,
  type PerAxis,
} from '@heed/layers'
import type { Case } from '../cases.ts'
import type { Adapter } from '../compare.ts'
import { loaded } from './loaded.ts'
import { attributes, given } from './settings.ts'

/** The group gives constructor arguments as attributes. */
function setting(c: Case, name: string): unknown {
  return c.attributes[name] ?? c.constructor[name]
}

const perAxis = (c: Case, name: string, missing: PerAxis): PerAxis => (setting(c, name) ?? missing) as PerAxis

function convOptions(c: Case): ConvOptions {
  return {
    stride: perAxis(c, 'stride', 1),
    padding: (setting(c, 'padding') ?? 0) as PerAxis | 'same',
    paddingMode: (setting(c, 'padding_mode') ?? 'zeros') as PaddingMode,
    dilation: perAxis(c, 'dilation', 1),
    groups: Number(setting(c, 'groups') ?? 1),
    bias: 'bias' in c.params,
  }
}

const conv =
  (Layer: typeof Conv1d | typeof Conv2d): Adapter =>
  c => {
    const [inside, out] = [Number(setting(c, 'in_channels')), Number(setting(c, 'out_channels'))]
    const { module } = loaded(c, new Layer(inside, out, perAxis(c, 'kernel_size', 1), convOptions(c)))
    return { outputs: { out: module.forward(given(c, 'x')) }, module }
  }

function poolOptions(c: Case): MaxPoolOptions & AvgPoolOptions {
  const s = attributes(c)
  return {
    ...(s.has('stride') ? { stride: perAxis(c, 'stride', 1) } : {}),
    padding: perAxis(c, 'padding', 0),
    ceilMode: s.flag('ceil_mode'),
  }
}

const maxPool =
  (Layer: typeof MaxPool1d | typeof MaxPool2d): Adapter =>
  c => {
    const options = { ...poolOptions(c), dilation: perAxis(c, 'dilation', 1) }
    const pool = new Layer(perAxis(c, 'kernel_size', 1), options)
    const { values, indices } = pool.locate(given(c, 'x'))
    return { outputs: { out: values, indices } }
  }

const avgPool =
  (Layer: typeof AvgPool1d | typeof AvgPool2d): Adapter =>
  c => {
    const s = attributes(c)
    const pool = new Layer(perAxis(c, 'kernel_size', 1), {
      ...poolOptions(c),
      countIncludePad: s.flag('count_include_pad', true),
      ...(s.has('divisor_override') ? { divisorOverride: s.number('divisor_override') } : {}),
    })
    return { outputs: { out: pool.forward(given(c, 'x')) } }
  }

export const convolutions: Record<string, Adapter> = {
  conv1d: conv(Conv1d),
  conv2d: conv(Conv2d),
  max_pool1d: maxPool(MaxPool1d),
  max_pool2d: maxPool(MaxPool2d),
  avg_pool1d: avgPool(AvgPool1d),
  avg_pool2d: avgPool(AvgPool2d),
  global_avg_pool: c => ({ outputs: { out: globalAveragePool(given(c, 'x')) } }),
}
