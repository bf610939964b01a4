import { gruSequence, lstmSequence, rnnSequence, type Tensor } from '@heed/core-tensor'
import {
  type CellState,
  GRU,
  GRUCell,
  type LayerOptions,
  LSTM,
  LSTMCell,
  type RecurrentOptions,
  RNN,
  RNNCell,
} from '@heed/layers'

export type RecurrenceKind = 'rnn' | 'gru' | 'lstm'

/** A recurrent layer of a kind: `[batch, time, inputSize]` → `[batch, time, directions·hiddenSize]`. */
export function recurrentLayer(
  kind: RecurrenceKind,
  inputSize: number,
  hiddenSize: number,
  options: RecurrentOptions,
): RNN | GRU | LSTM {
  const Layer = { rnn: RNN, gru: GRU, lstm: LSTM }[kind]
  return new Layer(inputSize, hiddenSize, options)
}

/** One step of a kind. */
export function recurrentCell(
  kind: RecurrenceKind,
  inputSize: number,
  hiddenSize: number,
  options: LayerOptions,
): RNNCell | GRUCell | LSTMCell {
  const Cell = { rnn: RNNCell, gru: GRUCell, lstm: LSTMCell }[kind]
  return new Cell(inputSize, hiddenSize, options)
}

/** All steps of a cell in one scan, its input parts made: `[batch, time, gates·hidden]` → the states, `[batch, time, hidden]`. */
export function scan(
  cell: RNNCell | GRUCell | LSTMCell,
  gates: Tensor,
  { hidden: state, cell: memory }: CellState,
): Tensor {
  const { weightHh: weight, biasHh: bias } = cell.weights
  const run = { state, weight, bias }
  if (cell instanceof GRUCell) return gruSequence(gates, run).states
  if (cell instanceof RNNCell) return rnnSequence(gates, run).states
  return lstmSequence(gates, { ...run, cell: memory as Tensor }).states
}
