import { ConfigError, embedding, Parameter, ShapeError, type Tensor } from '@heed/core-tensor'
import { type LayerOptions, normalInit } from './init.ts'
import { Module } from './module.ts'

/** Where an {@link Embedding} starts, and whether it is learned. */
export interface EmbeddingOptions extends LayerOptions {
  /** Vectors that somebody else learned, `[numEmbeddings, embeddingSize]`, in place of random ones. */
  readonly pretrained?: Tensor
  /** Whether the vectors stay as they are; otherwise they are learned (fine-tuned, where pretrained). */
  readonly frozen?: boolean
  /** A row that starts as zeros, is read, and gets no gradient. */
  readonly paddingIndex?: number
}

/**
 * A vector for each number, learned.
 *
 * Vectors start from the standard normal distribution, as in PyTorch.
 *
 * @example
 * new Embedding(5, 2, { pretrained: vectors, frozen: true })
 * @throws ConfigError, ShapeError if a setting makes no sense
 */
export class Embedding extends Module {
  /** `[numEmbeddings, embeddingSize]` */
  readonly weight: Parameter
  readonly paddingIndex: number | undefined

  constructor(
    numEmbeddings: number,
    embeddingSize: number,
    { paddingIndex, pretrained, frozen = false, ...options }: EmbeddingOptions = {},
  ) {
    super()
    if (
      paddingIndex !== undefined &&
      !(Number.isInteger(paddingIndex) && paddingIndex >= 0 && paddingIndex < numEmbeddings)
    )
      // biome-ignore format: one line reads best
      throw new ConfigError(
        `Embedding: paddingIndex ${paddingIndex} of ${numEmbeddings} rows; use 0 to ${numEmbeddings - 1}`,
      )
    this.paddingIndex = paddingIndex
    const given = pretrained?.detach()
    if (given && given.shape.join() !== `${numEmbeddings},${embeddingSize}`)
      throw new ShapeError(
        `Embedding: pretrained vectors are [${given.shape.join(', ')}]; use [${numEmbeddings}, ${embeddingSize}]`,
      )
    const start = given ?? normalInit()([numEmbeddings, embeddingSize], options)
    // Pretrained padding stays as it was given, as in PyTorch.
    const blank = given || paddingIndex === undefined ? start : withoutRow(start, paddingIndex)
    this.weight = new Parameter(blank, { requiresGrad: !frozen })
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
