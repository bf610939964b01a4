/** A program to begin with. */
export interface Example {
  readonly name: string
  readonly title: string
  readonly source: string
}

/** The programs of the menu, each runs as it stands. */
export const EXAMPLES: readonly Example[] = [
  {
    name: 'three-operations',
    title: 'Score, softmax, weighted sum',
    source: `import { tensor } from '@heed/core-tensor'
import { attend } from '@heed/layers'
import { heatStrip } from '@heed/viz'

// Three states and a query, all in two numbers.
const states = tensor([[[1, 0], [0.5, 0.5], [0, 1]]]) // [batch, key, size]
const query = tensor([[[0.7, 0.3]]]) // [batch, query, size]

const { scores, weights, context } = attend(query, states)
console.log('scores', scores)
console.log('weights', weights)
console.log('context', context)

const numbers = Array.from(await weights.data())
show(heatStrip(['state 1', 'state 2', 'state 3'], numbers))
`,
  },
  {
    name: 'gradient',
    title: 'Train a line with gradients',
    source: `import { Parameter, scope, tensor } from '@heed/core-tensor'
import { Adam } from '@heed/training'
import { curve } from '@heed/viz'

const x = tensor([[0], [1], [2], [3]])
const y = tensor([[1], [3], [5], [7]]) // y = 2x + 1
const slope = new Parameter(tensor([[0.1]]))
const offset = new Parameter(tensor([0]))
const optimizer = new Adam([['slope', slope], ['offset', offset]], { learningRate: 0.1 })

const points: { x: number; y: number }[] = []
for (let step = 1; step <= 100; step++)
  await scope(async () => {
    const error = x.matmul(slope).add(offset).sub(y)
    const loss = error.mul(error).mean()
    loss.backward()
    optimizer.step()
    optimizer.zeroGrad()
    const [value] = await loss.data()
    points.push({ x: step, y: value })
  })

console.log('slope', slope, 'offset', offset)
show(curve([{ name: 'loss', points }], { title: 'Learning a line', xLabel: 'step', yLabel: 'squared error', log: 'y' }))
`,
  },
  {
    name: 'heads',
    title: 'Look into the heads',
    source: `import { normal, Rng } from '@heed/core-tensor'
import { captureAttention, TransformerEncoder } from '@heed/layers'

const rng = new Rng(1)
const words = ['attention', 'is', 'a', 'weighted', 'read']
const encoder = new TransformerEncoder(16, 2, { numLayers: 2, feedforwardSize: 32, dropout: 0, rng })
const x = normal([1, words.length, 16], { rng }).mul(2)

// Every map that is drawn inside, with its place in the model.
const { maps } = captureAttention(encoder, () => encoder.forward(x))
for (const map of maps) {
  console.log(map.path, map.shape)
  for (let head = 0; head < 2; head++) {
    const one = map.weights().slice([{}, { start: head, stop: head + 1 }])
    await show(one, { rows: words, columns: words, title: \`\${map.path}, head \${head}\` })
  }
}
`,
  },
  {
    name: 'masks',
    title: 'Masks: who may look where',
    source: `import { normal, Rng, tensor } from '@heed/core-tensor'
import { attend, causal, padding, window } from '@heed/layers'

const rng = new Rng(7)
const x = normal([1, 8, 4], { rng })
const lengths = tensor(Int32Array.of(6))

await show(attend(x, x).weights, { title: 'everywhere' })
await show(attend(x, x, x, { mask: causal }).weights, { title: 'only back' })
await show(attend(x, x, x, { mask: window(1) }).weights, { title: 'only near' })
await show(attend(x, x, x, { mask: padding(lengths) }).weights, { title: 'the last two are padding' })
await show(attend(x, x, x, { mask: causal.and(window(2)) }).weights, { title: 'near, and only back' })
`,
  },
  {
    name: 'squeeze',
    title: 'Attention over channels',
    source: `import { Rng, uniform } from '@heed/core-tensor'
import { SqueezeExcitation } from '@heed/layers'

// Squeeze-and-excitation: one weight for each channel of an image. Its weights come
// from a sigmoid, not a softmax: channels do not share one whole.
const rng = new Rng(2)
const images = uniform([1, 8, 6, 6], { rng }) // [batch, channels, height, width]
const block = new SqueezeExcitation(8, { reduction: 2, rng })
const { context, weights } = block.forward(images)
console.log('weights', weights)
console.log('images again, each channel louder or softer:', context.shape)
`,
  },
  {
    name: 'translate',
    title: 'Train a translator (10 s)',
    source: `import { getBackend, Rng, tensor } from '@heed/core-tensor'
import { Batches, BEGIN, countTokens, END, examples, PAD, translation, Vocabulary } from '@heed/datasets'
import { greedy, Seq2Seq, seq2seqConfig } from '@heed/models'
import { Adam, Trainer, warmupCosine } from '@heed/training'
import { alignment } from '@heed/viz'

const cut = (text: string): string[] => text.split(' ')
const lines = examples(translation({ seed: 1, split: 'train', size: 32 * 250, maxClauses: 1 }))
const source = Vocabulary.fromCounts(countTokens(lines.map(line => cut(line.source))))
const target = Vocabulary.fromCounts(countTokens(lines.map(line => cut(line.target))))
const pairs = lines.map(line => ({
  source: source.encode(cut(line.source)),
  target: target.encode(cut(line.target), { begin: true, end: true }),
}))
const batches = new Batches(pairs, { size: 32, seed: 1 }).epoch(0)

const model = new Seq2Seq(
  seq2seqConfig({ sourceVocab: source.size, targetVocab: target.size, embedding: 24, hidden: 48, encoderHidden: 32, padding: PAD }),
  { rng: new Rng(1) },
)
const trainer = new Trainer(model, {
  optimizer: new Adam(model.namedParameters()),
  schedule: warmupCosine(0.01, { warmup: 25, total: 250 }),
  clipNorm: 1,
})
const batch = (_: number, step: number) => {
  const b = batches.at(step)
  return {
    source: tensor(b.source, { shape: b.sourceShape }),
    sourceLengths: tensor(b.sourceLengths),
    target: tensor(b.target, { shape: b.targetShape }),
  }
}
await trainer.fit({ steps: () => 250, batch }, {
  epochs: 1,
  onStep: ({ total, loss }) => { if (total % 50 === 0) console.log('step', total, 'loss', loss.toFixed(3)) },
})

const words = cut('he is playing football today')
const ids = tensor(source.encode(words), { shape: [1, words.length] })
const [found] = await greedy(() => model.eval().stepper(ids, tensor(Int32Array.of(words.length))), 1, getBackend(), {
  begin: BEGIN, end: END, maxLength: 12,
})
const written = found.ids.map(id => target.token(id))
console.log(written.join(' '))
show(alignment(words, written, found.weights.slice(0, written.length).map(row => Array.from(row))))
`,
  },
]
