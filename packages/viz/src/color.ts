import { lab, rgb } from 'd3-color'
import { interpolateLab, piecewise } from 'd3-interpolate'
import { interpolateBlues } from 'd3-scale-chromatic'
import { darkTheme, lightTheme } from './theme.ts'

/** Light paper or dark paper. */
export type Mode = 'light' | 'dark'

/** A colour as its three bytes, red, green, blue, each 0–255. */
export type Rgb = readonly [red: number, green: number, blue: number]

const levels = 100
const darkStops = ['#1b212a', '#1d3f70', '#2f6fc4', '#7db4fa', '#e3f1ff']

/**
 * The step of the weight scale that draws `weight`: a whole number 0–100.
 *
 * Pictures use 101 steps, so that a style sheet can name each of them.
 */
export function weightLevel(weight: number): number {
  return Math.round(Math.min(1, Math.max(0, weight)) * levels)
}

/**
 * The colour of a weight between 0 and 1, as `#rrggbb`.
 *
 * On light paper ColorBrewer's *Blues*, from near-white to deep blue; on dark paper from the paper to a bright blue. In
 * both, lightness (CIE L*) moves one way only, so the order survives colour blindness and a black-and-white printer.
 */
export function weightColor(weight: number, mode: Mode = 'light'): string {
  const t = weightLevel(weight) / levels
  return rgb(mode === 'light' ? interpolateBlues(t) : piecewise(interpolateLab, darkStops)(t)).formatHex()
}

/**
 * The colour of text that reads well on `background`: contrast 4.5 : 1 or better (WCAG 2.2, §1.4.3).
 *
 * The theme's own inks come first; between pure black and pure white one always reaches 4.5.
 */
export function textColor(background: string): string {
  const better = (one: string, other: string) =>
    contrast(one, background) >= contrast(other, background) ? one : other
  const ink = better(lightTheme.ink, darkTheme.ink)
  return contrast(ink, background) >= 4.5 ? ink : better('#000000', '#ffffff')
}

/** The contrast ratio of two colours, 1 (the same) to 21 (black on white), WCAG 2.2. */
export function contrast(one: string, other: string): number {
  const a = luminance(one)
  const b = luminance(other)
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

/** CIE lightness L*, 0 (black) to 100 (white). */
export function lightness(color: string): number {
  return lab(color).l
}

/** The three bytes of a CSS colour. */
export function rgbOf(color: string): Rgb {
  const { r, g, b } = rgb(color)
  return [Math.round(r), Math.round(g), Math.round(b)]
}

/** Relative luminance, WCAG 2.2. */
function luminance(color: string): number {
  const linear = (byte: number) =>
    byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4
  const [red, green, blue] = rgbOf(color)
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}
