import { type Backend, keep, scope, setBackend, type Tensor, zerosLike } from '@heed/core-tensor'
import { adapterOf } from './adapters/index.ts'
import type { Case } from './cases.ts'
import { type Adapter, differences, NotImplemented } from './compare.ts'

/** How one case ended. */
export interface Result {
  readonly id: string
  readonly group: string
  readonly op: string
  readonly status: 'passed' | 'failed' | 'not implemented' | 'advisory'
  /** What differs, for cases that failed. */
  readonly detail: string
}

/** Compares a backend with cases whose tensors are on it. */
export async function* runCases(cases: Iterable<Case>, backend: Backend): AsyncIterable<Result> {
  setBackend(backend)
  for (const c of cases) {
    const { id, group, op } = c
    const adapter = adapterOf(group, op)
    if (!adapter) {
      yield { id, group, op, status: 'not implemented', detail: '' }
      continue
    }
    let detail = ''
    try {
      detail = await scope(async () => await compare(c, adapter))
    } catch (error) {
      if (error instanceof NotImplemented) {
        yield { id, group, op, status: 'not implemented', detail: error.message }
        continue
      }
      detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    }
    yield { id, group, op, status: detail ? (c.advisory ? 'advisory' : 'failed') : 'passed', detail }
  }
}

async function compare(c: Case, adapter: Adapter): Promise<string> {
  for (const x of [...Object.values(c.inputs), ...Object.values(c.params)])
    x.requiresGrad = x.dtype === 'float32'
  const { outputs, module, rename = name => name } = await adapter(c)
  // Readings are asked for at once and awaited together: on a device each would wait for all before it.
  const problems: (string | Promise<string>)[] = []
  for (const [name, want] of Object.entries(c.outputs)) {
    const got = outputs[name]
    const problem = got
      ? differences(`output ${name}`, keep(got), want, c.tolerance.out)
      : Promise.resolve(`no output ${name}`)
    problem.catch(() => {}) // it is awaited below, unless the gradients fail first
    problems.push(problem)
  }
  const loss = Object.entries(c.cotangents)
    .map(([name, cotangent]) => (outputs[name] as Tensor).mul(cotangent).sum())
    .reduce<Tensor | undefined>((sum, term) => sum?.add(term) ?? term, undefined)
  if (loss?.requiresGrad) loss.backward()
  const held = module?.gradients()
  const gradient = (x: Tensor | undefined): Tensor | undefined => x && (x.grad ?? zerosLike(x))
  const wanted: [name: string, got: Tensor | undefined, want: Tensor][] = [
    ...Object.entries(c.grads.inputs).map(([name, want]): [string, Tensor | undefined, Tensor] => [
      name,
      gradient(c.inputs[name]),
      want,
    ]),
    ...Object.entries(c.grads.params).map(([name, want]): [string, Tensor | undefined, Tensor] => [
      name,
      held ? held[rename(name)] : gradient(c.params[name]),
      want,
    ]),
  ]
  for (const [name, got, want] of wanted)
    problems.push(
      got ? differences(`gradient of ${name}`, got, want, c.tolerance.grad) : `no gradient of ${name}`,
    )
  return (await Promise.all(problems)).filter(Boolean).join('; ')
}
