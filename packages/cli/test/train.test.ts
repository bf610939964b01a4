import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { bundleHeed, heed, inFolder } from './heed.ts'

beforeAll(bundleHeed, 60_000)

/** A run of dates so small that it ends in a few seconds; most of them make the table of dates. */
const DATES = ['--lines', '96', '--hidden', '8', '--embedding', '8', '--batch-size', '8', '--no-compare']
/** The same of toy sentences, which need no table. */
const SMALL = ['--generate', 'translation', ...DATES.with(1, '64')]
const weightsOf = (run: string): string =>
  JSON.parse(readFileSync(join(run, 'checkpoint.json'), 'utf8')).sha256

describe('heed train translate', () => {
  it('trains, compares, and leaves a run folder', () =>
    inFolder(async cwd => {
      const { code, stdout, stderr } = await heed(
        ['train', 'translate', ...DATES.filter(word => word !== '--no-compare'), '--name', 'a'],
        { cwd },
      )
      expect([code, stderr]).toEqual([0, expect.stringMatching(/Bahdanau attention[\s\S]*loss \d/)])
      expect(stdout.trimEnd().split('\n').at(-1)).toMatch(
        /^exact match \d+\.\d % \(1: \d+\.\d, 2: \d+\.\d, 3: \d+\.\d\), without attention \d+\.\d % \(1: \d+\.\d, 2: \d+\.\d, 3: \d+\.\d\), \d+ s, report runs\/a\/report\.html$/,
      )
      const files = readdirSync(join(cwd, 'runs/a'))
        .map(name => name.replace(/-[0-9a-f]{12}\./, '-#.'))
        .sort()
      expect(files).toEqual([
        'checkpoint-#.safetensors', 'checkpoint.json', 'config.json', 'metrics.jsonl', 'report.html', 'results.json', 'vocabulary.json',
        'without-attention-#.safetensors', 'without-attention.json',
      ]) // biome-ignore format: a list
      const log = readFileSync(join(cwd, 'runs/a/metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
      expect(new Set(log.map(line => line.arm))).toEqual(new Set(['checkpoint', 'without-attention']))
    }))

  it('stopped by Ctrl-C saves, exits 130, and resumes to the bits of a run that was never stopped', () =>
    inFolder(async cwd => {
      const args = ['train', 'translate', ...DATES, '--epochs', '40']
      expect((await heed([...args, '--name', 'whole'], { cwd })).code).toBe(0)
      const stopped = await heed([...args, '--name', 'parts'], {
        cwd,
        during: child => {
          const log = join(cwd, 'runs/parts/metrics.jsonl')
          const timer = setInterval(() => {
            if (!existsSync(log) || readFileSync(log, 'utf8').split('\n').length < 8) return
            clearInterval(timer)
            child.kill('SIGINT')
          }, 5)
        },
      })
      expect([stopped.code, stopped.stderr.trim().split('\n').at(-1)]).toEqual([
        130,
        expect.stringMatching(
          /^stopped after step \d+ of 480; go on with: heed train translate --resume runs\/parts$/,
        ),
      ])
      const resumed = await heed(['train', 'translate', '--resume', 'runs/parts'], { cwd })
      expect([resumed.code, resumed.stdout]).toEqual([0, expect.stringContaining('going on with runs/parts')])
      expect(weightsOf(join(cwd, 'runs/parts'))).toBe(weightsOf(join(cwd, 'runs/whole')))
    }))

  it.each(['none', 'dot', 'general', 'concat'])('trains with --attention %s', attention =>
    inFolder(async cwd => {
      const { code, stdout, stderr } = await heed(
        ['train', 'translate', ...SMALL, '--threads', '1', '--attention', attention, '--reverse-source'],
        { cwd },
      )
      expect([code, stderr.includes('heed:')]).toEqual([0, false])
      expect(stdout).toMatch(/exact match/)
    }),
  )

  it.each([
    ['pairs.tsv', 'go\tva là\n', []],
    ['pairs.csv', 'go,"va, là"\n', []],
    ['pairs.jsonl', '{"en": "go", "fr": "va là"}\n', ['--columns', 'en,fr']],
  ])('takes %s, and the same packed', (name, line, more) =>
    inFolder(async cwd => {
      // Different sentences, or there is nothing to split by.
      const text = Array.from({ length: 120 }, (_, i) =>
        line.replace('go', `go ${'abcdefghij'[i % 10]} ${i}`),
      ).join('')
      writeFileSync(join(cwd, name), text)
      writeFileSync(join(cwd, `${name}.gz`), gzipSync(text))
      for (const file of [name, `${name}.gz`]) {
        const { code, stdout, stderr } = await heed(
          [
            'train',
            'translate',
            '--data',
            file,
            ...more,
            '--epochs',
            '1',
            '--hidden',
            '8',
            '--no-compare',
            '--name',
            file,
          ],
          { cwd },
        )
        expect([code, stderr.includes('heed:')]).toEqual([0, false])
        expect(stdout).toMatch(/exact match \d+\.\d %, BLEU \d+\.\d, \d+ s, report/)
      }
    }),
  )
})

describe('bad input', () => {
  const pairs =
    (rows: string): ((cwd: string) => void) =>
    cwd =>
      writeFileSync(join(cwd, 'p.tsv'), rows)
  const train = (...more: string[]): string[] => ['train', 'translate', '--data', 'p.tsv', ...more]
  it.each<[what: string, prepare: (cwd: string) => void, args: string[], message: RegExp]>([
    ['a missing file', () => {}, train(), /p\.tsv: there is no such file/],
    ['a folder', cwd => mkdirSync(join(cwd, 'p.tsv')), train(), /p\.tsv: this is a folder/],
    ['an empty file', pairs(''), train(), /p\.tsv.*empty/],
    [
      'a file that is not UTF-8',
      cwd => writeFileSync(join(cwd, 'p.tsv'), Buffer.from([0x61, 0x09, 0xff, 0xfe, 0x0a])),
      train(),
      /p\.tsv.*UTF-8/,
    ],
    ['rows with the wrong number of columns', pairs('a\tb\na\tb\tc\n'), train(), /p\.tsv.*line 2/],
    ['an empty sentence', pairs('a\tb\n\tb\n'), train(), /p\.tsv.*empty sentence in line 2/],
    [
      'a vocabulary with one word',
      pairs('a\tb\na a\tb\na a a\tb b\na a a a\tb\n'),
      train(),
      /vocabulary: only one word/,
    ],
    ['a name that says no format', () => {}, ['train', 'translate', '--data', 'p.txt'], /p\.txt/],
    [
      'an unknown option',
      () => {},
      ['train', 'translate', '--atention', 'none'],
      /unknown option '--atention'/,
    ],
    [
      'an unknown attention',
      () => {},
      ['train', 'translate', '--attention', 'much'],
      /Allowed choices are none, bahdanau, dot, scaled-dot, general, concat/,
    ],
    [
      'a number that is none',
      () => {},
      ['train', 'translate', '--epochs', '1.5'],
      /Give a whole number of 1 or more/,
    ],
    [
      'an option about files without one',
      () => {},
      ['train', 'translate', '--limit', '5'],
      /--limit is about a file; give --data as well/,
    ],
    [
      'dot with odd sizes',
      () => {},
      ['train', 'translate', '--generate', 'translation', '--attention', 'dot', '--hidden', '7', '--lines', '30'], // biome-ignore format: one line
      /encoderHidden is 3\.5/,
    ],
    [
      'a run that is not there',
      () => {},
      ['train', 'translate', '--resume', 'runs/x'],
      /runs\/x: there is no run of that name/,
    ],
    [
      'options that a resumed run cannot take',
      () => {},
      ['train', 'translate', '--resume', 'runs/x', '--hidden', '3'],
      /leave out --hidden/,
    ],
    [
      'a run to translate with that is not there',
      () => {},
      ['translate', 'runs/x', 'a'],
      /runs\/x: there is no run of that name/,
    ],
    ['an unknown command', () => {}, ['trane'], /unknown command 'trane'/],
  ])('%s is one clear line and exit code 2', (_, prepare, args, message) =>
    inFolder(async cwd => {
      prepare(cwd)
      const { code, stderr } = await heed(args, { cwd })
      expect(stderr).toMatch(message)
      expect(stderr).not.toMatch(/\n\s+at /)
      expect(
        stderr
          .trim()
          .split('\n')
          .filter(line => !/^\(/.test(line)),
      ).toHaveLength(1)
      expect([code, existsSync(join(cwd, 'runs'))]).toEqual([2, false])
    }),
  )

  it('an earlier run of the same name stays as it is', () =>
    inFolder(async cwd => {
      const args = ['train', 'translate', ...SMALL, '--name', 'a']
      expect((await heed(args, { cwd })).code).toBe(0)
      const before = weightsOf(join(cwd, 'runs/a'))
      const again = await heed([...args, '--seed', '9'], { cwd })
      expect([again.code, again.stderr]).toEqual([
        2,
        expect.stringMatching(/runs\/a: there is a run of that name already/),
      ])
      expect(weightsOf(join(cwd, 'runs/a'))).toBe(before)
    }))

  it('a disk that is full is an error, and no half-written checkpoint is left', () =>
    inFolder(async cwd => {
      const { code, stderr } = await heed(['train', 'translate', ...SMALL, '--hidden', '64', '--name', 'a'], {
        cwd,
        shell: 'ulimit -f 200;',
      })
      expect([code, stderr]).toEqual([1, expect.stringMatching(/heed: .*larger than the system allows/)])
      expect(
        readdirSync(join(cwd, 'runs/a')).filter(
          name => name.endsWith('.part') || name.endsWith('.safetensors'),
        ),
      ).toEqual([])
    }))

  it('a folder that cannot be written is an error of the environment', () =>
    inFolder(async cwd => {
      writeFileSync(join(cwd, 'file'), '')
      const { code, stderr } = await heed(['train', 'translate', ...SMALL, '--out', 'file/inside'], { cwd })
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^heed: .*file\/inside.*\n$/)])
    }))
})
