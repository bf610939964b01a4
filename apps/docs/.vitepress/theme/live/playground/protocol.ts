/** What a program shows. */
export type Output =
  | { readonly kind: 'text'; readonly text: string; readonly level: 'log' | 'warn' | 'error' }
  | { readonly kind: 'picture'; readonly svg: string }

/** To the worker. */
export interface RunRequest {
  readonly source: string
}

/** From the worker. */
export type RunReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'output'; readonly output: Output }
  | { readonly kind: 'done'; readonly ms: number; readonly result: string }
  | { readonly kind: 'failed'; readonly message: string; readonly line: number | null }

/** Lines at most: a program that prints without end must not fill the page. */
export const MOST_OUTPUTS = 500
