import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PeerName, packageOf } from './participants.ts'
import { peersFolder } from './places.ts'

/** What can be measured, and why the rest cannot. */
export interface Installed {
  readonly peers: ReadonlySet<PeerName>
  /** A Python that imports torch. */
  readonly python?: string | undefined
  /** One line for each peer that is missing. */
  readonly missing: readonly string[]
}

/** Installs the peers that are asked for, as far as they can be had: one that cannot does not stop the others. */
export async function installPeers(
  wanted: readonly PeerName[],
  { python, say }: { readonly python?: string | undefined; readonly say: (line: string) => void },
): Promise<Installed> {
  const missing: string[] = []
  const packages = wanted.filter(peer => peer !== 'torch')
  if (packages.some(peer => !isInstalled(peer)) && !isAttempted()) {
    say('installing the peers into apps/benchmark/peers (once, about 850 MB)')
    const problem = await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], peersFolder)
    if (problem) say(`npm ci: ${problem}`)
  }
  const peers = new Set<PeerName>(packages.filter(isInstalled))
  for (const peer of packages)
    if (!peers.has(peer)) missing.push(`${peer}: not installed: ${await whyMissing(packageOf[peer])}`)
  const found = wanted.includes('torch') ? findTorch(python) : undefined
  if (found) peers.add('torch')
  else if (wanted.includes('torch'))
    missing.push(
      `torch: no ${python ? python : 'python3 or /usr/bin/python3'} imports torch; install it (Debian: apt-get install python3-torch libopenblas0-openmp; elsewhere: pip install torch) or name a Python with --python`,
    )
  return { peers, python: found, missing }
}

/** As `peers/package.json` pins it. */
function pinned(name: string): string {
  const { optionalDependencies } = JSON.parse(readFileSync(join(peersFolder, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>
  }
  return optionalDependencies[name] ?? ''
}

function isInstalled(peer: PeerName): boolean {
  if (peer === 'torch') return false
  const name = packageOf[peer]
  const file = join(peersFolder, 'node_modules', name, 'package.json')
  if (!existsSync(file)) return false
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version === pinned(name)
}

/** Whether npm has been through since the lockfile changed: what is missing then, it could not get. */
function isAttempted(): boolean {
  const done = join(peersFolder, 'node_modules/.package-lock.json')
  return existsSync(done) && statSync(done).mtimeMs > statSync(join(peersFolder, 'package-lock.json')).mtimeMs
}

/** npm leaves out an optional package that fails, and does not say why: asked for it alone, it does. */
async function whyMissing(name: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'heed-bench-npm-'))
  try {
    const reason = await npm(['pack', `${name}@${pinned(name)}`], folder)
    return (
      reason ||
      'npm left it out, though it can be fetched now; remove apps/benchmark/peers/node_modules and run again'
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Runs npm, without what an outer npm handed down.
 *
 * Install scripts are left out: onnxruntime-node's would download GPU libraries from elsewhere, js-pytorch's would compile.
 *
 * @returns what npm said if it failed, else nothing
 */
async function npm(args: readonly string[], cwd: string): Promise<string> {
  const env: NodeJS.ProcessEnv = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' }
  for (const key of Object.keys(env)) if (/^npm_(config|package|lifecycle)_/i.test(key)) delete env[key]
  const child = spawn('npm', [...args, '--loglevel=error'], {
    cwd,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    shell: process.platform === 'win32',
  })
  let told = ''
  child.stderr.on('data', chunk => {
    told += chunk
  })
  const code = await new Promise<number>(resolve => {
    child.on('error', error => {
      told += `npm error ${error.message}`
      resolve(1)
    })
    child.on('close', status => resolve(status ?? 1))
  })
  if (code === 0) return ''
  const lines = told.split('\n').flatMap(line => /^npm (?:error|ERR!) (.*)$/.exec(line)?.[1] ?? [])
  const telling = lines.filter(line => line.trim() && !/^code |log of this run|\.log$/.test(line))
  return telling[0]?.trim() ?? `npm ended with code ${code}`
}

/** The first Python that imports torch. */
export function findTorch(python?: string): string | undefined {
  const candidates = python ? [python] : ['python3', '/usr/bin/python3']
  return candidates.find(
    one => spawnSync(one, ['-c', 'import torch'], { stdio: 'ignore', timeout: 60_000 }).status === 0,
  )
}
