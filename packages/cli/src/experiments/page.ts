import { type CurveSeries, curve, type ReportCurve, report } from '@heed/viz'
import { withPictures } from '../page.ts'
import type { Estimate, Experiment, Judgement, Measure, Results, Shown } from './experiment.ts'

/** The arms that were measured, in their order. */
export function armsOf(results: Results): string[] {
  return [...new Set(results.rows.map(({ arm }) => arm))]
}

/** A measure's lines, one an arm, with intervals over seeds. */
function series(results: Results, { key, share, log }: Measure): CurveSeries[] {
  const scale = share ? 100 : 1
  const floor = log === 'y' || log === 'both' ? Number.MIN_VALUE : Number.NEGATIVE_INFINITY
  return armsOf(results).flatMap(name => {
    const points = results.places(name).flatMap(x => {
      const found = results.at(name, x, key)
      if (!found || found.mean <= floor) return []
      const [low, high] = share
        ? [Math.max(0, found.low), Math.min(1, found.high)]
        : [found.low <= floor ? found.mean : found.low, found.high]
      return [
        {
          x,
          y: scale * found.mean,
          lower: scale * Math.min(found.mean, low),
          upper: scale * Math.max(found.mean, high),
        },
      ]
    })
    return points.length ? [{ name, points }] : []
  })
}

function chart({ xLabel }: Experiment, results: Results, measure: Measure): ReportCurve | undefined {
  const lines = series(results, measure)
  if (!lines.length || results.places().length < 2) return undefined
  return {
    title: measure.title,
    xLabel,
    yLabel: measure.unit,
    ...(measure.log ? { log: measure.log } : {}),
    ...(measure.share ? { yRange: [0, 100] as const } : {}),
    series: lines,
  }
}

/** The plots of an experiment as files. */
export function plots(experiment: Experiment, results: Results): { name: string; svg: string }[] {
  return experiment.measures.flatMap(measure => {
    const found = chart(experiment, results, measure)
    if (!found) return []
    const { series: lines, ...options } = found
    return [{ name: measure.key, svg: curve(lines, options) }]
  })
}

/** A mean and its interval, as a cell of a table. */
export function cell(found: Estimate | undefined, { share }: Pick<Measure, 'share'>): string {
  if (!found) return '–'
  const written = (x: number): string => (share ? (100 * x).toFixed(1) : significant(x))
  const [low, high] = share ? [Math.max(0, found.low), Math.min(1, found.high)] : [found.low, found.high]
  return found.seeds > 1 && high > low
    ? `${written(found.mean)} [${written(low)}, ${written(high)}]`
    : written(found.mean)
}

function significant(x: number): string {
  if (Number.isInteger(x)) return x.toLocaleString('en')
  return Math.abs(x) >= 1000 ? Math.round(x).toLocaleString('en') : String(Number(x.toPrecision(3)))
}

/** What is told on the page. */
export interface Told {
  readonly results: Results
  readonly judgement: Judgement
  readonly shown: Shown
  readonly manifest: Readonly<Record<string, unknown>> & {
    readonly seeds: readonly number[]
    readonly seconds: number
    readonly quick: boolean
  }
}

/** The page of an experiment: claim, verdict, intervals, plots, what it was made with. */
export function experimentPage(
  experiment: Experiment,
  { results, judgement, shown, manifest }: Told,
): string {
  const { id, title, claim, setup, rule, measures, xLabel, places } = experiment
  const arms = armsOf(results)
  const { claim: _claim, rule: _rule, verdict: _verdict, because: _because, ...made } = manifest
  const page = report({
    title: `${id}. ${title}`,
    summary: `The claim ${judgement.verdict}: ${judgement.because}.`,
    facts: [
      { label: 'verdict', value: judgement.verdict },
      {
        label: 'seeds',
        value: manifest.seeds.length,
        note: manifest.quick ? 'a quick look: fewer seeds and steps than the full run' : 'the full run',
      },
      { label: 'arms', value: arms.length, note: arms.join(', ') },
      { label: 'time', value: `${manifest.seconds.toFixed(0)} s` },
    ],
    tables: [
      {
        title: 'The claim, and how it is tested',
        columns: ['', 'in words'],
        rows: [
          ['claim', claim],
          ['test', setup],
          ['rule', rule],
          ['verdict', `${judgement.verdict}: ${judgement.because}`],
          ...Object.keys(shown.pages ?? {}).map(name => ['more', `in the file ${name} beside this page`]),
        ],
      },
      ...measures
        .filter(({ key }) => results.rows.some(row => row.values[key] !== undefined))
        .map(measure => ({
          title: `${measure.title} (${measure.unit})`,
          note:
            manifest.seeds.length > 1
              ? `mean over ${manifest.seeds.length} seeds and Student’s 95 % interval`
              : 'one seed: no interval',
          columns: [xLabel, ...arms],
          rows: results
            .places()
            .filter(x => arms.some(arm => results.at(arm, x, measure.key)))
            .map(x => [
              places?.[x] ?? x.toLocaleString('en'),
              ...arms.map(arm => cell(results.at(arm, x, measure.key), measure)),
            ]),
        })),
    ],
    curves: places ? [] : measures.flatMap(measure => chart(experiment, results, measure) ?? []),
    configuration: made,
  })
  return withPictures(page, {
    title: 'Pictures',
    note: 'Of the first seed. Weights tell what was taken from each state, not by themselves why the answer was chosen.',
    pictures: shown.pictures,
  })
}
