import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleHeed, heed, inFolder } from './heed.ts'

/** Runs that end in a second or two. */
const TINY = ['--hidden', '8', '--embedding', '8', '--batch-size', '8', '--no-compare']
const toy = ['--generate', 'translation', '--lines', '64', ...TINY]

const home = mkdtempSync(join(tmpdir(), 'heed-'))
const run = (...args: string[]) => heed(args, { cwd: home })
afterAll(() => rmSync(home, { recursive: true }))
beforeAll(async () => {
  await bundleHeed()
  const dates = ['--lines', '96', ...TINY]
  expect((await run('train', 'translate', ...dates, '--name', 'dates')).code).toBe(0)
  expect((await run('train', 'translate', ...toy, '--attention', 'none', '--name', 'plain')).code).toBe(0)
  expect((await run('train', 'translate', ...toy, '--guided-weight', '1', '--name', 'toy')).code).toBe(0)
}, 120_000)

const config = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(home, 'runs', name, 'config.json'), 'utf8'))

describe('heed train translate', () => {
  it.each([
    ['local-m by a scaled dot, nothing fed', ['--attention', 'scaled-dot', '--locality', 'monotonic', '--window', '3', '--no-input-feeding']],
    ['local-p', ['--attention', 'general', '--locality', 'predictive', '--window', '3']],
    ['coverage by the current state', ['--query-state', 'current', '--cell', 'lstm', '--coverage', '--coverage-weight', '0.5', '--label-smoothing', '0.1']],
  ])('trains %s, and says so in its configuration', async (what, args) => {
    const name = what.replaceAll(/\W+/g, '-')
    const { code, stdout, stderr } = await run('train', 'translate', ...toy, ...args, '--name', name)
    expect([code, stderr.includes('heed:')]).toEqual([0, false])
    expect(stdout).toMatch(/exact match \d+\.\d %, BLEU/)
    const said = JSON.stringify(config(name))
    for (const [i, word] of args.entries())
      if (['--locality', '--query-state', '--attention'].includes(word)) expect(said).toContain(`"${args[i + 1]}"`) // biome-ignore format: one line
  }) // biome-ignore format: a table

  it('compares a pointer-generator of news with a model that has none of it', async () => {
    const small = toy.filter(word => word !== '--no-compare')
    const { code, stdout } = await run('train', 'translate', ...small, '--generate', 'summaries', '--lines', '24', '--copy', '--coverage', '--name', 'news') // biome-ignore format: one line
    expect([code, stdout]).toEqual([0, expect.stringMatching(/without attention \d/)])
  })

  it('takes links from a file, a line for each pair', () =>
    inFolder(async cwd => {
      const words = ['red', 'green', 'blue', 'old', 'new']
      const rows = Array.from({ length: 60 }, (_, i) => [words[i % 5], words[(i * 3) % 5], `n${i}`])
      writeFileSync(join(cwd, 'p.tsv'), rows.map(row => `${row.join(' ')}\t${[...row].reverse().join(' ')}\n`).join('')) // biome-ignore format: one line
      writeFileSync(join(cwd, 'links.txt'), '0-2 1-1 2-0\n'.repeat(60))
      const { code, stdout, stderr } = await heed(['train', 'translate', '--data', 'p.tsv', '--alignments', 'links.txt', ...TINY, '--reverse-source', '--name', 'a'], { cwd }) // biome-ignore format: one line
      expect([code, stderr.includes('heed:')]).toEqual([0, false])
      expect(stdout).toMatch(/60 pairs/)
      const { tokens, guidedWeight } = JSON.parse(readFileSync(join(cwd, 'runs/a/config.json'), 'utf8'))
      expect([tokens, guidedWeight]).toEqual(['spaces', 1])
    }))
})

describe('heed runs', () => {
  it('names the recurrence of a translator', async () => {
    await run('train', 'translate', ...toy, '--cell', 'lstm', '--name', 'cells')
    const { stdout } = await run('runs')
    expect(stdout).toMatch(/runs\/cells +translate +translation +lstm 8, bahdanau/)
  })
})

describe('heed evaluate', () => {
  it('measures a translator’s own test lines, with intervals around the run’s own figures', async () => {
    for (const name of ['dates', 'toy']) {
      const { code, stdout } = await run('evaluate', `runs/${name}`, '--json')
      const { rows, metrics } = JSON.parse(stdout)
      const { results } = JSON.parse(readFileSync(join(home, `runs/${name}/results.json`), 'utf8'))
      expect([code, rows]).toEqual([0, results[0].score.lines])
      expect(metrics.map(({ metric }: { metric: string }) => metric)).toEqual(['exact match (%)', 'BLEU'])
      expect(metrics[0].value).toBe(results[0].score.exact)
      for (const { value, low, high } of metrics) expect(low <= value && value <= high).toBe(true)
    }
  })

  it('measures a translator on a file', async () => {
    writeFileSync(join(home, 'more.tsv'), '3 mars 2024\t2024-03-03\n5. Mai 1999\t1999-05-05\n')
    const { code, stdout } = await run('evaluate', 'runs/dates', '--data', 'more.tsv')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^2 examples, [\s\S]*exact match[\s\S]*BLEU/)])
  })

  it.each([
    ['a missing file', ['--data', 'nope.tsv'], /nope\.tsv: there is no such file/],
    ['an ending that says no format', ['--data', 'x.txt'], /x\.txt/],
    ['one column', ['--data', 'more.tsv', '--columns', '1'], /--columns 1: give two/],
  ])('says in one line what is wrong with %s', async (_, args, message) => {
    const { code, stderr } = await run('evaluate', 'runs/dates', ...args)
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
    expect(stderr.trim().split('\n').filter(line => line.startsWith('heed:'))).toHaveLength(1) // biome-ignore format: one line
  })
})

describe('heed attend', () => {
  it('shows where a translator looked, as text, JSON and SVG', async () => {
    const text = await run('attend', 'runs/dates', '3 mars 2024')
    expect([text.code, text.stdout.split('\n').length > 1]).toEqual([0, true])
    const { stdout } = await run('attend', 'runs/dates', '3 mars 2024', '--json', '--svg', 'a.svg')
    const { tokens, target, weights, text: written } = JSON.parse(stdout)
    expect([tokens.join(''), target.join('')]).toEqual(['3 mars 2024', written])
    expect(weights.length).toBe(target.length)
    for (const row of weights) expect(row.length).toBe(tokens.length)
    expect(readFileSync(join(home, 'a.svg'), 'utf8')).toMatch(/^<svg/)
  })

  it.each([
    ['a run without attention', ['attend', 'runs/plain', '3 mars'], /this run has no attention; train one with --attention/], // biome-ignore format: one line
    ['an empty text', ['attend', 'runs/dates', ' '], /attend: the text is empty/],
  ])('says in one line what is wrong with %s', async (_, args, message) => {
    const { code, stderr } = await run(...args)
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })
})

describe('heed translate', () => {
  it.each([
    ['a folder that is not there', 'nowhere/a.svg', /^heed: nowhere\/a\.svg: there is no such file or folder; check the path\n$/],
    ['a folder', 'runs', /^heed: runs: this is a folder; name a file\n$/],
    ['something below a file', 'runs/dates/config.json/a.svg', /^heed: runs\/dates\/config\.json\/a\.svg: part of this path is a file/],
  ])('asked to draw into %s, says in one line what is wrong with the path', async (_, file, message) => {
    const { code, stderr } = await run('translate', 'runs/dates', '--plain', '--svg', file, '3 mars 2024')
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
  }) // biome-ignore format: a table

  it('goes on when nobody reads its progress any more', async () => {
    const { code, stdout } = await heed(['evaluate', 'runs/dates'], {
      cwd: home,
      during: child => child.stderr?.destroy(),
    })
    expect([code, stdout]).toEqual([0, expect.stringMatching(/exact match/)])
  })

  it('searches with a beam, and draws the search', async () => {
    const { code } = await run('translate', 'runs/dates', '--beam', '3', '--tree', 'tree.svg', '3 mars 2024')
    expect(code).toBe(0)
    expect(readFileSync(join(home, 'tree.svg'), 'utf8')).toMatch(
      /^<svg[\s\S]*lines side by side[\s\S]*Chosen: /,
    )
  })

  it('writes evidence cards of five fields in three formats', async () => {
    for (const file of ['card.md', 'card.html', 'card.json']) {
      const { code } = await run('translate', 'runs/toy', 'he is playing football', '--card', file, '--expected', 'er spielt Fußball') // biome-ignore format: one line
      expect(code).toBe(0)
    }
    const card = JSON.parse(readFileSync(join(home, 'card.json'), 'utf8'))
    expect(Object.keys(card)).toEqual(['sourceTarget', 'decodedOutput', 'alignmentNote', 'failureCheck', 'expectedOutput']) // biome-ignore format: one line
    for (const kind of ['omission', 'repetition', 'hallucination', 'wrong alignment', 'weak evaluation'])
      expect(card.failureCheck).toContain(`${kind}: `)
    expect(readFileSync(join(home, 'card.md'), 'utf8')).toContain('| **Expected Output** |')
    expect(readFileSync(join(home, 'card.html'), 'utf8')).toMatch(
      /^<!doctype html>[\s\S]*<dt>Failure Check<\/dt>/,
    )
  })

  it.each([
    ['a tree without a beam', ['--tree', 't.svg', 'x'], /--tree draws a beam search; give --beam 2/],
    ['a card without what is right', ['--card', 'c.md', 'x'], /give --expected as well/],
    ['a card of an unknown format', ['--card', 'c.txt', '--expected', 'y', 'x'], /let it end in \.md, \.html or \.json/], // biome-ignore format: one line
    ['a card of two texts', ['--card', 'c.md', '--expected', 'y', 'x', 'z'], /--card is of one text, 2 are given/], // biome-ignore format: one line
    ['a beam of nothing', ['--beam', '0', 'x'], /Give a whole number of 1 or more/],
  ])('says in one line what is wrong with %s', async (_, args, message) => {
    const { code, stderr } = await run('translate', 'runs/dates', ...args)
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
    expect(stderr.trim().split('\n').filter(line => !/^\(/.test(line))).toHaveLength(1) // biome-ignore format: one line
  })
})

describe('bad input', () => {
  const pairs = 'a b\tb a\nc d\td c\ne f\tf e\ng h\th g\n'
  const links = (text: string) => (cwd: string) => {
    writeFileSync(join(cwd, 'p.tsv'), pairs)
    writeFileSync(join(cwd, 'l.txt'), text)
  }
  const guided = ['--data', 'p.tsv', '--alignments', 'l.txt']
  it.each<[what: string, prepare: (cwd: string) => void, args: string[], message: RegExp]>([
    ['links of other pairs', links('0-1 1-0\n'), guided, /l\.txt: there are links of 1 pairs, the data has 4/],
    ['links to words that are not there', links('0-1\n0-0\n0-0\n0-7\n'), guided, /line 4 links 0-7, its pair has 2 and 2 words/],
    ['what is no link', links('0-1\n0:0\n0-0\n0-0\n'), guided, /"0:0" in line 2/],
    ['a missing file of links', cwd => writeFileSync(join(cwd, 'p.tsv'), pairs), guided, /l\.txt: there is no such file; check --alignments/],
    ['links of generated data', () => {}, ['--alignments', 'l.txt'], /--alignments is about a file/],
    ['links of words cut otherwise', links(''), [...guided, '--tokens', 'words'], /--alignments counts words parted by spaces/],
    ['guiding without knowing', () => {}, ['--guided-weight', '1'], /which dates have not; use --generate translation/],
    ['guiding nobody', () => {}, ['--generate', 'translation', '--guided-weight', '1', '--attention', 'none'], /cannot be guided/],
    ['copying without attention', () => {}, ['--generate', 'translation', '--attention', 'none', '--copy', '--lines', '30'], /copy needs attention/],
    ['coverage of a dot', () => {}, ['--generate', 'translation', '--attention', 'dot', '--coverage', '--lines', '30'], /coverage is part of the additive score/],
    ['a weight of no coverage', () => {}, ['--coverage-weight', '1'], /--coverage-weight is about --coverage/],
    ['a window of nothing', () => {}, ['--window', '3'], /--window is about a local attention/],
    ['a window that is none', () => {}, ['--locality', 'monotonic', '--window', '0'], /Give a whole number of 1 or more/],
    ['two kinds of data', links(''), ['--data', 'p.tsv', '--generate', 'dates'], /leave out --data, or --generate/],
    ['tokens of generated data', () => {}, ['--tokens', 'words'], /--tokens is about a file/],
  ])('%s is one clear line and exit code 2', (_, prepare, args, message) =>
    inFolder(async cwd => {
      prepare(cwd)
      const { code, stderr } = await heed(['train', 'translate', ...args], { cwd })
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
      expect(stderr).not.toMatch(/\n\s+at /)
    }),
  ) // biome-ignore format: a table

  const vectors = (text: string) => (cwd: string) => writeFileSync(join(cwd, 'v.txt'), text)
  it.each<[what: string, prepare: (cwd: string) => void, args: string[], message: RegExp]>([
    ['missing vectors', () => {}, ['--vectors', 'v.txt'], /v\.txt: there is no such file; check --vectors/],
    ['freezing nothing', () => {}, ['--freeze-vectors'], /--freeze-vectors is about --vectors/],
    ['vectors of another size', vectors('love 1 2\nhate 3 4\n'), ['--vectors', 'v.txt', '--embedding', '3'], /its vectors have 2 numbers, --embedding is 3/],
    ['vectors of other words', vectors('zebra 1 2\ngnu 3 4\n'), ['--vectors', 'v.txt'], /none of the \d+ words has a vector/],
    ['vectors of several sizes', vectors('love 1 2\nhate 3\n'), ['--vectors', 'v.txt'], /2 numbers a word are expected/],
    ['vectors of no numbers', vectors('love a b\n'), ['--vectors', 'v.txt'], /holds what is no number|no vectors/],
  ])('%s are one clear line and exit code 2', (_, prepare, args, message) =>
    inFolder(async cwd => {
      prepare(cwd)
      const { code, stderr } = await heed(['train', 'sentiment', '--lines', '96', ...args], { cwd })
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
      expect(stderr.trim().split('\n')).toHaveLength(1)
    }),
  ) // biome-ignore format: a table
})

describe('heed train sentiment --vectors', () => {
  const words = ['i', 'love', 'adore', 'enjoy', 'treasure', 'hate', 'detest', 'dislike', 'regret', 'this', 'course', 'class'] // biome-ignore format: one line
  const file = words.map((word, i) => `${word} ${i / 10} ${-i / 7} ${(i % 3) - 1}`).join('\n')
  const small = ['train', 'sentiment', '--lines', '96', '--length', '12', '--hidden', '8', '--batch-size', '8', '--no-compare', '--vectors', 'v.txt'] // biome-ignore format: one line
  const tableOf = (cwd: string, name: string): Float32Array => {
    const folder = join(cwd, 'runs', name)
    const { file: weights } = JSON.parse(readFileSync(join(folder, 'checkpoint.json'), 'utf8'))
    const bytes = readFileSync(join(folder, weights))
    const head = Number(bytes.readBigUInt64LE(0))
    const entry = JSON.parse(bytes.subarray(8, 8 + head).toString('utf8'))['model.embedding.weight']
    const [from, to] = entry.data_offsets
    return new Float32Array(Uint8Array.from(bytes.subarray(8 + head + from, 8 + head + to)).buffer)
  }

  it('leaves frozen ones as they were, learns others further, and goes on after a stop', () =>
    inFolder(async cwd => {
      writeFileSync(join(cwd, 'v.txt'), `${file}\n`)
      for (const [name, more] of [
        ['frozen', ['--freeze-vectors']],
        ['tuned', []],
      ] as const) {
        // biome-ignore format: one line
        const { code, stdout } = await heed([...small, ...more, '--name', name], { cwd })
        expect([code, stdout]).toEqual([0, expect.stringMatching(/\d+\.\d % of the words have a vector in .*v\.txt/)]) // biome-ignore format: one line
      }
      const vocabulary: string[] = JSON.parse(readFileSync(join(cwd, 'runs/frozen/vocabulary.json'), 'utf8')).words.tokens // biome-ignore format: one line
      const row = (name: string): number[] => [...tableOf(cwd, name).slice(3 * (4 + vocabulary.indexOf('love')), 3 * (4 + vocabulary.indexOf('love')) + 3)] // biome-ignore format: one line
      const given = [0.1, -1 / 7, 0]
      for (const [i, value] of row('frozen').entries()) expect(value).toBeCloseTo(given[i] as number, 6)
      expect(row('tuned').some((value, i) => Math.abs(value - (given[i] as number)) > 1e-4)).toBe(true)
      const { code } = await heed(['attend', 'runs/frozen', 'i love this course'], { cwd })
      expect(code).toBe(0)
      writeFileSync(join(cwd, 'v.txt'), `${file}\nzebra 1 2 3\n`)
      const changed = await heed(['train', 'sentiment', '--resume', 'runs/frozen'], { cwd })
      expect([changed.code, changed.stderr]).toEqual([2, expect.stringMatching(/v\.txt: the file has changed since this run began/)]) // biome-ignore format: one line
    }))
})
