import { describe, expect, test } from 'vitest'
import { paintCell } from '../src/ansi.ts'
import { lightness, rgbOf } from '../src/color.ts'
import { contrast, darkTheme, lightTheme, textColor, themeProperties, weightColor } from '../src/index.ts'

const weights = Array.from({ length: 101 }, (_, i) => i / 100)

describe('the weight scale', () => {
  test('grows darker with every step on light paper and lighter on dark paper', () => {
    const light = weights.map(w => lightness(weightColor(w, 'light')))
    const dark = weights.map(w => lightness(weightColor(w, 'dark')))
    for (let i = 1; i < 101; i++) {
      expect(light[i]).toBeLessThan(light[i - 1] as number)
      expect(dark[i]).toBeGreaterThan(dark[i - 1] as number)
    }
    expect((light[0] as number) - (light[100] as number)).toBeGreaterThan(70)
    expect((dark[100] as number) - (dark[0] as number)).toBeGreaterThan(70)
  })

  test('keeps its order for eyes without red, green or blue cones', () => {
    // Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
    const blind = {
      protanopia: [
        0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998,
      ],
      deuteranopia: [
        0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881,
      ],
      tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
    }
    const linear = (byte: number) =>
      byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4
    for (const [name, m] of Object.entries(blind)) {
      const seen = weights.map(w => {
        const [r, g, b] = rgbOf(weightColor(w)).map(linear) as [number, number, number]
        const at = (row: number) => (m[row] ?? 0) * r + (m[row + 1] ?? 0) * g + (m[row + 2] ?? 0) * b
        return 0.2126 * at(0) + 0.7152 * at(3) + 0.0722 * at(6)
      })
      for (let i = 5; i < 101; i += 5) expect(seen[i], `${name} ${i}`).toBeLessThan(seen[i - 5] as number)
    }
  })

  test('carries text with contrast 4.5 or better at every step, in both modes', () => {
    for (const mode of ['light', 'dark'] as const)
      for (const w of weights) {
        const background = weightColor(w, mode)
        expect(contrast(textColor(background), background)).toBeGreaterThanOrEqual(4.5)
      }
  })

  test('never grows lighter with the weight in the 256 colours of a terminal', () => {
    const indices = weights.map(w => Number(/48;5;(\d+)m/.exec(paintCell('', w, 'ansi256', 'light'))?.[1]))
    const grey = (i: number) =>
      lightness(`rgb(${8 + 10 * (i - 232)},${8 + 10 * (i - 232)},${8 + 10 * (i - 232)})`)
    const cube = [0, 95, 135, 175, 215, 255]
    const shade = (i: number) =>
      i >= 232
        ? grey(i)
        : lightness(
            `rgb(${cube[Math.floor((i - 16) / 36)]},${cube[Math.floor((i - 16) / 6) % 6]},${cube[(i - 16) % 6]})`,
          )
    const shown = indices.map(shade)
    for (let i = 1; i < 101; i++)
      expect(shown[i], `${i}: ${indices[i]}`).toBeLessThanOrEqual(shown[i - 1] as number)
  })
})

describe('the theme', () => {
  test('has text that reads on paper, on cards and on the backgrounds that lie behind words', () => {
    for (const theme of [lightTheme, darkTheme]) {
      for (const name of ['ink', 'quiet', 'hidden', 'context', 'good', 'bad'] as const)
        expect(contrast(theme[name], theme.paper), name).toBeGreaterThanOrEqual(4.5)
      for (const name of ['ink', 'quiet'] as const)
        expect(contrast(theme[name], theme.raised), name).toBeGreaterThanOrEqual(4.5)
      for (const name of ['glow', 'halo'] as const)
        expect(contrast(theme.ink, theme[name]), name).toBeGreaterThanOrEqual(4.5)
      for (const color of theme.series) expect(contrast(color, theme.paper), color).toBeGreaterThanOrEqual(3)
    }
  })

  test('is blue for hidden states and purple for the context', () => {
    for (const theme of [lightTheme, darkTheme]) {
      const [hiddenRed, , hiddenBlue] = rgbOf(theme.hidden)
      const [contextRed, contextGreen, contextBlue] = rgbOf(theme.context)
      expect(hiddenBlue).toBeGreaterThan(1.5 * hiddenRed)
      expect(Math.min(contextRed, contextBlue)).toBeGreaterThan(contextGreen)
    }
  })

  test('is written as custom properties that know both papers', () => {
    expect(themeProperties()).toContain(`--heed-ink:light-dark(${lightTheme.ink},${darkTheme.ink});`)
  })
})
