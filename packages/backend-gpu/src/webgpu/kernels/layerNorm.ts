import { sizeOf, type TensorSpec } from '@heed/core-tensor'
import type { Family, Input, Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import type { Param, Program } from '../program.ts'
import { reduced } from './reduce.ts'

interface Normed {
  readonly epsilon: number
}

/** From this length on, a group of threads shares a row. */
const SHARED = 48
const THREADS = 64
/** Where barriers are dear, no row is shared if there are so many. */
const ROWS = 64

const PARAMS: readonly Param[] = [['n', 'u32'], ['length', 'u32'], ['first', 'u32'], ['epsilon', 'f32']] // biome-ignore format: a list

/**
 * Layer norm over rows in one launch: mean, variance around it, quotient. Its gradient in one launch for x; weight and bias need the
 * sum over rows of what another lays down.
 */
export function layerNorm(machine: Machine): Family<'layerNorm' | 'layerNormGrad'> {
  /** Runs a program on every row: by one thread each, or by groups. */
  const rows = (
    name: string,
    text: (shared: boolean) => Omit<Program, 'name'>,
    x: Input,
    values: readonly number[],
    buffers: readonly Storage[],
  ): void => {
    const length = x.shape.at(-1) as number
    const n = length && sizeOf(x.shape) / length
    if (n === 0) return
    const shared = length >= SHARED && (machine.barriers || n < ROWS)
    const program = machine.program(`${name}${shared ? ' shared' : ''}`, () => text(shared))
    const all = [length, x.offset, ...values]
    if (shared) machine.grouped(program, [Math.min(n, 65535), Math.ceil(n / 65535), 1], [n, ...all], buffers)
    else machine.each(program, n, all, buffers)
  }
  return {
    layerNorm: ([given, weight, bias], [out], { epsilon }: Normed) => {
      const x = given as Input
      const y = machine.output(out as TensorSpec)
      const scaled = weight && bias ? [weight, bias] : []
      rows(
        `layerNorm${weight ? ' scaled' : ''}`,
        shared => forward(shared, scaled.length > 0),
        x,
        [epsilon, ...scaled.map(w => w.offset)],
        [x.storage, ...scaled.map(w => w.storage), y],
      )
      return [y]
    },
    layerNormGrad: ([dy, given, weight], outputs, { epsilon }: Normed) => {
      const x = given as Input
      const from = dy as Input
      const made = machine.outputs(outputs)
      const [dx, dWeight, dBias] = made as [Storage, Storage, Storage]
      const run = (also: readonly Storage[]): void =>
        rows(
          `layerNormGrad${weight ? ' scaled' : ''}`,
          shared => backward(shared, weight !== undefined),
          x,
          [epsilon, from.offset, ...(weight ? [weight.offset] : [])],
          [x.storage, from.storage, ...(weight ? [weight.storage] : []), dx, ...also],
        )
      if (!weight) run([])
      else
        machine.scratch([sizeOf(x.shape)], room => {
          run([room as Storage])
          const size = x.shape.at(-1) as number
          const count = size && sizeOf(x.shape) / size
          const like = { shape: [count, size], strides: [size, 1], dtype: 'float32' as const }
          const [specW, specB] = outputs.slice(1) as [TensorSpec, TensorSpec]
          reduced(machine, 'sum', { ...like, offset: 0, storage: room as Storage }, [0], specW, dWeight)
          reduced(machine, 'sum', { ...like, offset: from.offset, storage: from.storage }, [0], specB, dBias)
        })
      return made
    },
  }
}

/** A loop over a row, and the sum of what each thread holds, in `name` for all of them. */
function summed(shared: boolean, names: readonly string[], add: string): string {
  const start = names.map(name => `var ${name} = 0.0;`).join(' ')
  const loop = `for (var k = ${shared ? 'thread' : '0u'}; k < p.length; k += ${shared ? THREADS : 1}u) { ${add} }`
  if (!shared) return `${start}\n  ${loop}`
  return `${start}
  ${loop}
  ${names
    .map(
      name => `parts[thread] = ${name};
  for (var half = ${THREADS / 2}u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (thread < half) { parts[thread] += parts[thread + half]; }
  }
  workgroupBarrier();
  ${name} = parts[0];
  workgroupBarrier();`,
    )
    .join('\n  ')}`
}

/** Mean, centred sum of squares, and what numbers are multiplied with. */
const moments = (shared: boolean): string => `${summed(shared, ['total'], 'total += x[start + k];')}
  let mean = total / f32(p.length);
  ${summed(shared, ['squares'], 'let d = x[start + k] - mean; squares = fma(d, d, squares);')}
  let scale = 1.0 / sqrt(squares / f32(p.length) + p.epsilon);`

function shell(shared: boolean): Pick<Program, 'grouped' | 'group' | 'globals'> {
  return shared
    ? { grouped: true, group: THREADS, globals: `var<workgroup> parts: array<f32, ${THREADS}>;` }
    : {}
}

const head = (shared: boolean): string => `${
  shared ? 'let i = group.x + group.y * 65535u;\n  if (i >= p.n) { return; }\n  ' : ''
}let row = i * p.length;
  let start = p.first + row;`

const each = (shared: boolean, body: string): string =>
  `for (var k = ${shared ? 'thread' : '0u'}; k < p.length; k += ${shared ? THREADS : 1}u) { ${body} }`

function forward(shared: boolean, scaled: boolean): Omit<Program, 'name'> {
  const y = '(x[start + k] - mean) * scale'
  return {
    ...shell(shared),
    params: [...PARAMS, ...(scaled ? ([['weightAt', 'u32'], ['biasAt', 'u32']] as const) : [])], // biome-ignore format: a list
    reads: { x: 'f32', ...(scaled ? { weight: 'f32', bias: 'f32' } : {}) },
    writes: { y: 'f32' },
    body: `${head(shared)}
  ${moments(shared)}
  ${each(shared, `y[row + k] = ${scaled ? `fma(${y}, weight[p.weightAt + k], bias[p.biasAt + k])` : y};`)}`,
  }
}

/** dx = scale (g − mean g − ŷ mean(g ŷ)), g = dy · weight, ŷ = the normalised x. */
function backward(shared: boolean, scaled: boolean): Omit<Program, 'name'> {
  const g = `dy[dyStart + k]${scaled ? ' * weight[p.weightAt + k]' : ''}`
  return {
    ...shell(shared),
    params: [...PARAMS, ['dyAt', 'u32'], ...(scaled ? ([['weightAt', 'u32']] as const) : [])],
    reads: { x: 'f32', dy: 'f32', ...(scaled ? { weight: 'f32' } : {}) },
    writes: { dx: 'f32', ...(scaled ? { dw: 'f32' as const } : {}) },
    body: `${head(shared)}
  let dyStart = p.dyAt + row;
  ${moments(shared)}
  ${summed(shared, ['sumG', 'sumGy'], `let g = ${g}; sumG += g; sumGy = fma(g, (x[start + k] - mean) * scale, sumGy);`)}
  ${each(
    shared,
    `let hat = (x[start + k] - mean) * scale;
    dx[row + k] = scale * (${g} - (sumG + hat * sumGy) / f32(p.length));${scaled ? '\n    dw[row + k] = dy[dyStart + k] * hat;' : ''}`,
  )}`,
  }
}
