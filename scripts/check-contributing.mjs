// Follows CONTRIBUTING.md: in a copy of the working tree, puts every block of "Adding something" where it says, checks types and
// lint, and runs the commands, which must pass.
//   node scripts/check-contributing.mjs [--keep]
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { exec } from './packages/exec.mjs'
import { root } from './packages/packed.mjs'

const copy = mkdtempSync(join(tmpdir(), 'heed-contributing-'))
const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
  cwd: root,
  maxBuffer: 2 ** 28,
})
for (const file of listed.toString().split('\0')) {
  if (!file || !existsSync(join(root, file)) || /^apps\/(?!goldens)/.test(file)) continue
  mkdirSync(dirname(join(copy, file)), { recursive: true })
  cpSync(join(root, file), join(copy, file))
}
for (const folder of readdirSync(join(root, 'packages')).map(name => `packages/${name}`))
  for (const made of ['src/generated', 'node_modules'])
    if (existsSync(join(root, folder, made)))
      cpSync(join(root, folder, made), join(copy, folder, made), { recursive: true, verbatimSymlinks: true })
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))

const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
const start = text.indexOf('## Adding something')
const part = text.slice(start, text.indexOf('\n## ', start))
const changed = new Set()
const commands = []
for (const [, language, info, code] of part.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```/gm)) {
  if (language === 'sh') commands.push(...code.trim().split('\n'))
  else changed.add(put(info.replace('no-run: ', ''), code))
}

/** Puts a block where it says. @returns the file */
function put(where, code) {
  const [, newFile] = /^new file (\S+)$/.exec(where) ?? []
  const [, grown] = /^at the end of (\S+)$/.exec(where) ?? []
  const [, file, line] = /^in (\S+), below `(.*)`$/.exec(where) ?? []
  const path = newFile ?? grown ?? file
  if (!path)
    throw new Error(`CONTRIBUTING.md: a block is for “${where}”; say new file, at the end of, or in …, below`)
  const full = join(copy, path)
  if (newFile && existsSync(full)) throw new Error(`CONTRIBUTING.md: ${path} is there already`)
  if (newFile) writeFileSync(full, code)
  else {
    const lines = readFileSync(full, 'utf8').split('\n')
    const at = line === undefined ? lines.length : lines.findIndex(other => other.trim() === line) + 1
    if (!at) throw new Error(`CONTRIBUTING.md: ${path} has no line “${line}”`)
    lines.splice(at, 0, ...(grown ? [code.trimEnd(), ''] : code.trimEnd().split('\n')))
    writeFileSync(full, lines.join('\n'))
  }
  return path
}

const failures = []
const attempt = async (name, body) => {
  const began = performance.now()
  await body().then(
    () => console.log(`${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`),
    error => failures.push(`${name}\n${error.message}`),
  )
}
const bin = name => join(copy, 'node_modules/.bin', name)
await attempt('types', async () => {
  const all = await exec(bin('tsc'), ['-p', 'tsconfig.check.json'], { cwd: copy }).catch(
    error => error.message,
  )
  const ours = all.split('\n').filter(line => [...changed].some(file => line.startsWith(file)))
  if (ours.length) throw new Error(ours.join('\n'))
})
await attempt('lint', () => exec(bin('biome'), ['lint', '--vcs-enabled=false', ...changed], { cwd: copy }))
for (const command of commands)
  await attempt(command, () => exec('bash', ['-c', command], { cwd: copy, env: { CI: 'true' } }))
if (process.argv.includes('--keep')) console.log(`kept: ${copy}`)
else rmSync(copy, { recursive: true })
if (failures.length) {
  console.error(failures.join('\n\n'))
  process.exitCode = 1
} else
  console.log(`${changed.size} files changed as CONTRIBUTING.md says; ${commands.length} commands passed`)
