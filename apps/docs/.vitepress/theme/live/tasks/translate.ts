import { getBackend, noGrad, Rng, scope, type Tensor, tensor } from '@heed/core-tensor'
import {
  type AlignedPair,
  Batches,
  BEGIN,
  countTokens,
  END,
  examples,
  type IdPair,
  PAD,
  THE_TRANSLATION,
  translation,
  Vocabulary,
} from '@heed/datasets'
import { type Additive, attend } from '@heed/layers'
import { greedy, Seq2Seq, type Seq2SeqBatch, seq2seqConfig } from '@heed/models'
import { Adam, failureChecks, Trainer, warmupCosine } from '@heed/training'
import { every, type Live } from './task.ts'

export interface TranslateOptions {
  readonly attention: 'none' | 'bahdanau'
  readonly language: 'de' | 'fr'
  /** Steps of 32 sentences. */
  readonly steps: number
  readonly seed: number
}

/** A sentence, what the model wrote, and where it looked. */
export interface Translated {
  readonly source: readonly string[]
  readonly target: readonly string[]
  /** `[target, source]`; empty without attention. */
  readonly weights: readonly (readonly number[])[]
  /** Words the model has never met. */
  readonly unknown: readonly string[]
}

export interface TranslateProgress {
  readonly step: number
  readonly loss: number
  /** Share of 40 test sentences that come out right word for word. */
  readonly exact: number
  readonly shown: Translated
}

interface Translator {
  readonly model: Seq2Seq
  readonly vocabularies: { readonly source: Vocabulary; readonly target: Vocabulary }
  readonly options: TranslateOptions
}

const BATCH = 32
let trained: Translator | undefined

const wordsOf = (text: string): string[] => text.split(/\s+/).filter(Boolean)

/** The sentence that is shown while a model learns. */
export function shownPair(language: 'de' | 'fr', seed: number): AlignedPair {
  return language === 'de' ? THE_TRANSLATION : (lines(language, 'validation', 1, seed)[0] as AlignedPair)
}

function lines(
  target: 'de' | 'fr',
  split: 'train' | 'validation' | 'test',
  size: number,
  seed: number,
): AlignedPair[] {
  return examples(translation({ seed, split, size, target, maxClauses: 1 }))
}

/** Trains a translator from nothing. */
export async function translate(
  options: TranslateOptions,
  live: Live<TranslateProgress>,
): Promise<{ examples: Translated[]; parameters: number; finished: boolean }> {
  const { attention, language, steps, seed } = options
  const train = lines(language, 'train', BATCH * steps, seed)
  const test = lines(language, 'test', 40, seed)
  const vocabularies = {
    source: Vocabulary.fromCounts(countTokens([...train, THE_TRANSLATION].map(pair => wordsOf(pair.source)))),
    target: Vocabulary.fromCounts(countTokens(train.map(pair => wordsOf(pair.target)))),
  }
  const pairs: IdPair[] = train.map(({ source, target }) => ({
    source: vocabularies.source.encode(wordsOf(source)),
    target: vocabularies.target.encode(wordsOf(target), { begin: true, end: true }),
  }))
  const model = new Seq2Seq(
    seq2seqConfig({
      sourceVocab: vocabularies.source.size,
      targetVocab: vocabularies.target.size,
      attention,
      embedding: 24,
      hidden: 48,
      encoderHidden: 32,
      padding: PAD,
    }),
    { rng: new Rng(seed).split('weights') },
  )
  const translator = { model, vocabularies, options }
  const trainer = new Trainer(model, {
    optimizer: new Adam(model.namedParameters()),
    schedule: warmupCosine(0.01, { warmup: Math.ceil(steps / 10), total: steps }),
    clipNorm: 1,
    seed,
  })
  const batches = new Batches(pairs, { size: BATCH, seed }).epoch(0)
  const batch = (_: number, step: number): Seq2SeqBatch => {
    const b = batches.at(step)
    return {
      source: tensor(b.source, { shape: b.sourceShape }),
      sourceLengths: tensor(b.sourceLengths),
      target: tensor(b.target, { shape: b.targetShape }),
    }
  }
  const asked = shownPair(language, seed)
  const finished = await trainer.fit(
    { steps: () => Math.min(steps, batches.length), batch },
    {
      epochs: 1,
      signal: live.signal,
      onStep: async ({ total, loss }) => {
        if (!every(total, steps, 15)) return
        model.eval()
        const [shown, ...others] = await decode(translator, [asked.source, ...test.map(pair => pair.source)])
        model.train()
        const exact = others.filter((one, i) => one.target.join(' ') === test[i]?.target).length / test.length
        await live.report({ step: total, loss, exact, shown: shown as Translated })
      },
    },
  )
  model.eval()
  trained = translator
  return {
    examples: await decode(translator, [asked.source, ...test.slice(0, 5).map(pair => pair.source)]),
    parameters: [...model.parameters()].reduce((sum, p) => sum + p.size, 0),
    finished,
  }
}

/** A sentence of the reader's own. @throws Error if no model is trained, or the text is empty */
export async function translateText({ text }: { readonly text: string }): Promise<Translated> {
  if (!trained) throw new Error('translateText: no model is trained yet; press Train first')
  const words = wordsOf(text.toLowerCase())
  if (!words.length) throw new Error('translateText: the text is empty; write a sentence')
  return (await decode(trained, [words.join(' ')]))[0] as Translated
}

/** What happens inside one step of the decoder, in numbers. */
export interface DecoderStep {
  /** The word before, `<begin>` first. */
  readonly given: string
  /** A score for each source word. */
  readonly scores: readonly number[]
  /** Their softmax. */
  readonly weights: readonly number[]
  /** The weighted sum of the source states, `[annotation]`. */
  readonly context: readonly number[]
  /** The five words that fit best. */
  readonly next: readonly { readonly word: string; readonly probability: number }[]
}

/** Decodes a sentence with everything a reader may want to see on the way. @throws Error if no model is trained */
export async function decodeSteps({
  text,
}: {
  readonly text: string
}): Promise<{ source: string[]; steps: DecoderStep[] }> {
  if (!trained) throw new Error('decodeSteps: no model is trained yet; press Train first')
  const { model, vocabularies } = trained
  const source = wordsOf(text.toLowerCase())
  return noGrad(() =>
    scope(async () => {
      const ids = vocabularies.source.encode(source)
      const sourceIds = tensor(ids, { shape: [1, ids.length] })
      const lengths = tensor(Int32Array.of(ids.length))
      const memory = model.encode(sourceIds, lengths)
      const stepper = model.stepper(sourceIds, lengths)
      const steps: DecoderStep[] = []
      let [state, last] = [stepper.start, BEGIN]
      while (steps.length < 20) {
        // Bahdanau's way: the state before the step asks.
        const seen = attend(state.hidden.unsqueeze(1), memory.states, memory.states, {
          score: model.score as Additive,
          mask: memory.mask,
        })
        const next = stepper.step(tensor(Int32Array.of(last)), state)
        const numbers = async (x: Tensor): Promise<number[]> => Array.from((await x.data()) as Float32Array)
        const logits = (await next.logits.data()) as Float32Array
        steps.push({
          given: steps.length ? vocabularies.target.token(last) : '<begin>',
          scores: await numbers(seen.scores),
          weights: await numbers(next.weights as Tensor),
          context: await numbers(seen.context),
          next: best(logits, 5).map(({ id, probability }) => ({
            word: id === END ? '<end>' : vocabularies.target.token(id),
            probability,
          })),
        })
        last = best(logits, 1)[0]?.id as number
        state = next.state
        if (last === END) break
      }
      return { source, steps }
    }),
  )
}

function best(logits: Float32Array, count: number): { id: number; probability: number }[] {
  const most = Math.max(...logits)
  const all = Array.from(logits, (x, id) => ({ id, probability: Math.exp(x - most) }))
  const sum = all.reduce((total, one) => total + one.probability, 0)
  return all
    .map(one => ({ ...one, probability: one.probability / sum }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, count)
}

/** What may have gone wrong with one translation, a sentence for each thing found. */
export function failures({ source, target, weights }: Translated, testRows: number): string[] {
  return failureChecks({ source, output: target, weights, testRows })
    .filter(({ found }) => found)
    .map(({ kind, says }) => `${kind}: ${says}`)
}

async function decode(
  { model, vocabularies }: Translator,
  sentences: readonly string[],
): Promise<Translated[]> {
  const rows = sentences.map(text => vocabularies.source.encode(wordsOf(text)))
  const longest = Math.max(...rows.map(row => row.length))
  const ids = new Int32Array(rows.length * longest).fill(PAD)
  for (const [i, row] of rows.entries()) ids.set(row, i * longest)
  const decoded = await greedy(
    () =>
      model.stepper(
        tensor(ids, { shape: [rows.length, longest] }),
        tensor(Int32Array.from(rows, row => row.length)),
      ),
    rows.length,
    getBackend(),
    { begin: BEGIN, end: END, maxLength: 24 },
  )
  return decoded.map((one, i) => {
    const source = wordsOf(sentences[i] as string)
    return {
      source,
      target: one.ids.map(id => vocabularies.target.token(id)),
      weights: one.weights.slice(0, one.ids.length).map(row => Array.from(row.slice(0, source.length))),
      unknown: source.filter(
        word => vocabularies.source.token(vocabularies.source.encode([word])[0] as number) !== word,
      ),
    }
  })
}
