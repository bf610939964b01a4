import type { GpuBackend, GpuInfo } from '../gpu.ts'
import { rehearse } from '../warmup.ts'
import { kernelsOn, noFloat64, strided } from './kernels/index.ts'
import { Machine } from './machine.ts'

/** A backend on a WebGPU device, with the kernels that `info` names. */
export async function openWebgpu(
  device: GPUDevice,
  info: GpuInfo,
  settings: { readonly barriers: boolean; readonly maxBytes: number },
): Promise<GpuBackend> {
  const machine = new Machine(device, settings)
  const backend: Part = info.kernels === 'native' ? native(machine, info) : await translated(machine, info)
  const { copy } = backend.kernels
  return {
    ...backend,
    name: 'gpu',
    // Core keeps the row-major copy of a tensor in its place, so it must be one even while kernels are compiled ahead.
    kernels: {
      ...backend.kernels,
      copy: (inputs, ...rest) =>
        inputs.some(x => x.storage.planned)
          ? copy(inputs, ...rest)
          : machine.really(() => copy(inputs, ...rest)),
    },
    info: () => info,
    counts: () => machine.counts(),
    sync: () => machine.sync(),
    memory: () => machine.memory(),
    dispose: () => machine.close(),
    warmup: (model, example, { onProgress } = {}) =>
      machine.compileAhead(around => rehearse(model, example, around), onProgress),
  }
}

type Part = Pick<GpuBackend, 'build' | 'kernels' | 'strided' | 'write' | 'read' | 'free'>

function native(machine: Machine, { mode, adapter }: GpuInfo): Part {
  return {
    build: `${mode}, ${adapter}`,
    kernels: kernelsOn(machine),
    strided,
    write(data, spec) {
      if (spec.dtype === 'float64') throw noFloat64('tensor')
      return machine.write(data, spec)
    },
    read: operand => machine.read(operand),
    free: storage => machine.free(storage),
  }
}

/** gpu.js's kernels, which come by a chunk of their own. */
async function translated(machine: Machine, info: GpuInfo): Promise<Part> {
  const { gpujsOnWebgpu } = await import('../gpujs/open.ts')
  return gpujsOnWebgpu(machine, info)
}
