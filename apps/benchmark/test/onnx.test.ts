import { BinaryReader } from '@bufbuild/protobuf/wire'
import { describe, expect, it } from 'vitest'
import { Graph } from '../src/onnx/graph.ts'

/** The fields of one message: number and content, nested ones as bytes. */
function fields(bytes: Uint8Array): [field: number, content: number | Uint8Array][] {
  const reader = new BinaryReader(bytes)
  const found: [number, number | Uint8Array][] = []
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (type === 0) found.push([field, Number(reader.int64())])
    else if (type === 2) found.push([field, reader.bytes()])
    else found.push([field, reader.float()])
  }
  return found
}
const of = (bytes: Uint8Array, field: number): (number | Uint8Array)[] =>
  fields(bytes).flatMap(([number, content]) => (number === field ? [content] : []))
const text = (bytes: number | Uint8Array | undefined): string => new TextDecoder().decode(bytes as Uint8Array)

describe('a model file', () => {
  const graph = new Graph()
  const x = graph.input('x', 'float32', [2, 'n'])
  const w = graph.constant({ shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) })
  graph.output(graph.op('Gemm', [x, w], { transB: 1, alpha: { float: 0.5 } }))
  const [body] = of(graph.encode(), 7) as [Uint8Array]

  it('has the nodes, with their attributes', () => {
    const [node] = of(body, 1) as [Uint8Array]
    expect(text(of(node, 4)[0])).toBe('Gemm')
    expect(of(node, 1).map(text)).toEqual(['x', 't0'])
    const [transB, alpha] = of(node, 5) as [Uint8Array, Uint8Array]
    expect([text(of(transB, 1)[0]), of(transB, 3)[0], of(transB, 20)[0]]).toEqual(['transB', 1, 2])
    expect([text(of(alpha, 1)[0]), of(alpha, 2)[0], of(alpha, 20)[0]]).toEqual(['alpha', 0.5, 1])
  })

  it('has the constants, byte for byte', () => {
    const [constant] = of(body, 5) as [Uint8Array]
    expect(of(constant, 1)).toEqual([2, 2])
    expect(of(constant, 2)).toEqual([1]) // float
    expect(new Float32Array((of(constant, 9)[0] as Uint8Array).slice().buffer)).toEqual(
      Float32Array.of(1, 2, 3, 4),
    )
  })

  it('says the operator set', () => {
    const sets = of(graph.encode(), 8) as Uint8Array[]
    expect(sets.map(set => [text(of(set, 1)[0]), of(set, 2)[0]])).toContainEqual(['', 20])
  })
})
