import { type Backend, isFloat, sizeOf, type TypedArray } from '@heed/core-tensor'
import type { Driver } from './driver.ts'
import { kernelsOf, noFloat64, strided } from './kernels/index.ts'
import { type Cell, Runner, rangeIn, tooLarge } from './runner.ts'

/** A backend whose kernels are all gpu.js's. */
export interface GpujsBackend extends Backend<Cell> {
  sync(): Promise<void>
  /** Kernels compiled and launched so far, and bytes that went to the device and came back, where the driver counts them. */
  counts(): Pick<Driver<Cell>, 'compiled' | 'launched' | 'uploaded' | 'downloaded'>
}

/** gpu.js's kernels on a driver. Whole numbers and truth values are held in float32, exact within ±(2²⁴ − 1): beyond is an error. */
export function gpujsOn<S extends Cell>(driver: Driver<S>, build: string): GpujsBackend {
  const device = driver as unknown as Driver<Cell>
  const runner = new Runner(device)
  const { readSync } = device
  return {
    name: 'gpu',
    build,
    kernels: kernelsOf(runner),
    strided,
    write(data, { dtype }) {
      if (dtype === 'float64') throw noFloat64(runner, 'tensor')
      if (isFloat(dtype)) return device.write(data as Float32Array)
      const range = rangeIn('tensor', data as Int32Array | Uint8Array)
      return runner.ranged(device.write(Float32Array.from(data)), range)
    },
    async read({ storage, offset, shape, dtype }) {
      const data = await device.read(storage, offset, sizeOf(shape))
      await runner.faults()
      return dtype === 'float32' ? data : whole(data, dtype === 'bool')
    },
    ...(readSync && {
      readSync({ storage, offset, shape, dtype }) {
        const data = readSync.call(device, storage, offset, sizeOf(shape))
        runner.faultsSync(readSync.bind(device))
        return dtype === 'float32' ? data : whole(data, dtype === 'bool')
      },
    }),
    free: storage => device.free(storage),
    memory: () => device.memory(),
    dispose: () => device.close(),
    sync: () => device.sync(),
    counts: () => {
      const { compiled, launched, uploaded, downloaded } = device
      return { compiled, launched, ...(uploaded !== undefined && { uploaded, downloaded }) }
    },
  }
}

/** @throws BackendError for a number that stands for one beyond them */
function whole(data: Float32Array, truth: boolean): TypedArray {
  for (const x of data) if (Number.isNaN(x)) throw tooLarge('data')
  return truth ? Uint8Array.from(data) : Int32Array.from(data)
}
