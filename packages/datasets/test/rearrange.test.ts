import { ConfigError } from '@heed/core-tensor'
import { expect, it } from 'vitest'
import { copy, examples } from '../src/index.ts'

it('copy gives the same first three examples on every machine', () => {
  expect(
    examples(copy({ seed: 1, split: 'train', size: 3 })).map(pair => pair.source),
  ).toMatchInlineSnapshot(`
    [
      "ih",
      "digbfffij",
      "acjjhijdi",
    ]
  `)
})

it('copy asks for the same symbols again, or for the reverse', () => {
  for (const reverse of [false, true])
    for (const { source, target } of examples(copy({ seed: 3, split: 'test', size: 200, reverse })))
      expect(target).toBe(reverse ? [...source].reverse().join('') : source)
})

it('copy keeps to its alphabet and lengths and uses all of them', () => {
  const options = {
    seed: 3,
    split: 'train',
    size: 500,
    alphabet: 'xyz😀',
    minLength: 2,
    maxLength: 5,
  } as const
  const sources = examples(copy(options)).map(pair => [...pair.source])
  expect(new Set(sources.map(source => source.length))).toEqual(new Set([2, 3, 4, 5]))
  expect(new Set(sources.flat())).toEqual(new Set('xyz😀'))
})

it('copy gives other examples for another seed or split', () => {
  const first = (seed: number, split: 'train' | 'test') =>
    examples(copy({ seed, split, size: 20, minLength: 10 })).map(pair => pair.source)
  expect(first(1, 'train')).toEqual(first(1, 'train'))
  expect(first(1, 'train')).not.toEqual(first(2, 'train'))
  expect(first(1, 'train')).not.toEqual(first(1, 'test'))
})

it.each([
  [{ alphabet: 'aba' }, 'copy: the alphabet must be different symbols, got "aba"'],
  [{ minLength: 3, maxLength: 2 }, 'copy: lengths of 3 to 2'],
  [{ size: 1.5 }, 'copy: size must be a whole number from 1, got 1.5'],
])('copy refuses %j', (wrong, message) => {
  const make = () => copy({ seed: 1, split: 'train', size: 3, ...wrong })
  expect(make).toThrow(ConfigError)
  expect(make).toThrow(message)
})
