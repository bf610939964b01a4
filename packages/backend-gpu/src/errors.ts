import { BackendError, MemoryError } from '@heed/core-tensor'

/** No GPU answers where the code runs, or not in the mode that was asked for. */
export class GpuUnavailableError extends BackendError {
  override readonly name: string = 'GpuUnavailableError'
}

/** The device went away: a crash of the driver, a watchdog, a hidden tab, or another program. Tensors on it are gone. */
export class DeviceLostError extends BackendError {
  override readonly name: string = 'DeviceLostError'
}

/** The device has no memory left for a tensor. */
export class OutOfMemoryError extends MemoryError {
  override readonly name: string = 'OutOfMemoryError'
}

/** The driver does not compile a shader of ours. */
export class ShaderError extends BackendError {
  override readonly name: string = 'ShaderError'
}

/** `12.5 MB`, for messages. */
export function bytesText(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GB`
  if (bytes >= 2 ** 20) return `${(bytes / 2 ** 20).toFixed(1)} MB`
  return bytes >= 2 ** 10 ? `${(bytes / 2 ** 10).toFixed(1)} KB` : `${bytes} bytes`
}
