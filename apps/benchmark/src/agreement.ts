import type { NamedValues, Values } from './values.ts'

/** How far two libraries are apart. */
export interface Difference {
  /** The largest distance of two elements, as a share of the root mean square of the first library's. */
  readonly share: number
  /** Where that is, in words. */
  readonly where: string
}

/** Compares what two libraries computed; `NaN` and shapes that differ are infinitely far. */
export function compare(ours: NamedValues, theirs: NamedValues): Difference {
  const missing = Object.keys(ours).filter(name => !theirs[name])
  if (missing.length) return { share: Number.POSITIVE_INFINITY, where: `no ${missing.join(', ')}` }
  let worst: Difference = { share: 0, where: 'nowhere' }
  for (const [name, mine] of Object.entries(ours)) {
    const found = distance(name, mine, theirs[name] as Values)
    if (found.share > worst.share) worst = found
  }
  return worst
}

function distance(name: string, ours: Values, theirs: Values): Difference {
  if (ours.data.length !== theirs.data.length)
    return {
      share: Number.POSITIVE_INFINITY,
      where: `${name} is [${theirs.shape.join(', ')}], Heed's [${ours.shape.join(', ')}]`,
    }
  let squares = 0
  for (const x of ours.data) squares += x * x
  const scale = Math.sqrt(squares / ours.data.length) || 1
  let most = 0
  let at = 0
  for (let i = 0; i < ours.data.length; i++) {
    const gap = Math.abs((ours.data[i] as number) - (theirs.data[i] as number))
    if (gap > most || Number.isNaN(gap)) {
      most = Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap
      at = i
      if (most === Number.POSITIVE_INFINITY) break
    }
  }
  return {
    share: most / scale,
    where: `${name}, element ${at}: ${theirs.data[at]}, Heed ${ours.data[at]}`,
  }
}

/** Why a peer is not timed: what it computes is not what Heed computes. Empty where it is. */
export function disagreement(ours: NamedValues, theirs: NamedValues, tolerance: number): string {
  const { share, where } = compare(ours, theirs)
  if (share <= tolerance) return ''
  return `differs from Heed by ${share.toPrecision(2)} of the values' root mean square, ${tolerance} is allowed (${where})`
}

/** Why a result proves nothing: it is all zeros, or not finite. Empty where it does. */
export function emptiness(values: NamedValues): string {
  for (const [name, { data }] of Object.entries(values)) {
    if (data.some((x: number) => !Number.isFinite(x))) return `${name} is not finite`
    if (data.every((x: number) => x === 0)) return `${name} is all zeros`
  }
  return ''
}
