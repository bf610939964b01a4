import type { Options } from 'tsup'

/** How every package is built: ES modules for any platform; declarations come from tsc. */
export const library: Options = {
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  dts: false,
  sourcemap: true,
  clean: true,
  treeshake: false,
}
