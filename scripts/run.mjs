// One command from a bare checkout, with Node and npm alone:
//   node scripts/run.mjs [script [-- argument ...]]     installs, then runs that script of package.json.
// Several scripts may be named; arguments after `--` go to the last one. HEED_INSTALLED=true says that all is installed.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const cwd = fileURLToPath(new URL('..', import.meta.url))
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`heed: Node ${process.versions.node} is too old; install Node 20.19 or newer`)
  process.exit(1)
}
const { packageManager } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const version = packageManager.slice('pnpm@'.length).split('+')[0]
const env = {
  ...process.env,
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
}
// npm hands its own settings down; each nested npx would warn about those that it does not know.
for (const key of Object.keys(env)) if (/^npm_config_/i.test(key)) delete env[key]
env.npm_config_loglevel = 'error'
env.CI ||= 'true' // nothing asks a question

const shell = process.platform === 'win32'
const found = spawnSync('pnpm', ['--version'], { cwd, env, encoding: 'utf8', shell })
const pnpm =
  found.status === 0 && found.stdout.trim() === version ? ['pnpm'] : ['npx', '--yes', `pnpm@${version}`]

/** @param {string[]} args */
function run(args) {
  const { status, error, signal } = spawnSync(pnpm[0], [...pnpm.slice(1), ...args], {
    cwd,
    env,
    shell,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (error) console.error(error.message)
  if (status !== 0) process.exit(status ?? (signal === 'SIGINT' ? 130 : 1))
}

process.on('SIGINT', () => {}) // the child ends the run, in its own time
if (process.env.HEED_INSTALLED !== 'true')
  run(['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only', '--loglevel=warn'])
const words = process.argv.slice(2)
const split = words.indexOf('--') < 0 ? words.findIndex(word => word.startsWith('-')) : words.indexOf('--')
const scripts = split < 0 ? words : words.slice(0, split)
const rest = split < 0 ? [] : words.slice(words[split] === '--' ? split + 1 : split)
for (const [i, script] of scripts.entries()) run(['run', script, ...(i === scripts.length - 1 ? rest : [])])
