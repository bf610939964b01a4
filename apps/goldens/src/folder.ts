import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Backend, FormatError } from '@heed/core-tensor'
import { type Case, casesOf } from './cases.ts'
import { type Result, runCases } from './run.ts'

/** Every case of every group file in a folder, its tensors on a backend. @throws FormatError for files of another schema */
export function loadCases(folder: string, backend: Backend): Case[] {
  const files = readdirSync(folder)
    .filter(name => name.endsWith('.json'))
    .sort()
  if (!files.length)
    throw new FormatError(`goldens: ${folder} holds no .json files; give a folder of golden groups`)
  const read = (name: string): Uint8Array => readFileSync(join(folder, name))
  return files.flatMap(name => casesOf({ name, text: new TextDecoder().decode(read(name)), read }, backend))
}

/** Compares a backend with every case of a folder. */
export function runGoldens(folder: string, backend: Backend): AsyncIterable<Result> {
  return runCases(loadCases(folder, backend), backend)
}
