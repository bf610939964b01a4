import type { Kernels } from '@heed/core-tensor'
import { describe, expect, it } from 'vitest'
import { kernelsOf } from '../../src/gpujs/kernels/index.ts'
import { Runner } from '../../src/gpujs/runner.ts'
import { kernelsOn } from '../../src/webgpu/kernels/index.ts'
import { operationTable, tableText } from './table.ts'

/** Tables of kernels are made without a device: only kernels ask for one. */
const nothing = {} as never
const gpujs = kernelsOf(new Runner(nothing)) as unknown as Kernels<never>
const modes = {
  webgpu: kernelsOn(nothing) as unknown as Kernels<never>,
  'webgpu, gpu.js': gpujs,
  webgl2: gpujs,
}

const empty = (rows: ReturnType<typeof operationTable>): string[] =>
  rows.flatMap(({ name, modes }) =>
    Object.entries(modes).flatMap(([mode, [forward, gradient]]) => [
      ...(forward ? [] : [`${name} on ${mode}`]),
      ...(gradient ? [] : [`the gradient of ${name} on ${mode}`]),
    ]),
  )

describe('the table of operations', () => {
  it('has no empty cell', () => expect(empty(operationTable(modes))).toEqual([]))

  it('is the one in OPERATIONS.md', async () => {
    await expect(tableText(operationTable(modes))).toMatchFileSnapshot('../../OPERATIONS.md')
  })

  it('shows a cell that empties', () => {
    const { exp: _, gruGrad: __, ...rest } = gpujs
    const rows = operationTable({ less: rest as unknown as Kernels<never> })
    expect(empty(rows)).toEqual(['exp on less'])
    expect(rows.find(({ name }) => name === 'gru')?.modes.less).toEqual(['kernel', 'composed'])
  })
})
