import { functionsOf } from '../../webgpu/math.ts'
import { glslMath } from './glslMath.ts'
import { ranked, shared, wgslOf } from './shared.ts'

/** A function in the shader's own language, as gpu.js must know it to call it. */
export interface Native {
  readonly name: string
  readonly takes: readonly ('Number' | 'Integer')[]
  readonly gives: 'Number' | 'Integer'
}

/** What is defined on both sides, by name; functions of math.ts in webgpu are in `glslMath` alone. */
function definition(name: string): string | undefined {
  return shared[name] ?? glslMath[name] ?? ranked(name)
}

/** Names that are called in some code, in their order. */
function calls(code: string): string[] {
  return [...new Set([...code.matchAll(/\b(\w+)\(/g)].map(([, name]) => name as string))]
}

/**
 * Functions that yield an index made of a tensor's element. gpu.js is told that they yield floats, and writes `int(…)` around them,
 * which changes nothing; else, on WebGL2, it would keep them in a float, exact up to 2²⁴ alone.
 */
const indices = ['placeAt', 'rowAt']

/** What gpu.js must be told of a definition: its types. */
function native(name: string, code: string): Native {
  const [, gives, takes = ''] = /^(\w+) \w+\(([^)]*)\)/.exec(code) ?? []
  const kind = (type: string | undefined): 'Number' | 'Integer' => (type === 'int' ? 'Integer' : 'Number')
  return {
    name,
    takes: takes
      .split(', ')
      .filter(Boolean)
      .map(one => kind(one.split(' ')[0])),
    gives: indices.includes(name) ? 'Number' : kind(gives),
  }
}

/** The functions that a kernel's body calls, and the definitions of these and of what they call. */
export function preludeOf(body: string): {
  readonly natives: readonly Native[]
  readonly prelude: { readonly glsl: string; readonly wgsl: string }
} {
  const needed = new Map<string, string>()
  const add = (name: string): void => {
    const code = definition(name)
    if (!code || needed.has(name)) return
    for (const inner of calls(code)) if (inner !== name) add(inner)
    needed.set(name, code)
  }
  const direct = calls(body).filter(name => definition(name))
  for (const name of direct) add(name)
  const wgsl = [...needed].filter(([name]) => !glslMath[name]).map(([, code]) => wgslOf(code))
  const all = [...wgsl, body].join('\n')
  return {
    natives: direct.map(name => native(name, definition(name) as string)),
    prelude: { glsl: [...needed.values()].join('\n'), wgsl: `${functionsOf(all)}\n${wgsl.join('\n')}` },
  }
}
