import { type EvidenceCard, evidenceCard, heatStrip, type ReportCurve, report } from '@heed/viz'
import { withPictures } from '../page.ts'
import type { RunFolder, SentimentConfig } from '../run.ts'
import { interval, percent } from '../words.ts'
import type { Judgement, SentimentScore } from './classify.ts'
import type { Labelled, LabelledData } from './data.ts'

/** One arm's result on the test texts. */
export interface SentimentResult {
  readonly title: string
  readonly score: SentimentScore
  readonly seconds: number
  readonly parameters: number
}

/** A text with what the first arm made of it. */
export interface Shown {
  readonly text: Labelled
  readonly judgement: Judgement
}

/** What a finished run has to tell. */
export interface SentimentOutcome {
  readonly data: LabelledData
  readonly results: readonly SentimentResult[]
  readonly shown: readonly Shown[]
  readonly summary: string
}

/** The report of a classifier's run: one self-contained page. */
export function sentimentReport(
  run: RunFolder<SentimentConfig>,
  { data, results, shown, summary }: SentimentOutcome,
): string {
  const [main, ...others] = results as [SentimentResult, ...SentimentResult[]]
  const { config } = run
  const { cue } = main.score
  const page = report({
    title: titleOf(config),
    summary,
    facts: [
      {
        label: 'accuracy',
        value: percent(main.score.accuracy.value),
        note: `${interval(main.score.accuracy)} of ${main.score.texts.toLocaleString('en')} test texts, ${main.title}`,
      },
      ...others.map(({ title, score }) => ({
        label: title,
        value: percent(score.accuracy.value),
        note: `${interval(score.accuracy)}, the same data, the same number of examples`,
      })),
      { label: 'macro F1', value: percent(main.score.macroF1.value), note: interval(main.score.macroF1) },
      ...(cue
        ? [
            {
              label: 'weight on the cue',
              value: cue.weight.toFixed(2),
              note: `${cue.nearby.toFixed(2)} with the three words behind it; ${(1 / config.time).toFixed(3)} if all words counted alike`,
            },
          ]
        : []),
      {
        label: 'training',
        value: `${main.seconds.toFixed(0)} s`,
        note: `${data.train.length.toLocaleString('en')} texts, ${config.epochs === 1 ? 'once' : `${config.epochs} times`}`,
      },
      {
        label: 'parameters',
        value: main.parameters.toLocaleString('en'),
        note: `${config.cell.toUpperCase()}${config.bidirectional ? ', both directions' : ''}, ${main.title}`,
      },
    ],
    tables: [
      {
        title: 'Accuracy by length (words)',
        note: 'in percent of the test texts, with 95 % bootstrap intervals',
        columns: ['length', 'texts', ...results.map(({ title }) => title)],
        rows: main.score.groups.map(({ group, texts }, i) => [
          group,
          texts,
          ...results.map(({ score }) => {
            const found = score.groups[i]?.accuracy
            return found ? `${(100 * found.value).toFixed(1)} ${interval(found)}` : '–'
          }),
        ]),
      },
      {
        title: `By label, ${main.title}`,
        columns: ['label', 'texts', 'precision', 'recall', 'F1'],
        rows: main.score.labels.map(({ label, texts, precision, recall, f1 }) => [
          label,
          texts,
          precision.toFixed(3),
          recall.toFixed(3),
          f1.toFixed(3),
        ]),
      },
    ],
    curves: curves(run.readLog(), results),
    card: card(main, shown, config),
    configuration: { ...config, environment: run.environment },
  })
  return withPictures(page, {
    title: 'Where it looked',
    note: 'Each word on the colour of its weight. Weights tell what the read-out took from each state, and a state knows the words before it; they do not say by themselves why the label was chosen.',
    pictures: shown.flatMap(({ text, judgement: { words, weights, label } }) =>
      weights && words.length
        ? [
            {
              caption: `${label === text.label ? '✓' : '✗'} ${label}${label === text.label ? '' : `, expected ${text.label}`}`,
              svg: heatStrip(words, weights, { title: `Judged ${label}` }),
            },
          ]
        : [],
    ),
  })
}

function titleOf({ data }: SentimentConfig): string {
  return data.kind === 'tweets'
    ? 'Tweets whose sense hangs on one early word'
    : `Labelling ${data.path.split(/[\\/]/).at(-1)}`
}

type LogLine = Readonly<Record<string, unknown>>

function curves(log: readonly LogLine[], results: readonly SentimentResult[]): ReportCurve[] {
  const names = ['checkpoint', 'last-state'].slice(0, results.length)
  const series = (of: (line: LogLine) => unknown, scale: number) =>
    names.flatMap((name, i) => {
      const points = log.flatMap(line => {
        const y = of(line)
        return line.arm === name && typeof y === 'number' ? [{ x: Number(line.step), y: scale * y }] : []
      })
      return points.length ? [{ name: results[i]?.title ?? name, points }] : []
    })
  const loss = series(line => line.loss, 1)
  const accuracy = series(line => (line.validation as { accuracy?: unknown } | undefined)?.accuracy, 100)
  return [
    ...(loss.length ? [{ title: 'Loss', xLabel: 'step', yLabel: 'nats per text', series: loss }] : []),
    ...(accuracy.length
      ? [
          {
            title: 'Accuracy while training',
            xLabel: 'step',
            yLabel: '% of validation texts',
            yRange: [0, 100] as const,
            series: accuracy,
          },
        ]
      : []),
  ]
}

/** The evidence card, on the longest text among those shown that are right; of all, where none is. */
function card(main: SentimentResult, shown: readonly Shown[], config: SentimentConfig): EvidenceCard {
  const right = shown.filter(({ text, judgement }) => judgement.label === text.label)
  const { text, judgement } = (right.length ? right : shown).reduce((best, one) =>
    one.judgement.words.length > best.judgement.words.length ? one : best,
  )
  const { accuracy, texts, labels } = main.score
  const weakest = [...labels].filter(one => one.texts).sort((a, b) => a.recall - b.recall)[0]
  return evidenceCard({
    sourceTarget: { source: text.text, target: text.label },
    decodedOutput: `${judgement.label} (probability ${Math.max(...judgement.probabilities).toFixed(3)})`,
    alignmentNote: mostFocused(judgement),
    failureCheck: [
      judgement.label === text.label ? 'this text is right' : 'this text is wrong',
      texts < 500 ? `weak evaluation: only ${texts} test texts` : `${texts.toLocaleString('en')} test texts`,
      `${percent(1 - accuracy.value)} of them wrong`,
      ...(weakest ? [`weakest label: ${weakest.label}, ${percent(weakest.recall)} of it found`] : []),
      config.data.kind === 'tweets'
        ? 'openings and clauses of the test occur in training, whole tweets hardly'
        : 'no text of the test occurs in training',
    ].join('; '),
    expectedOutput: text.label,
  })
}

/** In words, where the read-out looked most. */
export function mostFocused({ words, weights }: Judgement): string {
  if (!weights) return 'this read-out has no weights: there is nothing to show'
  return [...weights.keys()]
    .sort((a, b) => (weights[b] as number) - (weights[a] as number))
    .slice(0, 5)
    .map(t => `“${words[t]}” (word ${t + 1}, ${(weights[t] as number).toFixed(2)})`)
    .join('; ')
}
