import { themeProperties } from '../theme.ts'

/** The style sheet of the alignment viewer. */
export function viewerStyle(): string {
  return `.heed-viewer{${themeProperties()}}${rules}`
}

// A weight is drawn as that much of `glow` behind text, which reads on it at any weight (tested), or of `hidden` where
// there is none. Words are shaded by a box behind them and not by padding: padding would break Arabic joins, and in a
// right-to-left line Chromium draws the end padding of a left-to-right word away from it.
const rules = `
.heed-viewer{color:var(--heed-ink);line-height:1.5;container-type:inline-size}
.heed-viewer *{box-sizing:border-box}
.heed-viewer section{margin:0 0 1.75rem;min-width:0}
.heed-viewer h3{margin:0 0 .5rem;font-size:.8125rem;font-weight:600;letter-spacing:.02em;color:var(--heed-ink)}
.heed-viewer small{font-size:.8125rem;font-weight:400;letter-spacing:0;color:var(--heed-quiet)}
.heed-viewer h3 small{margin-inline-start:.5em}
.heed-picker{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem;margin:0 0 1.5rem;font-size:.875rem;color:var(--heed-quiet)}
.heed-picker select{flex:1 1 14rem;min-width:0;max-width:40rem;font:inherit;color:var(--heed-ink);background:var(--heed-raised);border:1px solid var(--heed-rule);border-radius:.5rem;padding:.5rem .625rem}
.heed-line{margin:0;isolation:isolate;overflow-wrap:anywhere;font-size:1.3125rem}
.heed-token{--shade:color-mix(in srgb,var(--heed-glow) calc(var(--weight,0)*100%),transparent);border-radius:.15em}
.heed-letters .heed-token{background:var(--shade)}
.heed-letters.heed-input{line-height:3.3;padding-bottom:.5em}
.heed-letters.heed-input .heed-token{padding-block:.1em 1.35em;background:linear-gradient(to top,var(--heed-hidden) calc(var(--weight,0)*100%),transparent 0) bottom/100% 1.25em no-repeat,linear-gradient(var(--heed-rule)) bottom/100% 1px no-repeat,linear-gradient(var(--shade)) top/100% calc(100% - 1.35em) no-repeat}
.heed-letters.heed-output{line-height:1.8}
.heed-words{padding-inline:.45em;word-spacing:.72em}
.heed-words.heed-input{line-height:2.9}
.heed-words.heed-output{line-height:2.2}
.heed-words .heed-token{position:relative;white-space:nowrap}
.heed-words .heed-token::before{content:"";position:absolute;z-index:-1;inset:-.16em -.42em;border-radius:.32em;background:var(--shade)}
.heed-words .heed-token[data-weight]::after{content:attr(data-weight);position:absolute;top:100%;left:0;right:0;margin:.28em -.7em 0;text-align:center;direction:ltr;font-size:.5625em;line-height:1.3;color:var(--heed-quiet);font-variant-numeric:tabular-nums}
.heed-space{white-space:pre-wrap;text-decoration:underline .06em var(--heed-rule);text-underline-offset:.12em}
.heed-output .heed-token{--shade:transparent;cursor:pointer;text-decoration:underline .09em var(--heed-rule);text-underline-offset:.28em}
.heed-output .heed-token:hover{--shade:color-mix(in srgb,var(--heed-halo) 45%,transparent)}
.heed-output .heed-token[aria-selected=true]{--shade:var(--heed-halo);text-decoration-color:var(--heed-context)}
.heed-viewer :focus-visible{outline:.14rem solid var(--heed-context);outline-offset:.12rem}
.heed-viewer .heed-words :focus-visible{outline-offset:.42em;border-radius:.1em}
.heed-status{margin:.75rem 0 0;padding:.75rem 1rem;border-radius:.6rem;background:var(--heed-raised);border-inline-start:.25rem solid var(--heed-context);font-size:.9375rem;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.heed-pair{display:grid;gap:0 2.5rem}
@container (min-width:46rem){.heed-pair{grid-template-columns:minmax(16rem,1fr) 3fr}}
.heed-focus{list-style:none;margin:0;padding:0}
.heed-focus li{display:grid;grid-template-columns:minmax(0,1fr) auto auto;gap:.75rem;align-items:baseline;padding:.4rem .6rem;margin-bottom:.25rem;border-radius:.4rem;background:linear-gradient(to right,color-mix(in srgb,var(--heed-glow) 60%,transparent) calc(var(--weight,0)*100%),var(--heed-raised) 0)}
.heed-focus bdi{text-align:left;overflow-wrap:anywhere;font-size:1.0625rem;white-space:pre-wrap}
.heed-focus b{font-weight:600;font-variant-numeric:tabular-nums}
.heed-scroll{overflow-x:auto;padding:.25rem;margin:-.25rem 0 0 -.25rem}
.heed-map{border-collapse:separate;border-spacing:2px;font-size:.8125rem;font-variant-numeric:tabular-nums}
.heed-map th{font-weight:400;white-space:nowrap}
.heed-map thead th{color:var(--heed-hidden);writing-mode:vertical-rl;transform:rotate(180deg);text-align:start;padding:.25rem 0;max-height:9rem;overflow:hidden;text-overflow:ellipsis}
.heed-map.heed-written thead th,.heed-map.heed-letters thead th{writing-mode:horizontal-tb;transform:none;text-align:center}
.heed-map tbody th{position:sticky;left:0;background:var(--heed-paper);color:var(--heed-context);text-align:end;padding:0 .5rem;max-width:9rem;overflow:hidden;text-overflow:ellipsis;border-radius:.25rem}
.heed-map tbody td{min-width:1.375rem;height:1.375rem;border-radius:.2rem;text-align:center;background:color-mix(in srgb,var(--heed-hidden) calc(var(--weight,0)*100%),var(--heed-raised))}
.heed-map.heed-written tbody td{background:color-mix(in srgb,var(--heed-glow) calc(var(--weight,0)*100%),var(--heed-raised));min-width:3.25rem;height:1.875rem;padding:0 .25rem}
.heed-map.heed-letters{border-spacing:1px;font-size:.75rem}
.heed-map.heed-letters tbody td,.heed-map.heed-letters thead th{min-width:.875rem;width:.875rem;height:1.0625rem;padding:0}
.heed-map tbody tr{cursor:pointer}
.heed-map tr[aria-current]{outline:2px solid var(--heed-context);border-radius:.25rem}
.heed-map tr[aria-current] th{background:var(--heed-halo);color:var(--heed-ink)}
@media print{.heed-viewer{print-color-adjust:exact}.heed-picker{display:none}.heed-scroll{overflow:visible}.heed-viewer section{break-inside:avoid}}
`
