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

/** The error of a kernel that meets an index outside its tensor: found only when the numbers are read. */
export class IndexError extends Error {
  override readonly name: string = 'IndexError'
}

/** `take: index 12 is outside 0 … 9` */
export function outside(where: string, index: number, length: number): IndexError {
  return new IndexError(
    length > 0
      ? `${where}: index ${index} is outside 0 to ${length - 1}; check the indices`
      : `${where}: index ${index} into an axis of length 0; check the indices`,
  )
}
