import { InvalidArgumentError } from 'commander'

/** Reads a whole number of 1 or more. */
export function whole(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('Give a whole number of 1 or more.')
  return value
}

const MOST_LINES = 10_000_000

/** Reads how many examples to make: no more than fit into memory. */
export function lines(text: string): number {
  const value = whole(text)
  if (value > MOST_LINES) throw new InvalidArgumentError('Give at most 10,000,000.')
  return value
}

/** Reads a whole number. */
export function integer(text: string): number {
  const value = Number(text)
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('Give a whole number.')
  return value
}

/** Reads a number above 0. */
export function positive(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('Give a number above 0.')
  return value
}

/** Reads a number of 0 or more. */
export function weight(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('Give a number of 0 or more.')
  return value
}

/** Reads a share. */
export function share(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value < 1))
    throw new InvalidArgumentError('Give a share from 0 to below 1.')
  return value
}
