import type { Tensor } from '@heed/core-tensor'
import type { Module } from '@heed/layers'
import type { Case, Named, Tolerance } from './cases.ts'

/** What an adapter gives back: results by the names of the case, and where gradients of parameters may be found. */
export interface Made {
  readonly outputs: Named
  /** The module that holds the parameters, and its names for the case's; the case's own tensors unless given. */
  readonly module?: Pick<Module, 'gradients'>
  readonly rename?: (name: string) => string
}

/** Calls Heed for one kind of case; throws if the numbers it compares by itself differ. */
export type Adapter = (c: Case) => Made | Promise<Made>

/** Thrown by an adapter for an option that Heed does not have yet. */
export class NotImplemented extends Error {}

/** What differs between a tensor and the wanted one; empty where nothing does. */
export async function differences(
  label: string,
  got: Tensor,
  want: Tensor,
  tolerance: Tolerance = { rtol: 0, atol: 0 },
): Promise<string> {
  if (got.shape.join() !== want.shape.join())
    return `${label} is [${got.shape.join(', ')}], wanted [${want.shape.join(', ')}]`
  const [numbers, wanted] = await Promise.all([got.data(), want.data()])
  return differ(label, numbers, wanted, tolerance)
}

/** The same for plain numbers. */
export function differ(
  label: string,
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  { rtol, atol }: Tolerance,
): string {
  for (let i = 0; i < want.length; i++) {
    const [g, w] = [got[i] as number, want[i] as number]
    if (g === w || (Number.isNaN(g) && Number.isNaN(w))) continue
    if (!(Math.abs(g - w) <= atol + rtol * Math.abs(w)))
      return `${label}, element ${i}: got ${g}, wanted ${w} (rtol ${rtol}, atol ${atol})`
  }
  return ''
}
