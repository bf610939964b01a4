import type { Backend } from './backend.ts'
import { BackendError } from './errors.ts'

let chosen: Backend | undefined

/** Makes a backend the one that new tensors are created on, unless they name another. */
export function setBackend(backend: Backend): void {
  chosen = backend
}

/** The backend that new tensors are created on. @throws BackendError if none was set */
export function getBackend(): Backend {
  if (!chosen)
    throw new BackendError('no backend: call setBackend(await cpu()) first, with cpu from @heed/backend-cpu')
  return chosen
}
