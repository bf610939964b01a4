import { type DecodedEvidence, failureChecks } from '@heed/training'
import { type EvidenceCard, evidenceCard } from '@heed/viz'

/** One output with what is known of it; weights can be attention’s, a copying model’s, or the steps of a CTC path. */
export interface Evidence extends DecodedEvidence {
  /** As people write them. */
  readonly texts: { readonly source: string; readonly output: string; readonly expected: string }
  /** What the weights are: `attention`, `steps of the best path`, … */
  readonly looking?: string
  /** Three-word repetitions count, unless told: of characters it takes more. */
  readonly repeated?: number
}

const NAMED = 9 // output words that a note tells of

/**
 * The evidence card of one output: its five fields, with all five ways of going wrong looked for.
 *
 * @throws VizError naming the fields that are missing or empty
 */
export function evidenceOf(evidence: Evidence): EvidenceCard {
  const { texts, looking = 'attention', repeated = 3, ...decoded } = evidence
  return evidenceCard({
    sourceTarget: { source: texts.source, target: texts.expected },
    decodedOutput: texts.output || '(nothing)',
    alignmentNote: alignmentNote(decoded, looking),
    failureCheck: [
      texts.output === texts.expected ? 'the output is right' : 'the output is not the expected one',
      ...failureChecks(decoded, { repeated }).map(({ kind, says }) => `${kind}: ${says}`),
    ].join('; '),
    expectedOutput: texts.expected,
  })
}

function alignmentNote({ source, output, weights }: DecodedEvidence, looking: string): string {
  if (!weights) return 'there are no weights: nothing tells where it looked'
  const told = weights.slice(0, NAMED).map((row, t) => {
    const places = Array.from(row, (weight, i) => ({ weight, i }))
      .filter(({ weight }) => weight >= 0.1)
      .sort((a, b) => b.weight - a.weight)
      .slice(0, 3)
      .map(({ weight, i }) => `${source[i]} (${weight.toFixed(2)})`)
    return `${output[t]} ← ${places.join(', ') || 'nothing above 0.1'}`
  })
  const more = weights.length > NAMED ? `; and ${weights.length - NAMED} more` : ''
  return told.length
    ? `${looking}: ${told.join('; ')}${more}`
    : 'nothing was written, so nothing was looked at'
}
