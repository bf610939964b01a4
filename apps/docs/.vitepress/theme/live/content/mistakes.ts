import type { Heed } from '../useHeed.ts'

/** A common saying about attention. */
export interface Mistake {
  readonly id: string
  readonly says: string
  readonly truth: boolean
  readonly why: string
  /** A counter-example, or an example, that runs in the page: what it found, in lines. */
  readonly test?: (run: Heed['run'], told: (text: string) => void) => Promise<string[]>
}

const STATES = [
  [1, 0],
  [0.5, 0.5],
  [0, 1],
]
const list = (numbers: readonly number[] | undefined): string =>
  `[${(numbers ?? []).map(x => x.toFixed(3)).join(', ')}]`
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`

/** The three mistakes, and one saying that is true. */
export const MISTAKES: readonly Mistake[] = [
  {
    id: 'average',
    says: 'Attention is nothing but a weighted average.',
    truth: false,
    why: 'The last step is an average, but its weights are not given: they are computed from what stands there and from what is asked, and learned together with everything else. Ask another question, and the same states give another answer.',
    async test(run) {
      const [one, other, none] = [
        await run('attendOnce', { query: [3, 0], keys: STATES }),
        await run('attendOnce', { query: [0, 3], keys: STATES }),
        await run('attendOnce', { query: [0, 0], keys: STATES }),
      ]
      return [
        `query [3, 0]: weights ${list(one?.weights)}, context ${list(one?.context)}`,
        `query [0, 3]: weights ${list(other?.weights)}, context ${list(other?.context)}`,
        `query [0, 0] asks nothing: weights ${list(none?.weights)}, and only now it is the plain average ${list(none?.context)}`,
      ]
    },
  },
  {
    id: 'lossless',
    says: 'With attention nothing is lost any more, so long sequences are no problem.',
    truth: false,
    why: 'The door is gone, the difficulty is not: longer inputs than those learned from still go wrong, and every further word makes the weights share one whole among more places.',
    async test(run, told) {
      let last: readonly { length: number; right: number }[] = []
      await run(
        'bottleneck',
        { steps: 240, hidden: 32, seed: 1, arms: ['look-back'], longest: 8, lengths: [4, 8, 16, 24] },
        ({ step, byLength }) => {
          last = byLength
          told(`Training a copier with attention on strings of up to 8 letters, step ${step} of 240…`)
        },
      )
      return [
        'Learned from strings of 2 to 8 letters, letters in the right place:',
        ...last.map(({ length, right }) => `${length} letters: ${percent(right)}`),
      ]
    },
  },
  {
    id: 'transformer',
    says: 'Attention is just another word for Transformer.',
    truth: false,
    why: 'Attention is one part. The translator that you trained has it and is recurrent; a Transformer has it and, beside it, positions, residual sums, norms and two linear maps in every block. Take those out, and attention alone fails at easy things.',
    async test(run, told) {
      const found: string[] = []
      for (const feedforward of [true, false]) {
        let accuracy = 0
        await run(
          'ablate',
          { attention: true, feedforward, residual: true, steps: 300, seed: 1 },
          progress => {
            accuracy = progress.accuracy
            told(
              `${feedforward ? 'The whole block' : 'Attention without the linear maps'}, step ${progress.step} of 300…`,
            )
          },
        )
        found.push(
          `${feedforward ? 'the whole Transformer block' : 'attention alone, without the two linear maps'}: ${percent(accuracy)} of letters rightly called repeats or not`,
        )
      }
      return found
    },
  },
  {
    id: 'parts',
    says: 'With equal scores for all places, attention is the plain mean.',
    truth: true,
    why: 'Softmax of equal numbers is 1/T each, so the weighted sum is the mean. That is why the mean is the special case, and attention the general one.',
    async test(run) {
      const seen = await run('attendOnce', { query: [1, 1], keys: STATES })
      return [
        `query [1, 1]: scores ${list(seen?.scores)}, weights ${list(seen?.weights)}, context ${list(seen?.context)}`,
      ]
    },
  },
]
