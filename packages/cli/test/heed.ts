import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const bundle = join(root, 'generated', 'heed.mjs')

/** Bundles the command from its sources, so that tests run what a user runs without a build first. Files tested at once do so too. */
export async function bundleHeed(): Promise<void> {
  const mine = join(root, 'generated', `heed-${process.pid}.mjs`)
  await build({
    entryPoints: [join(root, 'src/main.ts')],
    outfile: mine,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@heed/source'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
    },
    logLevel: 'error',
  })
  renameSync(mine, bundle) // nobody reads half a file
}

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface HeedOptions {
  readonly cwd: string
  readonly stdin?: string
  /** A shell prefix such as `ulimit -f 100;`. */
  readonly shell?: string
  readonly uid?: number
  /** Sees the process while it runs. */
  readonly during?: (child: ChildProcess) => void
}

/** Runs `heed` with arguments. */
export function heed(
  args: readonly string[],
  { cwd, stdin = '', shell, uid, during }: HeedOptions,
): Promise<Ended> {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
  const [command, words] = shell
    ? ['bash', ['-c', `${shell} exec ${[process.execPath, bundle, ...args].map(quoted).join(' ')}`]]
    : [process.execPath, [bundle, ...args]]
  const child = spawn(command as string, words as string[], {
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
    env: { ...process.env, NO_COLOR: '1' },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  child.stdin.on('error', () => {}).end(stdin)
  during?.(child)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

/** A folder that is there for one test. */
export async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'heed-'))
  try {
    return await body(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
