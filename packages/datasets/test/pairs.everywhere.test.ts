import { ConfigError, FormatError } from '@heed/core-tensor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pairFormat, type ReadPairsOptions, readPairs } from '../src/index.ts'

fc.configureGlobal({ seed: 1 })

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Uint8Array(await new Response(packed).arrayBuffer())
}

/** The message of the FormatError that reading ends with. */
async function complaint(content: Uint8Array | string, options: ReadPairsOptions): Promise<string> {
  const error = await readPairs(content, { name: 'my.file', ...options }).then(
    () => new Error('it was read'),
    error => error,
  )
  expect(error).toBeInstanceOf(FormatError)
  expect(error.message).not.toContain('\n')
  return error.message
}

const tsv = { format: 'tsv' } as const
const csv = { format: 'csv' } as const
const jsonl = { format: 'jsonl' } as const

describe('pairFormat', () => {
  it('reads format and packing from the end of the name', () => {
    expect(pairFormat('fra.tsv.gz')).toEqual({ format: 'tsv', gzip: true })
    expect(pairFormat('a.b/PAIRS.CSV')).toEqual({ format: 'csv', gzip: false })
    expect(pairFormat('x.jsonl')).toEqual({ format: 'jsonl', gzip: false })
    expect(() => pairFormat('pairs.txt')).toThrow(ConfigError)
    expect(() => pairFormat('pairs.txt')).toThrow('pairs.txt: cannot tell the format from the name')
  })
})

describe('readPairs', () => {
  it('reads tab-separated lines, with quotes as ordinary letters', async () => {
    expect(await readPairs('Go.\tVa !\n"Hi\tSalut "toi"\n', tsv)).toEqual([
      { source: 'Go.', target: 'Va !', line: 1 },
      { source: '"Hi', target: 'Salut "toi"', line: 2 },
    ])
  })

  it('reads comma-separated lines with quotes, commas and line ends in them, and numbers the lines', async () => {
    const text = 'Go.,"Va, ""toi"" !"\r\n"two\r\nlines",deux\r\nlast,fin'
    expect(await readPairs(text, csv)).toEqual([
      { source: 'Go.', target: 'Va, "toi" !', line: 1 },
      { source: 'two\r\nlines', target: 'deux', line: 2 },
      { source: 'last', target: 'fin', line: 4 },
    ])
  })

  it('reads one JSON object a line', async () => {
    const text = '{"en":"Go.","fr":"Va !","id":3}\n{"fr":"l\\u00e0\\n","en":"there"}\n'
    expect(await readPairs(text, { ...jsonl, columns: ['en', 'fr'] })).toEqual([
      { source: 'Go.', target: 'Va !', line: 1 },
      { source: 'there', target: 'là', line: 2 },
    ])
    expect(await readPairs('{"source":"a","target":"b"}', jsonl)).toHaveLength(1)
  })

  it.each([tsv, csv])(
    'reads bytes of %j with a byte order mark, CRLF and blank lines at the end',
    async options => {
      const comma = options.format === 'csv' ? ',' : '\t'
      const text = `\ufeffa${comma}b\r\nc${comma}d\r\n\r\n \r\n`
      const pairs = [
        { source: 'a', target: 'b', line: 1 },
        { source: 'c', target: 'd', line: 2 },
      ]
      expect(await readPairs(bytesOf(text), options)).toEqual(pairs)
      expect(await readPairs(text, options)).toEqual(pairs)
    },
  )

  it('picks columns by number from 1 or by the name in the header', async () => {
    const text = 'id,English,French\n7,Go.,Va !\n'
    const pair = { source: 'Va !', target: 'Go.', line: 2 }
    expect(await readPairs(text, { ...csv, columns: ['French', 'English'] })).toEqual([pair])
    expect(await readPairs(text, { ...csv, columns: [3, 2], header: true })).toEqual([pair])
    expect(await readPairs(text, { ...csv, columns: [3, 2] })).toHaveLength(2)
  })

  it('reads gzip of each format', async () => {
    const packed = await gzip(bytesOf('Go.\tVa !\n'))
    expect(await readPairs(packed, { ...tsv, gzip: true })).toEqual([
      { source: 'Go.', target: 'Va !', line: 1 },
    ])
  })

  it('reads back any table that was written with quotes', async () => {
    // Spaces at the ends are not kept, and an empty text is an error of its own.
    const cell = fc
      .array(fc.constantFrom('a', 'é', '"', ',', '\t', '\n', '\r\n', ' ', '￭', '😀', "'", '\\', '\u2028'))
      .map(parts => parts.join('').trim())
      .filter(text => text !== '')
    const quote = (text: string): string =>
      /[",\r\n]/.test(text) || text.length % 2 ? `"${text.replaceAll('"', '""')}"` : text
    const table = fc.array(fc.tuple(cell, cell), { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(table, fc.constantFrom('\n', '\r\n'), async (rows, end) => {
        const text = rows.map(row => row.map(quote).join(',')).join(end)
        const read = await readPairs(bytesOf(text), csv)
        expect(read.map(pair => [pair.source, pair.target])).toEqual(rows)
        const firstLines = read.map(pair => text.split('\n')[pair.line - 1])
        for (const [i, line] of firstLines.entries())
          expect(line?.replace('"', '')[0]).toBe(quote((rows[i] as [string, string])[0]).replace('"', '')[0])
        const lines = rows.map(([source, target]) => JSON.stringify({ source, target })).join(end)
        expect((await readPairs(lines, jsonl)).map(pair => [pair.source, pair.target])).toEqual(rows)
      }),
    )
  })

  it('either reads any bytes or says in one line what is wrong with them', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .array(fc.constantFrom('a', '"', ',', '\t', '\n', '\r', '{', '}', ':', '\u0000', '\ufeff'))
        .map(x => bytesOf(x.join(''))),
    )
    const format = fc.constantFrom<ReadPairsOptions>(tsv, csv, jsonl, { ...tsv, gzip: true })
    await fc.assert(
      fc.asyncProperty(bytes, format, async (bytes, options) => {
        const result = await readPairs(bytes, options).catch(error => error)
        if (Array.isArray(result)) expect(result.length).toBeGreaterThan(0)
        else {
          expect(result).toBeInstanceOf(FormatError)
          expect(result.message).toMatch(/^pairs: .+; .+$/)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('readPairs says what is wrong with', () => {
  it('an empty file', async () => {
    for (const options of [tsv, csv, jsonl]) {
      expect(await complaint('', options)).toBe(
        'my.file: the file is empty; give at least one pair of sentences',
      )
      expect(await complaint(bytesOf('\ufeff \n\n'), options)).toContain('the file is empty')
    }
    expect(await complaint(',\n,,\n', csv)).toContain('the file is empty')
    expect(await complaint('en,fr\n', { ...csv, columns: ['en', 'fr'] })).toContain(
      'nothing below the header',
    )
  })

  it('bytes that are not UTF-8, by line and byte', async () => {
    const latin1 = Uint8Array.from([...bytesOf('a\tb\nl'), 0xe9, ...bytesOf('t\tx\n')])
    expect(await complaint(latin1, tsv)).toBe(
      'my.file: not UTF-8, byte 5 (0xe9) in line 2 is out of place; save the file as UTF-8',
    )
    const cut = bytesOf('a\té').subarray(0, 3)
    expect(await complaint(cut, tsv)).toContain('byte 2 (0xc3) in line 1')
    const surrogate = Uint8Array.from([0x61, 0x09, 0xed, 0xa0, 0x80])
    expect(await complaint(surrogate, tsv)).toContain('byte 2 (0xed) in line 1')
    expect(await complaint(Uint8Array.of(0xff, 0xfe, 0x61, 0), tsv)).toContain('not UTF-8 but UTF-16')
  })

  it('gzip that is cut off, damaged, none at all or not asked for', async () => {
    const packed = await gzip(bytesOf('Go.\tVa !\n'.repeat(100)))
    const unpack = { ...tsv, gzip: true }
    expect(await complaint(packed.subarray(0, packed.length - 12), unpack)).toContain('damaged or cut off')
    expect(await complaint(packed.subarray(0, 2), unpack)).toContain('damaged or cut off')
    const damaged = packed.map((byte, i) => (i === packed.length - 6 ? byte ^ 1 : byte))
    expect(await complaint(damaged, unpack)).toContain('damaged or cut off')
    expect(await complaint('a\tb', tsv).catch(() => 'read')).toBe('read')
    expect(await complaint(bytesOf('a\tb'), unpack)).toContain('not a gzip file')
    expect(await complaint(packed, tsv)).toContain('not text but gzip')
  })

  it('rows with the wrong number of columns, by line', async () => {
    expect(await complaint('a\tb\nc\nd\te\tf\ng\th\n', tsv)).toBe(
      'my.file: the first row has 2 columns, but line 2 has 1, line 3 has 3; mend these rows',
    )
    expect(await complaint(`a,b\n${'c\n'.repeat(9)}`, csv)).toContain('line 4 has 1 and 6 more;')
    expect(await complaint('a\tb\n\nc\td\n', tsv)).toContain('line 2 has 1')
    expect(await complaint('a,b\nc,d\n', tsv)).toBe(
      'my.file: line 1 has 1 column, at least 2 are needed; check the format and the columns',
    )
    expect(await complaint('a\tb', { ...tsv, columns: [1, 3] })).toContain('at least 3 are needed')
  })

  it('an empty sentence, by line', async () => {
    expect(await complaint('a\tb\n\tc\nd\t \n', tsv)).toBe(
      'my.file: empty sentence in line 2 (source), line 3 (target); fill it in or remove the row',
    )
    expect(await complaint('a,b\n"",c', csv)).toContain('line 2 (source)')
    expect(await complaint('{"source":"a","target":""}', jsonl)).toContain('line 1 (target)')
  })

  it('a column that has no such name', async () => {
    expect(await complaint('en,fr\na,b', { ...csv, columns: ['en', 'de'] })).toBe(
      'my.file: no column is named de in line 1; there are "en", "fr"',
    )
  })

  it('quotes that do not match, by line', async () => {
    const cure = 'quote the text with " and write "" for a " in it'
    expect(await complaint('a,b\n"c,d\n', csv)).toBe(`my.file: line 2: a quoted text has no end; ${cure}`)
    expect(await complaint('a,b\n"c"x,d\n', csv)).toContain(
      'line 2: a quoted text goes on behind its closing quote',
    )
    expect(await complaint('a,b\n\nc "x",d\n', csv)).toContain(
      'line 3: a quote stands within a text without quotes',
    )
  })

  it('lines that are no JSON object with both texts', async () => {
    const text = [
      '{"source":"a","target":"b"}',
      '[1]',
      'x',
      '{"source":"a"}',
      '{"source":1,"target":"b"}',
      '',
    ].join('\n')
    expect(await complaint(text, jsonl)).toBe(
      'my.file: line 2 is not an object, line 3 is not JSON, line 4 has no "target" and 1 more; ' +
        'write one object a line, with a text for each column',
    )
    expect(await complaint('{"source":null,"target":"b"}', jsonl)).toContain(
      'line 1 has no text under "source"',
    )
    expect(await complaint('{"source":"a","target":"b"}\n\n{}', jsonl)).toContain(
      'line 2 is blank, line 3 has no',
    )
  })

  it.each([
    [{ ...tsv, columns: [0, 1] }, 'columns: numbers count from 1, got [0,1]'],
    [{ ...tsv, columns: ['en', 2] }, 'columns: ["en",2] mixes a name and a number'],
    [{ ...tsv, columns: [2, 2] }, 'columns: [2,2] is one column twice'],
    [{ ...jsonl, columns: [1, 2] }, 'columns: JSONL has names, got [1,2]'],
    [{ ...csv, columns: ['a', 'b'], header: false }, 'are names, but header is false'],
  ] as [ReadPairsOptions, string][])('the options %j', async (options, message) => {
    await expect(readPairs('a\tb', options)).rejects.toThrow(ConfigError)
    await expect(readPairs('a\tb', options)).rejects.toThrow(message)
  })
})
