import {
  ConfigError,
  concat,
  gruSequence,
  linear,
  lstmSequence,
  Parameter,
  type Recurrence,
  type Run,
  rnnSequence,
  ShapeError,
  stack,
  type Tensor,
  zeros,
} from '@heed/core-tensor'
import { Dropout } from './dropout.ts'
import { type LayerOptions, parameter, uniformInit } from './init.ts'
import { lengthMask } from './masks.ts'
import { Module, type StateEntry } from './module.ts'

/** How a cell is made. */
export interface CellOptions extends LayerOptions {
  readonly bias?: boolean
}

/** The weights of one recurrence: what comes in, what comes back, each with a bias. All start uniform in ±1/√hiddenSize. */
class Weights extends Module {
  /** `[gates·hidden, input]` */
  readonly weightIh: Parameter
  /** `[gates·hidden, hidden]` */
  readonly weightHh: Parameter
  /** `[gates·hidden]` */
  readonly biasIh: Parameter
  /** `[gates·hidden]` */
  readonly biasHh: Parameter
  readonly #biased: boolean

  constructor(
    gates: number,
    inputSize: number,
    hiddenSize: number,
    { bias = true, ...options }: CellOptions,
  ) {
    super()
    const init = uniformInit(1 / Math.sqrt(hiddenSize))
    const wide = gates * hiddenSize
    this.weightIh = parameter([wide, inputSize], init, options)
    this.weightHh = parameter([wide, hiddenSize], init, options)
    const biases = [0, 1].map(() =>
      bias
        ? parameter([wide], init, options)
        : new Parameter(zeros([wide], { backend: this.weightIh.backend }), { requiresGrad: false }),
    )
    ;[this.biasIh, this.biasHh] = biases as [Parameter, Parameter]
    this.#biased = bias
  }

  /** Under PyTorch's names, with a suffix: `weight_ih_l0_reverse`. */
  named(suffix: string): Record<string, StateEntry> {
    return {
      [`weight_ih${suffix}`]: this.weightIh,
      [`weight_hh${suffix}`]: this.weightHh,
      ...(this.#biased ? { [`bias_ih${suffix}`]: this.biasIh, [`bias_hh${suffix}`]: this.biasHh } : {}),
    }
  }

  protected override state(): Record<string, StateEntry> {
    return {} // the layer that holds it names them
  }

  /** The input part of all gates: `[..., input]` → `[..., gates·hidden]`. */
  forward(x: Tensor): Tensor {
    return linear(x, this.weightIh, this.biasIh)
  }
}

/** What one step begins and ends with. An LSTM's has a cell beside the hidden state, each `[batch, hidden]`. */
export interface CellState {
  readonly hidden: Tensor
  readonly cell?: Tensor | undefined
}

/** One kind of recurrence: how many gates, and how it runs over a sequence. */
interface Kind {
  readonly gates: number
  readonly hasCell: boolean
  run(
    gates: Tensor,
    run: Recurrence & { readonly cell?: Tensor | undefined },
  ): Run & { readonly cell?: Tensor }
}

const GRU_KIND: Kind = { gates: 3, hasCell: false, run: gruSequence }
const LSTM_KIND: Kind = {
  gates: 4,
  hasCell: true,
  run: (gates, run) => lstmSequence(gates, { ...run, cell: run.cell as Tensor }),
}
const rnnKind = (activation: 'tanh' | 'relu'): Kind => ({
  gates: 1,
  hasCell: false,
  run: (gates, run) => rnnSequence(gates, { ...run, activation }),
})

/** One step of a recurrence. */
abstract class Cell extends Module {
  readonly weights: Weights
  readonly #kind: Kind
  readonly hiddenSize: number

  protected constructor(kind: Kind, inputSize: number, hiddenSize: number, options: CellOptions) {
    super()
    this.#kind = kind
    this.hiddenSize = hiddenSize
    this.weights = new Weights(kind.gates, inputSize, hiddenSize, options)
  }

  protected override state(): Record<string, StateEntry> {
    return this.weights.named('')
  }

  protected step(x: Tensor, state: CellState): CellState {
    return this.advance(this.weights.forward(x), state)
  }

  /** One step whose input part `x W_ihᵀ + b_ih`, `[batch, gates·hidden]`, is already made. */
  advance(gates: Tensor, { hidden, cell }: CellState): CellState {
    const { weightHh: weight, biasHh: bias } = this.weights
    const run = this.#kind.run(gates.unsqueeze(1), { state: hidden, weight, bias, cell })
    return { hidden: run.last, cell: run.cell }
  }

  /** A state of zeros. */
  zeroState(batch: number): CellState {
    const zero = zeros([batch, this.hiddenSize], { backend: this.weights.weightHh.backend })
    return { hidden: zero, cell: this.#kind.hasCell ? zero : undefined }
  }
}

/** One step of gated recurrent units, with PyTorch's form and names. Cho et al. 2014, arXiv:1406.1078. */
export class GRUCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(GRU_KIND, inputSize, hiddenSize, options)
  }

  /** `[batch, input]` and `[batch, hidden]` (zeros unless given) → the next hidden state. */
  forward(x: Tensor, hidden: Tensor = this.zeroState(x.shape[0] as number).hidden): Tensor {
    return this.step(x, { hidden }).hidden
  }
}

/** One step of a long short-term memory, with PyTorch's form and names. Hochreiter and Schmidhuber 1997. */
export class LSTMCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(LSTM_KIND, inputSize, hiddenSize, options)
  }

  /** `[batch, input]` and a state (zeros unless given) → the next state. */
  forward(x: Tensor, state: CellState = this.zeroState(x.shape[0] as number)): CellState {
    return this.step(x, state)
  }
}

/** {@link CellOptions}, and the nonlinearity. */
export interface RNNCellOptions extends CellOptions {
  readonly nonlinearity?: 'tanh' | 'relu'
}

/** One step of Elman's recurrence. Elman 1990. */
export class RNNCell extends Cell {
  constructor(
    inputSize: number,
    hiddenSize: number,
    { nonlinearity = 'tanh', ...options }: RNNCellOptions = {},
  ) {
    super(rnnKind(nonlinearity), inputSize, hiddenSize, options)
  }

  /** `[batch, input]` and `[batch, hidden]` (zeros unless given) → the next hidden state. */
  forward(x: Tensor, hidden: Tensor = this.zeroState(x.shape[0] as number).hidden): Tensor {
    return this.step(x, { hidden }).hidden
  }
}

/** How a recurrence over sequences is made; names as in PyTorch. */
export interface RecurrentOptions extends CellOptions {
  /** How many recurrences, each reading the states of the one before. */
  readonly numLayers?: number
  /** Whether a second recurrence reads each sequence from its end. */
  readonly bidirectional?: boolean
  /** Dropped between layers, while learning. */
  readonly dropout?: number
  /** Whether sequences are `[time, batch, features]`, PyTorch's default; ours is batch first. */
  readonly timeFirst?: boolean
}

/** What a sequence begins with, beside itself. */
export interface SequenceOptions {
  /** First states, each `[layers·directions, batch, hidden]`, in the order layer 0 forward, layer 0 backward, layer 1 …; zeros unless given. */
  readonly state?: CellState
  /** Steps of each row, `[batch]` (int32); past them outputs are 0, and the row's own last state is its last. */
  readonly lengths?: Tensor | undefined
}

/** What a recurrence yields. */
export interface SequenceOutput {
  /** States of the last layer at every step, `[batch, time, directions·hidden]`, forward before backward. */
  readonly outputs: Tensor
  /** Last states of every layer and direction, as {@link SequenceOptions.state}. */
  readonly state: CellState
}

/** A recurrence over sequences, stacked and in one or two directions. */
abstract class Recurrent extends Module {
  readonly inputSize: number
  readonly hiddenSize: number
  /** Layer after layer, forward before backward. */
  readonly weights: readonly Weights[]
  readonly dropout: Dropout | null
  readonly #kind: Kind
  readonly #directions: number
  readonly #timeFirst: boolean

  protected constructor(kind: Kind, inputSize: number, hiddenSize: number, options: RecurrentOptions) {
    super()
    const { numLayers = 1, bidirectional = false, dropout = 0, timeFirst = false, ...cell } = options
    if (!Number.isInteger(numLayers) || numLayers < 1)
      throw new ConfigError(
        `${this.constructor.name}: numLayers is ${numLayers}; use a whole number of 1 or more`,
      )
    this.inputSize = inputSize
    this.hiddenSize = hiddenSize
    this.#kind = kind
    this.#directions = bidirectional ? 2 : 1
    this.#timeFirst = timeFirst
    this.weights = Array.from({ length: numLayers * this.#directions }, (_, i) => {
      const width = i < this.#directions ? inputSize : hiddenSize * this.#directions
      return new Weights(kind.gates, width, hiddenSize, cell)
    })
    this.dropout = dropout > 0 ? new Dropout(dropout) : null
  }

  protected override state(): Record<string, StateEntry> {
    return Object.assign(
      {},
      ...this.weights.map((weights, i) =>
        weights.named(`_l${Math.floor(i / this.#directions)}${i % this.#directions ? '_reverse' : ''}`),
      ),
    )
  }

  /** `[batch, time, input]` → the states of every step, and the last ones. */
  forward(sequence: Tensor, { state, lengths }: SequenceOptions = {}): SequenceOutput {
    if (sequence.shape.length !== 3 || sequence.shape[2] !== this.inputSize)
      throw new ShapeError(
        `${this.constructor.name}: the input is [${sequence.shape.join(', ')}]; use [${this.#timeFirst ? 'time, batch' : 'batch, time'}, ${this.inputSize}]`,
      )
    let x = this.#timeFirst ? sequence.transpose(0, 1) : sequence
    const [batch, time] = x.shape as [number, number]
    if (lengths && (lengths.shape.join() !== `${batch}` || lengths.dtype !== 'int32'))
      throw new ShapeError(
        `${this.constructor.name}: lengths are [${lengths.shape.join(', ')}] ${lengths.dtype}; use [${batch}], int32`,
      )
    // Zeros behind each row's end: what stands there, even NaN, shall not reach a gradient.
    if (lengths) x = x.where(lengthMask(lengths, time).unsqueeze(2), 0)
    const zero = (): Tensor => zeros([batch, this.hiddenSize], { backend: x.backend, dtype: x.dtype })
    const first = (from: Tensor | undefined, i: number): Tensor =>
      from?.slice([{ start: i, stop: i + 1 }]).squeeze(0) ?? zero()
    const hidden: Tensor[] = []
    const cells: Tensor[] = []
    for (let layer = 0; layer < this.weights.length; layer += this.#directions) {
      const states = this.weights.slice(layer, layer + this.#directions).map((weights, d) => {
        const { weightHh: weight, biasHh: bias } = weights
        const cell = this.#kind.hasCell ? first(state?.cell, layer + d) : undefined
        const run = this.#kind.run(weights.forward(x), {
          state: first(state?.hidden, layer + d),
          cell,
          weight,
          bias,
          lengths,
          reverse: d === 1,
        })
        hidden.push(run.last)
        if (run.cell) cells.push(run.cell)
        return run.states
      })
      x = concat(states, 2) // [batch, time, directions·hidden]
      if (this.dropout && layer + this.#directions < this.weights.length) x = this.dropout.forward(x)
    }
    return {
      outputs: this.#timeFirst ? x.transpose(0, 1) : x,
      state: { hidden: stack(hidden), cell: cells.length ? stack(cells) : undefined },
    }
  }
}

/** Gated recurrent units over sequences, with PyTorch's form and names. Cho et al. 2014, arXiv:1406.1078. */
export class GRU extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(GRU_KIND, inputSize, hiddenSize, options)
  }
}

/** A long short-term memory over sequences, with PyTorch's form and names. Hochreiter and Schmidhuber 1997. */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(LSTM_KIND, inputSize, hiddenSize, options)
  }
}

/** {@link RecurrentOptions}, and the nonlinearity. */
export interface RNNOptions extends RecurrentOptions {
  readonly nonlinearity?: 'tanh' | 'relu'
}

/** Elman's recurrence over sequences. Elman 1990. */
export class RNN extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, { nonlinearity = 'tanh', ...options }: RNNOptions = {}) {
    super(rnnKind(nonlinearity), inputSize, hiddenSize, options)
  }
}
