import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, FormatError } from '@heed/core-tensor'
import { Vocabulary } from '@heed/datasets'
import { writeAtomic } from '@heed/training/node'
import { z } from 'zod'

const count = z.number().int().positive()
const column = z.union([z.string(), count])

/** Where the pairs come from. */
const dataSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['dates', 'translation', 'summaries']), lines: count }),
  z.object({
    kind: z.literal('file'),
    path: z.string(),
    sha256: z.string(),
    columns: z.tuple([column, column]).optional(),
    header: z.boolean().optional(),
    limit: count.optional(),
    /** Links of the words of each pair, to be guided by. */
    alignments: z.object({ path: z.string(), sha256: z.string() }).optional(),
  }),
])

/** Everything that makes a run what it is, as it stands in `config.json`. */
export const configSchema = z.object({
  schema: z.literal('heed-run/1'),
  task: z.literal('translate'),
  data: dataSchema,
  tokens: z.enum(['characters', 'words', 'spaces']),
  lowercase: z.boolean(),
  maxVocabulary: count,
  maxLength: count,
  /** Tokens of the longest target learned from, the one that ends included: what decoding stops at. */
  maxOutput: count,
  reverseSource: z.boolean(),
  attention: z.enum(['none', 'bahdanau', 'dot', 'scaled-dot', 'general', 'concat']),
  /** The recurrence; a GRU unless given. */
  cell: z.enum(['rnn', 'gru', 'lstm']).optional(),
  /** Which part of the source a step may see, and how far a local one reaches; all of it unless given. */
  locality: z.enum(['global', 'monotonic', 'predictive']).optional(),
  window: count.optional(),
  /** Whether what was seen enters the next step; yes unless given. */
  inputFeeding: z.boolean().optional(),
  queryState: z.enum(['previous', 'current']).optional(),
  /** Whether words may be copied from the source. */
  copy: z.boolean().optional(),
  coverage: z.boolean().optional(),
  /** λ of the coverage loss; 1 unless given. */
  coverageWeight: z.number().min(0).optional(),
  /** What the guided alignment loss counts; alignments are not learned from unless given. */
  guidedWeight: z.number().positive().optional(),
  embedding: count,
  hidden: count,
  dropout: z.number().min(0).lt(1),
  epochs: count,
  batchSize: count,
  learningRate: z.number().positive(),
  clipNorm: z.number().positive(),
  labelSmoothing: z.number().min(0).max(1).optional(),
  seed: z.number().int(),
  compare: z.boolean(),
})
export type RunConfig = z.infer<typeof configSchema>

/** Where texts with labels come from. */
const textsSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tweets'), lines: count, length: count }),
  z.object({
    kind: z.literal('file'),
    path: z.string(),
    sha256: z.string(),
    columns: z.tuple([column, column]).optional(),
    header: z.boolean().optional(),
    limit: count.optional(),
  }),
])

/** Everything that makes a classifier's run what it is, as it stands in `config.json`. */
export const sentimentSchema = z.object({
  schema: z.literal('heed-run/1'),
  task: z.literal('sentiment'),
  data: textsSchema,
  lowercase: z.boolean(),
  maxVocabulary: count,
  /** Words of a text that are read; what is behind them is cut off. */
  maxLength: count,
  /** Words of the longest text learned from: the one length that the read-out `concat` takes. */
  time: count,
  /** The labels, in the order of their numbers. */
  labels: z.array(z.string()).min(2),
  cell: z.enum(['rnn', 'gru', 'lstm']),
  readout: z.enum(['last', 'concat', 'mean', 'max', 'attention']),
  /** A file of word vectors to begin with; they are learned from nothing unless given. */
  vectors: z
    .object({ path: z.string(), sha256: z.string(), use: z.enum(['frozen', 'fine-tuned']) })
    .optional(),
  bidirectional: z.boolean(),
  layers: count,
  embedding: count,
  hidden: count,
  dropout: z.number().min(0).lt(1),
  epochs: count,
  batchSize: count,
  learningRate: z.number().positive(),
  clipNorm: z.number().positive(),
  seed: z.number().int(),
  compare: z.boolean(),
})
export type SentimentConfig = z.infer<typeof sentimentSchema>

/** The configuration of a run of any task. */
export type AnyConfig = RunConfig | SentimentConfig

/** What the bits of a run depend on beside its configuration. */
const environmentSchema = z.object({
  heed: z.string(),
  node: z.string(),
  icu: z.string(),
  backend: z.string(),
  machine: z.string(),
})
export type Environment = z.infer<typeof environmentSchema>

const fileSchema = z.discriminatedUnion('task', [
  configSchema.extend({ environment: environmentSchema }),
  sentimentSchema.extend({ environment: environmentSchema }),
])

/** The two vocabularies of a run. */
export interface Vocabularies extends Readonly<Record<string, Vocabulary>> {
  readonly source: Vocabulary
  readonly target: Vocabulary
}

/** A run's folder: `config.json`, `vocabulary.json`, `metrics.jsonl`, checkpoints, `results.json`, `report.html`. */
export class RunFolder<Config extends AnyConfig = RunConfig> {
  readonly path: string
  readonly config: Config
  readonly environment: Environment

  private constructor(path: string, config: Config, environment: Environment) {
    this.path = path
    this.config = config
    this.environment = environment
  }

  /** Makes a new folder. @throws ConfigError if it is there already: earlier runs stay as they are */
  static create<Config extends AnyConfig>(
    path: string,
    config: Config,
    environment: Environment,
  ): RunFolder<Config> {
    if (existsSync(path))
      throw new ConfigError(
        `${path}: there is a run of that name already; choose another --name, or --resume it`,
      )
    mkdirSync(path, { recursive: true })
    writeAtomic(join(path, 'config.json'), `${JSON.stringify({ ...config, environment }, null, 2)}\n`)
    return new RunFolder(path, config, environment)
  }

  /** Opens a run of one task. @throws ConfigError if there is none, or it is of another task; FormatError if its configuration is damaged */
  static open(path: string): RunFolder
  static open<Task extends AnyConfig['task']>(
    path: string,
    task: Task,
  ): RunFolder<Extract<AnyConfig, { task: Task }>>
  static open(path: string, task: AnyConfig['task'] = 'translate'): RunFolder<AnyConfig> {
    const run = RunFolder.openAny(path)
    if (run.config.task !== task)
      throw new ConfigError(
        `${path}: this run is of heed train ${run.config.task}, not of heed train ${task}; give one of that, or look at it with heed attend ${path}`,
      )
    return run
  }

  /** Opens a run of any task. @throws ConfigError if there is none, FormatError if its configuration is damaged */
  static openAny(path: string): RunFolder<AnyConfig> {
    if (!existsSync(path) || !statSync(path).isDirectory())
      throw new ConfigError(
        `${path}: there is no run of that name; give the folder that heed train has written`,
      )
    const json = readJson(join(path, 'config.json'))
    const { data, error } = fileSchema.safeParse(json)
    if (!data)
      throw new FormatError(
        `${join(path, 'config.json')}: ${error.issues.map(issue => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; ')}; restore the file, or train again`,
      )
    const { environment, ...config } = data
    return new RunFolder(path, config, environment)
  }

  has(name: string): boolean {
    return existsSync(this.file(name))
  }

  /** A file of this run. */
  file(name: string): string {
    return join(this.path, name)
  }

  writeVocabularies(vocabularies: Readonly<Record<string, Vocabulary>>): void {
    writeAtomic(this.file('vocabulary.json'), `${JSON.stringify(vocabularies)}\n`)
  }

  /** A translator's two. @throws FormatError if the file is missing or damaged */
  readVocabularies(): Vocabularies {
    return { source: this.readVocabulary('source'), target: this.readVocabulary('target') }
  }

  /** One of the vocabularies. @throws FormatError if the file is missing or damaged */
  readVocabulary(name: 'source' | 'target' | 'words'): Vocabulary {
    const json = readJson(this.file('vocabulary.json')) as Partial<Record<string, unknown>> | null
    try {
      return Vocabulary.fromJSON(json?.[name])
    } catch (error) {
      throw new FormatError(
        `${this.file('vocabulary.json')}: ${error instanceof Error ? error.message : error}`,
      )
    }
  }

  /** Adds a line to `metrics.jsonl`. */
  log(line: Readonly<Record<string, unknown>>): void {
    appendFileSync(this.file('metrics.jsonl'), `${JSON.stringify(line)}\n`)
  }

  /** The lines of `metrics.jsonl`; a last line that was cut short is left out. */
  readLog(): Record<string, unknown>[] {
    if (!existsSync(this.file('metrics.jsonl'))) return []
    return readFileSync(this.file('metrics.jsonl'), 'utf8')
      .split('\n')
      .flatMap(line => {
        try {
          return line ? [JSON.parse(line) as Record<string, unknown>] : []
        } catch {
          return []
        }
      })
  }

  write(name: string, text: string): void {
    writeAtomic(this.file(name), text)
  }
}

/** @throws FormatError if the file is missing, is not UTF-8 or not JSON */
export function readJson(path: string): unknown {
  if (!existsSync(path)) throw new FormatError(`${path}: the file is missing; restore it, or train again`)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)))
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error
    throw new FormatError(
      `${path}: not JSON (${error instanceof Error ? error.message : error}); restore it, or train again`,
    )
  }
}
