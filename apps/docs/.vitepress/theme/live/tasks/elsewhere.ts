import { noGrad, Rng, scope, type Tensor, tensor } from '@heed/core-tensor'
import { EMOTIONS, emotion } from '@heed/datasets'
import { type Attended, attend, crossEntropy, Linear, Module } from '@heed/layers'
import { Adam, Trainer } from '@heed/training'
import { every, type Live } from './task.ts'

export type Domain = 'words' | 'picture' | 'graph' | 'memory'

export interface ElsewhereOptions {
  readonly domain: Domain
  readonly steps: number
  readonly seed: number
}

/** One question with its things to look at, for people. */
export interface Shown {
  /** What is asked, in words. */
  readonly question: string
  /** The things, in words. */
  readonly items: readonly string[]
  readonly weights: readonly number[]
  /** Which may be looked at. */
  readonly open: readonly boolean[]
  readonly answer: string
  readonly truth: string
  /** The thing that holds the answer. */
  readonly right: number
}

export interface ElsewhereProgress {
  readonly step: number
  readonly loss: number
  readonly accuracy: number
  readonly shown: Shown
}

/** One question: numbers for the reader, words for people. */
interface Question {
  /** `[questionSize]` */
  readonly asks: readonly number[]
  /** `[item, itemSize]` */
  readonly items: readonly (readonly number[])[]
  readonly open: readonly boolean[]
  /** The number of the right answer. */
  readonly label: number
  readonly right: number
  readonly words: { readonly question: string; readonly items: readonly string[] }
}

/** Where the things come from. All that changes from domain to domain. */
interface Source {
  readonly answers: readonly string[]
  draw(rng: Rng, index: number): Question
}

interface QuestionBatch {
  /** `[batch, questionSize]` */
  readonly asks: Tensor
  /** `[batch, item, itemSize]` */
  readonly items: Tensor
  /** `[batch, 1, item]`, bool */
  readonly open: Tensor
  /** `[batch]`, int32 */
  readonly labels: Tensor
}

/** Score, softmax, weighted sum, and a linear answer: the same few lines for words, places, neighbours and slots. */
class Reader extends Module {
  readonly query: Linear
  readonly key: Linear
  readonly answer: Linear

  constructor(questionSize: number, itemSize: number, answers: number, rng: Rng) {
    super()
    this.query = new Linear(questionSize, SIZE, { rng })
    this.key = new Linear(itemSize, SIZE, { rng })
    this.answer = new Linear(itemSize, answers, { rng })
  }

  forward({ asks, items, open }: QuestionBatch): Attended & { readonly logits: Tensor } {
    const query = this.query.forward(asks).unsqueeze(1) // [batch, 1, size]
    const { context, weights, scores } = attend(query, this.key.forward(items), items, {
      mask: open,
      owner: this,
    })
    return { context, weights, scores, logits: this.answer.forward(context.squeeze(1)) }
  }

  loss(batch: QuestionBatch): Tensor {
    return crossEntropy(this.forward(batch).logits, batch.labels)
  }
}

const SIZE = 16
const BATCH = 32
const TESTS = 100

/** Trains one reader on one kind of things. */
export async function elsewhere(
  options: ElsewhereOptions,
  live: Live<ElsewhereProgress>,
): Promise<{ parameters: number; finished: boolean }> {
  const { domain, steps, seed } = options
  const source = SOURCES[domain](seed)
  const rng = new Rng(seed).split(domain)
  const train = (step: number): Question[] =>
    Array.from({ length: BATCH }, (_, i) =>
      source.draw(rng.split('train').split(step * BATCH + i), step * BATCH + i),
    )
  const test = Array.from({ length: TESTS }, (_, i) => source.draw(rng.split('test').split(i), 1_000_000 + i))
  const [first] = test as [Question, ...Question[]]
  const model = new Reader(
    first.asks.length,
    first.items[0]?.length ?? 0,
    source.answers.length,
    rng.split('weights'),
  )
  const trainer = new Trainer(model, {
    optimizer: new Adam(model.namedParameters(), { learningRate: 0.02 }),
    clipNorm: 1,
    seed,
  })
  const finished = await trainer.fit(
    { steps: () => steps, batch: (_, step) => batchOf(train(step)) },
    {
      epochs: 1,
      signal: live.signal,
      onStep: async ({ total, loss }) => {
        if (every(total, steps, 20))
          await live.report({ step: total, loss, ...(await look(model, test, source)) })
      },
    },
  )
  return { parameters: [...model.parameters()].reduce((sum, p) => sum + p.size, 0), finished }
}

async function look(
  model: Reader,
  test: readonly Question[],
  { answers }: Source,
): Promise<{ accuracy: number; shown: Shown }> {
  return noGrad(() =>
    scope(async () => {
      const { logits, weights } = model.forward(batchOf(test))
      const said = await logits.argmax(-1).data()
      const [question] = test as [Question]
      const looked = (await weights.data()) as Float32Array
      return {
        accuracy: test.filter(({ label }, i) => said[i] === label).length / test.length,
        shown: {
          question: question.words.question,
          items: question.words.items,
          weights: Array.from(looked.slice(0, question.items.length)),
          open: question.open,
          answer: answers[said[0] as number] as string,
          truth: answers[question.label] as string,
          right: question.right,
        },
      }
    }),
  )
}

/** Questions under each other, filled up with things that may not be looked at. */
function batchOf(questions: readonly Question[]): QuestionBatch {
  const [first] = questions as [Question, ...Question[]]
  const batch = questions.length
  const most = Math.max(...questions.map(({ items }) => items.length))
  const size = first.items[0]?.length ?? 0
  const items = new Float32Array(batch * most * size)
  const open = new Uint8Array(batch * most)
  for (const [b, question] of questions.entries()) {
    for (const [i, item] of question.items.entries()) items.set(item, (b * most + i) * size)
    open.set(question.open.map(Number), b * most)
  }
  return {
    asks: tensor(Float32Array.from(questions.flatMap(({ asks }) => asks)), {
      shape: [batch, first.asks.length],
    }),
    items: tensor(items, { shape: [batch, most, size] }),
    open: tensor(open, { shape: [batch, 1, most], dtype: 'bool' }),
    labels: tensor(Int32Array.from(questions, ({ label }) => label)),
  }
}

const one = (at: number, size: number): number[] => Array.from({ length: size }, (_, i) => Number(i === at))
const COLOURS = ['red', 'green', 'blue', 'gold'] as const

const SOURCES: Readonly<Record<Domain, (seed: number) => Source>> = {
  words: seed => {
    const data = {
      train: emotion({ seed, split: 'train', size: 1_000_000, clauses: 4 }),
      test: emotion({ seed, split: 'test', size: TESTS, clauses: 4 }),
    }
    const places = new Map<string, number>()
    // Words are numbered by what their letters add up to: a table of fixed size without a pass over the data.
    const table = 256
    const place = (word: string): number => {
      const known = places.get(word)
      if (known !== undefined) return known
      if (places.size === table) throw new Error(`words: more than ${table} different words; raise the table`)
      places.set(word, places.size)
      return places.size - 1
    }
    return {
      answers: EMOTIONS,
      draw(_, index) {
        const { text, label, cue } =
          index >= 1_000_000 ? data.test.at(index - 1_000_000) : data.train.at(index)
        const words = text.split(' ')
        return {
          asks: [1],
          items: words.map(word => one(place(word), table)),
          open: words.map(() => true),
          label: EMOTIONS.indexOf(label as (typeof EMOTIONS)[number]),
          right: cue,
          words: { question: 'Which of six emotions?', items: words },
        }
      },
    }
  },
  picture: () => {
    const shapes = ['circle', 'square', 'star'] as const
    const side = 5
    return {
      answers: COLOURS,
      draw(rng) {
        const cells = rng.permutation(side * side)
        const colours = shapes.map(() => rng.int(COLOURS.length))
        const asked = rng.int(shapes.length)
        const shapeAt = (cell: number): number => shapes.findIndex((_, s) => cells[s] === cell)
        const items = Array.from({ length: side * side }, (_, cell) => shapeAt(cell))
        return {
          asks: one(asked, shapes.length),
          items: items.map(s => [
            ...one(s, shapes.length),
            ...one(s < 0 ? -1 : (colours[s] as number), COLOURS.length),
          ]),
          open: items.map(() => true),
          label: colours[asked] as number,
          right: cells[asked] as number,
          words: {
            question: `What colour is the ${shapes[asked]}?`,
            items: items.map(s => (s < 0 ? 'empty' : `${COLOURS[colours[s] as number]} ${shapes[s]}`)),
          },
        }
      },
    }
  },
  graph: () => {
    const things = ['lamp', 'dog', 'drum'] as const
    const nodes = 9
    return {
      answers: COLOURS,
      draw(rng) {
        const held = Array.from({ length: nodes }, () => rng.int(things.length))
        const worn = Array.from({ length: nodes }, () => rng.int(COLOURS.length))
        const neighbours = Array.from(rng.permutation(nodes - 1))
          .slice(0, things.length)
          .map(i => i + 1)
        for (const [i, node] of neighbours.entries()) held[node] = i
        const asked = rng.int(things.length)
        const right = neighbours[asked] as number
        return {
          asks: one(asked, things.length),
          items: held.map((thing, i) => [
            ...one(thing, things.length),
            ...one(worn[i] as number, COLOURS.length),
          ]),
          open: held.map((_, i) => neighbours.includes(i)),
          label: worn[right] as number,
          right,
          words: {
            question: `Which colour does the neighbour with the ${things[asked]} wear?`,
            items: held.map((thing, i) => (i ? `${COLOURS[worn[i] as number]} ${things[thing]}` : 'asks')),
          },
        }
      },
    }
  },
  memory: () => {
    const names = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eve', 'Finn', 'Gus', 'Hana'] as const
    const rooms = ['kitchen', 'garden', 'attic', 'garage'] as const
    return {
      answers: rooms,
      draw(rng) {
        const who = Array.from(rng.permutation(names.length)).slice(0, 6)
        const where = who.map(() => rng.int(rooms.length))
        const asked = rng.int(who.length)
        return {
          asks: one(who[asked] as number, names.length),
          items: who.map((name, i) => [...one(name, names.length), ...one(where[i] as number, rooms.length)]),
          open: who.map(() => true),
          label: where[asked] as number,
          right: asked,
          words: {
            question: `Where is ${names[who[asked] as number]}?`,
            items: who.map((name, i) => `${names[name]} is in the ${rooms[where[i] as number]}`),
          },
        }
      },
    }
  },
}
