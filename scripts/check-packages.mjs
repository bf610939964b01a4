// Packs each public package, lints the tarball, installs all of them with npm in an empty project, and runs there the
// example of every README, as TypeScript (stripped by esbuild) and with its types checked under `strict`.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('..', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'heed-packed-'))
const run = (command, args, options = {}) =>
  execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], cwd: root, ...options })

const packages = readdirSync(join(root, 'packages'))
run('pnpm', ['-r', '--filter', './packages/*', 'pack', '--pack-destination', dir], { stdio: 'ignore' })
const tarballs = readdirSync(dir)
  .filter(name => name.endsWith('.tgz'))
  .map(name => join(dir, name))
if (tarballs.length !== packages.length)
  throw new Error(`packed ${tarballs.length} of ${packages.length} packages`)
for (const tarball of tarballs) {
  run('publint', ['run', tarball, '--strict'])
  run('attw', [tarball, '--profile', 'esm-only', '--quiet'])
}

writeFileSync(join(dir, 'package.json'), '{ "private": true, "type": "module" }')
const nodeTypes = `@types/node@${require('@types/node/package.json').version}`
run('npm', ['install', '--no-audit', '--no-fund', '--silent', nodeTypes, ...tarballs], { cwd: dir })

// CommonJS reaches the ES modules too, without a second copy of anything.
writeFileSync(
  join(dir, 'commonjs.cjs'),
  `if (typeof require('@heed/models').Seq2Seq !== 'function') process.exit(1)`,
)
run(process.execPath, ['commonjs.cjs'], { cwd: dir })

const esbuild = createRequire(join(root, 'packages/backend-cpu/package.json'))('esbuild')
mkdirSync(join(dir, 'examples'))
const examples = []
for (const [name, readme] of [
  ['root', join(root, 'README.md')],
  ...packages.map(name => [name, join(root, 'packages', name, 'README.md')]),
]) {
  if (!existsSync(readme)) throw new Error(`${name} has no README.md`)
  const blocks = [...readFileSync(readme, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(match => match[1])
  if (!blocks.length && name !== 'cli') throw new Error(`${name}: its README has no ts example`)
  for (const [i, code] of blocks.entries()) {
    const file = join(dir, 'examples', `${name}-${i}.ts`)
    writeFileSync(file, code)
    writeFileSync(
      file.replace(/ts$/, 'mjs'),
      esbuild.transformSync(code, { loader: 'ts', format: 'esm', target: 'es2022' }).code,
    )
    examples.push(file)
  }
}
writeFileSync(
  join(dir, 'tsconfig.json'),
  JSON.stringify({
    compilerOptions: {
      strict: true,
      noEmit: true,
      module: 'NodeNext',
      target: 'ES2022',
      lib: ['ES2023', 'DOM', 'DOM.Iterable'],
      types: ['node'],
      skipLibCheck: false,
    },
    include: ['examples/*.ts'],
  }),
)
run('tsc', ['-p', join(dir, 'tsconfig.json')])
for (const file of examples) {
  console.log(`running ${file.slice(dir.length + 10)}`)
  run(process.execPath, [file.replace(/ts$/, 'mjs')], { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'] })
}
run(join(dir, 'node_modules/.bin/heed'), ['--help'], { cwd: dir, stdio: 'ignore' })
rmSync(dir, { recursive: true })
console.log(`${tarballs.length} packages packed, linted, installed; ${examples.length} examples ran`)
