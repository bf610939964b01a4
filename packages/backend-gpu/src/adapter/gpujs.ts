// The only importer of gpu.js (2.24.1, exactly). Two of its classes, by path: its entry brings four more backends, and the browser
// build puts a GPU of its own in place of the browser's interface of that name.
// @ts-expect-error: it declares nothing for this file
import { WebGL2Kernel } from 'gpu.js/src/backend/web-gl2/kernel.js'
// @ts-expect-error: nor for this one
import { WebGPUKernel } from 'gpu.js/src/backend/web-gpu/kernel.js'
import type { KernelText } from '../gpujs/text.ts'

/** A function written in the shader's own language, as far as gpu.js must know it. */
interface NativeSettings {
  readonly name: string
  readonly source: string
  readonly argumentTypes: readonly string[]
  readonly argumentNames: readonly string[]
  readonly returnType: string
}

/** What is used of the classes: their own declarations leave most of it out. */
interface GpujsKernel {
  nativeFunctions: NativeSettings[] | null
  output: readonly number[]
  build(...values: readonly unknown[]): unknown
}

interface WebGpuKernel extends GpujsKernel {
  readonly compiledSource: string
  _buildAsync(): Promise<void>
}

interface WebGl2Kernel extends GpujsKernel {
  readonly framebuffer: WebGLFramebuffer
  readonly fallbackRequested: boolean
  readonly fallbackReason: string | null
  readonly compiledFragmentShader: string
  /** Where it draws: a texture, in gpu.js's wrapping. */
  texture: OutputTexture & { delete?(): void }
  threadDim: readonly number[]
  texSize: Int32Array
  maxTexSize: Int32Array
  switchingKernels: unknown
  run(...values: readonly unknown[]): void
}

/** What gpu.js asks of a texture that it draws into. */
interface OutputTexture {
  readonly texture: WebGLTexture
  beforeMutate(): boolean
}

/** What gpu.js asks of a texture that it reads from. */
export interface InputTexture {
  readonly texture: WebGLTexture
  readonly context: WebGL2RenderingContext
  /** Texels along x, a power of two, and its logarithm: what {@link FETCH} takes. */
  readonly size: Int32Array
  /** Elements along x, y and z. */
  readonly dimensions: Int32Array
  readonly type: 'ArrayTexture(1)'
}

type KernelClass<K> = new (source: string, settings: object) => K

/** Settings that every kernel shares. Loops would end at 1000 rounds without the limit set. */
const SETTINGS = {
  output: [1],
  pipeline: true,
  dynamicOutput: true,
  dynamicArguments: true,
  precision: 'single',
  tactic: 'precision',
  returnType: 'Number',
  loopMaxIterations: 2 ** 30,
} as const

function create<K extends GpujsKernel>(
  Kernel: KernelClass<K>,
  { tensors, ints, floats, body, natives }: KernelText,
  settings: Readonly<Record<string, unknown>>,
): K {
  const source = `function (${[...tensors, ...ints, ...floats].join(', ')}) {\n${body}\n}`
  const kernel = new Kernel(source, {
    ...SETTINGS,
    ...settings,
    argumentTypes: [
      ...tensors.map(() => settings.tensorType),
      ...ints.map(() => 'Integer'),
      ...floats.map(() => 'Float'),
    ],
  })
  kernel.nativeFunctions = natives.map(({ name, takes, gives }) => ({
    name,
    source: '',
    argumentTypes: takes,
    argumentNames: takes.map((_, i) => `a${i}`),
    returnType: gives,
  }))
  return kernel
}

/**
 * A kernel in WGSL, as gpu.js translates it: `params` at binding 0 (lengths of the result and of the dispatch's rows, lengths of each
 * tensor, numbers), the tensors after it, and the result last.
 */
export function toWgsl(text: KernelText): string {
  const kernel = create(WebGPUKernel as KernelClass<WebGpuKernel>, text, { tensorType: 'Input' })
  kernel._buildAsync = () => Promise.resolve() // compiled and launched by our own recorder, with everything else
  kernel.build(...text.tensors, ...text.ints, ...text.floats)
  const names = new RegExp(`\\bfn_(${text.natives.map(({ name }) => name).join('|')})\\(`, 'g')
  const code = text.natives.length ? kernel.compiledSource.replace(names, '$1(') : kernel.compiledSource
  checkIndices(text.name, code)
  return `${text.prelude.wgsl}\n${code}`
}

/**
 * Looks whether a whole number becomes a float on its way to an index: gpu.js does that to local variables, and to what it takes for a
 * list of expressions. An index past 2²⁴ would then be a wrong one. (A float that is an index by itself, a tensor's element, is written
 * `placeAt` or `rowAt`.)
 *
 * @throws Error, which only a mistake in a kernel's text can bring about
 */
export function checkIndices(name: string, code: string): void {
  const variables = new Set(
    [...code.matchAll(/(?:\bvar user_(\w+) : f32|\bfloat user_(\w+)=)/g)].map(([, w, g]) => w ?? g),
  )
  for (const { index, 0: start } of code.matchAll(/(?:Dim, |\bget_user_\w+\()0, 0, (?:int\(|i32\()?/g)) {
    const from = index + start.length
    const expression = code.slice(from, closing(code, from))
    if (/^(placeAt|rowAt)\(/.test(expression)) continue
    const outside = withoutCalls(expression)
    const float = [...outside.matchAll(/\buser_(\w+)/g)].some(([, variable]) => variables.has(variable))
    if (
      float ||
      start.endsWith('int(') ||
      /hoistSeq|\b(f32|float)\(/.test(expression.replace(/(placeAt|rowAt)\(.*/, ''))
    )
      throw new Error(`internal: ${name} holds an index in a float: ${expression}`)
  }
}

/** Where the parenthesis or the list of arguments ends that a place in some code is inside of. */
function closing(code: string, from: number): number {
  let depth = 0
  for (let i = from; i < code.length; i++) {
    if (code[i] === '(') depth++
    else if (code[i] === ')' && depth-- === 0) return i
  }
  return code.length
}

/** An expression without what it calls. */
function withoutCalls(expression: string): string {
  let rest = ''
  for (let i = 0; i < expression.length; i++) {
    if (expression[i] === '(' && /\w/.test(expression[i - 1] ?? '')) i = closing(expression, i + 1)
    else rest += expression[i]
  }
  return rest
}

/** A kernel on WebGL2. */
export interface GlProgram {
  /** The fragment shader. */
  readonly code: string
  /** Computes the first `rows · width` elements of a texture of that width. */
  run(output: WebGLTexture, width: number, rows: number, values: readonly unknown[]): void
}

/** How gpu.js's shaders read an element, by dividing with remainder and by coordinates in [0, 1]. */
const READ =
  /float getFloatFromSampler2D\(sampler2D tex, ivec2 texSize, ivec3 texDim, int z, int y, int x\) \{[^}]*\}/

/**
 * The same by a mask and a shift: textures here are a power of two wide, and `texSize` says which. Nothing is rounded, and products take
 * a tenth to a third less time on SwiftShader.
 */
const FETCH = `float getFloatFromSampler2D(sampler2D tex, ivec2 texSize, ivec3 texDim, int z, int y, int x) {
  return texelFetch(tex, ivec2(x & (texSize.x - 1), x >> texSize.y), 0).x;
}`

const Base: { new (source: string, settings: object): WebGl2Kernel; readonly fragmentShader: string } =
  WebGL2Kernel

class FetchingKernel extends Base {
  static override get fragmentShader(): string {
    const shader = Base.fragmentShader
    if (!READ.test(shader)) throw new Error('internal: gpu.js reads textures in another way than 2.24.1 does')
    return shader.replace(READ, FETCH)
  }
}

/** Compiles a kernel for WebGL2; `values` are arguments of the types that it will see. @throws Error where the driver does not compile it */
export function toGl(
  text: KernelText,
  context: WebGL2RenderingContext,
  values: readonly unknown[],
): GlProgram {
  const kernel = create<WebGl2Kernel>(FetchingKernel, text, {
    tensorType: 'ArrayTexture(1)',
    context,
    canvas: context.canvas,
    injectedNative: text.prelude.glsl,
    fixIntegerDivisionAccuracy: false,
    validate: false, // its checks open a context of their own, of the 16 that a page has
  })
  kernel.build(...values)
  if (kernel.fallbackRequested) throw new Error(`gpu.js would fall back: ${kernel.fallbackReason}`)
  kernel.texture.delete?.()
  checkIndices(text.name, kernel.compiledFragmentShader)
  const gl = context
  return {
    code: kernel.compiledFragmentShader,
    run(texture, width, rows, values) {
      kernel.output = [width * rows]
      kernel.threadDim = [width * rows, 1, 1]
      kernel.texSize = Int32Array.of(width, rows)
      kernel.maxTexSize = kernel.texSize
      kernel.texture = { texture, beforeMutate: () => false }
      gl.bindFramebuffer(gl.FRAMEBUFFER, kernel.framebuffer)
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0)
      gl.viewport(0, 0, width, rows)
      kernel.run(...values)
      if (kernel.switchingKernels)
        throw new Error('internal: gpu.js wants to compile a kernel for other arguments')
    },
  }
}
