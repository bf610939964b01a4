import { type Dataset, stored } from '../dataset.ts'
import { github, type Shelf, take } from '../download/file.ts'
import { decodeUtf8 } from '../files/decode.ts'
import { checksumFor, oneOf } from './lines.ts'

/**
 * Plays of Shakespeare in one text of 1,115,394 characters, 65 different ones: the data of small language models. The
 * first 90 % are to train, the rest to validate; the dataset has that one text as its only example.
 *
 * Karpathy 2015. @param from where the file comes from, as for {@link multi30k}
 */
export async function tinyShakespeare(
  from: Shelf,
  { split }: { readonly split: 'train' | 'validation' | 'all' },
): Promise<Dataset<string>> {
  oneOf('tiny shakespeare', 'split', split, ['train', 'validation', 'all'])
  const file = github(
    'tiny-shakespeare',
    'karpathy/char-rnn',
    '6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e',
    'data/tinyshakespeare',
  )('input.txt', 1_115_394, '86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed')
  const text = decodeUtf8(await take(from, file), file.name)
  const cut = Math.floor(0.9 * text.length)
  const part = { train: text.slice(0, cut), validation: text.slice(cut), all: text }[split]
  return stored(
    {
      name: `tiny shakespeare, ${split}`,
      task: 'go on with the text',
      source: 'github.com/karpathy/char-rnn, data/tinyshakespeare, commit 6f9487a',
      licence: 'public domain; the repository is MIT',
      checksum: await checksumFor(file),
      sizes: { characters: part.length },
    },
    [part],
  )
}
