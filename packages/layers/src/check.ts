import { ConfigError, ShapeError, type Tensor } from '@heed/core-tensor'

/** @throws ConfigError naming every setting that is not a whole number of `least` or more */
export function checkWhole(where: string, settings: Readonly<Record<string, number>>, least = 0): void {
  const wrong = Object.entries(settings).filter(([, n]) => !Number.isSafeInteger(n) || n < least)
  if (wrong.length)
    throw new ConfigError(
      `${where}: ${wrong.map(([name, n]) => `${name} is ${n}`).join(', ')}; use whole numbers of ${least} or more`,
    )
}

/** @throws ShapeError naming all tensors unless each has a number of axes that is allowed */
export function checkAxes(
  where: string,
  tensors: Readonly<Record<string, Tensor>>,
  allowed: (axes: number) => boolean,
  use: string,
): void {
  if (Object.values(tensors).every(x => allowed(x.shape.length))) return
  const given = Object.entries(tensors).map(([name, x]) => `${name} [${x.shape.join(', ')}]`)
  throw new ShapeError(`${where}: ${given.join(', ')}; use ${use}`)
}

/** Two axes or more. */
export const matrices = (axes: number): boolean => axes >= 2
