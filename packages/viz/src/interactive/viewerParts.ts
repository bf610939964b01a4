import { fixed, mostFocused, type WeightRow, type Weights } from '../weights.ts'
import { separatorOf, visible } from '../words.ts'

/** A sentence on the page and its words. */
export interface Line {
  readonly node: HTMLElement
  readonly tokens: readonly HTMLElement[]
}

/** An HTML element; children that are strings become text. */
export function make(
  document: Document,
  name: string,
  attributes: Readonly<Record<string, string>>,
  children: readonly (Node | string)[] = [],
): HTMLElement {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  node.append(...children)
  return node
}

/** A titled part of the viewer. */
export function block(
  document: Document,
  title: string,
  note: string,
  children: readonly Node[],
): HTMLElement {
  const heading = make(document, 'h3', {}, [
    title,
    ...(note ? [' ', make(document, 'small', {}, [note])] : []),
  ])
  return make(document, 'section', {}, [heading, ...children])
}

/**
 * A sentence as inline spans in one paragraph of its own direction.
 *
 * The spans have no room of their own, so Arabic letters stay joined and the reading order is the browser's; spaces that
 * are tokens stay spaces and get a mark by style.
 */
export function line(document: Document, words: readonly string[], role: 'input' | 'output'): Line {
  const separator = separatorOf(words)
  const tokens = words.map(word => {
    const blank = /^\s+$/.test(word)
    return make(document, 'span', { class: blank ? 'heed-token heed-space' : 'heed-token' }, [
      blank ? ' ' : visible(word),
    ])
  })
  const spaced = tokens.flatMap((token, i) => (i === 0 ? [token] : [separator, token]))
  const kind = separator === '' ? 'heed-letters' : 'heed-words'
  return {
    node: make(document, 'p', { class: `heed-line ${kind} heed-${role}`, dir: 'auto' }, spaced),
    tokens,
  }
}

/** The heaviest source words with their weights and positions. */
export function focusList(
  document: Document,
  source: readonly string[],
  row: WeightRow,
  best: readonly number[],
  indexBase: 0 | 1,
): HTMLElement[] {
  if (best.length === 0) return [make(document, 'li', {}, ['no input has weight'])]
  return best.map(s => {
    const text = fixed(row[s] ?? 0, 2)
    const item = make(document, 'li', {}, [
      make(document, 'bdi', {}, [visible(source[s] ?? '')]),
      make(document, 'small', {}, [`position ${s + indexBase}`]),
      make(document, 'b', {}, [text]),
    ])
    item.style.setProperty('--weight', text)
    return item
  })
}

/** All weights as a table; one row of it can be marked as the current one. */
export function matrixTable(
  document: Document,
  source: readonly string[],
  target: readonly string[],
  weights: Weights,
): { node: HTMLElement; rows: readonly HTMLElement[]; show(position: number): void } {
  const written = source.length <= 12
  const letters = separatorOf(source) === ''
  const head = make(document, 'tr', {}, [
    make(document, 'td', {}),
    ...source.map(word =>
      make(document, 'th', { scope: 'col' }, [make(document, 'bdi', {}, [visible(word)])]),
    ),
  ])
  const rows = target.map((word, t) =>
    make(document, 'tr', {}, [
      make(document, 'th', { scope: 'row' }, [make(document, 'bdi', {}, [visible(word)])]),
      ...source.map((from, s) => {
        const text = fixed(weights[t]?.[s] ?? 0, 2)
        const cell = make(
          document,
          'td',
          { title: `${visible(word)} → ${visible(from)} ${text}` },
          written ? [text] : [],
        )
        cell.style.setProperty('--weight', text)
        return cell
      }),
    ]),
  )
  const size = written ? 'heed-map heed-written' : letters ? 'heed-map heed-letters' : 'heed-map'
  const table = make(document, 'table', { class: size }, [
    make(document, 'thead', {}, [head]),
    make(document, 'tbody', {}, rows),
  ])
  const node = make(
    document,
    'div',
    { class: 'heed-scroll', tabindex: '0', role: 'region', 'aria-label': 'All weights' },
    [table],
  )
  return {
    node,
    rows,
    show: position => {
      rows.forEach((row, t) => {
        if (t === position) row.setAttribute('aria-current', 'true')
        else row.removeAttribute('aria-current')
      })
      // Only the table scrolls, and only sideways: the page stays where the reader is.
      const heaviest = mostFocused(weights[position] ?? [], 1)[0] ?? 0
      const cell = rows[position]?.children[heaviest + 1] as HTMLElement | undefined // rows hold cells only
      if (cell) node.scrollLeft = cell.offsetLeft - node.clientWidth / 2
    },
  }
}

/** A list of the examples. */
export function picker(
  document: Document,
  names: readonly string[],
  choose: (index: number) => void,
): { node: HTMLElement; set(index: number): void } {
  const list = document.createElement('select')
  list.append(...names.map(name => make(document, 'option', {}, [name])))
  list.addEventListener('change', () => choose(list.selectedIndex))
  return {
    node: make(document, 'label', { class: 'heed-picker' }, ['Example ', list]),
    set: index => {
      list.selectedIndex = index
    },
  }
}
