import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { entryPoints, measureSizes } from '../scripts/sizes.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const esbuild = createRequire(
  fileURLToPath(new URL('../../../packages/backend-cpu/package.json', import.meta.url)),
)('esbuild') as typeof import('esbuild')

describe('what importing costs', async () => {
  const sizes = await measureSizes()

  it.each(sizes)('$what: $bytes bytes of gzip at most', ({ gzip, bytes, over, unwanted }) => {
    if (over) throw new Error(over)
    // A budget far from what is used would notice nothing.
    expect(gzip).toBeGreaterThan(bytes / 4)
    expect(unwanted).toEqual([])
  })

  it('has a budget for every entry point of every package', () => {
    const budgeted = new Set(sizes.map(({ what }) => what))
    expect(entryPoints().flatMap(({ name }) => (budgeted.has(name) ? [] : [name]))).toEqual([])
  })
})

it.each(['ones([2])', 'eye(2)', 'uniform([2], { rng: new Rng(1) })', 'zerosLike(tensor([1]))'])(
  'a bundle of the sources that makes tensors by %s has what carries operations out',
  async make => {
    const [name = ''] = /^\w+/.exec(make) ?? []
    const { outputFiles } = await esbuild.build({
      stdin: {
        contents: `import { ${name}, Rng, setBackend, tensor } from '@heed/core-tensor'
          import { referenceBackend } from '@heed/core-tensor/testing'
          setBackend(referenceBackend())
          console.log(${make}.add(1).shape.length > 0)`,
        resolveDir: here,
        loader: 'ts',
      },
      bundle: true,
      format: 'esm',
      platform: 'node',
      conditions: ['@heed/source'],
      write: false,
    })
    const printed = execFileSync(process.execPath, ['--input-type=module'], {
      input: outputFiles[0]?.text ?? '',
      encoding: 'utf8',
    })
    expect(printed).toBe('true\n')
  },
)
