import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, vi } from 'vitest'

const folder = fileURLToPath(new URL('..', import.meta.url))

it('the example of the README runs, and prints what it says', async () => {
  const text = readFileSync(join(folder, 'README.md'), 'utf8')
  const [code] = [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(match => match[1] as string)
  const here = (code as string)
    .replaceAll("'@heed/backend-gpu/testing'", "'../src/testing/index.ts'")
    .replaceAll("'@heed/backend-gpu'", "'../src/index.ts'")
  const file = join(folder, 'generated', `readme-${process.version}.ts`)
  mkdirSync(join(folder, 'generated'), { recursive: true })
  writeFileSync(file, here)
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    await import(/* @vite-ignore */ file)
    expect(log.mock.calls[0]).toEqual([[[7, 10], [15, 22]]]) // biome-ignore format: one line
    expect(log.mock.calls[1]?.[2]).toMatchObject({ launched: 1 })
  } finally {
    log.mockRestore()
    rmSync(file)
  }
})
