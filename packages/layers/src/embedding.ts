import { embedding, Parameter, type Tensor } from '@heed/core-tensor'
import { type LayerOptions, normalInit } from './init.ts'
import { Module } from './module.ts'

export interface EmbeddingOptions extends LayerOptions {
  /** A row that starts as zeros, is read, and gets no gradient. */
  readonly paddingIndex?: number
}

/**
 * A vector for each number, learned.
 *
 * Vectors start from the standard normal distribution, as in PyTorch.
 */
export class Embedding extends Module {
  /** `[numEmbeddings, embeddingSize]` */
  readonly weight: Parameter
  readonly paddingIndex: number | undefined

  constructor(
    numEmbeddings: number,
    embeddingSize: number,
    { paddingIndex, ...options }: EmbeddingOptions = {},
  ) {
    super()
    this.paddingIndex = paddingIndex
    const start = normalInit()([numEmbeddings, embeddingSize], options)
    this.weight = new Parameter(paddingIndex === undefined ? start : withoutRow(start, paddingIndex))
  }

  /** `[...]` (int32) → `[..., embeddingSize]` */
  forward(ids: Tensor): Tensor {
    return embedding(this.weight, ids, { paddingIndex: this.paddingIndex })
  }
}

function withoutRow(table: Tensor, row: number): Tensor {
  const rows = table.shape[0] as number
  const blank = table.slice([{ start: row, stop: row + 1 }]).mul(0)
  return table.slice([{ stop: row }]).concat([blank, table.slice([{ start: row + 1, stop: rows }])], 0)
}
