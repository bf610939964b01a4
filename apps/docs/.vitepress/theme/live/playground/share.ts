const KEY = 'code='

/** Text, compressed, as the letters of a link. */
export async function pack(text: string): Promise<string> {
  const bytes = await through(new TextEncoder().encode(text), new CompressionStream('deflate-raw'))
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** What {@link pack} made, as text again. @throws Error if it is damaged */
export async function unpack(letters: string): Promise<string> {
  try {
    const binary = atob(letters.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(binary, letter => letter.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true }).decode(
      await through(bytes, new DecompressionStream('deflate-raw')),
    )
  } catch {
    throw new Error('playground: the link is damaged, its program cannot be read; ask for it again')
  }
}

/** The program in the part of an address behind #; undefined if there is none. @throws Error if it is damaged */
export async function fromHash(hash: string): Promise<string | undefined> {
  const [, letters] = hash.split(KEY)
  return letters === undefined ? undefined : unpack(letters)
}

/** The part of an address behind #, with the program. */
export async function toHash(text: string): Promise<string> {
  return `#${KEY}${await pack(text)}`
}

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array> {
  const packed = new Blob([bytes]).stream().pipeThrough(stream)
  return new Uint8Array(await new Response(packed).arrayBuffer())
}
