import type { Described, Size } from './format.ts'

/** To the worker: a file of weights, an invented one, or the files of a run. */
export type ViewerRequest =
  | { readonly kind: 'file'; readonly id: number; readonly file: File }
  | { readonly kind: 'sample'; readonly id: number; readonly large: boolean }
  | {
      readonly kind: 'run'
      readonly id: number
      readonly files: readonly { readonly path: string; readonly file: File }[]
    }
  | { readonly kind: 'ask'; readonly id: number; readonly text: string }

/** A curve of a run's log. */
export interface LogCurve {
  readonly name: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

/** From the worker. */
export type ViewerReply =
  | { readonly kind: 'reading'; readonly id: number }
  | { readonly kind: 'progress'; readonly id: number; readonly share: number }
  | {
      readonly kind: 'layer'
      readonly id: number
      readonly layer: number
      readonly weights: Float32Array<ArrayBuffer>
      readonly size: Omit<Size, 'layers'>
    }
  | { readonly kind: 'described'; readonly id: number; readonly described: Described; readonly ms: number }
  | {
      readonly kind: 'run'
      readonly id: number
      readonly about: string
      readonly curves: readonly LogCurve[]
      readonly example: string
    }
  | { readonly kind: 'answer'; readonly id: number; readonly text: string }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
