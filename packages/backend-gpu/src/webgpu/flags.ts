// The flags of the WebGPU specification, which Node has under no global name.

/** GPUBufferUsage */
export const USAGE = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, uniform: 0x40, storage: 0x80 } as const
/** COMPUTE */
export const COMPUTE = 0x4
/** MAP_READ */
export const MAP_READ = 0x1
