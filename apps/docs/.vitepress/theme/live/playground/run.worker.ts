import * as backendCpu from '@heed/backend-cpu'
import * as coreTensor from '@heed/core-tensor'
import * as datasets from '@heed/datasets'
import * as layers from '@heed/layers'
import * as models from '@heed/models'
import * as training from '@heed/training'
import * as viz from '@heed/viz'
import { compile, lineOf } from './compile.ts'
import { MOST_OUTPUTS, type Output, type RunReply, type RunRequest } from './protocol.ts'

const packages: Readonly<Record<string, unknown>> = {
  '@heed/backend-cpu': backendCpu,
  '@heed/core-tensor': coreTensor,
  '@heed/datasets': datasets,
  '@heed/layers': layers,
  '@heed/models': models,
  '@heed/training': training,
  '@heed/viz': viz,
}

let outputs = 0
const reply = (message: RunReply): void => self.postMessage(message)

function put(output: Output): void {
  outputs++
  if (outputs < MOST_OUTPUTS) reply({ kind: 'output', output })
  if (outputs === MOST_OUTPUTS)
    reply({
      kind: 'output',
      output: {
        kind: 'text',
        level: 'warn',
        text: `… more than ${MOST_OUTPUTS} lines; the rest is left out`,
      },
    })
}

function required(name: string): unknown {
  if (name in packages) return packages[name]
  throw new Error(
    `import '${name}': the playground has ${Object.keys(packages).join(', ')}; import from one of these`,
  )
}

/** A value as people read it. */
function written(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof coreTensor.Tensor) return String(value)
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (ArrayBuffer.isView(value))
    return `${value.constructor.name} [${Array.from(value as Float32Array)
      .slice(0, 100)
      .join(', ')}${(value as Float32Array).length > 100 ? ', …' : ''}]`
  if (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) !== Object.prototype &&
    !Array.isArray(value) &&
    String(value) !== '[object Object]'
  )
    return String(value)
  try {
    return (
      JSON.stringify(
        value,
        (_, inner: unknown) =>
          inner instanceof coreTensor.Tensor
            ? String(inner)
            : ArrayBuffer.isView(inner)
              ? Array.from(inner as Float32Array)
              : typeof inner === 'bigint' || typeof inner === 'function'
                ? String(inner)
                : inner,
        2,
      ) ?? String(value)
    )
  } catch {
    return String(value)
  }
}

/** Pictures are shown as pictures, a matrix of weights as a heat map, all else as text. */
async function show(
  value: unknown,
  words: { rows?: string[]; columns?: string[]; title?: string } = {},
): Promise<void> {
  if (typeof value === 'string' && value.trimStart().startsWith('<svg'))
    return put({ kind: 'picture', svg: value })
  if (
    value instanceof coreTensor.Tensor &&
    value.shape.length >= 2 &&
    value.shape.slice(0, -2).every(size => size === 1)
  ) {
    const [rows, columns] = value.shape.slice(-2) as [number, number]
    const numbers = Array.from((await value.data()) as Float32Array)
    const weights = Array.from({ length: rows }, (_, r) => numbers.slice(r * columns, (r + 1) * columns))
    if (numbers.every(x => x >= 0 && x <= 1) && rows <= 64 && columns <= 64) {
      const count = (size: number): string[] => Array.from({ length: size }, (_, i) => String(i))
      return put({
        kind: 'picture',
        svg: viz.heatmap(weights, {
          rows: words.rows ?? count(rows),
          columns: words.columns ?? count(columns),
          title: words.title ?? 'Weights',
        }),
      })
    }
  }
  put({ kind: 'text', level: 'log', text: written(value) })
}

const log =
  (level: 'log' | 'warn' | 'error') =>
  (...values: unknown[]): void =>
    put({ kind: 'text', level, text: values.map(written).join(' ') })
const print = { log: log('log'), info: log('log'), debug: log('log'), warn: log('warn'), error: log('error') }

const HEADER = 2 // lines that `new Function` puts before the body
type Program = (
  require: typeof required,
  exports: object,
  module: object,
  show_: typeof show,
  console_: typeof print,
) => Promise<unknown>

self.addEventListener('message', async ({ data }: MessageEvent<RunRequest>) => {
  const began = performance.now()
  try {
    const { body } = compile(data.source)
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
      ...text: string[]
    ) => Program
    const program = new AsyncFunction(
      'require',
      'exports',
      'module',
      'show',
      'console',
      `${body}\n//# sourceURL=heed-playground.js`,
    )
    coreTensor.setBackend(await backendCpu.cpu({ threads: 1 }))
    const exports: Record<string, unknown> = {}
    await program(required, exports, { exports }, show, print)
    reply({
      kind: 'done',
      ms: performance.now() - began,
      result: exports.result === undefined ? '' : written(exports.result),
    })
  } catch (error) {
    const { name = 'Error', message = String(error) } = (error ?? {}) as Error
    reply({ kind: 'failed', message: `${name}: ${message}`, line: lineOf(error, HEADER) ?? null })
  }
})
self.addEventListener('unhandledrejection', event => {
  event.preventDefault()
  reply({ kind: 'failed', message: written(event.reason), line: lineOf(event.reason, HEADER) ?? null })
})
reply({ kind: 'ready' })
