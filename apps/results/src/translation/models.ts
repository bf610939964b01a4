import { Rng } from '@heed/core-tensor'
import { PAD } from '@heed/datasets'
import { Seq2Seq, type Seq2SeqConfig, seq2seqConfig } from '@heed/models'
import type { Sides } from './corpus.ts'

/** The rungs of the ladder, from the first. */
export const rungs = ['plain', 'context', 'bahdanau', 'luong'] as const
export type Rung = (typeof rungs)[number]

/** What people call them. */
export const titles: Readonly<Record<Rung, string>> = {
  plain: 'thought vector (first state only)',
  context: 'vector given at every step',
  bahdanau: 'Bahdanau attention',
  luong: 'Luong attention (general, input feeding)',
}

/** Whether it looks. */
export const looks: Readonly<Record<Rung, boolean>> = { plain: false, context: false, bahdanau: true, luong: true } // biome-ignore format: one line

/** Sizes that all rungs share. */
export interface Sizes {
  readonly hidden: number
  readonly embedding: number
  readonly dropout: number
}

/**
 * What tells the rungs apart. Every encoder gives `hidden` numbers for a word: one recurrence that reads from the end for the
 * two without attention (the way that helps them: Sutskever et al. 2014), one of half that width in each direction for the two
 * with it (as Bahdanau et al. 2015).
 */
function configOf(rung: Rung, { hidden }: Sizes): Partial<Seq2SeqConfig> {
  const one = { bidirectional: false, reverseSource: true, encoderHidden: hidden } as const
  const both = { bidirectional: true, encoderHidden: hidden / 2, attentionSize: hidden / 2 } as const
  switch (rung) {
    case 'plain':
      return { attention: 'none', without: ['context'], ...one }
    case 'context':
      return { attention: 'none', ...one }
    case 'bahdanau':
      return { attention: 'bahdanau', ...both }
    case 'luong':
      return { attention: 'general', inputFeeding: true, ...both }
  }
}

/** A rung with first weights drawn from the seed. */
export function build(rung: Rung, { source, target }: Sides, sizes: Sizes, seed: number): Seq2Seq {
  const config = seq2seqConfig({
    sourceVocab: source.vocabulary.size,
    targetVocab: target.vocabulary.size,
    padding: PAD,
    cell: 'gru',
    ...sizes,
    ...configOf(rung, sizes),
  })
  return new Seq2Seq(config, { rng: new Rng(seed).split('weights') })
}

/** Numbers that are learned. */
export function parameters(model: Seq2Seq): number {
  return model.parameters().reduce((sum, x) => sum + x.size, 0)
}
