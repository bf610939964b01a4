import { fonts } from './layout.ts'
import { themeProperties } from './theme.ts'

/** The style sheet of a report's page. */
export function reportStyle(): string {
  return `:root{color-scheme:light dark;${themeProperties()}}body{font-family:${fonts}}${rules}`
}

const rules = `
*{box-sizing:border-box}
body{margin:0;background:var(--heed-paper);color:var(--heed-ink);font-size:1rem;line-height:1.55;-webkit-text-size-adjust:100%}
main{max-width:70rem;margin:0 auto;padding:clamp(1.5rem,5vw,4rem) clamp(1rem,4vw,3rem) 4rem}
header{max-width:52rem;margin-bottom:2.5rem}
h1{margin:0 0 .75rem;font-size:clamp(1.75rem,1.2rem + 2.4vw,2.875rem);line-height:1.12;letter-spacing:-.02em;font-weight:700;text-wrap:balance;overflow-wrap:anywhere}
.lead{margin:0;font-size:clamp(1.0625rem,1rem + .5vw,1.3125rem);line-height:1.5;color:var(--heed-quiet);text-wrap:pretty;overflow-wrap:anywhere}
h2{margin:0 0 1.25rem;font-size:1.375rem;line-height:1.25;letter-spacing:-.01em}
main>section{margin-top:3.5rem}
dl,dd,figure,ol{margin:0;padding:0}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,9.5rem),1fr));gap:1px;background:var(--heed-rule);border:1px solid var(--heed-rule);border-radius:.875rem;overflow:hidden}
.facts div{display:flex;flex-direction:column;padding:1.125rem 1.25rem;background:var(--heed-paper)}
.facts dt{font-size:.875rem;color:var(--heed-quiet)}
.facts .value{font-size:1.75rem;line-height:1.3;font-weight:650;letter-spacing:-.015em;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.facts .note{font-size:.8125rem;color:var(--heed-quiet)}
figure+figure{margin-top:2rem}
figcaption{font-weight:600;margin-bottom:.625rem}
figcaption small{display:block;font-weight:400;font-size:.875rem;color:var(--heed-quiet)}
.scroll{overflow-x:auto}
.scroll>svg{max-width:none}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
figure table{width:100%;max-width:46rem}
figure th,figure td{padding:.625rem .875rem;text-align:start;font-weight:400;border-bottom:1px solid var(--heed-rule)}
figure th:first-child{padding-inline-start:0}
figure thead th{font-size:.875rem;color:var(--heed-quiet);white-space:nowrap;vertical-align:bottom}
figure tbody th{font-weight:600}
figure .number{text-align:end}
figure td.number{white-space:nowrap}
.curves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:1.25rem}
.curves figure{margin:0;border:1px solid var(--heed-rule);border-radius:.875rem;overflow:hidden;max-width:36rem}
.curves svg{display:block;width:100%;height:auto}
.examples{list-style:none;border-top:1px solid var(--heed-rule)}
.examples li{display:grid;grid-template-columns:minmax(0,1fr) 5.5rem;gap:.5rem 1.5rem;align-items:start;padding:1rem 0;border-bottom:1px solid var(--heed-rule)}
.examples dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,11rem),1fr));gap:.5rem 1.75rem}
.examples dt,.settings dt,.heed-card dt{font-size:.8125rem;color:var(--heed-quiet)}
.examples dd{text-align:left;overflow-wrap:anywhere}
.mark{justify-self:end;margin:0;padding:.125rem .625rem;border-radius:1rem;border:1px solid currentcolor;font-size:.8125rem;font-weight:600;white-space:nowrap}
.mark.good{color:var(--heed-good)}
.mark.bad{color:var(--heed-bad)}
.caveat{margin:1.25rem 0 0;max-width:46rem;font-size:.9375rem;color:var(--heed-quiet)}
.heed-card{border:1px solid var(--heed-rule);border-inline-start:.3rem solid var(--heed-context);border-radius:.25rem .875rem .875rem .25rem;padding:.5rem 1.5rem;max-width:52rem}
.heed-card dt{padding-top:.875rem}
.heed-card dd{padding-bottom:.875rem;border-bottom:1px solid var(--heed-rule);white-space:pre-line;overflow-wrap:anywhere}
.heed-card dd:last-child{border-bottom:0}
.settings{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr));gap:0 2rem}
.settings div{display:flex;justify-content:space-between;gap:1rem;align-items:baseline;padding:.4375rem 0;border-bottom:1px solid var(--heed-rule)}
.settings dd{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.875rem;text-align:end;min-width:0;overflow-wrap:anywhere}
:focus-visible{outline:.14rem solid var(--heed-context);outline-offset:.14rem}
@media (max-width:30rem){.examples li{grid-template-columns:minmax(0,1fr)}.examples .mark{justify-self:start}figure table{font-size:.9375rem}figure thead th{white-space:normal}figure th,figure td{padding:.5rem .375rem}.facts div{padding:.875rem 1rem}.facts .value{font-size:1.375rem}}
@media print{:root{color-scheme:light;print-color-adjust:exact}main{max-width:none;padding:0}main>section{margin-top:2rem}figure,.examples li,.heed-card,.facts,.curves figure{break-inside:avoid}h2{break-after:avoid}.scroll{overflow:visible}}
`
