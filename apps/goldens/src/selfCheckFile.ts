import { type Backend, type Tensor, writeSafetensors } from '@heed/core-tensor'
import type { Named } from './cases.ts'
import { loadCases } from './folder.ts'

/** The data of `selfCheck` of `@heed/layers`, as its source file: some golden cases in one safetensors file. */
export async function selfCheckFile(
  folder: string,
  names: readonly string[],
  backend: Backend,
): Promise<string> {
  const tensors: Record<string, Tensor> = {}
  const tolerances: Record<string, string> = {}
  for (const c of loadCases(folder, backend)) {
    if (!names.includes(c.id)) continue
    const put = (kind: string, all: Named): void => {
      for (const [name, x] of Object.entries(all)) tensors[`${c.id}/${kind}/${name}`] = x
    }
    put('in', c.inputs)
    put('param', c.params)
    put('out', c.outputs)
    put('cot', c.cotangents)
    put('grad', { ...c.grads.inputs, ...c.grads.params })
    const { out = { rtol: 0, atol: 0 }, grad = { rtol: 0, atol: 0 } } = c.tolerance
    tolerances[c.id] = JSON.stringify([out.rtol, out.atol, grad.rtol, grad.atol])
  }
  const missing = names.filter(name => !tolerances[name])
  if (missing.length) throw new Error(`selfCheckFile: no golden case ${missing.join(', ')}; check the names`)
  const text = Buffer.from(await writeSafetensors(tensors, tolerances)).toString('base64')
  return `/** Written by apps/goldens/test/selfCheck.test.ts from PyTorch's numbers: a safetensors file in base64. */
export const selfCheckData: string =
  '${text}'
`
}
