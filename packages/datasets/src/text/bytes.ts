// Each byte as a visible letter, so that a token is a text: GPT-2's table. 33 … 126, 161 … 172 and 174 … 255 stand for
// themselves, the other 68 are the letters from 256 on: a space is Ġ, a line end Ċ.

const LETTERS: readonly string[] = /* @__PURE__ */ makeLetters()
const BYTES: ReadonlyMap<string, number> = /* @__PURE__ */ new Map(
  /* @__PURE__ */ LETTERS.map((letter, byte) => [letter, byte] as const),
)

function makeLetters(): string[] {
  let hidden = 0
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173)
    return String.fromCharCode(visible ? byte : 256 + hidden++)
  })
}

/** The 256 letters that stand for bytes, in the order of their code points. */
export function byteLetters(): string[] {
  return LETTERS.toSorted()
}

/** The UTF-8 bytes of a text as letters: `' né'` → `'ĠnÃ©'`. A half of a surrogate pair becomes U+FFFD. */
export function toLetters(text: string): string {
  // Most text is ASCII, where a letter is a byte and only the space and controls change.
  if (/^[!-~]*$/.test(text)) return text
  let letters = ''
  for (const byte of new TextEncoder().encode(text)) letters += LETTERS[byte] as string
  return letters
}

/** The text of letters; any other character stands for itself, and bytes that are not UTF-8 become U+FFFD. */
export function fromLetters(letters: string): string {
  const bytes: number[] = []
  for (const character of letters) {
    const byte = BYTES.get(character)
    if (byte === undefined) bytes.push(...new TextEncoder().encode(character))
    else bytes.push(byte)
  }
  // without this option a leading U+FEFF would be taken for a byte order mark and lost
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes))
}
