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
  z.object({ kind: z.literal('dates'), lines: count }),
  z.object({
    kind: z.literal('file'),
    path: z.string(),
    sha256: z.string(),
    columns: z.tuple([column, column]).optional(),
    header: z.boolean().optional(),
    limit: count.optional(),
  }),
])

/** Everything that makes a run what it is, as it stands in `config.json`. */
export const configSchema = z.object({
  schema: z.literal('heed-run/1'),
  task: z.literal('translate'),
  data: dataSchema,
  tokens: z.enum(['characters', 'words']),
  lowercase: z.boolean(),
  maxVocabulary: count,
  maxLength: count,
  /** Tokens of the longest target learned from, the one that ends included: what decoding stops at. */
  maxOutput: count,
  reverseSource: z.boolean(),
  attention: z.enum(['none', 'bahdanau', 'dot', 'general', 'concat']),
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

/** What the bits of a run depend on beside its configuration. */
const environmentSchema = z.object({
  heed: z.string(),
  node: z.string(),
  icu: z.string(),
  backend: z.string(),
  machine: z.string(),
})
export type Environment = z.infer<typeof environmentSchema>

const fileSchema = configSchema.extend({ environment: environmentSchema })

/** The two vocabularies of a run. */
export interface Vocabularies {
  readonly source: Vocabulary
  readonly target: Vocabulary
}

/** A run's folder: `config.json`, `vocabulary.json`, `metrics.jsonl`, checkpoints, `results.json`, `report.html`. */
export class RunFolder {
  readonly path: string
  readonly config: RunConfig
  readonly environment: Environment

  private constructor(path: string, config: RunConfig, environment: Environment) {
    this.path = path
    this.config = config
    this.environment = environment
  }

  /** Makes a new folder. @throws ConfigError if it is there already: earlier runs stay as they are */
  static create(path: string, config: RunConfig, environment: Environment): RunFolder {
    if (existsSync(path))
      throw new ConfigError(
        `${path}: there is a run of that name already; choose another --name, or --resume it`,
      )
    mkdirSync(path, { recursive: true })
    writeAtomic(join(path, 'config.json'), `${JSON.stringify({ ...config, environment }, null, 2)}\n`)
    return new RunFolder(path, config, environment)
  }

  /** Opens a run. @throws ConfigError if there is none, FormatError if its configuration is damaged */
  static open(path: string): RunFolder {
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

  writeVocabularies({ source, target }: Vocabularies): void {
    writeAtomic(this.file('vocabulary.json'), `${JSON.stringify({ source, target })}\n`)
  }

  /** @throws FormatError if the file is missing or damaged */
  readVocabularies(): Vocabularies {
    const json = readJson(this.file('vocabulary.json')) as Partial<Record<string, unknown>> | null
    try {
      return { source: Vocabulary.fromJSON(json?.source), target: Vocabulary.fromJSON(json?.target) }
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
function readJson(path: string): unknown {
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
