import { isolated } from './ansi.ts'
import { VizError } from './errors.ts'
import { type Child, element, group } from './markup.ts'
import { markdownText } from './table.ts'

/** A sentence and what it was to become. */
export interface SourceTarget {
  readonly source: string
  readonly target: string
}

/** The five things that show what an attention model learned, and what it did not. */
export interface EvidenceCardFields {
  /** The task in one example: the source sentence and the target asked for. */
  readonly sourceTarget: SourceTarget
  /** What the model wrote. */
  readonly decodedOutput: string
  /** Where it looked while writing. */
  readonly alignmentNote: string
  /** What was looked for and found: omission, repetition, hallucination, wrong alignment, weak evaluation. */
  readonly failureCheck: string
  /** What a right answer is. */
  readonly expectedOutput: string
}

/** An evidence card, ready to be kept: the same five fields in three formats. */
export interface EvidenceCard {
  readonly fields: EvidenceCardFields
  /** A Markdown table. */
  markdown(): string
  /** An HTML `<section>` with a description list. */
  html(): string
  /** Indented JSON. */
  json(): string
}

/**
 * A card of evidence that a model attends as it should, or does not.
 *
 * @throws VizError naming every field that is missing or empty
 */
export function evidenceCard(fields: EvidenceCardFields): EvidenceCard {
  const missing = requiredFields.filter(name => !filled(read(fields, name)))
  if (missing.length > 0)
    throw new VizError(
      `evidenceCard: missing or empty ${missing.join(', ')}; a card without all five fields is no evidence`,
    )
  return {
    fields,
    markdown: () =>
      [
        '| Evidence | |',
        '| --- | --- |',
        ...entries(fields).map(([name, texts]) => `| **${name}** | ${texts.map(markdownCell).join(arrow)} |`),
      ].join('\n'),
    html: () =>
      element('section', { class: 'heed-card', 'aria-label': 'Evidence card' }, [
        element(
          'dl',
          {},
          entries(fields).map(([name, texts]) =>
            group([element('dt', {}, [name]), element('dd', {}, texts.flatMap(htmlText))]),
          ),
        ),
      ]).markup,
    json: () => JSON.stringify(plain(fields), null, 2),
  }
}

const requiredFields = [
  'sourceTarget.source',
  'sourceTarget.target',
  'decodedOutput',
  'alignmentNote',
  'failureCheck',
  'expectedOutput',
] as const

const arrow = ' → '

/** The fields under their names; the first has two texts, an arrow between them. */
function entries(fields: EvidenceCardFields): [name: string, texts: string[]][] {
  return [
    ['Source Target', [fields.sourceTarget.source, fields.sourceTarget.target]],
    ['Decoded Output', [fields.decodedOutput]],
    ['Alignment Note', [fields.alignmentNote]],
    ['Failure Check', [fields.failureCheck]],
    ['Expected Output', [fields.expectedOutput]],
  ]
}

function markdownCell(text: string): string {
  return markdownText(isolated(text))
}

/** Each text keeps its direction to itself, so that the arrow points from source to target in any script. */
function htmlText(text: string, index: number): Child[] {
  return [...(index > 0 ? [arrow] : []), element('bdi', {}, [text])]
}

/** Only the five fields, in their order, whatever else the caller's object holds. */
function plain({
  sourceTarget,
  decodedOutput,
  alignmentNote,
  failureCheck,
  expectedOutput,
}: EvidenceCardFields): EvidenceCardFields {
  const { source, target } = sourceTarget
  return { sourceTarget: { source, target }, decodedOutput, alignmentNote, failureCheck, expectedOutput }
}

/** The value at a dotted path; callers without types may have left anything out. */
function read(fields: EvidenceCardFields, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], fields)
}

function filled(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== ''
}
