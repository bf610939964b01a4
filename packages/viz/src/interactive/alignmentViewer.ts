import { VizError } from '../errors.ts'
import { checkWeights, fixed, mostFocused, type Weights } from '../weights.ts'
import { graphemes, joinWords, separatorOf, visible } from '../words.ts'
import { block, focusList, line, make, matrixTable, picker } from './viewerParts.ts'
import { viewerStyle } from './viewerStyle.ts'

/** A sentence, what became of it, and who looked at whom. */
export interface AlignmentExample {
  /** The words, or the characters, that were looked at. */
  readonly source: readonly string[]
  /** The words, or the characters, that looked. */
  readonly target: readonly string[]
  /** `[target, source]`, each from 0 to 1. */
  readonly weights: Weights
}

/** What {@link mountAlignment} can be told. */
export interface MountAlignmentOptions {
  /** One or more; a list to choose from appears for two. */
  readonly examples: readonly AlignmentExample[]
  /** From what positions are counted. Default 1. */
  readonly indexBase?: 0 | 1
}

/** A viewer on a page. */
export interface MountedAlignment {
  /**
   * Shows an example with one of its target words chosen, both counted from 0.
   *
   * @throws VizError if there is no such example or word
   */
  select(example: number, position: number): void
  /** Takes the viewer off the page and puts back what was there. */
  unmount(): void
}

/** One example on the page: its lines, and how it shows that a target word is chosen. */
interface Stage {
  readonly nodes: readonly Node[]
  /** The target words, which can be clicked. */
  readonly options: readonly HTMLElement[]
  readonly rows: readonly HTMLElement[]
  show(position: number): void
}

const listed = 5
const spoken = 3

/**
 * Puts an alignment viewer into an element: choose a target word, see which source words it looked at.
 *
 * It shows the input sequence, the current output position, the weight of each input and the most-focused positions,
 * and below them the whole matrix. Click, tap, or use the arrow keys, Home and End.
 *
 * ```ts
 * mountAlignment(document.querySelector('#alignment'), { examples: [{ source, target, weights }] })
 * ```
 *
 * The viewer brings its style with it as a constructed style sheet, so it runs under a content security policy without
 * `unsafe-inline`. Its colours are `--heed-…` custom properties of `.heed-viewer`.
 *
 * @throws VizError if there is no example, or the weights of one do not fit its words
 */
export function mountAlignment(
  element: Element,
  { examples, indexBase = 1 }: MountAlignmentOptions,
): MountedAlignment {
  if (examples.length === 0) throw new VizError('mountAlignment: no examples; give at least one')
  examples.forEach(({ source, target, weights }, i) => {
    checkWeights(`mountAlignment, example ${i}`, weights, target.length, source.length)
  })
  const document = element.ownerDocument
  const before = Array.from(element.childNodes)
  const removeStyle = addStyle(element)
  const body = make(document, 'div', {})
  const choose = picker(document, examples.map(exampleName), index => select(index, 0))
  const root = make(document, 'div', { class: 'heed-viewer' }, [
    ...(examples.length > 1 ? [choose.node] : []),
    body,
  ])
  element.replaceChildren(root)

  let shown = -1
  let stage: Stage
  function select(index: number, position: number): void {
    const example = examples[index]
    if (example?.target[position] === undefined)
      throw new VizError(
        `mountAlignment: no target word ${position} in example ${index} of ${examples.length}; both count from 0`,
      )
    if (index !== shown) {
      shown = index
      choose.set(index)
      stage = drawExample(document, example, indexBase)
      listen(stage)
      body.replaceChildren(...stage.nodes)
    }
    stage.show(position)
  }
  select(0, 0)
  return {
    select,
    unmount: () => {
      removeStyle()
      element.replaceChildren(...before)
    },
  }
}

/** Builds what stands on the page for one example. */
function drawExample(document: Document, example: AlignmentExample, indexBase: 0 | 1): Stage {
  const { source, target, weights } = example
  const input = line(document, source, 'input')
  const output = line(document, target, 'output')
  output.node.setAttribute('role', 'listbox')
  output.node.setAttribute('aria-orientation', 'horizontal')
  output.node.setAttribute('aria-label', 'Output: choose a position')
  for (const token of output.tokens) token.setAttribute('role', 'option')
  const status = make(document, 'p', { class: 'heed-status', role: 'status' })
  const focus = make(document, 'ol', { class: 'heed-focus' })
  const matrix = matrixTable(document, source, target, weights)

  function show(position: number): void {
    const row = weights[position] ?? []
    output.tokens.forEach((token, t) => {
      token.setAttribute('aria-selected', String(t === position))
      token.tabIndex = t === position ? 0 : -1
    })
    input.tokens.forEach((token, s) => {
      const text = fixed(row[s] ?? 0, 2)
      token.style.setProperty('--weight', text)
      token.dataset.weight = text
      token.title = `${visible(source[s] ?? '')} ${text}, position ${s + indexBase}`
    })
    matrix.show(position)
    status.replaceChildren(...sentence(document, example, position, indexBase))
    focus.replaceChildren(...focusList(document, source, row, mostFocused(row, listed), indexBase))
  }

  return {
    nodes: [
      block(document, 'Input sequence', count(source), [input.node]),
      block(document, 'Output position', `click a ${unit(target)}, or use the arrow keys`, [
        output.node,
        status,
      ]),
      make(document, 'div', { class: 'heed-pair' }, [
        block(document, 'Most focused', '', [focus]),
        block(document, 'All weights', 'a row for each output, a column for each input', [matrix.node]),
      ]),
    ],
    options: output.tokens,
    rows: matrix.rows,
    show,
  }
}

/** Clicks and keys: choosing follows the focus. */
function listen({ options, rows, show }: Stage): void {
  options.forEach((option, position) => {
    option.addEventListener('click', () => {
      show(position)
      option.focus()
    })
    option.addEventListener('keydown', event => {
      const next = destination(event, position, options.length)
      if (next === undefined) return
      event.preventDefault()
      show(next)
      options[next]?.focus()
    })
  })
  rows.forEach((row, position) => {
    row.addEventListener('click', () => show(position))
  })
}

/** The position a key leads to; left and right are where the eye sees them. */
function destination(event: KeyboardEvent, position: number, length: number): number | undefined {
  const option = event.currentTarget as Element // listeners are on elements
  const turned = option.ownerDocument.defaultView?.getComputedStyle(option).direction === 'rtl'
  const steps: Record<string, number> = {
    ArrowRight: turned ? position - 1 : position + 1,
    ArrowLeft: turned ? position + 1 : position - 1,
    ArrowDown: position + 1,
    ArrowUp: position - 1,
    Home: 0,
    End: length - 1,
  }
  const next = steps[event.key]
  return next === undefined || event.altKey || event.ctrlKey || event.metaKey
    ? undefined
    : Math.min(length - 1, Math.max(0, next))
}

/** `target word 3 of 3, “Fußball” → source: “football” 0.84, “playing” 0.12`, with every word in its own direction. */
function sentence(
  document: Document,
  { source, target, weights }: AlignmentExample,
  position: number,
  indexBase: 0 | 1,
): Node[] {
  const row = weights[position] ?? []
  const quoted = (word: string) => make(document, 'bdi', {}, [`“${visible(word)}”`])
  const best = mostFocused(row, spoken).flatMap((s, i) => [
    i === 0 ? ' ' : ', ',
    quoted(source[s] ?? ''),
    ` ${fixed(row[s] ?? 0, 2)}`,
  ])
  const place = indexBase === 1 ? `${position + 1} of ${target.length}` : `${position}, counted from 0`
  const text = [
    `target ${unit(target)} ${place}, `,
    quoted(target[position] ?? ''),
    ' → source:',
    ...(best.length > 0 ? best : [' no weight']),
  ]
  return text.map(part => (typeof part === 'string' ? document.createTextNode(part) : part))
}

function unit(words: readonly string[]): 'word' | 'character' {
  return words.every(word => graphemes(word).length <= 1) ? 'character' : 'word'
}

function count(words: readonly string[]): string {
  return `${words.length} ${unit(words)}${words.length === 1 ? '' : 's'}`
}

function exampleName({ source }: AlignmentExample, index: number): string {
  const letters = graphemes(joinWords(source, separatorOf(source)))
  return `${index + 1}. ${letters.slice(0, 60).join('')}${letters.length > 60 ? '…' : ''}`
}

/** Adds the viewer's style to the document or shadow root that holds it; yields how to take it away. */
function addStyle(element: Element): () => void {
  const root = element.getRootNode()
  const holder = 'adoptedStyleSheets' in root ? (root as Document | ShadowRoot) : element.ownerDocument
  // Sheets belong to one document: in a frame, to the frame's.
  const Sheet = element.ownerDocument.defaultView?.CSSStyleSheet ?? CSSStyleSheet
  const sheet = new Sheet()
  sheet.replaceSync(viewerStyle())
  holder.adoptedStyleSheets = [...holder.adoptedStyleSheets, sheet]
  return () => {
    holder.adoptedStyleSheets = holder.adoptedStyleSheets.filter(one => one !== sheet)
  }
}
