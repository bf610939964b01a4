import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'

const source: BuildOptions = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  conditions: ['@heed/source'],
  ignoreAnnotations: true, // `sideEffects: false` holds for the built package, whose modules are one file
  logLevel: 'silent',
}

/** How a process ended. */
export interface Ended {
  /** Exit code; null if it had to be killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A program of this folder, ready to be run in processes of its own. */
export interface Program {
  run(...words: string[]): Promise<Ended>
  remove(): void
}

/** How long a process may take before it counts as hanging: far more than any needs on a busy machine. */
const PATIENCE = 45_000

export async function program(file: string): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'heed-'))
  const path = join(folder, 'program.mjs')
  const entry = fileURLToPath(new URL(file, import.meta.url))
  await build({ ...source, entryPoints: [entry], outfile: path, platform: 'node' })
  return {
    run: (...words) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, ['--expose-gc', path, ...words], { timeout: PATIENCE })
        const [stdout, stderr]: [string[], string[]] = [[], []]
        child.stdout.on('data', text => stdout.push(String(text)))
        child.stderr.on('data', text => stderr.push(String(text)))
        child.on('error', reject)
        child.on('close', code => resolve({ code, stdout: stdout.join(''), stderr: stderr.join('') }))
      }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
