import { useSoftwareAdapter } from '../src/testing/index.ts'
import { conforms } from './conformance.ts'

// In one file, so that the reference computes each case once.
await useSoftwareAdapter()
conforms('WebGPU in Node', { mode: 'webgpu' })
conforms('WebGPU in Node, gpu.js', { mode: 'webgpu', kernels: 'gpu.js' })
// What other kernels compute on hardware than on adapters in software.
conforms(
  'WebGPU in Node, where threads wait for each other',
  { mode: 'webgpu', barriers: true },
  { operations: ['matmul', 'linear', 'sum', 'prod', 'max', 'min', 'argmax', 'argmin'] },
)
