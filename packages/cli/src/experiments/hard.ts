import { arange, type Backend, getBackend, noGrad, Rng, scope, softmax, type Tensor, tensor, withRng } from '@heed/core-tensor' // biome-ignore format: one line
import { countTokens, examples, type LabelledText, marked, Vocabulary } from '@heed/datasets'
import { Additive, crossEntropy, Embedding, gumbelSoftmax, hardChoice, type LayerOptions, Linear, Module, parameter, readChosen, reinforce, sampleKeys, xavierUniform } from '@heed/layers' // biome-ignore format: one line
import { decide, type Experiment, type Results } from './experiment.ts'
import { train } from './learn.ts'

/** How the model reads: a mixture of all rows, or one row, learned by reward or through relaxed choices. */
type Reading = 'soft' | 'hard, REINFORCE' | 'hard, Gumbel'
const READINGS: readonly Reading[] = ['soft', 'hard, REINFORCE', 'hard, Gumbel']

interface Texts {
  /** `[batch, time]`, int32 */
  readonly ids: Tensor
  /** `[batch]`, int32 */
  readonly labels: Tensor
}

/** Words, an additive score of each by a learned query, one read, a head. */
class Reader extends Module {
  readonly reading: Reading
  readonly embedding: Embedding
  readonly score: Additive
  readonly query: Tensor
  readonly head: Linear

  constructor(reading: Reading, vocab: number, size: number, classes: number, options: LayerOptions) {
    super()
    this.reading = reading
    this.embedding = new Embedding(vocab, size, options)
    this.score = new Additive(size, size, size, options)
    this.query = parameter([1, size], xavierUniform(), options)
    this.head = new Linear(size, classes, options)
  }

  /** `[batch, time]` → states `[batch, time, size]` and scores `[batch, 1, time]`. */
  look(ids: Tensor): { states: Tensor; scores: Tensor } {
    const states = this.embedding.forward(ids)
    const [batch, , size] = states.shape as [number, number, number]
    return { states, scores: this.score.forward(this.query.unsqueeze(0).expand([batch, 1, size]), states) }
  }

  /** Logits `[batch, classes]` as in use: the hard ones read the row with the highest score. */
  forward(ids: Tensor): Tensor {
    const { states, scores } = this.look(ids)
    return this.head.forward(this.read(states, scores).squeeze(1))
  }

  /** What is read, `[batch, 1, size]`: no sampling. */
  read(states: Tensor, scores: Tensor): Tensor {
    return this.reading === 'soft' ? softmax(scores).matmul(states) : readChosen(states, scores.argmax(-1))
  }

  /** Cross-entropy; by REINFORCE with what it costs to have looked where it did, the batch’s mean as the baseline. */
  loss({ ids, labels }: Texts): Tensor {
    const { states, scores } = this.look(ids)
    const answer = (context: Tensor): Tensor => this.head.forward(context.squeeze(1))
    if (this.reading === 'soft') return crossEntropy(answer(softmax(scores).matmul(states)), labels)
    if (this.reading === 'hard, Gumbel')
      return crossEntropy(answer(gumbelSoftmax(scores).matmul(states)), labels)
    const { samples, logProb, entropy } = hardChoice(scores, sampleKeys(scores))
    const costs = crossEntropy(answer(readChosen(states, samples)), labels, { reduction: 'none' }) // [batch]
    const advantage = costs.neg().sub(costs.neg().mean()).unsqueeze(1) // reward log p(y | choice), Xu et al. 2015, eq. 11
    const policy = reinforce(logProb, advantage).mul(1 / (costs.shape[0] as number))
    return costs.mean().sub(policy).sub(entropy.mean().mul(0.01))
  }
}

interface HardSettings {
  readonly lengths: readonly number[]
  readonly lines: number
  readonly tests: number
  readonly size: number
  /** Steps between two looks at the test texts. */
  readonly every: number
  /** Which accuracy counts as learned. */
  readonly goal: number
}

const BATCH = 32

/** X11: soft against hard, in training and in use. */
export const x11: Experiment<HardSettings> = {
  id: 'X11',
  title: 'Is soft attention faster than hard attention?',
  claim:
    'Soft attention is faster; hard attention is more computationally expensive, and is trained by reinforcement learning.',
  setup:
    'One of 10 or more words bears a mark and is to be named; one read of one row is enough. The same words, additive score and head; the read is a mixture of all rows, or one row that is drawn while learning and is the best-scored in use: by REINFORCE (reward log p, the batch’s mean as baseline, a little entropy) or by straight-through Gumbel-softmax. Steps and seconds until 95 % of the test texts are right (looking at the test left out of the time; what does not get there counts with all steps), the noise of the score’s gradient over draws at the first weights against its norm, and what one read costs in use. Seconds depend on the machine.',
  rule: 'Three conditions at the longest texts: soft needs fewer steps than either hard kind (intervals over seeds of the differences below 0); it needs fewer seconds than either; and in use a hard read costs more multiply-adds than a soft one. Holds if all three are so, under conditions if some. Texts of 80 words and more than the usual number of seeds were added after the first quick looks, whose intervals were too wide to say anything.',
  settings: quick => ({ lengths: quick ? [10, 40, 80] : [10, 20, 40, 80], lines: quick ? 12_800 : 38_400, tests: 300, size: 32, every: 10, goal: 0.95 }), // biome-ignore format: one line
  seeds: quick => (quick ? 8 : 12),
  arms: () => READINGS,
  measures: [
    { key: 'steps', title: 'Steps until 95 % are right', unit: 'steps' },
    { key: 'seconds', title: 'Time until 95 % are right', unit: 's' },
    { key: 'accuracy', title: 'Accuracy when stopped', unit: '% of test texts', share: true },
    { key: 'noise', title: 'Noise of the score’s gradient over draws', unit: 'deviation / norm of the mean' },
    { key: 'macs', title: 'One read in use, scoring left out', unit: 'multiply-adds' },
    { key: 'micro', title: 'One read in use, scoring left out', unit: 'µs a text' },
  ],
  xLabel: 'words',
  async measure(arm, { settings, seed, signal }) {
    const found = []
    for (const length of settings.lengths)
      found.push({ x: length, values: await scope(() => learn(arm as Reading, length, settings, seed, signal)) }) // biome-ignore format: one line
    return found
  },
  judge(results, { lengths }) {
    const x = lengths.at(-1) as number
    const fewer = (key: string): boolean =>
      READINGS.slice(1).every(hard => (results.difference('soft', hard, x, key)?.high ?? 0) < 0)
    const each = (key: string, digits: number): string =>
      READINGS.map(arm => `${arm} ${results.mean(arm, x, key).toFixed(digits)}`).join(', ')
    return {
      verdict: decide([fewer('steps'), fewer('seconds'), dearer(results, x)]),
      because: `at ${x} words: steps ${each('steps', 0)}; seconds ${each('seconds', 1)}; accuracy in % ${READINGS.map(arm => `${arm} ${(100 * results.mean(arm, x, 'accuracy')).toFixed(0)}`).join(', ')}; multiply-adds of a read in use ${each('macs', 0)}`, // biome-ignore format: one line
    }
  },
}

function dearer(results: Results, x: number): boolean {
  const soft = results.mean('soft', x, 'macs')
  return READINGS.slice(1).every(hard => results.mean(hard, x, 'macs') > soft)
}

async function learn(
  reading: Reading,
  length: number,
  { lines, tests, size, every, goal }: HardSettings,
  seed: number,
  signal: AbortSignal,
): Promise<Readonly<Record<string, number>>> {
  const part = (split: 'train' | 'test', count: number) => examples(marked({ seed, split, size: count, length })) // biome-ignore format: one line
  const learned = part('train', lines)
  const tested = part('test', tests)
  const vocabulary = Vocabulary.fromCounts(countTokens(learned.map(({ text }) => text.split(' '))))
  const labels = ['a', 'b', 'c', 'd']
  const texts = (rows: readonly LabelledText[]): Texts => ({
    ids: tensor(Int32Array.from(rows.flatMap(({ text }) => [...vocabulary.encode(text.split(' '))])), { shape: [rows.length, length] }), // biome-ignore format: one line
    labels: tensor(Int32Array.from(rows, ({ label }) => labels.indexOf(label))),
  })
  const model = new Reader(reading, vocabulary.size, size, labels.length, { rng: new Rng(seed).split('weights') }) // biome-ignore format: one line
  const noise = await gradientNoise(model, texts(learned.slice(0, BATCH)), seed)
  const total = Math.floor(lines / BATCH)
  let [steps, seconds, accuracy] = [total, 0, 0]
  let since = performance.now()
  const look = async (step: number): Promise<{ stop: string } | undefined> => {
    seconds += (performance.now() - since) / 1000
    if (step % every === 0 || step === total) accuracy = await share(model, texts(tested))
    since = performance.now()
    if (accuracy < goal) return
    steps = step
    return { stop: 'learned' }
  }
  await train(
    model,
    { steps: () => total, batch: (_, step) => texts(learned.slice(step * BATCH, (step + 1) * BATCH)) },
    { learningRate: 0.005, seed, signal, onStep: look },
  )
  return { steps, seconds, accuracy, noise, ...(await readingCost(model, length, size)) }
}

/** The share of texts that are named rightly. */
async function share(model: Reader, { ids, labels }: Texts): Promise<number> {
  const right = await noGrad(() => scope(() => model.forward(ids).argmax(-1).equal(labels).cast('float32').mean().item())) // biome-ignore format: one line
  return right
}

/** How far gradients of the score’s weights lie apart over draws of the same texts, against the norm of their mean. */
async function gradientNoise(model: Reader, batch: Texts, seed: number, draws = 24): Promise<number> {
  const rows: Float32Array[] = []
  for (let k = 0; k < draws; k++)
    rows.push(
      await scope(async () => {
        model.zeroGrad()
        withRng(new Rng(seed).split('draws').split(k), () => model.loss(batch)).backward()
        const parts = await Promise.all([model.score.wKey, model.score.v].map(p => p.grad?.data()))
        return Float32Array.from(parts.flatMap(part => [...((part ?? []) as Float32Array)]))
      }),
    )
  model.zeroGrad()
  const width = rows[0]?.length ?? 0
  let [spread, norm] = [0, 0]
  for (let i = 0; i < width; i++) {
    const mean = rows.reduce((sum, row) => sum + (row[i] as number), 0) / draws
    norm += mean ** 2
    spread += rows.reduce((sum, row) => sum + ((row[i] as number) - mean) ** 2, 0) / (draws - 1)
  }
  return Math.sqrt(spread / norm)
}

/** What reading costs once the scores are there: a weighted sum of all rows, or one row fetched. */
async function readingCost(
  model: Reader,
  length: number,
  size: number,
): Promise<{ macs: number; micro: number }> {
  const [batch, backend]: [number, Backend] = [128, getBackend()]
  const micro = await noGrad(() =>
    scope(async () => {
      const states = arange(0, batch * length * size, 1, { backend }).cast('float32').reshape([batch, length, size]) // biome-ignore format: one line
      const scores = states.sum(-1).unsqueeze(1).mul(1e-9)
      const times: number[] = []
      for (let k = 0; k < 25; k++) {
        const began = performance.now()
        await scope(() => model.read(states, scores).data())
        times.push(performance.now() - began)
      }
      return (1000 * (times.sort((a, b) => a - b)[12] as number)) / batch
    }),
  )
  return { macs: model.reading === 'soft' ? length * size : 0, micro }
}
