import type { Weights } from '../src/index.ts'

/** The lecture's example: "He is playing football" → "Er spielt Fußball". The last row is the lecture's own. */
export const football: { source: string[]; target: string[]; weights: Weights } = {
  source: ['He', 'is', 'playing', 'football'],
  target: ['Er', 'spielt', 'Fußball'],
  weights: [
    [0.9, 0.06, 0.03, 0.01],
    [0.05, 0.35, 0.55, 0.05],
    [0.01, 0.03, 0.12, 0.84],
  ],
}

/** Words that try to break out of every format. */
export const hostile: string[] = [
  '</script><script>alert(1)</script>',
  '<img src=x onerror="alert(1)">',
  '"><svg onload=alert(1)>',
  "' onmouseover='alert(1)",
  ']]>&amp;<!--',
  '\u0000\u0007\u001b[31m\u0085\u2028',
  '\ud800 half \udfff \uffff',
  '\u202egnp.exe\u2066',
  'a|b `c` *d* [e](f)\n| x |',
  '=1+1,"quoted"',
  '',
  ' ',
]

/** What a reader calls characters, one token each. */
export function letters(text: string): string[] {
  return Array.from(new Intl.Segmenter('en').segment(text), part => part.segment)
}

/** Rows that sum to 1, heaviest along the diagonal; made of divisions only, so the same everywhere. */
export function diagonal(rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, (_, r) => {
    const raw = Array.from({ length: columns }, (_, c) => {
      const distance = (c + 0.5) / columns - (r + 0.5) / rows
      return 1 / (1 + 400 * distance * distance)
    })
    const sum = raw.reduce((a, b) => a + b)
    return raw.map(value => value / sum)
  })
}

/** Date lines in scripts that are hard to draw. */
export const dateLines: Record<string, string> = {
  arabic: 'الثلاثاء، ١٤ مارس ٢٠٢٣',
  hebrew: 'יום שלישי, 14 במרץ 2023',
  hindi: 'मंगलवार, १४ मार्च २०२३',
  thai: 'วันอังคารที่ 14 มีนาคม พ.ศ. 2566',
  chinese: '二〇二三年三月十四日星期二',
}
