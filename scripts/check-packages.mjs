// What CI checks of every package: its manifest and tarball; that it installs alone, by name, into an empty project; that all
// its entries load there; that types check under `strict` without `skipLibCheck`; that the examples of its README run, as
// they are and bundled by esbuild. The whole matrix of runtimes and bundlers is `npm run check:matrix`.
//   node scripts/check-packages.mjs [folder of packages/ ...]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exec, forEach } from './packages/exec.mjs'
import { asProgram, examplesOf, faultsOf, packAll, packageOf, root } from './packages/packed.mjs'
import { checkTypes, emptyProject, npmInstall } from './packages/project.mjs'
import { startRegistry } from './packages/registry.mjs'

const require = createRequire(import.meta.url)
const esbuild = createRequire(join(root, 'packages/backend-cpu/package.json'))('esbuild')
const tsc = join(root, 'node_modules/typescript/bin/tsc')
const bin = name => join(root, 'node_modules/.bin', name)
const nodeTypes = `@types/node@${require('@types/node/package.json').version}`

const began = performance.now()
const packed = await packAll()
const chosen = packed.filter(({ folder }) => process.argv.length === 2 || process.argv.includes(folder))
const registry = await startRegistry(packed.map(({ tarball }) => tarball))
const dir = mkdtempSync(join(tmpdir(), 'heed-packages-'))
const preload = join(dir, 'preload.mjs')
writeFileSync(preload, 'globalThis.heedDone = lines => process.stdout.write(JSON.stringify(lines))')
const runIn = (project, file) => exec(process.execPath, ['--import', preload, file], { cwd: project })

/** @param {import('./packages/packed.mjs').Packed} one */
async function check(one) {
  const wrong = faultsOf(one)
  if (wrong.length) throw new Error(wrong.join('\n'))
  await exec(bin('publint'), ['run', one.path, '--strict'])
  await exec(bin('attw'), [one.path, '--profile', 'esm-only', '--quiet'])

  // Alone: nothing but what it depends on.
  const project = emptyProject(join(dir, one.folder), registry.url)
  await npmInstall(project, one.name)
  const specifiers = one.entries.map(entry => one.name + entry.slice(1))
  writeFileSync(
    join(project, 'entries.mjs'),
    `${specifiers.map(from => `await import('${from}')`).join('\n')}\n`,
  )
  await exec(process.execPath, ['entries.mjs'], { cwd: project })
  for (const command of Object.keys(one.manifest.bin ?? {}))
    await exec(join(project, 'node_modules/.bin', command), ['--help'], { cwd: project })
  const everywhere = specifiers.filter(from => !from.endsWith('/node') && one.folder !== 'cli')
  const reexport = list => list.map((from, i) => `export * as entry${i} from '${from}'\n`).join('')
  writeFileSync(join(project, 'browser.ts'), reexport(everywhere))
  if (everywhere.length)
    await checkTypes(project, {
      tsc,
      name: 'browser',
      files: ['browser.ts'],
      options: {
        module: 'ESNext',
        moduleResolution: 'Bundler',
        lib: ['ES2022', 'DOM', 'DOM.Iterable'],
        types: [],
      },
    })

  // With what the examples import beside it.
  await runExamples(project, one)
  writeFileSync(join(project, 'node.ts'), reexport(specifiers))
  await checkTypes(project, {
    tsc,
    name: 'node',
    files: ['node.ts', ...one.examples.map(({ name }) => `${name}.ts`)],
    options: { module: 'NodeNext', lib: ['ES2022', 'DOM', 'DOM.Iterable'], types: ['node'] },
  })
  return one.examples.length
}

/** Runs the examples of a README in a project, as they are and bundled: both must print the same. */
async function runExamples(project, { name, examples, manifest }) {
  const others = new Set(
    examples.flatMap(({ imports }) => imports.filter(from => !from.startsWith('node:')).map(packageOf)),
  )
  others.delete(name)
  // What a package leaves to its users, at the version that is tested.
  const peers = Object.keys(manifest?.peerDependencies ?? {}).map(peer => `${peer}@${versionOf(name, peer)}`)
  await npmInstall(project, nodeTypes, ...others, ...peers)
  for (const { name: file, code, nodeOnly } of examples) {
    writeFileSync(join(project, `${file}.ts`), code)
    writeFileSync(join(project, `${file}.mjs`), asProgram(code))
    const printed = await runIn(project, `${file}.mjs`)
    await esbuild.build({
      entryPoints: [join(project, `${file}.mjs`)],
      outfile: join(project, `${file}.bundle.mjs`),
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      keepNames: true, // models print the names of their classes
      platform: nodeOnly ? 'node' : 'browser',
      external: ['node:*'],
      logLevel: 'error',
    })
    const bundled = await runIn(project, `${file}.bundle.mjs`)
    if (bundled !== printed) throw new Error(`${file}: bundled it prints\n${bundled}\ninstead of\n${printed}`)
  }
}

/** The version of a package that one of ours is developed with. */
function versionOf(name, dependency) {
  const here = join(root, 'packages', name.replace('@heed/', ''), 'node_modules', dependency, 'package.json')
  return JSON.parse(readFileSync(here, 'utf8')).version
}

const failures = []
const outcome = async (name, body) => {
  const start = performance.now()
  try {
    const examples = await body()
    console.log(
      `${name}: installs alone, loads, type-checks; ${examples} examples ran (${((performance.now() - start) / 1000).toFixed(1)} s)`,
    )
  } catch (error) {
    failures.push(name)
    console.error(`${name}: ${error.message}`)
  }
}
await forEach(chosen, 2, one => outcome(one.name, () => check(one)))
if (process.argv.length === 2)
  await outcome('README.md', async () => {
    const examples = examplesOf(join(root, 'README.md'))
    const project = emptyProject(join(dir, 'readme'), registry.url)
    await runExamples(project, { name: '', examples })
    // CommonJS reaches the ES modules too, without a second copy of anything.
    writeFileSync(
      join(project, 'commonjs.cjs'),
      `if (typeof require('@heed/core-tensor').tensor !== 'function') process.exit(1)`,
    )
    await exec(process.execPath, ['commonjs.cjs'], { cwd: project })
    return examples.length
  })
registry.close()
rmSync(dir, { recursive: true })
console.log(`${chosen.length} packages in ${((performance.now() - began) / 1000).toFixed(0)} s`)
if (failures.length) {
  console.error(`not right: ${failures.join(', ')}`)
  process.exitCode = 1
}
