import { arange, concat, linear, type Tensor } from '@heed/core-tensor'
import type { Linear, Module } from '@heed/layers'
import { isLuong } from './config.ts'
import { type Looker, look, type View } from './look.ts'
import { type recurrentCell, scan } from './recurrence.ts'

/** What the encoder leaves for the decoder. */
export interface Memory extends View {
  /** The last state of each direction, `[batch, annotation]`: the fixed "thought vector". */
  readonly summary: Tensor
  /** The first state of the decoder, `[batch, hidden]`. */
  readonly first: Tensor
  /** The first cell of an LSTM, `[batch, hidden]`. */
  readonly firstCell: Tensor | null
  /** The source in the target's vocabulary, for a model that copies. */
  readonly copied: CopySource | null
}

/** A source as a copying model sees it. */
export interface CopySource {
  /** `[batch, sourceTime]`, int32: the target's tokens; words it lacks are numbered from `targetVocab` on, in each row anew */
  readonly ids: Tensor
  /** The largest number of such words in a row. */
  readonly extra: number
}

/** What the decoder carries from step to step. */
export interface State {
  /** `[batch, hidden]` */
  readonly hidden: Tensor
  /** Of an LSTM, `[batch, hidden]`. */
  readonly cell: Tensor | null
  /** What was seen, to enter the next step: Luong's attentional vector, or the context. */
  readonly fed: Tensor | null
  /** How much each source place was looked at, `[batch, sourceTime]`. */
  readonly coverage: Tensor | null
  /** The number of steps made. */
  readonly time: number
}

/** What one step, or all of them, make: `[batch, …]` or `[batch, targetTime, …]`. */
export interface Made {
  /** `[…, hidden]` */
  readonly hidden: Tensor
  /** `[…, annotation]` */
  readonly context: Tensor
  /** Luong's `h̃ = tanh(W_c [c; h])`, `[…, hidden]`. */
  readonly attentional: Tensor | null
  /** `[…, sourceTime]` */
  readonly weights: Tensor | null
}

/** The parts of a decoder. */
export interface Decoder extends Looker {
  readonly cell: ReturnType<typeof recurrentCell>
  readonly combine: Linear | null
  readonly feed: Linear | null
}

/** The decoder's input weights, cut in two once for all steps. */
export interface Gates {
  /** `[gates·hidden, embedding]` */
  readonly word: Tensor
  /** `[gates·hidden, fed]`; null where nothing is fed, or it is added to the word */
  readonly fed: Tensor | null
}

/** @param embedding the width of the word's part */
export function gatesOf({ cell }: Decoder, embedding: number): Gates {
  const { weightIh } = cell.weights
  const wide = weightIh.shape[1] as number
  if (wide === embedding) return { word: weightIh, fed: null }
  return {
    word: weightIh.slice([{}, { stop: embedding }]),
    fed: weightIh.slice([{}, { start: embedding }]),
  }
}

/** Where a decoder begins. */
export function start({ config, combine }: Decoder, memory: Memory): State {
  const { attention, inputFeeding, queryState, coverage } = config
  const { first, firstCell, summary, mask } = memory
  const late = attention === 'bahdanau' && queryState === 'current'
  const fed = !inputFeeding ? null : combine ? first.mul(0) : late ? summary.mul(0) : null
  return {
    hidden: first,
    cell: firstCell,
    fed,
    coverage: coverage ? mask.squeeze(1).cast(first.dtype).mul(0) : null,
    time: 0,
  }
}

/**
 * One step. `previous`: look with the state before, then move (Bahdanau et al. 2015, §A.2.2); `current`: move, then look with the
 * new state (Luong et al. 2015, §3).
 *
 * @param word the word's part of the gates, with the input bias, `[batch, gates·hidden]`
 */
export function step(
  decoder: Module & Decoder,
  gates: Gates,
  word: Tensor,
  before: State,
  memory: Memory,
): { readonly state: State; readonly made: Made } {
  const { config, cell } = decoder
  const { inputFeeding, without } = config
  const blank = without.includes('state')
  const [was, wasCell] = blank ? [before.hidden.mul(0), before.cell?.mul(0)] : [before.hidden, before.cell]
  const early = config.queryState === 'previous' ? sight(decoder, was, memory, before) : null
  const enters = early && !decoder.combine ? early.context : (before.fed ?? denied(decoder, memory.summary))
  const move = feeds(decoder) ? word.add(entering(decoder, gates, enters)) : word
  const next = cell.advance(move, { hidden: was, cell: wasCell ?? undefined })
  const { context, weights } = early ?? sight(decoder, next.hidden, memory, before)
  const attentional = attentionalOf(decoder, context, next.hidden)
  return {
    state: {
      hidden: next.hidden,
      cell: next.cell ?? null,
      fed: before.fed && inputFeeding ? (attentional ?? context) : null,
      coverage: before.coverage && weights ? before.coverage.add(weights) : null,
      time: before.time + 1,
    },
    made: { hidden: next.hidden, context, attentional, weights },
  }
}

/** Whether no step waits for what another saw: then {@link steps} makes all of them at once. */
export function independent({ config }: Decoder): boolean {
  const { attention, inputFeeding, coverage, without } = config
  return (attention === 'none' || !inputFeeding) && !coverage && !without.includes('state')
}

/**
 * All steps of an {@link independent} decoder: one scan, one look.
 *
 * @param words the words' parts of the gates, `[batch, targetTime, gates·hidden]`
 */
export function steps(
  decoder: Module & Decoder,
  gates: Gates,
  words: Tensor,
  before: State,
  memory: Memory,
): Made {
  const { config, cell } = decoder
  const summary = denied(decoder, memory.summary) // all that can enter, since nothing seen does
  const enter = feeds(decoder) ? words.add(entering(decoder, gates, summary).unsqueeze(1)) : words
  const hidden = scan(cell, enter, { hidden: before.hidden, cell: before.cell ?? undefined }) // [batch, targetTime, hidden]
  const [batch, time] = hidden.shape as [number, number, number]
  if (config.attention === 'none') {
    const context = summary.unsqueeze(1).expand([batch, time, summary.shape[1] as number])
    return { hidden, context, attentional: null, weights: null }
  }
  const asking =
    config.queryState === 'current'
      ? hidden
      : concat([before.hidden.unsqueeze(1), hidden.slice([{}, { stop: time - 1 }])], 1)
  const seen = look(decoder, asking, memory, before.time)
  const context = denied(decoder, seen.context)
  return { hidden, context, attentional: attentionalOf(decoder, context, hidden), weights: seen.weights }
}

/** Whether something beside the word enters the gates: what was seen, or without attention the summary. */
export function feeds({ config }: Pick<Decoder, 'config'>): boolean {
  return config.attention === 'none' || config.inputFeeding
}

/** How wide that is. */
export function fedSize({ config }: Pick<Decoder, 'config'>, annotation: number): number {
  return !feeds({ config }) ? 0 : isLuong(config) ? config.hidden : annotation
}

function entering({ feed }: Decoder, gates: Gates, fed: Tensor): Tensor {
  return feed ? linear(feed.forward(fed), gates.word) : linear(fed, gates.fed as Tensor)
}

/** What one state sees: context `[batch, annotation]`, weights `[batch, sourceTime]`. */
function sight(
  decoder: Module & Decoder,
  hidden: Tensor,
  memory: Memory,
  { time, coverage }: State,
): { context: Tensor; weights: Tensor | null } {
  if (decoder.config.attention === 'none') return { context: denied(decoder, memory.summary), weights: null }
  const { context, weights } = look(decoder, hidden.unsqueeze(1), memory, time, coverage)
  return { context: denied(decoder, context.squeeze(1)), weights: weights.squeeze(1) }
}

const denied = ({ config }: Decoder, context: Tensor): Tensor =>
  config.without.includes('context') ? context.mul(0) : context

function attentionalOf({ combine }: Decoder, context: Tensor, hidden: Tensor): Tensor | null {
  return combine?.forward(concat([context, hidden], context.shape.length - 1)).tanh() ?? null
}

/** Rows turned round within their lengths, padding left where it is: `[batch, time]` or `[batch, time, size]`. */
export function reverseRows(x: Tensor, lengths: Tensor): Tensor {
  const [batch, time, size] = x.shape as [number, number, number | undefined]
  const places = arange(0, time, 1, { backend: x.backend }).unsqueeze(0) // [1, time]
  const counts = lengths.unsqueeze(1)
  const from = counts.sub(1).sub(places).where(places.less(counts), places) // [batch, time]
  return x.gather(1, size === undefined ? from : from.unsqueeze(-1).expand([batch, time, size]))
}
