import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GpuInfo, GpuOptions } from '@heed/backend-gpu'
import { build } from 'esbuild'
import { chromium } from 'playwright'
import type { Result } from '../run.ts'

/** What the page's backend is. */
export type Wanted = Pick<GpuOptions, 'mode' | 'kernels' | 'barriers'>

/** The page's program: from `dist` and from `src`. */
const page = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './page.ts' : '../src/chromium/page.ts', import.meta.url),
)

/** Where there is no GPU, SwiftShader computes, which Chromium brings. */
const FLAGS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist',
]

/**
 * Compares a GPU backend in a page of Chromium with every case of a folder.
 *
 * @param report called with each result as it comes
 * @returns what the page ran on
 * @throws Error if there is no Chromium, or the page's backend does not start
 */
export async function inChromium(
  folder: string,
  wanted: Wanted,
  report: (result: Result) => void,
): Promise<GpuInfo> {
  const program = process.env.CHROMIUM ?? '/usr/bin/chromium'
  const executablePath = existsSync(program) ? program : chromium.executablePath()
  if (!existsSync(executablePath))
    throw new Error(
      `goldens: no Chromium at ${program}; install it (Debian: apt-get install chromium; elsewhere: npx playwright install chromium) or name one in the variable CHROMIUM`,
    )
  const names = readdirSync(folder).filter(name => name.endsWith('.json')).sort() // biome-ignore format: one line reads best
  if (!names.length)
    throw new Error(`goldens: ${folder} holds no .json files; give a folder of golden groups`)
  const { outputFiles } = await build({
    entryPoints: [page],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    logLevel: 'silent',
    conditions: ['@heed/source'],
    ignoreAnnotations: true, // `sideEffects: false` holds for built packages, whose modules are one file
  })
  const browser = await chromium.launch({ executablePath, args: FLAGS })
  try {
    const tab = await browser.newPage()
    await tab.exposeFunction('report', report)
    await tab.route('**/*', route => {
      const { pathname } = new URL(route.request().url())
      if (pathname === '/page.js')
        return route.fulfill({ contentType: 'text/javascript', body: outputFiles[0]?.text ?? '' })
      if (pathname.startsWith('/data/'))
        return route.fulfill({ body: readFileSync(join(folder, basename(pathname))) })
      return route.fulfill({
        contentType: 'text/html',
        body: '<script type="module" src="/page.js"></script>',
      })
    })
    await tab.goto('http://localhost/', { waitUntil: 'load' })
    return await tab.evaluate(([all, what]) => globalThis.goldens(all, what), [names, wanted] as const)
  } finally {
    await browser.close()
  }
}
