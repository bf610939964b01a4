import { conforms } from './conformance.ts'

// WebGL2 exists here alone. All cases on WebGPU run in Node, on the same adapter; here one in six of those that WebGL2 has computed
// the reference for.
conforms('WebGL2 in Chromium', { mode: 'webgl2' })
conforms('WebGPU in Chromium', { mode: 'webgpu' }, { every: 6 })
conforms('WebGPU in Chromium, gpu.js', { mode: 'webgpu', kernels: 'gpu.js' }, { every: 6 })
