import {
  apply,
  applyAll,
  type Backend,
  gruSequence,
  keep,
  linear,
  logSoftmax,
  noGrad,
  ops,
  Rng,
  scope,
  softmax,
  type Tensor,
  tensor,
} from '@heed/core-tensor'

// A small translator of dates, out of the core's functions alone: this package knows no layers. Numeric forms of one locale to
// ISO, "7.3.24", "07/03/2024" … to "2024-03-07"; an encoder and a decoder of gated units, and attention between them.

const CHARACTERS = '^$0123456789./- '
const START = 0
const END = 1
const SOURCE = 10
const TARGET = 11

export interface Pair {
  readonly source: string
  readonly target: string
}

const two = (n: number): string => String(n).padStart(2, '0')

/** A date as people write it, and in ISO. */
export function pair(rng: Rng): Pair {
  const [year, month, day] = [1950 + rng.int(100), 1 + rng.int(12), 1 + rng.int(28)]
  const mark = rng.pick(['.', '/', '-'])
  const padded = rng.int(2) === 0 ? two : String
  return {
    source: [padded(day), padded(month), year].join(mark),
    target: `${year}-${two(month)}-${two(day)}`,
  }
}

const ids = (text: string): number[] => [...text].map(c => CHARACTERS.indexOf(c))

interface Batch {
  readonly source: Tensor
  readonly lengths: Tensor
  readonly mask: Tensor
  readonly inputs: Tensor
  readonly wanted: Tensor
}

function batchOf(pairs: readonly Pair[], backend: Backend): Batch {
  const n = pairs.length
  const source = new Int32Array(n * SOURCE).fill(END)
  const inputs = new Int32Array(n * TARGET)
  const wanted = new Int32Array(n * TARGET)
  for (const [i, p] of pairs.entries()) {
    source.set(ids(p.source), i * SOURCE)
    inputs.set([START, ...ids(p.target)], i * TARGET)
    wanted.set([...ids(p.target), END], i * TARGET)
  }
  const lengths = tensor(
    Int32Array.from(pairs, p => p.source.length),
    { backend },
  )
  const places = tensor(
    Int32Array.from({ length: SOURCE }, (_, i) => i),
    { backend },
  )
  return {
    source: tensor(source, { shape: [n, SOURCE], backend }),
    lengths,
    mask: places.unsqueeze(0).less(lengths.unsqueeze(1)).unsqueeze(1), // [batch, 1, time]
    inputs: tensor(inputs, { shape: [n, TARGET], backend }),
    wanted: tensor(wanted, { shape: [n * TARGET, 1], backend }),
  }
}

/** Weights, and what the optimiser knows of them. */
export class Translator {
  readonly #backend: Backend
  readonly #hidden: number
  readonly #weights = new Map<string, Tensor>()
  readonly #moments = new Map<string, [Tensor, Tensor]>()
  readonly #rng = new Rng(3)
  #steps = 0

  constructor(backend: Backend, hidden = 32, embedding = 16) {
    this.#backend = backend
    this.#hidden = hidden
    const vocab = CHARACTERS.length
    this.#make('embed', [vocab, embedding], 1)
    for (const [name, size] of [
      ['forward', embedding],
      ['backward', embedding],
      ['decoder', embedding],
    ] as const) {
      this.#make(`${name} in`, [3 * hidden, size], 1 / Math.sqrt(hidden))
      this.#make(`${name} in bias`, [3 * hidden], 0.01)
      this.#make(`${name} hidden`, [3 * hidden, hidden], 1 / Math.sqrt(hidden))
      this.#make(`${name} hidden bias`, [3 * hidden], 0.01)
    }
    this.#make('bridge', [hidden, 2 * hidden], 1 / Math.sqrt(2 * hidden))
    this.#make('bridge bias', [hidden], 0.01)
    this.#make('score', [hidden, 2 * hidden], 1 / Math.sqrt(2 * hidden))
    this.#make('mix', [hidden, 3 * hidden], 1 / Math.sqrt(3 * hidden))
    this.#make('mix bias', [hidden], 0.01)
    this.#make('out', [vocab, hidden], 1 / Math.sqrt(hidden))
    this.#make('out bias', [vocab], 0.01)
  }

  #make(name: string, shape: readonly number[], scale: number): void {
    const data = Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => scale * (2 * this.#rng.uniform() - 1),
    )
    const weight = keep(tensor(data, { shape, backend: this.#backend }))
    weight.requiresGrad = true
    this.#weights.set(name, weight)
  }

  #w(name: string): Tensor {
    return this.#weights.get(name) as Tensor
  }

  #run(name: string, x: Tensor, state: Tensor, more: { lengths?: Tensor; reverse?: boolean } = {}) {
    const gates = linear(x, this.#w(`${name} in`), this.#w(`${name} in bias`))
    return gruSequence(gates, {
      state,
      weight: this.#w(`${name} hidden`),
      bias: this.#w(`${name} hidden bias`),
      ...more,
    })
  }

  #zeros(batch: number): Tensor {
    return tensor(new Float32Array(batch * this.#hidden), {
      shape: [batch, this.#hidden],
      backend: this.#backend,
    })
  }

  /** Keys `[batch, time, 2·hidden]` and the decoder's first state. */
  #encode({ source, lengths }: Batch): { keys: Tensor; state: Tensor } {
    const x = apply(ops.take, [this.#w('embed'), source], {})
    const zeros = this.#zeros(source.shape[0] as number)
    const ahead = this.#run('forward', x, zeros, { lengths })
    const back = this.#run('backward', x, zeros, { lengths, reverse: true })
    return {
      keys: ahead.states.concat([back.states], -1),
      state: linear(ahead.last.concat([back.last], -1), this.#w('bridge'), this.#w('bridge bias')).tanh(),
    }
  }

  /** Logits `[batch, time, vocab]` for target characters `[batch, time]`, and the state behind them. */
  #decode(inputs: Tensor, keys: Tensor, mask: Tensor, state: Tensor): { logits: Tensor; last: Tensor } {
    const { states, last } = this.#run('decoder', apply(ops.take, [this.#w('embed'), inputs], {}), state)
    const scores = linear(states, this.#w('score').transpose(), null).matmul(keys.transpose())
    const weights = softmax(scores.where(mask, -1e30))
    const mixed = linear(
      states.concat([weights.matmul(keys)], -1),
      this.#w('mix'),
      this.#w('mix bias'),
    ).tanh()
    return { logits: linear(mixed, this.#w('out'), this.#w('out bias')), last }
  }

  /** One step of training; the loss, to be awaited or not. */
  step(pairs: readonly Pair[], learningRate: number): Tensor {
    return scope(() => {
      const batch = batchOf(pairs, this.#backend)
      const { keys, state } = this.#encode(batch)
      const { logits } = this.#decode(batch.inputs, keys, batch.mask, state)
      const chosen = logSoftmax(logits).reshape([-1, CHARACTERS.length]).gather(1, batch.wanted)
      const loss = chosen.mean().neg()
      loss.backward()
      this.#update(learningRate)
      return loss.detach()
    })
  }

  #update(learningRate: number): void {
    const step = ++this.#steps
    noGrad(() => {
      for (const [name, w] of this.#weights) {
        const g = w.grad as Tensor
        const old = this.#moments.get(name) ?? [g.mul(0), g.mul(0)]
        const attrs = {
          learningRate,
          beta1: 0.9,
          beta2: 0.99,
          epsilon: 1e-8,
          step,
          weightDecay: 0,
          decoupled: false,
        }
        const [next, m, v] = applyAll(ops.adam, [w, g, ...old], attrs) as [Tensor, Tensor, Tensor]
        next.requiresGrad = true
        this.#weights.set(name, keep(next))
        this.#moments.set(name, [keep(m), keep(v)])
        for (const gone of [w, g, ...old]) gone.release('by the next step')
      }
    })
  }

  /** What the translator makes of dates: the likeliest character each time. */
  translate(sources: readonly string[]): Promise<string[]> {
    return scope(async () => {
      const batch = batchOf(
        sources.map(source => ({ source, target: '' })),
        this.#backend,
      )
      const made: Tensor[] = []
      noGrad(() => {
        const { keys, state: first } = this.#encode(batch)
        let state = first
        let inputs = batch.inputs.slice([{}, { stop: 1 }])
        for (let i = 0; i < TARGET; i++) {
          const { logits, last } = this.#decode(inputs, keys, batch.mask, state)
          inputs = logits.argmax(-1)
          made.push(inputs)
          state = last
        }
      })
      const [head, ...rest] = made
      const all = await (head as Tensor).concat(rest, 1).data()
      return sources.map((_, i) => {
        const text = [...all.slice(i * TARGET, (i + 1) * TARGET)].map(id => CHARACTERS[id]).join('')
        return text.split('$')[0] as string
      })
    })
  }
}
