import { defineConfig } from 'tsup'

// How every package is built: ES modules for any platform; declarations come from tsc. Entries come by command line.
export default defineConfig({
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  dts: false,
  sourcemap: true,
  clean: true,
  treeshake: false,
})
