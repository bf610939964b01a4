import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** npm's settings, which a nested npm or pnpm would take for its own. */
const ENV = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_config_/i.test(key)))

/**
 * Runs a program. @returns {Promise<string>} what it wrote to stdout
 * @throws Error with all it wrote, unless it ends with 0
 */
export function exec(command, args, { cwd, env = {}, timeout = 300_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...ENV, npm_config_loglevel: 'error', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
    })
    let out = ''
    let all = ''
    child.stdout.on('data', text => {
      out += text
      all += text
    })
    child.stderr.on('data', text => {
      all += text
    })
    child.once('error', reject)
    child.once('close', (code, signal) =>
      code === 0
        ? resolve(out)
        : reject(new Error(`${command} ${args.join(' ')} (${signal ?? code}):\n${all.trim()}`)),
    )
  })
}

/** Does it for each, so many at a time, in order. */
export async function forEach(items, atOnce, body) {
  const results = []
  let next = 0
  await Promise.all(
    Array.from({ length: Math.min(atOnce, items.length) }, async () => {
      while (next < items.length) {
        const i = next++
        results[i] = await body(items[i], i)
      }
    }),
  )
  return results
}

const { packageManager } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

/** Runs the pnpm that is pinned, wherever this was started from. */
export function pnpm(args, options) {
  return exec('npx', ['--yes', packageManager, ...args], options)
}
