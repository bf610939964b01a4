import { ConfigError, gradients, lstmSequence, type Tensor, zeros } from '@heed/core-tensor'
import type { LSTM } from '@heed/layers'

/**
 * How much each place of a sequence moves a vector: `‖∂y/∂x_t‖` (Frobenius), `[batch, time]`.
 *
 * The recency of a read-out: with `of` the last state, it falls with the distance from the end; with attention it need not.
 * Costs one way back for each number of the vector.
 *
 * @param of from `[batch, time, features]` to `[batch, size]`, each row by itself
 * @param x `[batch, time, features]`
 */
export function sensitivity(of: (x: Tensor) => Tensor, x: Tensor): Tensor {
  const leaf = x.detach()
  leaf.requiresGrad = true
  const size = of(leaf).shape[1] as number
  let squares: Tensor | undefined
  for (let i = 0; i < size; i++) {
    const one = of(leaf)
      .slice([{}, { start: i, stop: i + 1 }])
      .sum() // rows do not mix
    const [d] = gradients(one, [leaf]) as [Tensor]
    const part = d.mul(d).sum(-1)
    squares = squares ? squares.add(part) : part
  }
  return (squares as Tensor).sqrt()
}

/**
 * How much an LSTM's cell at each step moves its last cell: `‖∂c_T/∂c_t‖` along the carry path, for t = 1 … T − 1 (counted from 1).
 *
 * The state beside the cell is held as it is. It need not vanish, and learning across the gap can fail all the same.
 *
 * @param x one sequence, `[1, time, input]`
 * @param layer of one layer and one direction
 */
export function carrySensitivity(layer: LSTM, x: Tensor): Tensor[] {
  const [weights, ...more] = layer.weights
  if (!weights || more.length)
    throw new ConfigError('carrySensitivity: the LSTM has several layers or directions; use one of each')
  const [batch, time] = x.shape as [number, number]
  const gates = weights.forward(x).detach() // [1, time, 4·hidden]
  const [weight, bias] = [weights.weightHh.detach(), weights.biasHh.detach()] // only the cell is asked about
  const run = (from: number, to: number, state: Tensor, cell: Tensor): { last: Tensor; cell: Tensor } =>
    lstmSequence(gates.slice([{}, { start: from, stop: to }]), { state, cell, weight, bias })
  const zero = zeros([batch, layer.hiddenSize], { backend: x.backend, dtype: x.dtype })
  const norms: Tensor[] = []
  let now = { last: zero, cell: zero }
  for (let t = 0; t < time - 1; t++) {
    now = run(t, t + 1, now.last, now.cell)
    const { last } = now
    norms.push(
      sensitivity(cell => run(t + 1, time, last, cell.squeeze(1)).cell, now.cell.unsqueeze(1)).reshape([]),
    )
  }
  return norms
}
