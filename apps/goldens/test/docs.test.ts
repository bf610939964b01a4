import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('../../../packages/', import.meta.url)

/** Exported declarations, and methods of `Tensor`, that no comment stands before. */
function silent(source: string): string[] {
  const lines = source.split('\n')
  const method = /class Tensor\b/.test(source) ? /^ {2}(?:async )?([a-z]\w*)\(.*\{$/ : undefined
  return lines.flatMap((line, i) => {
    const name = /^export (?:abstract )?(?:async )?(?:function\*?|class|interface|const|type) (\w+)/.exec(line)?.[1] ?? method?.exec(line)?.[1] // biome-ignore format: one line
    let before = i - 1
    while (/^\s*\/\/ biome-ignore|^export function.*[^{]$/.test(lines[before] ?? '')) before--
    return name && name !== 'constructor' && !/\*\/\s*$/.test(lines[before] ?? '') ? [name] : []
  })
}

describe('docstrings', () => {
  it.each(['core-tensor', 'layers'])('of %s: every public name has one', name => {
    const folder = new URL(`${name}/src/`, root)
    const missing = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(
        file => file.endsWith('.ts') && !/^(index|testing\/(gradientRows|conformance)|.*\/index)/.test(file),
      )
      .flatMap(file => silent(readFileSync(new URL(file, folder), 'utf8')).map(found => `${file}: ${found}`))
    expect(missing).toEqual([])
  })

  it('are missed where there are none', () => {
    expect(silent('/** a */\nexport function a(): void {}\n\nexport function b(): void {}\nexport interface C {')).toEqual(['b', 'C']) // biome-ignore format: one line
  })
})
