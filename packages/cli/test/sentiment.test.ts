import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleHeed, heed, inFolder } from './heed.ts'

/** A run that ends in a second. */
const SMALL = ['--lines', '96', '--hidden', '8', '--embedding', '8', '--batch-size', '8', '--length', '12']
const home = mkdtempSync(join(tmpdir(), 'heed-'))
afterAll(() => rmSync(home, { recursive: true }))
beforeAll(async () => {
  await bundleHeed()
  const train = (...more: string[]) => heed(['train', 'sentiment', ...SMALL, ...more], { cwd: home })
  expect((await train('--name', 'a')).code).toBe(0)
  expect((await train('--name', 'last', '--read-out', 'last', '--cell', 'rnn')).code).toBe(0)
}, 120_000)

const weightsOf = (run: string): string =>
  JSON.parse(readFileSync(join(run, 'checkpoint.json'), 'utf8')).sha256

describe('heed train sentiment', () => {
  it('compares with the last state, and leaves a run folder with a page of strips', async () => {
    const names = readdirSync(join(home, 'runs/a')).map(name => name.replace(/-[0-9a-f]{12}\./, '-#.'))
    expect(names.sort()).toEqual([
      'checkpoint-#.safetensors', 'checkpoint.json', 'config.json', 'last-state-#.safetensors', 'last-state.json',
      'metrics.jsonl', 'report.html', 'results.json', 'vocabulary.json',
    ]) // biome-ignore format: a list
    const page = readFileSync(join(home, 'runs/a/report.html'), 'utf8')
    expect(page).toMatch(/Where it looked[\s\S]*<svg[\s\S]*Evidence card/)
  })

  it('learns the tweets of 44 words that the last state does not', () =>
    inFolder(async cwd => {
      const { code, stdout } = await heed(['train', 'sentiment', '--lines', '2400', '--hidden', '32', '--embedding', '32'], { cwd }) // biome-ignore format: one line
      const line = stdout.trimEnd().split('\n').at(-1) as string
      expect(line).toMatch(/^accuracy \d+\.\d % \[\d+\.\d, \d+\.\d\], last state \d+\.\d % \[.*\], \d+ s, report runs\/tweets-[\d-]+\/report\.html$/) // biome-ignore format: one line
      const [attention, last] = [...line.matchAll(/(\d+\.\d) %/g)].map(match => Number(match[1]))
      expect([code, Number(attention) > 98, Number(last) < 65]).toEqual([0, true, true])
    }))

  it('stopped by Ctrl-C saves, exits 130, and resumes to the bits of a run that was never stopped', () =>
    inFolder(async cwd => {
      const args = ['train', 'sentiment', ...SMALL, '--epochs', '16', '--no-compare']
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
        expect.stringMatching(/^stopped after step \d+ of 192; go on with: heed train sentiment --resume runs\/parts$/), // biome-ignore format: one line
      ])
      const resumed = await heed(['train', 'sentiment', '--resume', 'runs/parts'], { cwd })
      expect([resumed.code, resumed.stdout]).toEqual([0, expect.stringContaining('going on with runs/parts')])
      expect(weightsOf(join(cwd, 'runs/parts'))).toBe(weightsOf(join(cwd, 'runs/whole')))
    }))

  it.each([
    ['lstm', 'concat', []],
    ['gru', 'mean', ['--bidirectional']],
    ['rnn', 'max', ['--layers', '2', '--dropout', '0.1']],
  ])('trains an %s with the read-out %s', (cell, readout, more) =>
    inFolder(async cwd => {
      const { code, stderr } = await heed(['train', 'sentiment', ...SMALL, '--cell', cell, '--read-out', readout, ...more, '--no-compare'], { cwd }) // biome-ignore format: one line
      expect([code, stderr.includes('heed:')]).toEqual([0, false])
    }),
  )

  it('takes a file of three labels, packed or not, with a header or without', () =>
    inFolder(async cwd => {
      const rows = Array.from({ length: 90 }, (_, i) => `${['fine', 'bad', 'so so'][i % 3]} thing ${i},${['good', 'bad', 'middling'][i % 3]}\n`) // biome-ignore format: one line
      writeFileSync(join(cwd, 'a.csv'), `text,label\n${rows.join('')}`)
      writeFileSync(join(cwd, 'b.csv.gz'), gzipSync(rows.join('')))
      for (const file of ['a.csv', 'b.csv.gz']) {
        const { code, stdout } = await heed(['train', 'sentiment', '--data', file, '--hidden', '8', '--epochs', '2', '--no-compare', '--name', file], { cwd }) // biome-ignore format: one line
        expect([code, stdout]).toEqual([0, expect.stringMatching(/90 texts of [\s\S]* 3 labels/)])
      }
      const { code, stdout } = await heed(['evaluate', 'runs/a.csv', '--data', 'b.csv.gz'], { cwd })
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^90 examples, [\s\S]*accuracy[\s\S]*macro F1/)]) // biome-ignore format: one line
    }))
})

describe('heed attend', () => {
  it('prints the label and the strip', async () => {
    const { code, stdout } = await heed(['attend', 'runs/a', 'i love this course'], { cwd: home })
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^(positive|negative) {2}\(\d+\.\d %\)\n.*love/)]) // biome-ignore format: one line
  })

  it('writes tokens and weights as JSON, and the strip as SVG', async () => {
    const { stdout } = await heed(['attend', 'runs/a', 'i love this course', '--json', '--svg', 's.svg'], { cwd: home }) // biome-ignore format: one line
    const { tokens, weights, probabilities } = JSON.parse(stdout)
    expect(tokens).toEqual(['i', 'love', 'this', 'course'])
    expect(weights.reduce((a: number, b: number) => a + b)).toBeCloseTo(1, 3)
    expect(Object.keys(probabilities)).toEqual(['negative', 'positive'])
    expect(readFileSync(join(home, 's.svg'), 'utf8')).toMatch(/^<svg[\s\S]*love/)
  })

  it('says which words it has never seen', async () => {
    const { stderr } = await heed(['attend', 'runs/a', 'i love zebras'], { cwd: home })
    expect(stderr).toMatch(/has never seen "zebras"; it guesses there/)
  })
})

describe('heed evaluate', () => {
  it('gives every metric of every arm an interval', async () => {
    const { code, stdout } = await heed(['evaluate', 'runs/a', '--json'], { cwd: home })
    const { rows, metrics } = JSON.parse(stdout)
    expect([code, rows, metrics.length]).toEqual([0, 60, 4])
    for (const { value, low, high } of metrics) expect(low <= value && value <= high).toBe(true)
    const { results } = JSON.parse(readFileSync(join(home, 'runs/a/results.json'), 'utf8'))
    expect(metrics[0].value).toBe(results[0].score.accuracy.value)
  })

  it('says which labels of a file the run never learned', async () => {
    writeFileSync(join(home, 'strange.csv'), 'i love it,positive\nso so,neutral\n')
    const { code, stdout, stderr } = await heed(['evaluate', 'runs/a', '--data', 'strange.csv'], {
      cwd: home,
    })
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^2 examples/)])
    expect(stderr).toMatch(/1 of 2 texts have a label that the run never learned \("neutral"\)/)
    const own = await heed(['evaluate', 'runs/a'], { cwd: home })
    expect(own.stderr).not.toMatch(/never learned/)
  })
})

describe('heed runs', () => {
  it('lists runs, and compares some by what differs', async () => {
    const all = await heed(['runs'], { cwd: home })
    expect([all.code, all.stdout]).toEqual([0, expect.stringMatching(/runs\/a +sentiment +tweets +gru 8, attention[\s\S]*runs\/last +sentiment +tweets +rnn 8, last/)]) // biome-ignore format: one line
    const two = await heed(['runs', 'runs/a', 'runs/last'], { cwd: home })
    expect(two.stdout).toMatch(/cell +gru +rnn\n/)
    expect(two.stdout).not.toMatch(/\nhidden/)
  })
})

describe('bad input', () => {
  const file =
    (text: string): ((cwd: string) => void) =>
    cwd =>
      writeFileSync(join(cwd, 'p.csv'), text)
  const train = (...more: string[]): string[] => ['train', 'sentiment', ...more]
  it.each<[what: string, prepare: (cwd: string) => void, args: string[], message: RegExp]>([
    ['a missing file', () => {}, train('--data', 'p.csv'), /p\.csv: there is no such file/],
    ['an empty file', file(''), train('--data', 'p.csv'), /p\.csv.*empty/],
    ['one label', file('a b,x\nc d,x\ne f,x\ng h,x\n'), train('--data', 'p.csv'), /labels: all 2 texts are labelled "x"/], // biome-ignore format: one line
    ['texts for labels', file(Array.from({ length: 300 }, (_, i) => `a ${i},b ${i}\n`).join('')), train('--data', 'p.csv'), /labels: there are \d+ different ones.*--columns/], // biome-ignore format: one line
    ['an unknown read-out', () => {}, train('--read-out', 'first'), /Allowed choices are last, concat, mean, max, attention/], // biome-ignore format: one line
    ['too short tweets', () => {}, train('--length', '3'), /tweets: 3 words have no room/],
    ['an option about tweets with a file', file('a,b\n'), train('--data', 'p.csv', '--lines', '3'), /--lines is about tweets/], // biome-ignore format: one line
    ['options that a resumed run cannot take', () => {}, train('--resume', 'runs/x', '--cell', 'rnn'), /leave out --cell/], // biome-ignore format: one line
    ['a name that leads elsewhere', () => {}, train('--name', '../../a'), /Give one name without slashes/],
    ['a name of nothing', () => {}, train('--name', ''), /Give one name without slashes/],
    ['more tweets than fit', () => {}, train('--lines', '100000000000'), /Give at most 10,000,000/],
    ['no runs to list', () => {}, ['runs'], /runs: there is no such folder/],
    [
      'a run to attend to that is not there',
      () => {},
      ['attend', 'runs/x', 'a'],
      /there is no run of that name/,
    ],
    ['a run to evaluate that is not there', () => {}, ['evaluate', 'runs/x'], /there is no run of that name/],
  ])('%s is one clear line and exit code 2', (_, prepare, args, message) =>
    inFolder(async cwd => {
      prepare(cwd)
      const { code, stderr } = await heed(args, { cwd })
      expect(stderr).toMatch(message)
      expect(stderr).not.toMatch(/\n\s+at /)
      expect(stderr.trim().split('\n').filter(line => !/^\(/.test(line))).toHaveLength(1) // biome-ignore format: one line
      expect([code, existsSync(join(cwd, 'runs'))]).toEqual([2, false])
    }),
  )

  it.each([
    ['a read-out without weights', ['attend', 'runs/last', 'i love it'], /last, has no weights; train one with --read-out attention/], // biome-ignore format: one line
    ['a run of another task', ['translate', 'runs/a', 'i love it'], /this run is of heed train sentiment/],
    ['an empty text', ['attend', 'runs/a', ' '], /attend: the text is empty/],
  ])('%s is one clear line and exit code 2', async (_, args, message) => {
    const { code, stderr } = await heed(args, { cwd: home })
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })
})
