import {
  arange,
  ConfigError,
  embedding,
  indexSelect,
  linear,
  type Parameter,
  type Shape,
  ShapeError,
  softmax,
  softplus,
  split,
  stack,
  type Tensor,
  tensor,
} from '@heed/core-tensor'
import { checkAxes, checkWhole } from '../check.ts'
import { type LayerOptions, normalInit, parameter } from '../init.ts'
import { Linear } from '../linear.ts'
import type { Places } from '../masks.ts'
import { Module } from '../module.ts'
import { type Attended, type AttendOptions, attend, type Score } from './attend.ts'
import { cosine, dot } from './scores.ts'

// ── memory networks ──

/**
 * How much each word of a sentence counts in each feature: `l_jk = (1 − j/J) − (k/d)(1 − 2j/J)`, j and k from 1.
 *
 * Sukhbaatar et al. 2015, §4.1, "position encoding", arXiv:1503.08895.
 *
 * @returns `[words, size]`
 */
export function wordPositions(words: number, size: number, like: Pick<Tensor, 'backend' | 'dtype'>): Tensor {
  const { backend, dtype } = like
  const j = arange(1, words + 1, 1, { backend, dtype }).mul(1 / words).unsqueeze(1) // biome-ignore format: one line
  const k = arange(1, size + 1, 1, { backend, dtype }).mul(1 / size)
  return j
    .neg()
    .add(1)
    .sub(k.mul(j.mul(-2).add(1)))
}

/** How a memory network is made. */
export interface MemoryNetworkOptions extends LayerOptions {
  /** How often the memory is looked at. */
  readonly hops?: number
  /** Whether the order of words counts ({@link wordPositions}); otherwise sentences are bags of words. */
  readonly positionEncoding?: boolean
  /** A word that stands for none: sentences are padded with it. */
  readonly paddingIndex?: number | undefined
}

/** What a memory network answers, and what it looked at for it. */
export interface Recalled {
  /** `[batch, vocab]` */
  readonly logits: Tensor
  /** `[batch, hops, slot]` */
  readonly weights: Tensor
  /** `[batch, hops, slot]` */
  readonly scores: Tensor
}

/** The matrices of one hop: words to keys and to values, and what each slot's place adds to them. */
interface Hop {
  readonly keys: Tensor
  readonly values: Tensor
  readonly keyPlaces: Tensor
  readonly valuePlaces: Tensor
}

/** End-to-end memory, but for how hops share their matrices. */
abstract class MemoryNetwork extends Module {
  readonly hops: number
  readonly slots: number
  readonly positionEncoding: boolean
  readonly paddingIndex: number | undefined

  constructor(slots: number, { hops = 3, positionEncoding = true, paddingIndex }: MemoryNetworkOptions) {
    super()
    if (!Number.isInteger(hops) || hops < 1)
      throw new ConfigError(`MemoryNetwork: ${hops} hops; use a whole number of 1 or more`)
    this.hops = hops
    this.slots = slots
    this.positionEncoding = positionEncoding
    this.paddingIndex = paddingIndex
  }

  protected abstract hop(number: number): Hop
  /** Words of the question to features: B. */
  protected abstract get question(): Tensor
  /** The answer matrix W, `[vocab, size]`. */
  protected abstract get answer(): Tensor
  /** The state after a hop, from the state before and what was read. */
  protected abstract next(state: Tensor, read: Tensor): Tensor

  /**
   * Reads a story for a question, hop after hop.
   *
   * @param story `[batch, slot, word]`, int32: sentences, the slots at most
   * @param question `[batch, word]`, int32
   * @param options `normalize` without softmax is how they start learning (§4.2, "linear start"); `mask` `[batch, slot]`
   * says which slots hold a sentence
   * @throws ShapeError where sizes do not fit
   */
  forward(
    story: Tensor,
    question: Tensor,
    { mask, normalize }: Pick<AttendOptions, 'normalize'> & { readonly mask?: Tensor | undefined } = {},
  ): Recalled {
    const [batch, slots] = story.shape as [number, number]
    if (story.shape.length !== 3 || question.shape.length !== 2 || question.shape[0] !== batch)
      throw new ShapeError(
        `MemoryNetwork: story [${story.shape.join(', ')}] and question [${question.shape.join(', ')}] do not fit; use [batch, slot, word] and [batch, word]`,
      )
    if (slots > this.slots)
      throw new ShapeError(
        `MemoryNetwork: a story of ${slots} sentences, the memory has ${this.slots} slots; keep the last ${this.slots}, or use a larger memory`,
      )
    const looks: Attended[] = []
    let state = this.#sentences(this.question, question).unsqueeze(1) // [batch, 1, size]
    for (let number = 0; number < this.hops; number++) {
      const { keys, values, keyPlaces, valuePlaces } = this.hop(number)
      const look = attend(
        state,
        this.#sentences(keys, story).add(keyPlaces.slice([{ stop: slots }])), // [batch, slot, size]
        this.#sentences(values, story).add(valuePlaces.slice([{ stop: slots }])),
        { mask: mask?.unsqueeze(1), normalize, owner: this },
      )
      state = this.next(state, look.context)
      looks.push(look)
    }
    const hops = (all: readonly Tensor[]): Tensor => stack(all.map(x => x.squeeze(1)), 1) // biome-ignore format: one line
    return {
      logits: linear(state.squeeze(1), this.answer),
      weights: hops(looks.map(look => look.weights)),
      scores: hops(looks.map(look => look.scores)),
    }
  }

  /** Words to features, summed over each sentence: `[..., word]` → `[..., size]`. */
  #sentences(table: Tensor, words: Tensor): Tensor {
    const found = embedding(table, words)
    const { paddingIndex } = this
    const real =
      paddingIndex === undefined
        ? found
        : found.where(words.equal(paddingIndex).logicalNot().unsqueeze(-1), 0)
    const [length, size] = found.shape.slice(-2) as [number, number]
    return (this.positionEncoding ? real.mul(wordPositions(length, size, found)) : real).sum(-2)
  }
}

/** Their first values: normal, with deviation 0.1 (§4.2). */
const start = (shape: Shape, options: LayerOptions): Parameter => parameter(shape, normalInit(0.1), options)

/**
 * End-to-end memory network where each hop's values are the next hop's keys: `A_k = C_{k−1}`, `B = A_1`, `W = C_K`.
 *
 * `m_i = Σ_j l_j ⊙ A x_ij + T_A(i)`, `p = softmax(uᵀ m)`, `o = Σ p_i c_i`, `u ← u + o`, answer `softmax(W u)`.
 * Sukhbaatar et al. 2015, §2 and §2.2 "adjacent", with the temporal encoding of §4.1, arXiv:1503.08895. Slots are counted
 * in the order given; they count back from the question.
 */
export class AdjacentMemoryNetwork extends MemoryNetwork {
  /** Words: one more than hops, `[vocab, size]` each. */
  readonly words: readonly Parameter[]
  /** Places of slots: one more than hops, `[slots, size]` each. */
  readonly places: readonly Parameter[]

  constructor(vocab: number, size: number, slots: number, options: MemoryNetworkOptions = {}) {
    super(slots, options)
    const each = (rows: number): Parameter[] =>
      Array.from({ length: this.hops + 1 }, () => start([rows, size], options))
    this.words = each(vocab)
    this.places = each(slots)
  }

  protected hop(number: number): Hop {
    const [keys, values] = this.words.slice(number, number + 2) as [Parameter, Parameter]
    const [keyPlaces, valuePlaces] = this.places.slice(number, number + 2) as [Parameter, Parameter]
    return { keys, values, keyPlaces, valuePlaces }
  }

  protected get question(): Tensor {
    return this.words[0] as Parameter
  }

  protected get answer(): Tensor {
    return this.words[this.hops] as Parameter
  }

  protected next(state: Tensor, read: Tensor): Tensor {
    return state.add(read)
  }
}

/**
 * End-to-end memory network whose hops all use the same matrices, as a recurrent network's steps do: `u ← H u + o`.
 *
 * Sukhbaatar et al. 2015, §2.2 "layer-wise", arXiv:1503.08895; otherwise as {@link AdjacentMemoryNetwork}.
 */
export class LayerwiseMemoryNetwork extends MemoryNetwork {
  /** A, `[vocab, size]` */
  readonly wKey: Parameter
  /** C, `[vocab, size]` */
  readonly wValue: Parameter
  /** B, `[vocab, size]` */
  readonly wQuestion: Parameter
  /** W, `[vocab, size]` */
  readonly wAnswer: Parameter
  /** T_A, `[slots, size]` */
  readonly keyPlaces: Parameter
  /** T_C, `[slots, size]` */
  readonly valuePlaces: Parameter
  /** H, `[size, size]` */
  readonly wState: Parameter

  constructor(vocab: number, size: number, slots: number, options: MemoryNetworkOptions = {}) {
    super(slots, options)
    this.wKey = start([vocab, size], options)
    this.wValue = start([vocab, size], options)
    this.wQuestion = start([vocab, size], options)
    this.wAnswer = start([vocab, size], options)
    this.keyPlaces = start([slots, size], options)
    this.valuePlaces = start([slots, size], options)
    this.wState = start([size, size], options)
  }

  protected hop(): Hop {
    const { wKey: keys, wValue: values, keyPlaces, valuePlaces } = this
    return { keys, values, keyPlaces, valuePlaces }
  }

  protected get question(): Tensor {
    return this.wQuestion
  }

  protected get answer(): Tensor {
    return this.wAnswer
  }

  protected next(state: Tensor, read: Tensor): Tensor {
    return linear(state, this.wState).add(read)
  }
}

// ── the Neural Turing Machine ──

/** How weights move on from what the content says, for each head. */
export interface Move {
  /** g, 0 to 1, `[batch, heads]`: how much the content counts against the weights before. */
  readonly gate: Tensor
  /** The weights of the step before, `[batch, heads, slot]`. */
  readonly previous: Tensor
  /** s, `[batch, heads, offset]`, summing to 1: how likely each shift is. */
  readonly shift: Tensor
  /** γ, 1 or more, `[batch, heads]`: how much weights are sharpened. */
  readonly sharpening: Tensor
  /** What the shifts are; −n to n for 2n + 1 of them, unless given. */
  readonly offsets?: readonly number[] | undefined
}

/** Weights after each step of a {@link Move}, `[batch, heads, slot]`. */
export interface Moved {
  readonly gated: Tensor
  readonly shifted: Tensor
  readonly weights: Tensor
}

/**
 * From content weights to where a head stands: gate, shift round the circle, sharpen.
 *
 * `w_g = g w_c + (1 − g) w'`, `w̃(i) = Σ_o s(o) w_g(i − o mod N)`, `w = w̃^γ / Σ w̃^γ`. Graves et al. 2014, §3.3.2,
 * eq. 7-9, arXiv:1410.5401.
 *
 * @param content `[batch, heads, slot]`
 * @throws ConfigError unless there is an offset for each shift
 */
export function moveWeights(content: Tensor, { gate, previous, shift, sharpening, offsets }: Move): Moved {
  checkAxes(
    'moveWeights',
    { content, shift },
    axes => axes > 0,
    '[batch, heads, slot] and [batch, heads, offset]',
  )
  const [slots, count] = [content.shape.at(-1) as number, shift.shape.at(-1) as number]
  const steps = offsets ?? Array.from({ length: count }, (_, i) => i - (count - 1) / 2)
  if (steps.length !== count || steps.some(o => !Number.isInteger(o)))
    throw new ConfigError(
      `moveWeights: ${count} shifts with offsets [${steps.join(', ')}]; give a whole number for each, or an odd number of shifts`,
    )
  const g = gate.unsqueeze(-1)
  const gated = content.mul(g).add(previous.mul(g.neg().add(1)))
  const from = Int32Array.from({ length: slots * count }, (_, at) => {
    const place = Math.floor(at / count) - (steps[at % count] as number)
    return ((place % slots) + slots) % slots
  })
  const neighbours = indexSelect(gated, -1, tensor(from, { backend: gated.backend })) // [batch, heads, slot · offset]
  const shifted = neighbours
    .reshape([...gated.shape, count])
    .mul(shift.unsqueeze(-2))
    .sum(-1)
  const sharp = shifted.pow(sharpening.unsqueeze(-1))
  return { gated, shifted, weights: sharp.div(sharp.sum(-1, { keepDims: true })) }
}

/** What a head looks for, and how it moves from there. */
export interface Address extends Move {
  /** k, `[batch, heads, width]` */
  readonly key: Tensor
  /** β, 0 or more, `[batch, heads]`: how sharply the content is looked for. */
  readonly strength: Tensor
}

/** β cos(k, m), the query already at length β. */
const content: Score = { prepare: cosine.prepare, score: dot.score }

/** The part of `[batch, heads, ...]` that is asked for: all of it, or one row and head. */
function asked(x: Tensor, { query, batch }: Places): Tensor {
  if (batch === undefined) return x
  return indexSelect(x.slice([{ start: batch, stop: batch + 1 }]), 1, query.reshape([-1]))
}

/**
 * Reads a memory where heads say: by content (cosine and softmax), then {@link moveWeights}.
 *
 * Graves et al. 2014, §3.1 and §3.3, arXiv:1410.5401. The whole of the addressing is one normaliser of `attend`.
 *
 * @param memory `[batch, slot, width]`
 * @returns context, what was read, `[batch, heads, width]`; weights, where heads stand, and scores `β cos(k, m)`,
 * `[batch, heads, slot]`
 * @throws ShapeError, ConfigError where sizes do not fit
 */
export function addressMemory(
  memory: Tensor,
  { key, strength, gate, previous, shift, sharpening, offsets }: Address,
  owner?: Module,
): Attended {
  const query = cosine.prepare(key).mul(strength.unsqueeze(-1))
  return attend(query, memory, memory, {
    score: content,
    uses: [gate, previous, shift, sharpening],
    normalize: (scores, places, uses) => {
      const [gate, previous, shift, sharpening] = uses.map(x => asked(x, places)) as [Tensor, Tensor, Tensor, Tensor] // biome-ignore format: one line reads best
      return moveWeights(softmax(scores), { gate, previous, shift, sharpening, offsets }).weights
    },
    owner,
  })
}

/**
 * The memory after all heads have written: `M ← M ⊙ Π (1 − w eᵀ) + Σ w aᵀ`.
 *
 * Graves et al. 2014, §3.2, eq. 3-4, arXiv:1410.5401.
 *
 * @param memory `[batch, slot, width]`
 * @param weights where heads stand, `[batch, heads, slot]`
 * @param erase 0 to 1, `[batch, heads, width]`
 * @param add `[batch, heads, width]`
 */
export function writeMemory(memory: Tensor, weights: Tensor, erase: Tensor, add: Tensor): Tensor {
  const kept = weights.unsqueeze(-1).mul(erase.unsqueeze(-2)).neg().add(1).prod(1) // [batch, slot, width]
  return memory.mul(kept).add(weights.transpose().matmul(add))
}

/** How many heads there are, and how far they move in a step. */
export interface HeadOptions extends LayerOptions {
  readonly heads?: number
  /** Shifts reach so many slots both ways. */
  readonly reach?: number
}

/** What a controller's state says to heads: key, strength, gate, shift, sharpening, each through its own nonlinearity. */
class Addressing extends Module {
  readonly project: Linear
  readonly heads: number
  readonly sizes: readonly number[]

  constructor(
    stateSize: number,
    width: number,
    extra: readonly number[],
    { heads = 1, reach = 1, ...options }: HeadOptions,
  ) {
    super()
    if (![heads, reach + 1].every(n => Number.isInteger(n) && n >= 1))
      throw new ConfigError(
        `MemoryHead: ${heads} heads that reach ${reach} slots; use whole numbers, of 1 and of 0 or more`,
      )
    checkWhole('MemoryHead', { stateSize, width })
    this.heads = heads
    this.sizes = [width, 1, 1, 2 * reach + 1, 1, ...extra]
    const total = this.sizes.reduce((a, b) => a + b, 0)
    this.project = new Linear(stateSize, heads * total, options)
  }

  /** `[batch, stateSize]` → the parts, `[batch, heads, size]` each. */
  forward(state: Tensor): readonly Tensor[] {
    const all = this.project.forward(state)
    return split(all.reshape([all.shape[0] as number, this.heads, -1]), this.sizes, -1)
  }
}

/** The nonlinearities that keep each part in its range. */
function addressOf([key, strength, gate, shift, sharpening]: readonly Tensor[], previous: Tensor): Address {
  const number = (x: Tensor | undefined): Tensor => (x as Tensor).squeeze(-1)
  return {
    key: (key as Tensor).tanh(),
    strength: softplus(number(strength)),
    gate: number(gate).sigmoid(),
    previous,
    shift: softmax(shift as Tensor),
    sharpening: softplus(number(sharpening)).add(1),
  }
}

/** A head that stands on the first slot, `[batch, heads, slots]`: what to begin with. */
export function firstSlot(batch: number, heads: number, slots: number, like: Tensor): Tensor {
  const { backend, dtype } = like
  return arange(0, slots, 1, { backend }).equal(0).cast(dtype).expand([batch, heads, slots])
}

/**
 * Heads that read: a controller's state says where, {@link addressMemory} does it.
 *
 * Graves et al. 2014, §3.1, arXiv:1410.5401. They leave the nonlinearities open: tanh for the key, softplus for β, σ for g,
 * softmax for the shift, 1 + softplus for γ.
 *
 * @example
 * const { context, weights } = new ReadHead(100, 20).forward(state, memory, previous)
 */
export class ReadHead extends Module {
  readonly address: Addressing

  /** @param width of a memory slot */
  constructor(stateSize: number, width: number, options: HeadOptions = {}) {
    super()
    this.address = new Addressing(stateSize, width, [], options)
  }

  /**
   * Moves from where the head stood, and reads there.
   *
   * @param state `[batch, stateSize]`
   * @param memory `[batch, slot, width]`
   * @param previous the weights of the step before, `[batch, heads, slot]`; begin with {@link firstSlot}
   * @returns context `[batch, heads, width]`, weights and scores `[batch, heads, slot]`
   */
  forward(state: Tensor, memory: Tensor, previous: Tensor): Attended {
    return addressMemory(memory, addressOf(this.address.forward(state), previous), this)
  }
}

/** What a {@link WriteHead} yields: what stood there before, where it wrote, and the memory afterwards. */
export interface Written extends Attended {
  /** `[batch, slot, width]` */
  readonly memory: Tensor
}

/**
 * Heads that erase and add where a controller's state says: {@link writeMemory}.
 *
 * Graves et al. 2014, §3.2, arXiv:1410.5401. Addressed as {@link ReadHead}; σ for what is erased, tanh for what is added.
 */
export class WriteHead extends Module {
  readonly address: Addressing

  /** @param width of a memory slot */
  constructor(stateSize: number, width: number, options: HeadOptions = {}) {
    super()
    this.address = new Addressing(stateSize, width, [width, width], options)
  }

  /** As {@link ReadHead.forward}, and the memory afterwards. */
  forward(state: Tensor, memory: Tensor, previous: Tensor): Written {
    const parts = this.address.forward(state)
    const read = addressMemory(memory, addressOf(parts, previous), this)
    const [erase, add] = parts.slice(-2) as [Tensor, Tensor]
    return { ...read, memory: writeMemory(memory, read.weights, erase.sigmoid(), add.tanh()) }
  }
}
