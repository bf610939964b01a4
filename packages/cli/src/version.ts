import { readFileSync } from 'node:fs'

/** This package's version, from the file beside it. */
export const version: string = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
).version
