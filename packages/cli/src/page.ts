/** A heading of a page and what stands below it. */
export interface PictureSection {
  readonly title: string
  /** A sentence above the pictures. */
  readonly note: string
  /** Each an SVG element, with words above it. */
  readonly pictures: readonly { readonly caption: string; readonly svg: string }[]
}

/**
 * A page of `report` with pictures in it, before the evidence card.
 *
 * A report knows curves and alignments; this puts any other picture among them. Pictures are inert: the page's policy
 * allows nothing that they could load or run.
 */
export function withPictures(page: string, { title, note, pictures }: PictureSection): string {
  if (!pictures.length) return page
  const figures = pictures.map(
    ({ caption, svg }) => `<figure><figcaption dir="auto">${escaped(caption)}</figcaption><div class="scroll">${svg}</div></figure>`, // biome-ignore format: one line
  )
  const section = `<section><h2>${escaped(title)}</h2><p class="caveat" style="margin:0 0 1.5rem">${escaped(note)}</p>${figures.join('')}</section>`
  const marks = ['evidence', 'configuration'].map(id => `<section aria-labelledby="heed-${id}-title">`)
  const mark = [...marks, '</main>'].find(text => page.includes(text)) as string
  const at = page.lastIndexOf(mark)
  return page.slice(0, at) + section + page.slice(at)
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
