import { existsSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'
import { chromium } from './chromium.ts'

/** Names every skipped test with its reason and ends the run with the plain line `N passed, N failed, N skipped`. */
export default class PlainReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 }
    const skips: string[] = []
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const result = test.result()
        count[result.state]++
        if (result.state === 'skipped')
          skips.push(`skipped: ${test.fullName}: ${result.note ?? 'no reason given'}`)
      }
      count.failed += module.errors().length
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length // of its hooks
    }
    if (!existsSync(chromium)) {
      skips.push(`skipped: all tests in a browser: no Chromium at ${chromium}; install it, or set CHROMIUM`)
      count.skipped++
    }
    if (skips.length) process.stdout.write(`${skips.join('\n')}\n`)
    process.stdout.write(
      `${count.passed} passed, ${count.failed + count.pending} failed, ${count.skipped} skipped\n`,
    )
  }
}
