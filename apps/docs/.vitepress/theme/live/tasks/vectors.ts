import { grad, noGrad, normal, Rng, scope, type Tensor, tensor, uniform } from '@heed/core-tensor'
import {
  Additive,
  attend,
  dot,
  General,
  mseLoss,
  type Score,
  scaledDot,
  sparsemax,
  temperatureSoftmax,
} from '@heed/layers'
import { AttentionReadout, ConcatReadout, LastReadout, MaxReadout, MeanReadout } from '@heed/models'
import { Adam } from '@heed/training'
import type { Live } from './task.ts'

export type ScoreName = 'dot' | 'scaled dot' | 'general' | 'additive'

export interface AttendRequest {
  /** `[size]` */
  readonly query: readonly number[]
  /** `[key, size]` */
  readonly keys: readonly (readonly number[])[]
  /** `[key, valueSize]`; the keys unless given */
  readonly values?: readonly (readonly number[])[]
  readonly score?: ScoreName
  /** Of the general score, `[size, size]`. */
  readonly matrix?: readonly (readonly number[])[]
  /** What scores are divided by. */
  readonly temperature?: number
  readonly sparse?: boolean
}

export interface Attention {
  readonly scores: readonly number[]
  readonly weights: readonly number[]
  readonly context: readonly number[]
}

let taught: Promise<Additive> | undefined

/**
 * An additive score that has learned for a moment to like keys that point where the query points. What it knows stands in
 * its weights: with first weights it would look anywhere.
 */
async function teachAdditive(): Promise<Additive> {
  const rng = new Rng(3)
  const score = new Additive(2, 2, 8, { rng: rng.split('weights') })
  const optimizer = new Adam(score.namedParameters(), { learningRate: 0.03 })
  for (let step = 0; step < 300; step++)
    scope(() => {
      const draw = rng.split(step)
      const [query, keys] = [
        normal([32, 1, 2], { rng: draw.split('query') }),
        normal([32, 4, 2], { rng: draw.split('keys') }),
      ]
      mseLoss(score.forward(query, keys), query.matmul(keys.transpose())).backward()
      optimizer.step()
      optimizer.zeroGrad()
    })
  return score
}

const nested = (rows: readonly (readonly number[])[]): Tensor => tensor(rows.map(row => [...row]))

async function scoreOf({ score = 'dot', matrix }: Pick<AttendRequest, 'score' | 'matrix'>): Promise<Score> {
  switch (score) {
    case 'dot':
      return dot
    case 'scaled dot':
      return scaledDot
    case 'general': {
      const general = new General(2, 2)
      general.weight.assign(
        nested(
          matrix ?? [
            [1, 0],
            [0, 1],
          ],
        ),
      )
      return general
    }
    case 'additive':
      taught ??= teachAdditive()
      return taught
  }
}

/** One query looks at some keys. */
export async function attendOnce(request: AttendRequest): Promise<Attention> {
  const { query, keys, values, temperature = 1, sparse = false } = request
  const score = await scoreOf(request)
  return noGrad(() =>
    scope(async () => {
      const k = nested(keys).unsqueeze(0)
      const seen = attend(nested([query]).unsqueeze(0), k, values ? nested(values).unsqueeze(0) : k, {
        score,
        normalize: sparse ? x => sparsemax(x) : x => temperatureSoftmax(x, temperature),
      })
      const [scores, weights, context] = await Promise.all([
        numbers(seen.scores),
        numbers(seen.weights),
        numbers(seen.context),
      ])
      return { scores, weights, context }
    }),
  )
}

/** The same for queries all round the circle: where weights and context go as the query turns. */
export async function attendAround(
  request: Omit<AttendRequest, 'query'> & { readonly length: number },
): Promise<Attention[]> {
  const turns: Attention[] = []
  for (let degree = 0; degree < 360; degree += 6) {
    const angle = (degree * Math.PI) / 180
    turns.push(
      await attendOnce({
        ...request,
        query: [request.length * Math.cos(angle), request.length * Math.sin(angle)],
      }),
    )
  }
  return turns
}

/** What a way of making one vector out of many states does, found out by trying it. */
export interface Constraint {
  readonly readout: 'last' | 'concat' | 'mean' | 'max' | 'attention'
  /** Sizes of the vector for texts of 7, 44 and 200 words. */
  readonly sizes: readonly number[]
  /** Parameters of the read-out and a yes-or-no head on it, for the same lengths. */
  readonly parameters: readonly number[]
  readonly fixedShape: boolean
  /** Whether a change of the words changes how much each place counts. */
  readonly dependsOnContent: boolean
  readonly learnable: boolean
  readonly fixedParameters: boolean
}

const STATE = 64
const TIMES = [7, 44, 200] as const

/** Tries the four demands on a summary on five read-outs. */
export async function constraints(): Promise<Constraint[]> {
  const names = ['last', 'concat', 'mean', 'max', 'attention'] as const
  const found: Constraint[] = []
  for (const readout of names) {
    const made = TIMES.map(time => {
      const rng = new Rng(1).split('readout')
      const part = {
        last: () => new LastReadout(STATE),
        concat: () => new ConcatReadout(STATE, time),
        mean: () => new MeanReadout(STATE),
        max: () => new MaxReadout(STATE),
        attention: () => new AttentionReadout(STATE, STATE, { rng }),
      }[readout]()
      const own = [...part.parameters()].reduce((sum, p) => sum + p.size, 0)
      return { part, own, parameters: own + part.size + 1 }
    })
    const sizes = made.map(({ part }) => part.size)
    // How much each place counts: the derivative of the vector by its state.
    const counts = async (seed: number): Promise<readonly number[]> => {
      const { part } = made[1] as (typeof made)[number]
      const read = (states: Tensor): Tensor =>
        part
          .forward({
            states,
            last: states.slice([{}, { start: 43 }]).squeeze(1),
            lengths: tensor(Int32Array.of(44)),
          })
          .context.sum()
      const states = normal([1, 44, STATE], { rng: new Rng(seed) })
      return scope(async () => numbers(grad(read)(states)[0] as Tensor))
    }
    const [one, other] = [await counts(1), await counts(2)]
    const parameters = made.map(({ parameters }) => parameters)
    found.push({
      readout,
      sizes,
      parameters,
      fixedShape: new Set(sizes).size === 1,
      dependsOnContent: one.some((weight, t) => Math.abs(weight - (other[t] ?? 0)) > 1e-6),
      learnable: (made[1]?.own ?? 0) > 0,
      fixedParameters: new Set(parameters).size === 1,
    })
  }
  return found
}

/** How long a score takes for 32 queries on 32 keys, a size at a time, in milliseconds: the median of nine. */
export interface Timing {
  readonly score: ScoreName
  readonly size: number
  readonly ms: number
}

/** Times the four scores on this machine. */
export async function timing(
  { sizes }: { readonly sizes: readonly number[] },
  live: Live<Timing>,
): Promise<number> {
  let count = 0
  for (const size of sizes) {
    const rng = new Rng(size)
    const [query, keys] = [uniform([8, 32, size], { rng }), uniform([8, 32, size], { rng })]
    const scores: Record<ScoreName, Score> = {
      dot,
      'scaled dot': scaledDot,
      general: new General(size, size, { rng }),
      additive: new Additive(size, size, size, { rng }),
    }
    const names = Object.keys(scores) as ScoreName[]
    const taken = new Map(names.map(name => [name, [] as number[]]))
    for (let round = 0; round < 12; round++)
      for (const name of names) {
        if (live.signal.aborted) return count
        const began = performance.now()
        await noGrad(() => scope(async () => scores[name].score(query, scores[name].prepare(keys)).data()))
        if (round > 2) taken.get(name)?.push(performance.now() - began)
      }
    for (const name of names) {
      const sorted = (taken.get(name) ?? []).sort((a, b) => a - b)
      await live.report({ score: name, size, ms: sorted[Math.floor(sorted.length / 2)] ?? 0 })
      count++
    }
  }
  return count
}

async function numbers(x: Tensor): Promise<number[]> {
  return Array.from((await x.data()) as Float32Array)
}
