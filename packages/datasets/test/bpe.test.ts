import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { learnBpe } from '../src/index.ts'
import { dataFolder } from './data.ts'

const hash = (lines: readonly string[]) =>
  createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16)

/** From Hugging Face tokenizers 0.23.2: BPE, ByteLevel without prefix space, min_frequency 2, all 256 bytes to begin with. */
const THEIRS = [
  ['tiny-shakespeare/input.txt.gz', 600, 'f671fa00a15b0fb7', 541_245, '760003693b659d1e'],
  ['multi30k/val.de.gz', 2000, 'aa4424c2fd439b0b', 18_555, '573aea44bbf73085'],
  ['word-alignments/jaen.src-tgt.gz', 2000, '407e65bd65d27a36', 45_925, '03549951bce71776'],
] as const

for (const [path, size, merges, length, tokens] of THEIRS)
  it(`learnBpe learns from ${path} what Hugging Face does, and cuts alike`, async ctx => {
    const text = gunzipSync(await readFile(dataFolder(ctx, path))).toString('utf8')
    const tokenizer = learnBpe([text], { size })
    const cut = tokenizer.encode(text)
    expect([hash(tokenizer.merges), cut.length, hash(cut)]).toEqual([merges, length, tokens])
    expect(tokenizer.join(cut) === text).toBe(true)
  })
