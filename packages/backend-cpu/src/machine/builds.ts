import { BackendError } from '@heed/core-tensor'
import { builds } from '../generated/wasm.ts'

/** One compilation of the kernels, ready to be instantiated by any number of threads. */
export interface Build {
  readonly name: string
  /** Rows × columns that a matrix product holds in registers. */
  readonly tile: string
  readonly module: WebAssembly.Module
}

const compiled = /* @__PURE__ */ new Map<string, Promise<WebAssembly.Module>>()

/**
 * The first build that the engine accepts.
 *
 * @param deterministic leaves those out whose bits depend on the processor
 * @throws BackendError if there is none: the engine has no WebAssembly SIMD
 */
export async function chooseBuild(deterministic: boolean): Promise<Build> {
  for (const { name, tile, base64 } of builds) {
    if (deterministic && name !== 'exact') continue
    let module = compiled.get(name)
    if (!module) {
      const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
      if (!WebAssembly.validate(bytes)) continue
      module = WebAssembly.compile(bytes)
      compiled.set(name, module)
    }
    return { name, tile, module: await module }
  }
  throw new BackendError(`cpu: ${engine()} has no WebAssembly SIMD; use a newer engine`)
}

/** What runs the kernels: `V8 13.6`, `Chrome 140`. */
export function engine(): string {
  const v8 = globalThis.process?.versions?.v8
  if (v8) return `V8 ${v8.split('.').slice(0, 2).join('.')}`
  const [, name, version] = globalThis.navigator?.userAgent?.match(/(Firefox|Chrome|Version)\/(\d+)/) ?? []
  return name ? `${name === 'Version' ? 'Safari' : name} ${version}` : 'this engine'
}
