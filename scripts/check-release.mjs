// Tries a release on this machine: in a copy of the working tree, `changeset version`, `npm publish --dry-run` of every package,
// then a real publication to a registry of its own, from which an empty project installs. Needs built packages
// (`npm run build`). Nothing leaves the machine. What cannot be tried here is npm's own registry, and provenance, which only a
// runner of GitHub can sign.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { exec } from './packages/exec.mjs'
import { root } from './packages/packed.mjs'
import { emptyProject, npmInstall } from './packages/project.mjs'
import { startRegistry } from './packages/registry.mjs'

const dir = mkdtempSync(join(tmpdir(), 'heed-release-check-'))
const copy = join(dir, 'heed')
const git = (...args) => execFileSync('git', args, { cwd: copy, stdio: 'pipe' })
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
  cwd: root,
  maxBuffer: 2 ** 28,
})
for (const file of files.toString().split('\0').filter(Boolean)) {
  if (!existsSync(join(root, file)) || file.startsWith('apps/docs/')) continue
  mkdirSync(dirname(join(copy, file)), { recursive: true })
  cpSync(join(root, file), join(copy, file))
}
const folders = readdirSync(join(root, 'packages'))
for (const folder of folders)
  for (const made of ['dist', 'src/generated', 'node_modules'])
    if (existsSync(join(root, 'packages', folder, made)))
      cpSync(join(root, 'packages', folder, made), join(copy, 'packages', folder, made), {
        recursive: true,
        verbatimSymlinks: true,
      })
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
git('init', '-q', '-b', 'main')
git('add', '-A')
git('-c', 'user.name=release', '-c', 'user.email=release@localhost', 'commit', '-qm', 'As it is')

const manifest = path => JSON.parse(readFileSync(join(copy, path, 'package.json'), 'utf8'))
const apps = readdirSync(join(copy, 'apps')).map(app => `apps/${app}`)
const before = new Map(
  [...folders.map(folder => `packages/${folder}`), ...apps].map(path => [path, manifest(path).version]),
)
const announced = new Set(
  readdirSync(join(copy, '.changeset'))
    .filter(name => name.endsWith('.md') && name !== 'README.md')
    .flatMap(name => [
      ...readFileSync(join(copy, '.changeset', name), 'utf8').matchAll(/^'(@heed\/[\w-]+)':/gm),
    ])
    .map(match => match[1]),
)
await exec(join(copy, 'node_modules/.bin/changeset'), ['version'], { cwd: copy })
const wrong = []
for (const folder of folders) {
  const path = `packages/${folder}`
  const { name, version } = manifest(path)
  const bumped = version !== before.get(path)
  console.log(`${name} ${before.get(path)} → ${version}`)
  if (announced.has(name) && !bumped) wrong.push(`${name} has a changeset and keeps its version`)
  const log = join(copy, path, 'CHANGELOG.md')
  if (bumped && !(existsSync(log) && readFileSync(log, 'utf8').includes(`## ${version}\n`)))
    wrong.push(`${name} has no changelog of ${version}`)
}
for (const app of apps)
  if (manifest(app).version !== before.get(app)) wrong.push(`${app} is private and got a version`)
if (wrong.length) throw new Error(wrong.join('\n'))

const registry = await startRegistry([])
writeFileSync(join(dir, '.npmrc'), `//${new URL(registry.url).host}/:_authToken=none\n`)
const release = (...flags) =>
  exec(process.execPath, ['scripts/release.mjs', '--registry', registry.url, ...flags], {
    cwd: copy,
    env: { npm_config_userconfig: join(dir, '.npmrc') },
  })
process.stdout.write(await release('--dry-run'))
if (registry.published.length) throw new Error(`a dry run published ${registry.published}`)
process.stdout.write(await release())
if (registry.published.length !== folders.length)
  throw new Error(`published ${registry.published.join(', ')}`)
const again = await release()
if (again.includes('published')) throw new Error(`published twice:\n${again}`)

const project = emptyProject(join(dir, 'project'), registry.url)
await npmInstall(project, ...folders.map(folder => `@heed/${folder}`))
await exec(join(project, 'node_modules/.bin/heed'), ['--help'], { cwd: project })
const copies = execFileSync('find', ['node_modules', '-path', '*@heed/core-tensor/package.json'], {
  cwd: project,
})
if (copies.toString().trim().split('\n').length !== 1)
  throw new Error(`more than one core-tensor:\n${copies}`)
registry.close()
rmSync(dir, { recursive: true })
console.log(
  `${folders.length} packages versioned, published to a registry of this machine, installed from it`,
)
