import type { BinaryName, UnaryName } from '@heed/core-tensor'
import { erf } from './erf.ts'

/** Functions of one number, by operation name. */
export const unary: Readonly<Record<UnaryName, (x: number) => number>> = {
  neg: x => -x,
  abs: Math.abs,
  sign: x => (Number.isNaN(x) ? 0 : Math.sign(x)),
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  sigmoid: x => {
    const e = Math.exp(-Math.abs(x)) // at most 1: nothing overflows
    return (x < 0 ? e : 1) / (1 + e)
  },
  erf,
}

/** Functions of two numbers, by operation name. */
export const binary: Readonly<Record<BinaryName, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
  equal: (a, b) => Number(a === b),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
}

/** Halves to the even one. */
function roundHalfEven(x: number): number {
  const near = Math.round(x)
  return Math.abs(x % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near
}
