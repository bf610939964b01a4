import { type Backend, ConfigError, isDense, type Operand, sizeOf, type TypedArray } from '@heed/core-tensor'
import { kernelsOn, strided } from './kernels/index.ts'
import { chooseBuild, engine, type WideSimd } from './machine/builds.ts'
import { Heap, type Storage } from './machine/heap.ts'
import { assemble } from './machine/team.ts'
import { elementsOf, firstOf } from './plain/elements.ts'

export interface CpuOptions {
  /** How many threads compute, this one counted; all cores unless given, 8 at most. */
  readonly threads?: number
  /** The same bits on every machine, at the price of speed; false unless given. */
  readonly deterministic?: boolean
  /**
   * Experimental: has V8 compute in 256 bits, for all WebAssembly of the process that is compiled from then on. `on`: an error where
   * it cannot (before Node 24, and in browsers); `auto`: where it can and a trial of 40 ms shows that it is faster. `off`
   * unless given.
   */
  readonly wideSimd?: WideSimd
  /** The most memory to take from the system, in bytes; 4 GB unless given, which is also the most there can be. */
  readonly maxBytes?: number
}

/** What memory has room for: see `corner` in assembly/team.as. */
const MOST_THREADS = 32

/** Tensors in WebAssembly memory. */
export async function cpu(options: CpuOptions = {}): Promise<Backend<Storage>> {
  check(options)
  const heap = new Heap(options.maxBytes)
  const build = await chooseBuild(
    options.deterministic ?? false,
    (!options.deterministic && options.wideSimd) || 'off',
  )
  const team = await assemble(build, heap.memory, options.threads)
  const kernels = kernelsOn({ heap, wasm: team.wasm })
  const readSync = (operand: Operand<Storage>): TypedArray => {
    heap.check()
    if (isDense(operand)) {
      const start = firstOf(operand)
      return heap.view(operand.dtype).slice(start, start + sizeOf(operand.shape))
    }
    const [dense] = kernels.copy([operand], [operand], {}) as [Storage]
    const values = elementsOf(heap, dense, operand).slice()
    heap.free(dense)
    return values
  }
  return {
    name: 'cpu',
    build: `${build.name} ${build.tile}, ${team.description}, ${engine()}`,
    kernels,
    strided,
    write(data, spec) {
      const storage = heap.output(spec)
      elementsOf(heap, storage, spec).set(data)
      return storage
    },
    read: async operand => readSync(operand),
    readSync,
    free: storage => heap.free(storage),
    memory: () => heap.report(),
    dispose() {
      heap.close()
      team.dispose()
    },
  }
}

/** @throws ConfigError naming every option that makes no sense */
function check({ threads, deterministic, wideSimd = 'off', maxBytes }: CpuOptions): void {
  const problems: string[] = []
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS))
    problems.push(`threads is ${threads}, use a whole number from 1 to ${MOST_THREADS}`)
  if (deterministic !== undefined && typeof deterministic !== 'boolean')
    problems.push(`deterministic is ${deterministic}, use true or false`)
  if (!['off', 'auto', 'on'].includes(wideSimd))
    problems.push(`wideSimd is ${wideSimd}, use 'off', 'auto' or 'on'`)
  if (deterministic && wideSimd === 'on')
    problems.push("deterministic and wideSimd: 'on' exclude each other, use one of them")
  if (maxBytes !== undefined && !(typeof maxBytes === 'number' && maxBytes >= 2 ** 20))
    problems.push(`maxBytes is ${maxBytes}, use 1048576 (1 MB) or more`)
  if (problems.length) throw new ConfigError(`cpu: ${problems.join('; ')}`)
}
