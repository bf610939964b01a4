import { ConfigError } from '@heed/core-tensor'

/** How the decoder looks back at the source; `none` gives it one fixed vector. */
export type Seq2SeqAttention = 'none' | 'bahdanau' | 'dot' | 'scaled-dot' | 'general' | 'concat'

/** What the decoder can be denied, to see what it was for. */
export type DecoderInput = 'context' | 'word' | 'state'

/** Everything that makes the model what it is: plain JSON. */
export interface Seq2SeqConfig {
  readonly sourceVocab: number
  readonly targetVocab: number
  /** `location` looks by the decoder's state alone, at one of {@link maxSource} places: the first of Luong's scores, and the weakest. */
  readonly attention: Seq2SeqAttention | 'location'
  /** The recurrence of both sides. */
  readonly cell: 'rnn' | 'gru' | 'lstm'
  /** Whether a second encoder reads from the end. True: each state then knows both sides of its word (Bahdanau). */
  readonly bidirectional: boolean
  /** Whether the encoder reads each source from its end (Sutskever). Weights and copies keep the source's order. */
  readonly reverseSource: boolean
  /** Size of a token's vector. 64: date and word tasks of a few thousand tokens gain nothing from more. */
  readonly embedding: number
  /** Hidden units of the decoder. 128 trains in a minute on two cores. */
  readonly hidden: number
  /** Hidden units of each direction of the encoder; for `dot` and `scaled-dot`, together as many as `hidden`, since both sides must be equally long. */
  readonly encoderHidden: number
  /** Size in which additive and concat scores compare. */
  readonly attentionSize: number
  /** Which state asks: the one before the step (Bahdanau's way, the default for `bahdanau`), or the one after it (Luong's). */
  readonly queryState: 'previous' | 'current'
  /** Whether what was seen enters the recurrence. True in both papers; without it a whole target is read in one scan. */
  readonly inputFeeding: boolean
  /** How what was seen joins the word at the gates: behind it, or projected and added to it. */
  readonly feedBy: 'concat' | 'add'
  /** Which part of the source a step may see: all of it, a window that moves along (Luong's local-m), or one it chooses (local-p). */
  readonly locality: 'global' | 'monotonic' | 'predictive'
  /** D: how far a local window reaches to each side. 10 in Luong et al. 2015, §4.1. */
  readonly window: number
  /** The longest source that `location` has places for. */
  readonly maxSource: number
  /** Whether words may be copied from the source (a pointer-generator). */
  readonly copy: boolean
  /** Whether the score knows where it has looked (See et al. 2017). */
  readonly coverage: boolean
  /** What the decoder is denied; nothing, except in experiments. */
  readonly without: readonly DecoderInput[]
  readonly dropout: number
  /** The token that fills short rows, on both sides. */
  readonly padding: number
  /** The token that stands for words the vocabulary lacks: copied words are read as it. */
  readonly unknown: number
}

/** The configuration around the words that must be given. */
export function seq2seqConfig(
  given: Pick<Seq2SeqConfig, 'sourceVocab' | 'targetVocab'> & Partial<Seq2SeqConfig>,
): Seq2SeqConfig {
  const { attention = 'bahdanau', hidden = 128, bidirectional = true } = given
  return {
    attention,
    cell: 'gru',
    bidirectional,
    reverseSource: false,
    embedding: 64,
    hidden,
    encoderHidden: attention.endsWith('dot') && bidirectional ? hidden / 2 : hidden,
    attentionSize: hidden,
    queryState: attention === 'bahdanau' ? 'previous' : 'current',
    inputFeeding: true,
    feedBy: 'concat',
    locality: 'global',
    window: 10,
    maxSource: 50,
    copy: false,
    coverage: false,
    without: [],
    dropout: 0,
    padding: 0,
    unknown: 1,
    ...given,
  }
}

/** Whether the family is Luong's: an attentional vector is made of state and context. */
export function isLuong({ attention }: Pick<Seq2SeqConfig, 'attention'>): boolean {
  return attention !== 'none' && attention !== 'bahdanau'
}

/** @throws ConfigError naming everything that makes no sense */
export function checkSeq2Seq(config: Seq2SeqConfig): void {
  const sizes = ['sourceVocab', 'targetVocab', 'embedding', 'hidden', 'encoderHidden', 'attentionSize', 'window', 'maxSource'] as const // biome-ignore format: one line
  const { attention, hidden, encoderHidden, bidirectional, unknown, targetVocab } = config
  const problems: string[] = sizes
    .filter(name => !Number.isInteger(config[name]) || config[name] < 1)
    .map(name => `${name} is ${config[name]}, use a whole number of 1 or more`)
  const oneOf = <N extends keyof Seq2SeqConfig>(name: N, words: readonly Seq2SeqConfig[N][]): void => {
    if (!words.includes(config[name])) problems.push(`${name} is ${config[name]}, use ${words.join(', ')}`)
  }
  oneOf('attention', ['none', 'bahdanau', 'dot', 'scaled-dot', 'general', 'concat', 'location'])
  oneOf('cell', ['rnn', 'gru', 'lstm'])
  oneOf('queryState', ['previous', 'current'])
  oneOf('feedBy', ['concat', 'add'])
  oneOf('locality', ['global', 'monotonic', 'predictive'])
  const source = bidirectional ? 2 * encoderHidden : encoderHidden
  if (attention.endsWith('dot') && source !== hidden)
    problems.push(
      `${attention} needs equal sizes, the decoder has ${hidden} and the source states ${source}; ${bidirectional ? 'halve encoderHidden' : 'make them equal'}, or use general`,
    )
  if (attention === 'none')
    for (const name of ['copy', 'coverage'] as const)
      if (config[name]) problems.push(`${name} needs attention, which is none; use bahdanau`)
  if (attention === 'none' && config.locality !== 'global')
    problems.push(`locality is ${config.locality} but attention none; use global, or an attention`)
  if (config.coverage && attention !== 'bahdanau' && attention !== 'none')
    problems.push(`coverage is part of the additive score, attention is ${attention}; use bahdanau`)
  if (config.copy && !(Number.isInteger(unknown) && unknown >= 0 && unknown < targetVocab))
    problems.push(`unknown is ${unknown}, use a token of the target, 0 to ${targetVocab - 1}`)
  if (problems.length) throw new ConfigError(`Seq2Seq: ${problems.join('; ')}`)
}
