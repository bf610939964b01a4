/**
 * The colours of every picture and page.
 *
 * Blue stands for hidden states (and so for the weight put on them), purple for the context and the output that
 * reads it. `glow` is blue light enough to lie behind text.
 */
export interface Theme {
  /** Background of pages and pictures. */
  readonly paper: string
  /** Background of what lies on the page: cards, empty cells. */
  readonly raised: string
  /** Hairlines and grid lines. */
  readonly rule: string
  /** Text. */
  readonly ink: string
  /** Captions, tick labels. */
  readonly quiet: string
  /** Hidden states, source words. */
  readonly hidden: string
  /** Hidden states, as a background of text. */
  readonly glow: string
  /** Context vectors, target words. */
  readonly context: string
  /** Context vectors, as a background of text. */
  readonly halo: string
  /** Something is right. */
  readonly good: string
  /** Something is wrong. */
  readonly bad: string
  /** Lines of a chart, in order; told apart by dashes too. */
  readonly series: readonly string[]
}

/** The name of one colour of a {@link Theme}. */
export type ThemeColor = Exclude<keyof Theme, 'series'>

/** The colours on white paper. */
export const lightTheme: Theme = {
  paper: '#ffffff',
  raised: '#f5f7fa',
  rule: '#dde3ea',
  ink: '#1b2430',
  quiet: '#566273',
  hidden: '#1f5fbf',
  glow: '#86b8fb',
  context: '#7136b8',
  halo: '#d9c2f7',
  good: '#1a7f4b',
  bad: '#c0362c',
  series: ['#1f5fbf', '#c2530a', '#7136b8', '#0f766e', '#a8326f', '#6b5a10'],
}

/** The colours on dark paper. */
export const darkTheme: Theme = {
  paper: '#12161c',
  raised: '#1b212a',
  rule: '#303945',
  ink: '#e8edf3',
  quiet: '#9caaba',
  hidden: '#6fa8f7',
  glow: '#2460b8',
  context: '#c39bf5',
  halo: '#5a3590',
  good: '#5fd08f',
  bad: '#ff8a7d',
  series: ['#6fa8f7', '#f5a05c', '#c39bf5', '#4fcdbd', '#f28fc0', '#d8c25a'],
}

/** Every colour of a {@link Theme} but the chart lines, in a fixed order. */
export const themeColors: readonly ThemeColor[] = [
  'paper',
  'raised',
  'rule',
  'ink',
  'quiet',
  'hidden',
  'glow',
  'context',
  'halo',
  'good',
  'bad',
]

/**
 * The theme as CSS custom properties, `--heed-ink:light-dark(#1b2430,#e8edf3);…`.
 *
 * `light-dark()` follows `color-scheme`, so a picture follows the reader's system and a site with a switch of its own
 * alike. To change a colour, set the property again on the picture.
 */
export function themeProperties(): string {
  return themeColors.map(name => `--heed-${name}:${lightDark(lightTheme[name], darkTheme[name])};`).join('')
}

/** The CSS value that is `light` on light paper and `dark` on dark paper. */
export function lightDark(light: string, dark: string): string {
  return `light-dark(${light},${dark})`
}
