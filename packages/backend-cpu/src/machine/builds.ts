import { BackendError } from '@heed/core-tensor'
import type { Exports } from '../generated/exports.ts'
import { builds } from '../generated/wasm.ts'

/** One compilation of the kernels, ready to be instantiated by any number of threads. */
export interface Build {
  readonly name: string
  /** Rows × columns that a matrix product holds in registers. */
  readonly tile: string
  readonly module: WebAssembly.Module
}

const compiled = /* @__PURE__ */ new Map<string, Promise<WebAssembly.Module>>()

/** Whether V8 may widen pairs of 128-bit vectors to 256 bits: experimental there, hence off unless asked for. */
export type WideSimd = 'off' | 'auto' | 'on'

/** The first Node whose V8 widens; those before accept the flag and do nothing, or print an error. */
const WIDENING_NODE = 24

/**
 * The build to use: the exact one if results are to be deterministic; the wide one if it was asked for and the engine can; else
 * the first that the engine accepts.
 *
 * @throws BackendError if the engine has no WebAssembly SIMD, or none that widens where `wideSimd` is `on`
 */
export async function chooseBuild(deterministic: boolean, wideSimd: WideSimd): Promise<Build> {
  if (wideSimd !== 'off') {
    const wide = widen() ? await compile('wide') : undefined
    if (!wide && wideSimd === 'on')
      throw new BackendError(
        `cpu: ${engine()} does not widen SIMD; use Node ${WIDENING_NODE} or newer, or wideSimd: 'auto'`,
      )
    const narrow = await compile('fma')
    if (wide && (wideSimd === 'on' || !narrow || (await speed(wide)) > (await speed(narrow)))) return wide
  }
  const build = (deterministic ? undefined : await compile('fma')) ?? (await compile('exact'))
  if (!build) throw new BackendError(`cpu: ${engine()} has no WebAssembly SIMD; use a newer engine`)
  return build
}

/** A build, if the engine accepts it. */
async function compile(name: 'wide' | 'fma' | 'exact'): Promise<Build | undefined> {
  const { tile, base64 } = builds.find(build => build.name === name) as (typeof builds)[number]
  let module = compiled.get(name)
  if (!module) {
    const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
    if (!WebAssembly.validate(bytes)) return undefined
    module = WebAssembly.compile(bytes)
    compiled.set(name, module)
  }
  return { name, tile, module: await module }
}

/** Has V8 widen what is compiled from now on, in this whole process; false where it cannot. */
function widen(): boolean {
  const major = Number(globalThis.process?.versions?.node?.split('.')[0])
  if (!(major >= WIDENING_NODE)) return false
  globalThis.process.getBuiltinModule('node:v8').setFlagsFromString('--experimental-wasm-revectorize')
  return true
}

/** How many products of 96 × 96 matrices a build makes in a millisecond, at its best in 20. */
async function speed({ module }: Build): Promise<number> {
  const memory = new WebAssembly.Memory({ initial: 32, maximum: 32, shared: true })
  const env = { memory, failed: (): void => {}, doubt: (): void => {} }
  const wasm = (await WebAssembly.instantiate(module, { env })).exports as unknown as Exports
  wasm.assemble(1, false)
  const [size, first, bytes] = [96, 1 << 16, 96 * 96 * 4]
  const product = (): void =>
    wasm.gemm(size, size, size, first, 4 * size, 4, first + bytes, 4 * size, 4, first + 2 * bytes, 4 * size, 0, 0, first + 3 * bytes) // biome-ignore format: one call
  let best = 0
  for (const end = performance.now() + 20; performance.now() < end; ) {
    const began = performance.now()
    for (let i = 0; i < 4; i++) product()
    best = Math.max(best, 4 / (performance.now() - began))
  }
  return best
}

/** What runs the kernels: `V8 13.6`, `Chrome 140`. */
export function engine(): string {
  const v8 = globalThis.process?.versions?.v8
  if (v8) return `V8 ${v8.split('.').slice(0, 2).join('.')}`
  const [, name, version] = globalThis.navigator?.userAgent?.match(/(Firefox|Chrome|Version)\/(\d+)/) ?? []
  return name ? `${name === 'Version' ? 'Safari' : name} ${version}` : 'this engine'
}
