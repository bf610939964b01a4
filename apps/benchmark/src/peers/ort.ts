import { Graph } from '../onnx/graph.ts'
import type { NamedValues } from '../values.ts'
import type { OnnxVersion, Untyped } from '../workload.ts'
import type { Runner } from './runner.ts'
import type { Shelf } from './shelf.ts'

export type OrtKind = 'ort-node' | 'ort-web'

/** onnxruntime, native or in WebAssembly, and how its sessions are opened. */
export async function loadOrt(
  shelf: Shelf,
  kind: OrtKind,
  threads: number,
): Promise<{ ort: Untyped; options: Untyped }> {
  const ort = await shelf.load(kind === 'ort-web' ? 'onnxruntime-web' : 'onnxruntime-node')
  const options = { graphOptimizationLevel: 'all', executionMode: 'sequential', logSeverityLevel: 3 }
  if (kind === 'ort-node')
    return {
      ort,
      options: {
        ...options,
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
      },
    }
  ort.env.wasm.numThreads = threads
  if (shelf.place === 'chromium') ort.env.wasm.wasmPaths = shelf.files('onnxruntime-web')
  return { ort, options: { ...options, executionProviders: ['wasm'] } }
}

export async function prepareOrt(
  shelf: Shelf,
  kind: OrtKind,
  version: OnnxVersion,
  inputs: NamedValues,
  threads: number,
): Promise<Runner> {
  const { ort, options } = await loadOrt(shelf, kind, threads)
  const graph = new Graph()
  if (version.feeds.length) graph.take(inputs, version.feeds)
  const outputs = Object.entries(version.build(graph, inputs))
  if (!version.run) for (const [, name] of outputs) graph.output(name)
  const session = await ort.InferenceSession.create(graph.encode(), options)
  const feeds = version.run
    ? {}
    : Object.fromEntries(version.feeds.map(name => [name, ortTensor(ort, inputs[name])]))
  const once = async (): Promise<Record<string, Untyped>> => {
    const made = await session.run(feeds)
    return Object.fromEntries(outputs.map(([ours, theirs]) => [ours, made[theirs]]))
  }
  const step = version.run?.(ort, session, inputs, Object.fromEntries(outputs)) ?? once
  const about = `${kind} ${await shelf.version(kind === 'ort-web' ? 'onnxruntime-web' : 'onnxruntime-node')}`
  return {
    about: `${about}, ${kind === 'ort-web' ? 'wasm' : 'cpu'} provider, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    async run() {
      await step()
    },
    async result() {
      const made = Object.entries(await step())
      return Object.fromEntries(
        made.map(([name, { dims, data }]) => [name, { shape: dims, data: numbers(data) }]),
      )
    },
  }
}

export function ortTensor(ort: Untyped, values: NamedValues[string] | undefined): Untyped {
  if (!values) throw new Error('onnx: a feed that is no input of the variant')
  const type = values.data instanceof Float32Array ? 'float32' : 'int32'
  return new ort.Tensor(type, values.data, [...values.shape])
}

function numbers(data: Float32Array | Int32Array | BigInt64Array): Float32Array | Int32Array {
  return data instanceof BigInt64Array ? Int32Array.from(data, Number) : data
}
