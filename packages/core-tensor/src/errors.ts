/** Shapes do not fit together. The message names the operation, the shapes and the axis. */
export class ShapeError extends Error {
  override readonly name: string = 'ShapeError'
}

/** A tensor has a type of number that the operation does not take. */
export class DTypeError extends Error {
  override readonly name: string = 'DTypeError'
}

/** A backend cannot do what was asked, or tensors of two backends met. */
export class BackendError extends Error {
  override readonly name: string = 'BackendError'
}

/** A setting, option or argument has a value that makes no sense. */
export class ConfigError extends Error {
  override readonly name: string = 'ConfigError'
}

/** A tensor was used after its memory had been given back, or memory ran out. */
export class MemoryError extends Error {
  override readonly name: string = 'MemoryError'
}

/** Data in a file or buffer is damaged or of another format. */
export class FormatError extends Error {
  override readonly name: string = 'FormatError'
}
