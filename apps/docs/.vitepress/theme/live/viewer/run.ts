import { getBackend, noGrad, readSafetensors, scope, tensor } from '@heed/core-tensor'
import { BEGIN, createTokenizer, END, PAD, Vocabulary } from '@heed/datasets'
import { classifierConfig, greedy, Seq2Seq, SequenceClassifier, seq2seqConfig } from '@heed/models'
import { z } from 'zod'
import { AttentionFileError, type Described } from './format.ts'
import type { LogCurve } from './protocol.ts'

/** A file of a run's folder, by its name alone. */
export type RunFiles = ReadonlyMap<string, File>

/** What a model made of a text, and how it looked. */
export interface Asked {
  readonly text: string
  readonly weights: Float32Array<ArrayBuffer>
  readonly described: Described
}

/** A run, ready to be asked. */
export interface OpenRun {
  readonly about: string
  readonly curves: readonly LogCurve[]
  /** A text to begin with. */
  readonly example: string
  ask(text: string): Promise<Asked>
}

const sizes = { embedding: z.number(), hidden: z.number(), dropout: z.number(), seed: z.number() }
const configSchema = z.discriminatedUnion('task', [
  z.looseObject({
    schema: z.literal('heed-run/1'),
    task: z.literal('translate'),
    data: z.looseObject({ kind: z.string() }),
    tokens: z.enum(['characters', 'words']),
    lowercase: z.boolean(),
    reverseSource: z.boolean(),
    maxOutput: z.number(),
    attention: z.enum(['none', 'bahdanau', 'dot', 'scaled-dot', 'general', 'concat']),
    cell: z.enum(['rnn', 'gru', 'lstm']).optional(),
    locality: z.enum(['global', 'monotonic', 'predictive']).optional(),
    window: z.number().optional(),
    inputFeeding: z.boolean().optional(),
    queryState: z.enum(['previous', 'current']).optional(),
    coverage: z.boolean().optional(),
    copy: z.boolean().optional(),
    ...sizes,
  }),
  z.looseObject({
    schema: z.literal('heed-run/1'),
    task: z.literal('sentiment'),
    lowercase: z.boolean(),
    maxLength: z.number(),
    time: z.number(),
    labels: z.array(z.string()),
    cell: z.enum(['rnn', 'gru', 'lstm']),
    readout: z.enum(['last', 'concat', 'mean', 'max', 'attention']),
    bidirectional: z.boolean(),
    layers: z.number(),
    ...sizes,
  }),
])
type Config = z.infer<typeof configSchema>

/**
 * Opens a folder that `heed train` wrote.
 *
 * @throws AttentionFileError naming the file that is missing or damaged
 */
export async function openRun(files: RunFiles): Promise<OpenRun> {
  const parsed = configSchema.safeParse(await json(files, 'config.json'))
  if (!parsed.data)
    throw new AttentionFileError(
      `config.json: ${parsed.error.issues.map(issue => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; ')}`,
    )
  const config = parsed.data
  const vocabularies = (await json(files, 'vocabulary.json')) as Readonly<Record<string, unknown>>
  const weights = await checkpoint(files)
  const curves = await log(files)
  return config.task === 'translate'
    ? translator(config, vocabularies, weights, curves)
    : classifier(config, vocabularies, weights, curves)
}

type Weights = Parameters<Seq2Seq['loadStateDict']>[0]

function translator(
  config: Extract<Config, { task: 'translate' }>,
  vocabularies: Readonly<Record<string, unknown>>,
  weights: Weights,
  curves: readonly LogCurve[],
): OpenRun {
  if (config.copy)
    throw new AttentionFileError(
      'config.json: this model copies words, which the viewer cannot show; look at it with heed attend',
    )
  if (config.attention === 'none')
    throw new AttentionFileError(
      'config.json: attention is none, so there is nothing to look at; give a run with attention',
    )
  const [source, target] = [
    Vocabulary.fromJSON(vocabularies.source),
    Vocabulary.fromJSON(vocabularies.target),
  ]
  const tokenizer = createTokenizer(
    config.tokens === 'words' ? { kind: 'words', lowercase: config.lowercase } : { kind: 'graphemes' },
  )
  const {
    attention,
    embedding,
    hidden,
    dropout,
    cell,
    locality,
    window,
    inputFeeding,
    queryState,
    coverage,
  } = config
  const optional = Object.fromEntries(
    Object.entries({ cell, locality, window, inputFeeding, queryState, coverage }).filter(
      ([, value]) => value !== undefined,
    ),
  )
  const model = new Seq2Seq(
    seq2seqConfig({
      sourceVocab: source.size,
      targetVocab: target.size,
      attention,
      embedding,
      hidden,
      dropout,
      padding: PAD,
      ...optional,
    }),
  )
  model.loadStateDict(weights)
  model.eval()
  return {
    about: `A translator with ${attention} attention, ${config.tokens}, ${hidden} hidden units`,
    curves,
    example: config.data.kind === 'dates' ? '3 mars 2024 et 17 mai 1998' : '',
    async ask(text) {
      const tokens = tokenizer.encode(text)
      if (!tokens.length) throw new AttentionFileError('the text is empty; write something')
      const ids = source.encode(tokens, { end: true })
      const read = config.reverseSource ? ids.reverse() : ids
      const [row] = await greedy(
        () => model.stepper(tensor(read, { shape: [1, read.length] }), tensor(Int32Array.of(read.length))),
        1,
        getBackend(),
        { begin: BEGIN, end: END, maxLength: config.maxOutput },
      )
      if (!row) throw new AttentionFileError('nothing was written')
      const written = row.ids.map(id => target.token(id))
      const words = [...written, ...(row.ended ? ['⏎'] : [])]
      const columns = [...tokens, '⏎']
      const map = new Float32Array(words.length * columns.length)
      for (const [t, looked] of row.weights.slice(0, words.length).entries())
        map.set(
          config.reverseSource ? looked.slice(0, columns.length).reverse() : looked.slice(0, columns.length),
          t * columns.length,
        )
      return { text: tokenizer.join(written), weights: map, described: described(text, words, columns) }
    },
  }
}

function classifier(
  config: Extract<Config, { task: 'sentiment' }>,
  vocabularies: Readonly<Record<string, unknown>>,
  weights: Weights,
  curves: readonly LogCurve[],
): OpenRun {
  const { labels, cell, readout, bidirectional, layers, embedding, hidden, dropout, time } = config
  if (readout !== 'attention' && readout !== 'mean')
    throw new AttentionFileError(
      `config.json: the read-out is ${readout}, which has no weights to look at; give a run with attention`,
    )
  const vocabulary = Vocabulary.fromJSON(vocabularies.words)
  const binary = labels.length === 2
  const model = new SequenceClassifier(
    classifierConfig({
      vocab: vocabulary.size,
      task: binary ? 'binary' : 'multi-class',
      classes: binary ? 1 : labels.length,
      readout,
      cell,
      bidirectional,
      layers,
      embedding,
      hidden,
      dropout,
      time,
      padding: PAD,
    }),
  )
  model.loadStateDict(weights)
  model.eval()
  const tokenizer = createTokenizer({ kind: 'words', lowercase: config.lowercase })
  return {
    about: `A classifier of texts (${labels.join(', ')}), ${readout} over ${cell.toUpperCase()} states`,
    curves,
    example: 'honestly i love this class and the bus was late again',
    ask: text =>
      noGrad(() =>
        scope(async () => {
          const tokens = tokenizer.encode(text).slice(0, config.maxLength)
          if (!tokens.length) throw new AttentionFileError('the text is empty; write something')
          const ids = vocabulary.encode(tokens)
          const { logits, weights: looked } = model.forward(
            tensor(ids, { shape: [1, ids.length] }),
            tensor(Int32Array.of(ids.length)),
          )
          const numbers = Array.from((await model.probabilities(logits).data()) as Float32Array)
          const shares = binary ? [1 - (numbers[0] as number), numbers[0] as number] : numbers
          const best = shares.indexOf(Math.max(...shares))
          const map = Float32Array.from((await looked?.data()) as Float32Array)
          return {
            text: `${labels[best]}, ${(100 * (shares[best] as number)).toFixed(0)} %`,
            weights: map,
            described: described(text, [labels[best] as string], tokens),
          }
        }),
      ),
  }
}

function described(title: string, queryWords: readonly string[], keyWords: readonly string[]): Described {
  return {
    title,
    layers: 1,
    heads: 1,
    queries: queryWords.length,
    keys: keyWords.length,
    queryWords,
    keyWords,
    layerNames: ['the model'],
    headNames: ['attention'],
    notes: [],
  }
}

async function json(files: RunFiles, name: string): Promise<unknown> {
  const file = files.get(name)
  if (!file)
    throw new AttentionFileError(
      `${name} is missing; drop the whole folder that heed train wrote (it has ${[...files.keys()].slice(0, 8).join(', ') || 'no files'})`,
    )
  try {
    return JSON.parse(await file.text())
  } catch (error) {
    throw new AttentionFileError(
      `${name}: not JSON (${error instanceof Error ? error.message : error}); restore it, or train again`,
    )
  }
}

async function checkpoint(files: RunFiles): Promise<Weights> {
  const index = (await json(files, 'checkpoint.json')) as { file?: unknown }
  const file = typeof index?.file === 'string' ? files.get(index.file) : undefined
  if (!file)
    throw new AttentionFileError(
      `checkpoint.json names ${JSON.stringify(index?.file)}, which is missing; drop the whole folder`,
    )
  const { tensors } = readSafetensors(new Uint8Array(await file.arrayBuffer()))
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, x]) => (name.startsWith('model.') ? [[name.slice(6), x]] : [])),
  )
}

/** The numbers of `metrics.jsonl` over steps; a line that was cut short is left out. */
async function log(files: RunFiles): Promise<LogCurve[]> {
  const text = (await files.get('metrics.jsonl')?.text()) ?? ''
  const curves = new Map<string, { x: number; y: number }[]>()
  for (const line of text.split('\n')) {
    try {
      const entry = JSON.parse(line) as Readonly<Record<string, unknown>>
      const x = Number(entry.step ?? entry.total)
      for (const name of ['loss', 'exact', 'accuracy'])
        if (Number.isFinite(x) && typeof entry[name] === 'number')
          curves.set(name, [...(curves.get(name) ?? []), { x, y: entry[name] }])
    } catch {
      // An empty or unfinished line.
    }
  }
  return [...curves].map(([name, points]) => ({ name, points }))
}
