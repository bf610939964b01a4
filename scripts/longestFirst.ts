import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Test files that take longest on two cores, the longest first. Wrong or missing entries cost time, nothing else. */
const LONGEST: readonly string[] = [
  'apps/docs/test/lessons.test.ts',
  'packages/backend-gpu/test/conformance.test.ts',
  'apps/docs/test/site.test.ts',
  'packages/backend-gpu/test/conformance.browser.test.ts',
  'apps/goldens/test/gpu.browser.test.ts',
  'packages/cli/test/train.test.ts',
  'packages/cli/test/options.test.ts',
  'packages/backend-cpu/test/conformance.everywhere.test.ts',
  'apps/docs/test/playground.test.ts',
  'packages/cli/test/sentiment.test.ts',
  'apps/docs/test/viewer.test.ts',
  'apps/goldens/test/limits.test.ts',
  'packages/datasets/test/dateTable.test.ts',
  'apps/docs/test/gpuWorker.test.ts',
  'apps/docs/test/dev.test.ts',
  'packages/core-tensor/test/conformance.test.ts',
]

/** Starts the longest files first, so that no core waits for one of them at the end. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.indexOf(relative(root, moduleId).replaceAll('\\', '/'))
      return at < 0 ? LONGEST.length : at
    }
    const sorted = await super.sort(files)
    return sorted.sort((a, b) => rank(a) - rank(b)) // the order of others stays
  }
}
