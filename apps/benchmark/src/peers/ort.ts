import { Graph } from '../onnx/graph.ts'
import { packageOf } from '../participants.ts'
import type { NamedValues } from '../values.ts'
import type { OnnxVersion, Untyped } from '../workload.ts'
import type { Runner } from './runner.ts'
import type { Shelf } from './shelf.ts'

export type OrtKind = 'ort-node' | 'ort-web' | 'ort-webgpu'

/** onnxruntime, native, in WebAssembly or on WebGPU, and how its sessions are opened. */
export async function loadOrt(
  shelf: Shelf,
  kind: OrtKind,
  threads: number,
): Promise<{ ort: Untyped; options: Untyped }> {
  const ort = await shelf.load(packageOf[kind])
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
  if (kind === 'ort-web') return { ort, options: { ...options, executionProviders: ['wasm'] } }
  return {
    ort,
    options: {
      ...options,
      executionProviders: ['webgpu'],
      extra: { session: { disable_cpu_ep_fallback: '1' } }, // what it cannot do there it would do on the CPU, without a word
    },
  }
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
  const onGpu = kind === 'ort-webgpu'
  const stay = outputs.filter(([ours]) => onGpu && !version.read?.includes(ours)).map(([, name]) => name)
  const session = await ort.InferenceSession.create(graph.encode(), {
    ...options,
    ...(onGpu ? { preferredOutputLocation: Object.fromEntries(stay.map(name => [name, 'gpu-buffer'])) } : {}),
  })
  const device: GPUDevice | undefined = onGpu ? await ort.env.webgpu.device : undefined
  const fed = (name: string): Untyped =>
    device ? onDevice(ort, device, inputs[name]) : ortTensor(ort, inputs[name])
  const feeds = version.run ? {} : Object.fromEntries(version.feeds.map(name => [name, fed(name)]))
  const once = async (): Promise<Record<string, Untyped>> => {
    const made = await session.run(feeds)
    return Object.fromEntries(outputs.map(([ours, theirs]) => [ours, made[theirs]]))
  }
  const step = version.run?.(ort, session, inputs, Object.fromEntries(outputs)) ?? once
  const about = `${kind} ${await shelf.version(packageOf[kind])}`
  const provider = `${kind === 'ort-node' ? 'cpu' : kind === 'ort-web' ? 'wasm' : 'webgpu'} provider`
  return {
    about: `${about}, ${provider}${onGpu ? '' : `, ${threads} ${threads === 1 ? 'thread' : 'threads'}`}`,
    async run() {
      const made = await step()
      if (!device) return
      for (const tensor of Object.values(made)) tensor.dispose()
      await device.queue.onSubmittedWorkDone()
    },
    async result() {
      const values: [string, NamedValues[string]][] = []
      for (const [name, tensor] of Object.entries(await step()))
        values.push([name, { shape: tensor.dims, data: numbers(await tensor.getData(true)) }])
      return Object.fromEntries(values)
    },
  }
}

/** A tensor in a buffer of the device. */
function onDevice(ort: Untyped, device: GPUDevice, values: NamedValues[string] | undefined): Untyped {
  const { type, dims, data } = ortTensor(ort, values)
  const buffer = device.createBuffer({
    size: 16 * Math.ceil(data.byteLength / 16),
    usage: 0x80 | 0x4 | 0x8, // STORAGE, COPY_SRC, COPY_DST, which have no names outside pages
  })
  device.queue.writeBuffer(buffer, 0, data)
  return ort.Tensor.fromGpuBuffer(buffer, { dataType: type, dims })
}

export function ortTensor(ort: Untyped, values: NamedValues[string] | undefined): Untyped {
  if (!values) throw new Error('onnx: a feed that is no input of the variant')
  const type = values.data instanceof Float32Array ? 'float32' : 'int32'
  return new ort.Tensor(type, values.data, [...values.shape])
}

function numbers(data: Float32Array | Int32Array | BigInt64Array): Float32Array | Int32Array {
  return data instanceof BigInt64Array ? Int32Array.from(data, Number) : data
}
