/** The builds of the kernels: the same source with another tile. The first that the engine accepts is used. */
export const builds = [
  // Relaxed SIMD: multiply and add in one instruction. The best tile for 128-bit registers.
  { name: 'fma', rows: 6, columns: 8, fused: true },
  // SIMD as every engine has it, the same bits on every machine. Products need a register of their own: one row less.
  { name: 'exact', rows: 5, columns: 8, fused: false },
]
