import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { chromium } from 'playwright'
import type { PeerName } from '../participants.ts'
import { versionOfPeer } from '../peers/load.ts'
import { pageSource, peersFolder } from '../places.ts'
import type { Pages } from '../protocol.ts'

/** The packages of each peer: by the name that its side asks for, what a page imports. */
const packages: Readonly<Partial<Record<PeerName, Readonly<Record<string, string>>>>> = {
  'ort-web': { 'onnxruntime-web': 'onnxruntime-web/wasm' }, // without its WebGPU part
  'jax-js': { '@jax-js/jax': '@jax-js/jax' },
  tfjs: {
    '@tensorflow/tfjs': '@tensorflow/tfjs',
    '@tensorflow/tfjs-backend-wasm': '@tensorflow/tfjs-backend-wasm',
  },
  'js-pytorch': { 'js-pytorch': 'js-pytorch' },
  'tfjs-webgpu': {
    '@tensorflow/tfjs': '@tensorflow/tfjs',
    '@tensorflow/tfjs-backend-webgpu': '@tensorflow/tfjs-backend-webgpu',
  },
  'tfjs-webgl': { '@tensorflow/tfjs': '@tensorflow/tfjs' },
  'jax-webgpu': { '@jax-js/jax': '@jax-js/jax' },
  'ort-webgpu': { 'onnxruntime-web': 'onnxruntime-web/webgpu' },
}

const options: BuildOptions = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  platform: 'browser',
  logLevel: 'silent',
}

/** What was bundled, and why the rest was not. */
export interface Bundled {
  readonly pages: Pages
  readonly failed: ReadonlyMap<PeerName, string>
}

/**
 * Bundles Heed with all workloads, and each peer by itself: one that cannot be bundled does not stop the others.
 *
 * @throws Error if there is no Chromium, or Heed itself cannot be bundled
 */
export async function bundlePages(folder: string, peers: readonly PeerName[]): Promise<Bundled> {
  const pages = { folder, chromium: findChromium() }
  mkdirSync(folder, { recursive: true })
  const failed = new Map<PeerName, string>()
  const heed = build({
    ...options,
    entryPoints: { page: pageSource },
    outdir: folder,
    splitting: true, // the GPU backend and gpu.js are loaded where they are used
    conditions: ['@heed/source'],
    ignoreAnnotations: true, // `sideEffects: false` holds for built packages, whose modules are one file
  })
  const others = peers.map(peer =>
    bundlePeer(folder, peer).catch(error => {
      const [first] = (error as { errors?: { text: string }[] }).errors ?? []
      failed.set(peer, `cannot be bundled for a page: ${first?.text ?? error}`)
    }),
  )
  await Promise.all([heed, ...others])
  return { pages, failed }
}

async function bundlePeer(folder: string, peer: PeerName): Promise<void> {
  const own = Object.entries(packages[peer] ?? {})
  if (own.length === 0) throw new Error('it does not run in a page')
  const versions = Object.fromEntries(own.map(([name]) => [name, versionOfPeer(name)]))
  const contents = [
    ...own.map(([, from], i) => `import * as p${i} from ${JSON.stringify(from)}`),
    `export const packages = { ${own.map(([name], i) => `${JSON.stringify(name)}: p${i}['default'] ?? p${i}`).join(', ')} }`,
    `export const versions = ${JSON.stringify(versions)}`,
  ].join('\n')
  await build({
    ...options,
    stdin: { contents, resolveDir: peersFolder },
    outfile: join(folder, `${peer}.js`),
    conditions: ['onnxruntime-web-use-extern-wasm'],
  })
}

/** The first Chromium that is there. @throws Error saying how to get one */
export function findChromium(): string {
  const named = process.env.CHROMIUM
  const candidates = named ? [named] : ['/usr/bin/chromium', chromium.executablePath()]
  const found = candidates.find(one => existsSync(one))
  if (!found)
    throw new Error(
      `no Chromium at ${candidates.join(' or ')}; install it (Debian: apt-get install chromium; elsewhere: npx playwright install chromium) or name one in the variable CHROMIUM`,
    )
  return found
}
