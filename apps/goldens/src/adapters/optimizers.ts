import { linear, Parameter, type Tensor } from '@heed/core-tensor'
import { mseLoss } from '@heed/layers'
import {
  Adagrad,
  Adam,
  type AdamOptions,
  AdamW,
  type Learned,
  type Optimizer,
  RMSprop,
  SGD,
} from '@heed/training'
import type { Case, Tolerance } from '../cases.ts'
import { type Adapter, differ, differences } from '../compare.ts'
import { constructed } from './settings.ts'

function adamOptions(c: Case): AdamOptions {
  const settings = constructed(c)
  return {
    learningRate: settings.number('lr', 0.001),
    betas: settings.has('betas') ? (settings.numbers('betas') as [number, number]) : [0.9, 0.999],
    epsilon: settings.number('eps', 1e-8),
    amsgrad: settings.flag('amsgrad'),
    ...(settings.has('weight_decay') ? { weightDecay: settings.number('weight_decay') } : {}),
  }
}

/** Ten steps on given gradients, or on the small regression that the group's description states. */
const trained =
  (make: (parameters: Learned, c: Case) => Optimizer): Adapter =>
  async c => {
    const tolerance = c.tolerance.out as Tolerance
    const names = Object.keys(c.tensors)
      .filter(name => name.startsWith('initial.'))
      .map(name => name.slice('initial.'.length))
    const parameters = new Map(
      names.map(name => [name, new Parameter(c.tensors[`initial.${name}`] as Tensor)]),
    )
    const optimizer = make(parameters, c)
    const row = (name: string, step: number): Tensor =>
      (c.tensors[name] as Tensor).slice([{ start: step, stop: step + 1 }]).squeeze(0)
    const losses: number[] = []
    const problems: string[] = []
    for (let step = 0; step < Number(c.attributes.steps); step++) {
      optimizer.zeroGrad()
      if (c.attributes.mode === 'given_gradients')
        for (const [name, p] of parameters) p.giveGrad(row(`grads.${name}`, step))
      else losses.push(await regression(c, parameters))
      optimizer.step()
      for (const [name, p] of parameters)
        problems.push(
          await differences(`${name} after step ${step + 1}`, p, row(`after.${name}`, step), tolerance),
        )
    }
    if (losses.length) problems.push(differ('losses', losses, c.raw.losses as number[], tolerance))
    const found = problems.filter(Boolean).join('; ')
    if (found) throw new Error(found)
    return { outputs: {} }
  }

/** mean((tanh(x W1 + b1) W2 + b2 − y)²), and its gradients. */
async function regression(c: Case, parameters: ReadonlyMap<string, Parameter>): Promise<number> {
  const [w1, b1, w2, b2] = ['W1', 'b1', 'W2', 'b2'].map(name => parameters.get(name) as Parameter) as [
    Parameter,
    Parameter,
    Parameter,
    Parameter,
  ]
  const { x, y } = c.tensors as { x: Tensor; y: Tensor }
  const loss = mseLoss(linear(linear(x, w1.transpose(), b1).tanh(), w2.transpose(), b2), y)
  loss.backward()
  return await loss.item()
}

export const optimizers: Record<string, Adapter> = {
  adam: trained((parameters, c) => new Adam(parameters, adamOptions(c))),
  adamw: trained((parameters, c) => new AdamW(parameters, adamOptions(c))),
  sgd: trained((parameters, c) => {
    const settings = constructed(c)
    return new SGD(parameters, {
      learningRate: settings.number('lr'),
      momentum: settings.number('momentum', 0),
      nesterov: settings.flag('nesterov'),
      weightDecay: settings.number('weight_decay', 0),
    })
  }),
  rmsprop: trained((parameters, c) => {
    const settings = constructed(c)
    return new RMSprop(parameters, {
      learningRate: settings.number('lr'),
      alpha: settings.number('alpha', 0.99),
      epsilon: settings.number('eps', 1e-8),
      momentum: settings.number('momentum', 0),
      centered: settings.flag('centered'),
      weightDecay: settings.number('weight_decay', 0),
    })
  }),
  adagrad: trained((parameters, c) => {
    const settings = constructed(c)
    return new Adagrad(parameters, {
      learningRate: settings.number('lr'),
      rateDecay: settings.number('lr_decay', 0),
      weightDecay: settings.number('weight_decay', 0),
      epsilon: settings.number('eps', 1e-10),
    })
  }),
}
