// tensors

// the seam, for new operations, interpreters and backends
export type {
  Backend,
  BinaryName,
  Kernel,
  Kernels,
  MemoryReport,
  Operand,
  PrimitiveName,
  UnaryName,
} from './backend.ts'
// gradients and memory
export { type BackwardOptions, differentiating } from './backward.ts'
export {
  arange,
  type CreateOptions,
  eye,
  full,
  linspace,
  normal,
  ones,
  type RandomOptions,
  tensor,
  uniform,
  zeros,
  zerosLike,
} from './creation.ts'
export { getBackend, setBackend } from './current.ts'
export { checkpoint, type GradientsOptions, grad, gradients } from './differentiate.ts'
export { apply, applyAll, type Interpreter, interpret } from './dispatch.ts'
// errors
export {
  BackendError,
  ConfigError,
  DTypeError,
  FormatError,
  IndexError,
  MemoryError,
  outside,
  ShapeError,
} from './errors.ts'
// functions
export * from './functional/activations.ts'
export * from './functional/arrange.ts'
export { einsum } from './functional/einsum.ts'
export * from './functional/logic.ts'
export * from './functional/lookup.ts'
export * from './functional/network.ts'
export * from './functional/random.ts'
export * from './functional/statistics.ts'
export { gradEnabled, noGrad } from './gradMode.ts'
export { memory, scope } from './memory.ts'
export type { Args, Attrs, NoAttrs, Op, Tape } from './op.ts'
export * as ops from './ops/index.ts'
export { Parameter, type ParameterOptions } from './parameter.ts'
export { defaultRng, manualSeed, Rng, type RngState, threefry, withRng } from './rng.ts'
// files
export { readSafetensors, type SafetensorsFile, writeSafetensors } from './safetensors.ts'
export {
  axesOf,
  axisOf,
  broadcast,
  bytesPerElement,
  type DType,
  isDense,
  isFloat,
  type Layout,
  type Nested,
  rowMajor,
  rowsOf,
  type Shape,
  sizeOf,
  stretch,
  type TensorSpec,
  type TypedArray,
  typedArray,
} from './shape.ts'
export { type KeepDims, keep, type Range, Tensor } from './tensor.ts'
