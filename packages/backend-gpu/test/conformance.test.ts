import { useSoftwareAdapter } from '../src/testing/index.ts'
import { conforms } from './conformance.ts'

await useSoftwareAdapter()
conforms('WebGPU in Node', { mode: 'webgpu' })
