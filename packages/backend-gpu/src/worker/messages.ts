/** What a page and its worker say to each other; `id` is the call's. */
export type Request =
  | { readonly id: number; readonly kind: 'call'; readonly name: string; readonly given: readonly unknown[] }
  | { readonly id: number; readonly kind: 'next' | 'stop' }

export type Reply =
  | { readonly kind: 'ready'; readonly names: readonly string[] }
  | { readonly id: number; readonly kind: 'value'; readonly value: unknown }
  /** The call yields values one by one, each when it is asked for. */
  | { readonly id: number; readonly kind: 'stream' }
  | { readonly id: number; readonly kind: 'done' }
  | { readonly id: number; readonly kind: 'error'; readonly name: string; readonly message: string }

/** Either end of the channel: a worker as its page sees it, or a worker's own global. */
export interface End {
  postMessage(message: unknown, options?: { transfer: Transferable[] }): void
  addEventListener(type: string, listener: (event: Event) => void): void
}

/** The buffers of arrays on the first two levels of a result: handed over, not copied. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>()
  const look = (item: unknown, depth: number): void => {
    if (ArrayBuffer.isView(item)) {
      if (item.buffer instanceof ArrayBuffer) found.add(item.buffer)
    } else if (typeof item === 'object' && item !== null && depth < 2)
      for (const inner of Object.values(item)) look(inner, depth + 1)
  }
  look(value, 0)
  return [...found]
}
