import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig, type TestProjectConfiguration } from 'vitest/config'
import { chromium } from './scripts/chromium.ts'
import LongestFirst from './scripts/longestFirst.ts'

// Tests read the TypeScript sources: no build first.
const source = '@heed/source'
const chromiumArgs = [
  '--no-sandbox',
  '--disable-gpu',
  // WebGPU on the processor, the same one on every machine.
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** `*.browser.test.ts` and the tests that say so in their name run in a real Chromium, cross-origin isolated. */
const browser: TestProjectConfiguration = {
  extends: true,
  test: {
    name: 'browser',
    include: [
      'packages/*/test/**/*.browser.test.ts',
      'packages/*/test/**/*.everywhere.test.ts',
      'apps/*/test/**/*.browser.test.ts',
    ],
    testTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      fileParallelism: false, // pages share one process for the GPU
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath: chromium, args: chromiumArgs } }),
      instances: [{ browser: 'chromium' }],
    },
  },
}

export default defineConfig({
  resolve: { conditions: [source, 'module', 'browser', 'development|production'] },
  ssr: { resolve: { conditions: [source, 'module', 'node', 'development|production'] } },
  server: {
    headers: {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    },
  },
  test: {
    // Every core, though Vitest would spare one: pages and processes under test leave gaps.
    maxWorkers: availableParallelism(),
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './scripts/plainReporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          environment: 'node',
          include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts'],
          exclude: ['**/*.browser.test.ts', '**/node_modules/**'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      ...(existsSync(chromium) ? [browser] : []),
    ],
  },
})
