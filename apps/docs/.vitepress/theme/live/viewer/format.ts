import { z } from 'zod'

/** The name of the format, as it stands in a file. */
export const FORMAT = 'heed-attention/1'

const words = z.array(z.string()).min(1)
const whole = z.number().int().positive()

/** Everything of a file but the numbers. */
export const headSchema = z
  .object({
    format: z.literal(FORMAT, { error: `use "${FORMAT}"` }),
    title: z.string().optional(),
    tokens: words.optional(),
    queries: words.optional(),
    keys: words.optional(),
    layers: words.optional(),
    heads: words.optional(),
    shape: z.array(whole).min(2).max(4).optional(),
    encoding: z.enum(['float32', 'float16', 'uint8']).optional(),
  })
  .superRefine(({ tokens, queries, keys }, context) => {
    if (!tokens && !(queries && keys))
      context.addIssue({
        code: 'custom',
        path: ['tokens'],
        message: 'missing; give tokens, or both queries and keys',
      })
    if (tokens && (queries || keys))
      context.addIssue({
        code: 'custom',
        path: ['tokens'],
        message: 'given beside queries or keys; give one or the other',
      })
  })
export type Head = z.infer<typeof headSchema>

/** The size of a file's weights. */
export interface Size {
  readonly layers: number
  readonly heads: number
  readonly queries: number
  readonly keys: number
}

/** What the viewer shows beside the numbers. */
export interface Described extends Size {
  readonly title: string
  readonly queryWords: readonly string[]
  readonly keyWords: readonly string[]
  readonly layerNames: readonly string[]
  readonly headNames: readonly string[]
  /** What is odd, but no reason to stop. */
  readonly notes: readonly string[]
}

/** A file that cannot be shown; its message says where, what and what to do. */
export class AttentionFileError extends Error {
  override readonly name: string = 'AttentionFileError'
}

/**
 * Checks the head of a file against the size of its weights.
 *
 * @throws AttentionFileError naming everything that does not fit
 */
export function describe(head: unknown, size: Size, name: string, notes: readonly string[]): Described {
  const { data, error } = headSchema.safeParse(head)
  if (!data)
    throw new AttentionFileError(
      `${name}: ${error.issues.map(issue => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; ')}`,
    )
  const queryWords = data.queries ?? data.tokens ?? []
  const keyWords = data.keys ?? data.tokens ?? []
  const problems: string[] = []
  const same = (what: string, words: readonly string[] | undefined, count: number, of: string): void => {
    if (words && words.length !== count)
      problems.push(`${what} are ${words.length}, the weights have ${count} ${of}`)
  }
  same(data.queries ? 'queries' : 'tokens', queryWords, size.queries, 'rows')
  same(data.keys ? 'keys' : 'tokens', keyWords, size.keys, 'columns')
  same('layers', data.layers, size.layers, 'layers')
  same('heads', data.heads, size.heads, 'heads')
  if (problems.length) throw new AttentionFileError(`${name}: ${problems.join('; ')}; make them equal`)
  const numbered = (what: string, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `${what} ${i}`)
  return {
    ...size,
    title: data.title ?? name,
    queryWords,
    keyWords,
    layerNames: data.layers ?? numbered('layer', size.layers),
    headNames: data.heads ?? numbered('head', size.heads),
    notes,
  }
}
