import type { Backend } from '../backend.ts'
import { scope } from '../memory.ts'
import { show, type TypedArray } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { Inputs } from './conformance/inputs.ts'
import { movement } from './conformance/movement.ts'
import { networks } from './conformance/networks.ts'
import { products } from './conformance/products.ts'
import { reductions } from './conformance/reductions.ts'
import { values } from './conformance/values.ts'

/** One thing that every backend must do as the reference does. */
export interface ConformanceCase {
  /** What is done, to what: `sum float32 [3, 17], transposed, axes 0`. */
  readonly name: string
  /** @throws Error naming the element and both values where the backends differ by more than the case allows */
  run(backend: Backend, reference: Backend): Promise<void>
}

/**
 * Everything that a backend must agree on with the reference: every operation, every type it takes, shapes around the
 * edges of tiles, stretched, transposed and sliced operands, and gradients of what backends fuse. Independent of any test runner.
 *
 * @example
 * for (const { name, run } of conformanceCases()) it(name, () => run(backend, referenceBackend()))
 */
export function conformanceCases(): ConformanceCase[] {
  return [...movement(), ...values(), ...reductions(), ...products(), ...networks()].map(sketch => {
    const known = new WeakMap<Backend, Outcome>() // what the reference does is worked out once for all backends
    return {
      name: sketch.name,
      async run(backend, reference) {
        const drawn: TypedArray[] = []
        const want = known.get(reference) ?? (await outcome(reference, sketch, drawn))
        known.set(reference, want)
        judge(sketch, await outcome(backend, sketch, drawn), want)
      },
    }
  })
}

/**
 * How far apart a result and the reference's may be: `eps · (relative · |want| + absolute)`, eps being 2⁻²³ for float32 and
 * 2⁻⁵² for float64.
 */
export interface Tolerance {
  readonly relative: number
  readonly absolute: number
}

/** What {@link conformanceCases} is made of. */
export interface Sketch {
  readonly name: string
  readonly tolerance: Tolerance
  /** Makes inputs and does something with them; done once on each backend. */
  readonly results: (inputs: Inputs) => readonly Tensor[]
  /** Whether both backends must refuse, with the same words. */
  readonly fails?: boolean
}

interface Values {
  readonly shape: readonly number[]
  readonly dtype: string
  readonly data: TypedArray
}

/** What comes of it on one backend: values, or the message of an error. */
type Outcome = readonly Values[] | string

function outcome(backend: Backend, { name, results }: Sketch, drawn: TypedArray[]): Promise<Outcome> {
  return scope(async () => {
    const read: Values[] = []
    for (const x of results(new Inputs(backend, name, drawn)))
      read.push({ shape: x.shape, dtype: x.dtype, data: backend.readSync ? x.dataSync() : await x.data() })
    return read
  }).catch((error: Error) => error.message)
}

function judge({ name, tolerance, fails = false }: Sketch, got: Outcome, want: Outcome): void {
  if (typeof got === 'string' || typeof want === 'string') {
    if (got !== want || !fails) throw new Error(`${name}: ${told(got)}; the reference ${told(want)}`)
    return
  }
  for (const [i, { shape, dtype, data }] of want.entries()) {
    const found = got[i] as Values
    if (show(found.shape) !== show(shape) || found.dtype !== dtype)
      throw new Error(
        `${name}: result ${i} is ${found.dtype} ${show(found.shape)}, the reference's ${dtype} ${show(shape)}`,
      )
    compare(`${name}: result ${i}`, found.data, data, dtype === 'float64' ? 2 ** -52 : 2 ** -23, tolerance)
  }
}

function told(outcome: Outcome): string {
  return typeof outcome === 'string' ? `fails with "${outcome}"` : 'yields values'
}

function compare(where: string, got: TypedArray, want: TypedArray, eps: number, tolerance: Tolerance): void {
  for (let i = 0; i < want.length; i++) {
    const [a, b] = [got[i] as number, want[i] as number]
    if (Object.is(a, b) || a === b) continue
    const allowed = eps * (tolerance.relative * Math.abs(b) + tolerance.absolute)
    if (!(Math.abs(a - b) <= allowed))
      throw new Error(`${where}, element ${i} of ${want.length}: got ${a}, want ${b} ± ${allowed}`)
  }
}
