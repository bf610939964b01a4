export { BackendError, ConfigError, DTypeError, FormatError, MemoryError, ShapeError } from './errors.ts'
export { Rng, type RngState, threefry } from './rng.ts'
