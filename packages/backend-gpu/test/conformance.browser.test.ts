import { conforms } from './conformance.ts'

// All cases run in Node, on the same adapter; here one in six, as they take a minute.
conforms('WebGPU in Chromium', { mode: 'webgpu' }, 6)
