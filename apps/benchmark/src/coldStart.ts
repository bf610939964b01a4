// node coldStart.js NAME THREADS: milliseconds from the import of a library to its first product of two matrices, on stdout.
// No import of a library up here: the clock must run first.
import { Graph } from './onnx/graph.ts'
import type { engines, peerNames } from './participants.ts'
import { loadJax } from './peers/jax.ts'
import { nodeShelf } from './peers/load.ts'
import { loadOrt, type OrtKind } from './peers/ort.ts'
import { loadTfjs } from './peers/tfjs.ts'

const SIZE = 8
const numbers = (): Float32Array => Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i + 1))
const rows = (): number[][] =>
  Array.from({ length: SIZE }, (_, r) => [...numbers().subarray(r * SIZE, (r + 1) * SIZE)])

async function heed(threads: number, engine: string): Promise<number> {
  const [{ cpu }, { setBackend, tensor }] = await Promise.all([
    import('@heed/backend-cpu'),
    import('@heed/core-tensor'),
  ])
  setBackend(await cpu({ threads, wideSimd: engine === 'wide' ? 'on' : 'off' }))
  const x = tensor(numbers(), { shape: [SIZE, SIZE] })
  return (await x.matmul(x).data())[0] as number
}

async function tfjs(): Promise<number> {
  const tf = await loadTfjs(nodeShelf)
  const x = tf.tensor(numbers(), [SIZE, SIZE])
  return (await tf.matMul(x, x).data())[0]
}

async function jax(): Promise<number> {
  const { numpy: np } = await loadJax(nodeShelf)
  const x = np.array(numbers()).reshape([SIZE, SIZE])
  return (await np.matmul(x.ref, x).data())[0]
}

async function jsPytorch(): Promise<number> {
  const { torch } = await nodeShelf.load('js-pytorch')
  const x = torch.tensor(rows())
  return torch.matmul(x, x).data[0][0]
}

async function onnx(kind: OrtKind, threads: number, model: Uint8Array): Promise<number> {
  const { ort, options } = await loadOrt(nodeShelf, kind, threads)
  const session = await ort.InferenceSession.create(model, options)
  const x = new ort.Tensor('float32', numbers(), [SIZE, SIZE])
  const [made] = Object.values(await session.run({ x })) as [{ data: Float32Array }]
  return made.data[0] as number
}

/** A product, as a file that is there before the clock runs. */
function product(): Uint8Array {
  const graph = new Graph()
  const x = graph.input('x', 'float32', [SIZE, SIZE])
  graph.output(graph.op('MatMul', [x, x]))
  return graph.encode()
}

type Name = (typeof peerNames)[number] | (typeof engines)[number]

async function main(name: Name, threads: number): Promise<void> {
  const model = product()
  const began = performance.now()
  const first = await (name === 'stock' || name === 'wide'
    ? heed(threads, name)
    : name === 'tfjs'
      ? tfjs()
      : name === 'jax-js'
        ? jax()
        : name === 'js-pytorch'
          ? jsPytorch()
          : onnx(name as OrtKind, threads, model))
  const ms = performance.now() - began
  if (!Number.isFinite(first) || first === 0) throw new Error(`${name}: the first result is ${first}`)
  const { user, system } = process.cpuUsage()
  process.stdout.write(`\n${JSON.stringify({ ms, cpuMs: (user + system) / 1000 })}\n`)
}

main(process.argv[2] as Name, Number(process.argv[3] ?? 1)).then(
  () => process.exit(0),
  error => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exit(1)
  },
)
