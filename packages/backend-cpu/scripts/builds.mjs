/** The builds of the kernels: the same source with another tile. The first that the engine accepts is used. */
export const builds = [
  // For engines that widen pairs of 128-bit vectors to 256 bits; only where asked for, see src/machine/builds.ts.
  { name: 'wide', rows: 6, columns: 16, fused: true, paired: true },
  // Relaxed SIMD: multiply and add in one instruction. The best tile for 128-bit registers.
  { name: 'fma', rows: 6, columns: 8, fused: true },
  // SIMD as every engine has it, the same bits on every machine. Products need a register of their own: one row less.
  { name: 'exact', rows: 5, columns: 8, fused: false },
]
