import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleHeed, heed, inFolder } from './heed.ts'

const home = mkdtempSync(join(tmpdir(), 'heed-'))
afterAll(() => rmSync(home, { recursive: true }))
beforeAll(async () => {
  await bundleHeed()
  const small = [
    '--lines',
    '96',
    '--hidden',
    '8',
    '--embedding',
    '8',
    '--batch-size',
    '8',
    '--no-compare',
    '--name',
    'a',
  ]
  expect((await heed(['train', 'translate', ...small], { cwd: home })).code).toBe(0)
}, 120_000)

describe('heed translate', () => {
  it('prints a translation and where the model looked', async () => {
    const { code, stdout } = await heed(['translate', 'runs/a', '3 mars 2024'], { cwd: home })
    expect(code).toBe(0)
    expect(stdout.split('\n').length).toBeGreaterThan(2)
  })

  it('takes lines from stdin, an output line for each', async () => {
    const { code, stdout } = await heed(['translate', 'runs/a'], {
      cwd: home,
      stdin: '3 mars 2024\n\n5. Mai 1999\n',
    })
    const lines = stdout.split('\n')
    expect([code, lines.length, lines[1]]).toEqual([0, 4, ''])
  })

  it('writes tokens and weights as JSON', async () => {
    const { stdout } = await heed(['translate', 'runs/a', '--json', '3 mai 2001'], { cwd: home })
    const { source, target, weights, text } = JSON.parse(stdout)
    expect(source.join('')).toBe('3 mai 2001')
    expect(text).toBe(target.join(''))
    expect(weights).toHaveLength(target.length)
    for (const row of weights) expect(row).toHaveLength(source.length)
  })

  it('says which characters it has never seen', async () => {
    const { stderr } = await heed(['translate', 'runs/a', '3 𝄞 2024'], { cwd: home })
    expect(stderr).toMatch(/has never seen "𝄞"; it guesses there/)
  })

  it.each<[what: string, damage: (run: string) => void, message: RegExp]>([
    ['no configuration', run => rmSync(join(run, 'config.json')), /config\.json: the file is missing/],
    [
      'a configuration that is not JSON',
      run => writeFileSync(join(run, 'config.json'), '{"schema": '),
      /config\.json: not JSON/,
    ],
    [
      'a configuration with a setting gone',
      run => edit(run, config => ({ ...config, hidden: undefined })),
      /config\.json: hidden/,
    ],
    [
      'a configuration of other sizes',
      run => edit(run, config => ({ ...config, hidden: 16 })),
      /loadStateDict: .*is \[.*the file has \[/,
    ],
    ['no vocabulary', run => rmSync(join(run, 'vocabulary.json')), /vocabulary\.json: the file is missing/],
    [
      'a damaged vocabulary',
      run => writeFileSync(join(run, 'vocabulary.json'), '{"source": 3}'),
      /vocabulary\.json: vocabulary: expected a JSON object/,
    ],
    ['no weights', run => rmSync(weights(run)), /\.safetensors is missing/],
    ['weights cut short', run => truncateSync(weights(run), 100), /is not the file that was written/],
    ['no checkpoint', run => rmSync(join(run, 'checkpoint.json')), /checkpoint\.json is missing/],
  ])('a run with %s is one clear line and exit code 2', (_, damage, message) =>
    inFolder(async cwd => {
      cpSync(join(home, 'runs'), join(cwd, 'runs'), { recursive: true })
      damage(join(cwd, 'runs/a'))
      const { code, stderr } = await heed(['translate', 'runs/a', '3 mai 2001'], { cwd })
      expect(stderr).toMatch(message)
      expect([code, stderr.trim().split('\n').length]).toEqual([2, 1])
    }),
  )
})

function weights(run: string): string {
  return join(run, readdirSync(run).find(name => name.endsWith('.safetensors')) as string)
}

function edit(run: string, change: (config: Record<string, unknown>) => Record<string, unknown>): void {
  const path = join(run, 'config.json')
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))))
}
