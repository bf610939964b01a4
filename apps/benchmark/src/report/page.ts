import { darkTheme, lightTheme, themeProperties } from '@heed/viz'
import { type Engine, engines, livesIn, type PeerName, peerNames } from '../participants.ts'
import { costWords, rowLine, threadWord, time } from '../progress.ts'
import type { Results, Row } from '../results.ts'
import type { Workload } from '../workload.ts'
import { type DotRow, dotPlot } from './dots.ts'
import { growthCharts, memoryCharts, threadChart } from './growth.ts'
import { escapeText } from './markup.ts'

/** A run on one page that needs nothing else: ratios, then times, then how cost grows, then what is missing. */
export function page(results: Results, workloads: readonly Workload[]): string {
  const { machine, node, adapter, began, seconds, rows } = results
  const disturbed = rows.filter(row => row.disturbed).length
  const about = `${machine.processor}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}, ${rows.some(row => row.place !== 'node') ? 'pages of Chromium' : `Node ${node}`}${adapter ? `, GPU ${adapter.name}, ${adapter.driver}` : ''}`
  const sections = [
    ...engines.flatMap(engine => ratios(rows, engine)),
    ...absolute(rows),
    ...figures('How cost grows', [
      ...growthCharts(results, workloads),
      ...threadChart(results),
      ...memoryCharts(results),
    ]),
    costs(rows),
    missing(results),
    versions(results),
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>Heed beside its peers</title><style>${style()}</style></head>
<body><main><header><h1>Heed beside its peers</h1><p>The same work, in the same run, in processes that took turns; results compared before anything was timed. ${escapeText(about)}. ${escapeText(began.slice(0, 16).replace('T', ' '))}, ${Math.round(seconds / 60)} minutes.</p>${
    disturbed
      ? `<p class="doubt">${disturbed} of ${rows.length} rows were disturbed by other processes and are drawn hollow: do not trust them.</p>`
      : ''
  }${
    adapter?.software
      ? '<p class="doubt">The GPU is one of software, which computes on the processor: ratios hold for it alone, and times for nothing.</p>'
      : ''
  }</header>
${sections.join('\n')}
</main></body></html>
`
}

const workOf = (row: Row): string => `${row.workload} ${row.variant}`

/** Rows of the same work stand together. */
function byWork(rows: readonly Row[]): [label: string, rows: Row[]][] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const label = row.threads === 1 ? workOf(row) : `${workOf(row)}, ${threadWord(row.threads)}`
    groups.set(label, [...(groups.get(label) ?? []), row])
  }
  return [...groups]
}

function ratios(rows: readonly Row[], engine: Engine): string[] {
  const drawn = byWork(rows.filter(row => row.engine === engine && row.ratio !== null)).map(
    ([label, own]): DotRow => ({
      label,
      dots: own.flatMap(row =>
        row.peer && row.ratio
          ? [{ name: row.peer, x: row.ratio, doubtful: row.disturbed, tip: rowLine(row) }]
          : [],
      ),
    }),
  )
  if (drawn.length === 0) return []
  const title = `How many times faster${engine === 'stock' ? '' : engine === 'wide' ? ', with wide SIMD' : `, on ${engine}`}`
  return figures(title, [
    dotPlot({
      title,
      xLabel: "the peer's time over Heed's",
      names: peersOf(rows),
      rows: drawn,
      reference: { at: 1, label: 'as fast' },
      format: x => `${x}×`,
    }),
  ])
}

function absolute(rows: readonly Row[]): string[] {
  const drawn = byWork(rows).map(([label, own]): DotRow => {
    const heed = own.filter((row, i) => own.findIndex(one => one.engine === row.engine) === i)
    return {
      label,
      dots: [
        ...own
          .filter((row, i) => own.findIndex(one => one.peer === row.peer) === i)
          .flatMap(row =>
            row.peer && row.peerMs
              ? [
                  {
                    name: row.peer,
                    x: row.peerMs,
                    doubtful: row.disturbed,
                    tip: `${row.peer}: ${time(row.peerMs)}`,
                  },
                ]
              : [],
          ),
        ...heed.map(row => ({
          name: 'heed',
          x: row.heedMs,
          doubtful: row.disturbed,
          tip: `heed${row.engine === 'stock' ? '' : ` (${row.engine})`}: ${time(row.heedMs)}`,
        })),
      ],
    }
  })
  if (drawn.length === 0) return []
  const chart = {
    title: 'Times',
    xLabel: 'median time of one call',
    names: [...peersOf(rows), 'heed'],
    rows: drawn,
  }
  return figures('Times', [dotPlot({ ...chart, format: x => time(x).replace(/\.0+(?= )/, '') })])
}

/** Everybody who can be in the place of these rows: more names than colours would be told apart by nobody. */
function peersOf([row]: readonly Row[]): readonly PeerName[] {
  return row ? peerNames.filter(peer => livesIn(peer, row.place)) : []
}

function figures(title: string, drawings: readonly string[]): string[] {
  if (drawings.length === 0) return []
  const framed = drawings.map(svg => `<figure>${svg}</figure>`).join('')
  return [`<section><h2>${escapeText(title)}</h2><div class="grid">${framed}</div></section>`]
}

/** What Heed asked of the GPU. */
function costs(rows: readonly Row[]): string {
  const own = new Map(rows.map(row => [`${workOf(row)}, ${row.engine}`, row.heedCost]))
  const items = [...own].flatMap(([work, cost]) =>
    cost ? [`<tr><td>${escapeText(work)}</td><td>${escapeText(costWords(cost))}</td></tr>`] : [],
  )
  if (items.length === 0) return ''
  return `<section><h2>What a step of Heed's asks of the GPU</h2><div class="scroll"><table><tbody>${items.join('')}</tbody></table></div></section>`
}

function missing({ gaps }: Results): string {
  if (gaps.length === 0) return ''
  const items = gaps.map(
    gap =>
      `<tr><td>${escapeText(gap.participant)}</td><td>${escapeText(gap.workload === 'all' ? 'all' : `${gap.workload} ${gap.variant}, ${threadWord(gap.threads)}`)}</td><td>${escapeText(gap.reason)}</td></tr>`,
  )
  return `<section><h2>Not measured</h2><div class="scroll"><table><thead><tr><th>who</th><th>what</th><th>why</th></tr></thead><tbody>${items.join('')}</tbody></table></div></section>`
}

function versions({ participants }: Results): string {
  const items = Object.entries(participants).map(
    ([name, about]) => `<tr><td>${escapeText(name)}</td><td>${escapeText(about)}</td></tr>`,
  )
  return `<section><h2>Who was measured</h2><div class="scroll"><table><tbody>${items.join('')}</tbody></table></div></section>`
}

function style(): string {
  const marks = [...lightTheme.series, lightTheme.ink].map((light, i) => {
    const color = `light-dark(${light},${[...darkTheme.series, darkTheme.ink][i]})`
    return `.s${i}{fill:${color};stroke:${color}}`
  })
  return `:root{color-scheme:light dark;${themeProperties()}}
*{box-sizing:border-box}
body{margin:0;background:var(--heed-paper);color:var(--heed-ink);font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}
main{max-width:72rem;margin:0 auto;padding:clamp(1.5rem,5vw,4rem) clamp(1rem,4vw,3rem)}
header{max-width:52rem}h1{font-size:clamp(1.75rem,1.2rem + 2.4vw,2.75rem);line-height:1.1;letter-spacing:-.02em;margin:0 0 .75rem}
header p{margin:.5rem 0;color:var(--heed-quiet)}header .doubt{color:var(--heed-bad)}
section{margin-top:3rem}h2{font-size:1.375rem;margin:0 0 1rem}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1.25rem}
figure{margin:0;overflow-x:auto;border:1px solid var(--heed-rule);border-radius:.875rem;padding:.5rem}
figure:has(.dots){grid-column:1/-1}
figure svg{max-width:100%;height:auto}
.dots{font-size:13px;min-width:44rem}.dots text{fill:var(--heed-ink)}.dots .quiet{fill:var(--heed-quiet);font-size:12px}
.rule{stroke:var(--heed-rule)}.faint{stroke-dasharray:2 4}.reference{stroke:var(--heed-ink);stroke-width:1.5}
.mark{stroke-width:1.5}
${marks.join('')}.mark.hollow{fill:var(--heed-paper)}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9375rem}td,th{text-align:start;padding:.5rem .875rem .5rem 0;border-bottom:1px solid var(--heed-rule);vertical-align:top}
@media print{:root{color-scheme:light}figure{break-inside:avoid}}`
}
