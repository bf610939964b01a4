import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

// This test also makes the file it guards: run it with `-u` after a change to the viewer.
test('the script that reports carry is the viewer as esbuild bundles it', async () => {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL('../../src/interactive/page.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    minify: true,
    target: 'es2022',
    charset: 'ascii',
    legalComments: 'none',
  })
  const script = bundle.outputFiles[0]?.text.trim() ?? ''
  const hash = `sha256-${createHash('sha256').update(script).digest('base64')}`
  const module = `// biome-ignore-all format lint: made by a machine
// What \`page.ts\` becomes when esbuild bundles it. A function's own source text would not do: bundlers rename what it
// calls and coverage tools write into it, while a constant is the same everywhere, and so is the hash by which a
// report's content security policy lets it run. After a change to the viewer, in the root:
// vitest run --project node packages/viz/test/interactive/viewerScript.test.ts -u

/** The alignment viewer as one classic script, for pages that carry it inline. */
export const viewerScript: string = ${JSON.stringify(script)}

/** The script's hash as a content security policy writes it. */
export const viewerScriptHash: string = ${JSON.stringify(hash)}
`
  expect(script).not.toMatch(/<\/script|<!--/)
  await expect(module).toMatchFileSnapshot('../../src/interactive/viewerScript.ts')
})
