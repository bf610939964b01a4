import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'vitest'

/** Where the real data lie, beside the repository. They may not be shipped: without them a test is skipped. */
export function dataFolder(ctx: TestContext, path = ''): string {
  const place = fileURLToPath(new URL(`../../../../shared/data/${path}`, import.meta.url))
  if (!existsSync(place)) ctx.skip(`../shared/data/${path} is not on this machine`)
  return place
}
