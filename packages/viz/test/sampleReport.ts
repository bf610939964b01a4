import { evidenceCard, type ReportOptions } from '../src/index.ts'
import { dateLines, diagonal, football, letters } from './samples.ts'

const steps = Array.from({ length: 13 }, (_, i) => i * 250)
const date = letters('2023-03-14')

/** A run as a report tells it; the numbers are made up, and only drawn here. */
export const sampleReport: ReportOptions = {
  title: 'Dates in five scripts, with and without attention',
  summary: 'A made-up run for tests: with attention 98.7 % of the lines are exact, without it 41.2 %.',
  facts: [
    { label: 'Exact match, with attention', value: '98.7 %', note: '1,000 lines, 95 % interval 97.8–99.2' },
    { label: 'Without attention', value: '41.2 %', note: 'same size, same data, same steps' },
    { label: 'Training time', value: '3 min 12 s', note: '2 cores' },
    { label: 'Parameters', value: '182,404' },
  ],
  tables: [
    {
      title: 'Exact match by source length',
      note: 'Share of lines without a mistake, 250 lines a bucket.',
      columns: ['Source length', 'Lines', 'With attention', 'Without', 'Gain'],
      rows: [
        ['1–10', 250, '99.6 %', '88.4 %', '11.2 %'],
        ['11–20', 250, '99.2 %', '52.0 %', '47.2 %'],
        ['21–40', 250, '98.4 %', '20.8 %', '77.6 %'],
        ['41–90', 250, '97.6 %', '3.6 %', '94.0 %'],
      ],
    },
  ],
  curves: [
    {
      title: 'Loss',
      xLabel: 'step',
      yLabel: 'nats per character',
      log: 'y',
      series: [
        { name: 'with attention', points: steps.map((x, i) => ({ x, y: 3 / (1 + i * i) + 0.02 })) },
        { name: 'without', points: steps.map((x, i) => ({ x, y: 3 / (1 + i * 0.3) })) },
      ],
    },
    {
      title: 'Exact match',
      xLabel: 'step',
      yLabel: 'share of held-out lines',
      yRange: [0, 1],
      series: [
        {
          name: 'with attention',
          points: steps.map((x, i) => {
            const y = (0.99 * i * i) / (i * i + 6)
            return { x, y, lower: y * 0.96, upper: Math.min(1, y * 1.03) }
          }),
        },
        { name: 'without', points: steps.map((x, i) => ({ x, y: (0.5 * i * i) / (i * i + 30) })) },
      ],
    },
  ],
  examples: [
    { ...football, expected: football.target },
    ...Object.values(dateLines).map(line => {
      const source = letters(line)
      return { source, target: date, expected: date, weights: diagonal(date.length, source.length) }
    }),
    { source: letters('14. März 2023'), target: letters('2023-03-41'), expected: date },
  ],
  card: evidenceCard({
    sourceTarget: { source: 'He is playing football', target: 'Er spielt Fußball' },
    decodedOutput: 'Er spielt Fußball',
    alignmentNote: 'Fußball looks at football with 0.84; the four weights sum to 1.00.',
    failureCheck: 'Nothing left out, nothing repeated, no word without a source.',
    expectedOutput: 'Er spielt Fußball',
  }),
  configuration: { task: 'dates', seed: 7, hidden: 96, optimizer: { name: 'adam', betas: [0.9, 0.999] } },
}
