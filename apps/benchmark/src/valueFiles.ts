import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { type Entry, type NamedValues, packValues, unpackValues } from './values.ts'

/** Writes `PATH.json` and `PATH.bin`. */
export function writeValues(path: string, values: NamedValues): void {
  const { entries, parts } = packValues(values)
  writeFileSync(`${path}.bin`, Buffer.concat(parts))
  writeFileSync(`${path}.json`, JSON.stringify(entries))
}

/** What {@link writeValues} wrote, or the Python side, or a page. */
export function readValues(path: string): NamedValues {
  const entries = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as readonly Entry[] // we wrote it
  const file = openSync(`${path}.bin`, 'r')
  try {
    return unpackValues(entries, (into, offset) => readSync(file, into, 0, into.byteLength, offset))
  } finally {
    closeSync(file)
  }
}
