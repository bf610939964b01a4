import { type Tensor, tensor } from '@heed/core-tensor'
import {
  BatchNorm,
  Dropout,
  entmax15,
  GRU,
  GRUCell,
  GroupNorm,
  LayerNorm,
  Linear,
  LSTM,
  LSTMCell,
  type Module,
  type RecurrentOptions,
  RMSNorm,
  RNN,
  RNNCell,
  sparsemax,
} from '@heed/layers'
import type { Case } from '../cases.ts'
import type { Adapter, Made } from '../compare.ts'
import { attributes, constructed, given } from './settings.ts'

/** A module with the case's weights. */
function loaded<M extends Module>(c: Case, module: M): M {
  module.loadStateDict(Object.fromEntries(Object.entries(c.params).map(([name, x]) => [name, x.detach()])))
  return module
}

function options(c: Case): RecurrentOptions & { nonlinearity: 'tanh' | 'relu' } {
  const settings = constructed(c)
  return {
    numLayers: settings.number('num_layers', 1),
    bias: settings.flag('bias', true),
    bidirectional: settings.flag('bidirectional'),
    timeFirst: !settings.flag('batch_first'),
    nonlinearity: settings.word<'tanh' | 'relu'>('nonlinearity', 'tanh'),
  }
}

const sequence =
  (make: (input: number, hidden: number, c: Case) => RNN | LSTM | GRU): Adapter =>
  (c): Made => {
    const module = loaded(
      c,
      make(constructed(c).number('input_size'), constructed(c).number('hidden_size'), c),
    )
    const { h0, c0 } = c.inputs
    const { outputs, state } = module.forward(given(c, 'x'), {
      ...(h0 ? { state: { hidden: h0, cell: c0 } } : {}),
      ...(attributes(c).has('lengths')
        ? { lengths: tensor(attributes(c).numbers('lengths'), { dtype: 'int32' }) }
        : {}),
    })
    return {
      outputs: { output: outputs, h_n: state.hidden, ...(state.cell ? { c_n: state.cell } : {}) },
      module,
    }
  }

const sizes = (c: Case): [number, number] => [
  constructed(c).number('input_size'),
  constructed(c).number('hidden_size'),
]

export const layers: Record<string, Adapter> = {
  linear: c => {
    const settings = constructed(c)
    const module = loaded(
      c,
      new Linear(settings.number('in_features'), settings.number('out_features'), {
        bias: settings.flag('bias', true),
      }),
    )
    return { outputs: { out: module.forward(given(c, 'x')) }, module }
  },
  layer_norm: c => {
    const s = constructed(c)
    const module = loaded(
      c,
      new LayerNorm(s.numbers('normalized_shape'), {
        epsilon: s.number('eps', 1e-5),
        affine: s.flag('elementwise_affine', true),
      }),
    )
    return { outputs: { out: module.forward(given(c, 'x')) }, module }
  },
  rms_norm: c => {
    const affine = 'weight' in c.params
    const module = loaded(
      c,
      new RMSNorm(constructed(c).number('dim'), { epsilon: constructed(c).number('eps', 1e-5), affine }),
    )
    return { outputs: { out: module.forward(given(c, 'x')) }, module }
  },
  group_norm: c => {
    const s = constructed(c)
    const module = loaded(
      c,
      new GroupNorm(s.number('num_groups'), s.number('num_channels'), {
        epsilon: s.number('eps', 1e-5),
        affine: s.flag('affine', true),
      }),
    )
    return { outputs: { out: module.forward(given(c, 'x')) }, module }
  },
  batch_norm: c => {
    const s = constructed(c)
    const module = new BatchNorm(s.number('num_features'), {
      epsilon: s.number('eps', 1e-5),
      momentum: s.number('momentum', 0.1),
      affine: s.flag('affine', true),
    })
    const state = [...Object.entries(c.params), ...Object.entries(c.buffers)].map(([name, x]) => [
      name,
      x.detach(),
    ])
    module.loadStateDict(Object.fromEntries(state), { strict: false })
    if (!attributes(c).flag('training')) module.eval()
    const out = module.forward(given(c, 'x'))
    const after = {
      running_mean_after: module.runningMean as Tensor,
      running_var_after: module.runningVar as Tensor,
    }
    return { outputs: { out, ...after }, module }
  },
  sparsemax: c => ({ outputs: { out: sparsemax(given(c, 'x'), attributes(c).number('dim', -1)) } }),
  entmax15: c => ({ outputs: { out: entmax15(given(c, 'x'), attributes(c).number('dim', -1)) } }),
  dropout: c => {
    const module = new Dropout(attributes(c).number('p'))
    return {
      outputs: { out: (attributes(c).flag('training') ? module : module.eval()).forward(given(c, 'x')) },
    }
  },
  rnn: sequence((input, hidden, c) => new RNN(input, hidden, options(c))),
  lstm: sequence((input, hidden, c) => new LSTM(input, hidden, options(c))),
  gru: sequence((input, hidden, c) => new GRU(input, hidden, options(c))),
  rnn_cell: c => {
    const module = loaded(
      c,
      new RNNCell(...sizes(c), {
        bias: constructed(c).flag('bias', true),
        nonlinearity: constructed(c).word('nonlinearity', 'tanh'),
      }),
    )
    return { outputs: { h: module.forward(given(c, 'x'), c.inputs.h as Tensor) }, module }
  },
  gru_cell: c => {
    const module = loaded(c, new GRUCell(...sizes(c), { bias: constructed(c).flag('bias', true) }))
    return { outputs: { h: module.forward(given(c, 'x'), c.inputs.h as Tensor) }, module }
  },
  lstm_cell: c => {
    const module = loaded(c, new LSTMCell(...sizes(c), { bias: constructed(c).flag('bias', true) }))
    const { hidden, cell } = module.forward(given(c, 'x'), { hidden: given(c, 'h'), cell: given(c, 'c') })
    return { outputs: { h: hidden, c: cell as Tensor }, module }
  },
}
