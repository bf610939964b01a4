import { readdirSync, readFileSync } from 'node:fs'
import { transformSync } from 'esbuild'
import { expect, test } from 'vitest'
import * as viz from '../src/index.ts'

const root = new URL('..', import.meta.url)

/** The ```ts blocks of a text, without the stars of a doc comment. */
function blocks(text: string): string[] {
  return [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => (code ?? '').replaceAll(/^ \* ?/gm, ''))
}

/** Runs a block with the package's names in scope and yields what it printed. */
function run(code: string): string {
  const printed: string[] = []
  const script = transformSync(code, { loader: 'ts' }).code.replaceAll(
    /import \{(.*?)\} from ["']@heed\/viz["'];/gs,
    'const {$1} = viz;',
  )
  const print = (...values: unknown[]) => printed.push(values.join(' '))
  new Function('viz', 'console', ...Object.keys(viz), `{${script}}`)(
    viz,
    { log: print },
    ...Object.values(viz),
  )
  return printed.join('\n')
}

test('the example in the README runs and prints what it says', () => {
  const readme = readFileSync(new URL('README.md', root), 'utf8')
  const code = blocks(readme)
  expect(code.length).toBeGreaterThan(0)
  const [, said] = /```text\n(.*?)\n```/s.exec(readme) ?? []
  expect(code.map(run).join('\n').trim()).toBe(said)
})

test('the examples in the doc comments run', () => {
  const files = readdirSync(new URL('src/', root)).filter(name => name.endsWith('.ts'))
  const code = files.flatMap(name => blocks(readFileSync(new URL(`src/${name}`, root), 'utf8')))
  expect(code.length).toBeGreaterThan(3)
  code.forEach(run)
})
