import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = fileURLToPath(new URL('../generated/examples', import.meta.url))

const readmes: readonly (readonly [name: string, path: string])[] = [
  ['the project', 'README.md'],
  // backend-gpu needs a driver, and runs its own.
  ...readdirSync(join(root, 'packages'))
    .filter(name => name !== 'backend-gpu')
    .map(name => [name, `packages/${name}/README.md`] as const),
]

describe('the example of', () => {
  it.each(readmes)('%s runs', async (name, path) => {
    const blocks = [...readFileSync(join(root, path), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(
      match => match[1] as string,
    )
    if (name !== 'cli') expect(blocks.length).toBeGreaterThan(0)
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    mkdirSync(folder, { recursive: true })
    try {
      for (const [i, code] of blocks.entries()) {
        const file = join(folder, `${name}-${i}-${process.version}.ts`)
        writeFileSync(file, code)
        await import(/* @vite-ignore */ file)
        rmSync(file)
      }
    } finally {
      log.mockRestore()
    }
  })
})
