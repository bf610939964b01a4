import { type EvidenceCard, evidenceCard, type ReportExample, report } from '@heed/viz'
import type { RunConfig, RunFolder } from '../run.ts'
import { interval } from '../words.ts'
import type { Line, TranslationData } from './data.ts'
import type { Score, Translation } from './decode.ts'
import { looks } from './picture.ts'

/** One arm's result on the test lines. */
export interface ArmResult {
  readonly title: string
  readonly score: Score
  readonly seconds: number
  readonly parameters: number
}

/** What a finished run has to tell. */
export interface Outcome {
  readonly data: TranslationData
  readonly results: readonly ArmResult[]
  /** Test lines with what the first arm made of them. */
  readonly shown: readonly { readonly line: Line; readonly translation: Translation }[]
  readonly summary: string
}

/** The report of a run: one self-contained page. */
export function runReport(run: RunFolder, { data, results, shown, summary }: Outcome): string {
  const [main, ...others] = results as [ArmResult, ...ArmResult[]]
  const log = run.readLog()
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
  const isDates = run.config.data.kind === 'dates'
  return report({
    title: titleOf(run.config.data),
    summary,
    facts: [
      {
        label: 'exact match',
        value: percent(main.score.exact),
        note: `of ${main.score.lines.toLocaleString('en')} test lines, ${main.title}`,
      },
      ...(isDates
        ? []
        : [{ label: 'BLEU', value: main.score.bleu.toFixed(1), note: main.score.bleuSignature }]),
      ...others.map(arm => ({
        label: arm.title,
        value: isDates ? percent(arm.score.exact) : `BLEU ${arm.score.bleu.toFixed(1)}`,
        note: 'the same data, the same number of examples',
      })),
      ...(main.score.alignment
        ? [
            {
              label: 'alignment error',
              value: percent(main.score.alignment.errorRate.value),
              note: `${interval(main.score.alignment.errorRate)} against the known links, on the ${main.score.alignment.lines.toLocaleString('en')} lines that are right`,
            },
          ]
        : []),
      {
        label: 'training',
        value: `${main.seconds.toFixed(0)} s`,
        note: `${data.train.length.toLocaleString('en')} lines, ${run.config.epochs === 1 ? 'once' : `${run.config.epochs} times`}`,
      },
      {
        label: 'parameters',
        value: main.parameters.toLocaleString('en'),
        note:
          others.map(arm => `${arm.parameters.toLocaleString('en')} ${arm.title}`).join(', ') ||
          run.environment.backend,
      },
    ],
    tables: [
      {
        title: `Exact match by ${data.groupedBy}`,
        note: 'in percent of the test lines',
        columns: [data.groupedBy, 'lines', ...results.map(arm => arm.title)],
        rows: main.score.groups.map(({ group, lines }, i) => [
          group,
          lines,
          ...results.map(arm => (100 * (arm.score.groups[i]?.exact ?? 0)).toFixed(1)),
        ]),
      },
    ],
    curves: curves(log, results),
    examples: shown.map(
      ({ line, translation }): ReportExample => ({
        source: translation.source,
        target: translation.target,
        expected: data.tokenizers.target.encode(line.target),
        ...(translation.weights && translation.target.length ? { weights: translation.weights } : {}),
      }),
    ),
    card: card(run, data, main, shown),
    configuration: { ...run.config, environment: run.environment },
  })
}

function titleOf(data: RunConfig['data']): string {
  switch (data.kind) {
    case 'dates':
      return 'Reading dates in many languages'
    case 'translation':
      return 'Translating a toy English into German'
    case 'summaries':
      return 'Cutting news down to who did what'
    case 'file':
      return `Translating ${data.path.split(/[\\/]/).at(-1)}`
  }
}

type LogLine = Readonly<Record<string, unknown>>

function curves(log: readonly LogLine[], results: readonly ArmResult[]) {
  const names = ['checkpoint', 'without-attention'].filter(name => log.some(line => line.arm === name))
  const title = (i: number): string => results[i]?.title ?? ''
  const loss = names.map((name, i) => ({
    name: title(i),
    points: thinned(
      log.flatMap(line =>
        line.arm === name && typeof line.loss === 'number' ? [{ x: Number(line.step), y: line.loss }] : [],
      ),
    ),
  }))
  const exact = names.map((name, i) => ({
    name: title(i),
    points: log.flatMap(line => {
      const share = (line.validation as { exact?: unknown } | undefined)?.exact
      return line.arm === name && typeof share === 'number' ? [{ x: Number(line.step), y: 100 * share }] : []
    }),
  }))
  return [
    ...(loss.every(series => series.points.length) && loss.length
      ? [{ title: 'Loss', xLabel: 'step', yLabel: 'nats per token', log: 'y' as const, series: loss }]
      : []),
    ...(exact.every(series => series.points.length) && exact.length
      ? [
          {
            title: 'Exact match while training',
            xLabel: 'step',
            yLabel: '% of validation lines',
            yRange: [0, 100] as const,
            series: exact,
          },
        ]
      : []),
  ]
}

/** At most 200 points, each the mean of its stretch. */
function thinned(points: readonly { readonly x: number; readonly y: number }[]): { x: number; y: number }[] {
  const step = Math.ceil(points.length / 200)
  return Array.from({ length: Math.ceil(points.length / step) || 0 }, (_, i) => {
    const part = points.slice(i * step, (i + 1) * step)
    return { x: (part.at(-1) as { x: number }).x, y: part.reduce((sum, p) => sum + p.y, 0) / part.length }
  })
}

/** The evidence card, on the longest line among those shown that are right; of all, where none is. */
function card(run: RunFolder, data: TranslationData, main: ArmResult, shown: Outcome['shown']): EvidenceCard {
  const right = shown.filter(({ line, translation }) => line.target === translation.text)
  const candidates = right.length ? right : shown
  const { line, translation } = candidates.reduce((best, one) =>
    one.translation.source.length > best.translation.source.length ? one : best,
  )
  const separator = data.tokenizers.source.config.kind === 'words' ? ' ' : ''
  return evidenceCard({
    sourceTarget: { source: line.source, target: line.target },
    decodedOutput: translation.text || '(nothing)',
    alignmentNote: alignmentNote(translation, separator),
    failureCheck: failureCheck(line, translation, main.score, run),
    expectedOutput: line.target,
  })
}

/** In words, where each stretch of the output looked most. */
function alignmentNote(translation: Translation, separator: string): string {
  const found = looks(translation)
  if (!found.length)
    return translation.weights
      ? 'nothing was written, so nothing was looked at'
      : 'this model has no attention: there is no alignment to show'
  return found
    .slice(0, 9)
    .map(({ text, weights }) => {
      const top = [...weights.keys()]
        .sort((a, b) => (weights[b] as number) - (weights[a] as number))
        .slice(0, 4)
        .filter(j => (weights[j] as number) >= 0.05)
      const places = top
        .sort((a, b) => a - b)
        .map(j => translation.source[j])
        .join(separator)
      const mass = top.reduce((sum, j) => sum + (weights[j] as number), 0)
      return `${text} ← “${places.trim() || ' '}” (${mass.toFixed(2)})`
    })
    .join('; ')
}

/** What was looked for, and what was found: in this line, and in the test. */
function failureCheck(line: Line, translation: Translation, { exact, lines }: Score, run: RunFolder): string {
  const right = translation.text === line.target
  const wanted = line.target.length
  const checks = [
    right ? 'this line is right to the last character' : 'this line is wrong',
    translation.text.length < wanted
      ? `omission: ${wanted - translation.text.length} characters short`
      : 'no omission by length',
    repeated(translation.target)
      ? `repetition: ${repeated(translation.target)}`
      : 'no stretch repeated at once',
    unseen(translation),
    lines < 500
      ? `weak evaluation: only ${lines} test lines`
      : `${lines.toLocaleString('en')} test lines, ${(100 * (1 - exact)).toFixed(1)} % of them wrong`,
    ...(run.config.data.kind === 'dates'
      ? ['no date of the test occurs in training']
      : ['no source sentence of the test occurs in training']),
  ]
  return checks.join('; ')
}

/** Three tokens or more that follow themselves at once. */
function repeated(tokens: readonly string[]): string {
  for (let n = 3; n <= tokens.length / 2; n++)
    for (let i = 0; i + 2 * n <= tokens.length; i++) {
      const [a, b] = [tokens.slice(i, i + n).join(''), tokens.slice(i + n, i + 2 * n).join('')]
      if (a === b) return a
    }
  return ''
}

function unseen({ source, weights }: Translation): string {
  if (!weights) return 'alignment not checked: no attention'
  const seen = source.map((_, j) => weights.reduce((sum, row) => sum + (row[j] ?? 0), 0))
  const share = seen.filter(mass => mass < 0.02).length / source.length
  return `${(100 * share).toFixed(0)} % of the source was hardly looked at (less than 0.02 in all)`
}
