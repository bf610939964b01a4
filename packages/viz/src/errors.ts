/**
 * What every function of this package throws when it cannot draw what it was given.
 *
 * The message reads `where: what is wrong, with the values; what to do`.
 */
export class VizError extends Error {
  override readonly name: string = 'VizError'
}
