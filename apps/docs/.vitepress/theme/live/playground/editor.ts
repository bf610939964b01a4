import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { javascript } from '@codemirror/lang-javascript'
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from '@codemirror/language'
import { EditorState, StateEffect, StateField } from '@codemirror/state'
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
} from '@codemirror/view'
import { tags } from '@lezer/highlight'

/** An editor of TypeScript in an element. */
export interface Editor {
  text(): string
  set(text: string): void
  /** Marks a line, counted from 1, or none. */
  mark(line: number | null): void
  focus(): void
  destroy(): void
}

const markLine = StateEffect.define<number | null>()
const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(set, transaction) {
    for (const effect of transaction.effects)
      if (effect.is(markLine)) {
        const { doc } = transaction.state
        if (effect.value === null || effect.value > doc.lines) return Decoration.none
        return Decoration.set([Decoration.line({ class: 'cm-wrong' }).range(doc.line(effect.value).from)])
      }
    return transaction.docChanged ? Decoration.none : set
  },
  provide: field => EditorView.decorations.from(field),
})

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier], color: 'light-dark(#7136b8, #c39bf5)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'light-dark(#1a6b41, #5fd08f)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'light-dark(#a34508, #f5a05c)' },
  { tag: tags.comment, color: 'light-dark(#5b6675, #93a1b2)', fontStyle: 'italic' },
  { tag: [tags.typeName, tags.className], color: 'light-dark(#0f6b64, #4fcdbd)' },
  {
    tag: [tags.function(tags.variableName), tags.function(tags.propertyName)],
    color: 'light-dark(#1f5fbf, #6fa8f7)',
  },
])

const look = EditorView.theme({
  '&': { fontSize: '14px', backgroundColor: 'var(--vp-c-bg)', color: 'var(--vp-c-text-1)' },
  '.cm-scroller': { fontFamily: 'var(--vp-font-family-mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--vp-c-text-1)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--vp-c-text-1)' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--vp-c-text-2)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': {
    backgroundColor: 'color-mix(in srgb, var(--vp-c-default-soft) 60%, transparent)',
  },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground, ::selection': {
    backgroundColor: 'light-dark(#cfe2ff, #24508f) !important',
  },
  '.cm-wrong': { backgroundColor: 'light-dark(#ffe1de, #4d211d) !important' },
  '&.cm-focused': { outline: '2px solid light-dark(#1f5fbf, #6fa8f7)' },
})

/**
 * Puts an editor into an element. Tab indents; Escape, then Tab leaves it. Ctrl+Enter calls `onRun`.
 *
 * @param label what screen readers call it
 */
export function makeEditor(
  parent: Element,
  {
    text,
    label,
    onRun,
    onChange,
  }: {
    readonly text: string
    readonly label: string
    readonly onRun?: () => void
    readonly onChange?: () => void
  },
): Editor {
  const run = (): boolean => {
    onRun?.()
    return true
  }
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        indentOnInput(),
        bracketMatching(),
        indentUnit.of('  '),
        javascript({ typescript: true }),
        syntaxHighlighting(colours),
        look,
        marked,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': label }),
        EditorView.updateListener.of(update => {
          if (update.docChanged) onChange?.()
        }),
        keymap.of([{ key: 'Mod-Enter', run }, ...defaultKeymap, ...historyKeymap, indentWithTab]),
      ],
    }),
  })
  return {
    text: () => view.state.doc.toString(),
    set: next =>
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: next },
        effects: markLine.of(null),
      }),
    mark: line => view.dispatch({ effects: markLine.of(line) }),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  }
}
