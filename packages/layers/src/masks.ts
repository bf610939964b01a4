import { arange, type Tensor, tensor } from '@heed/core-tensor'

/** Where sequences of the given lengths have something: `[batch]` (int32) → `[batch, time]`, bool, true inside. */
export function lengthMask(lengths: Tensor, time: number): Tensor {
  return arange(0, time, 1, { backend: lengths.backend }).unsqueeze(0).less(lengths.unsqueeze(1))
}

/** The keys that queries may look at, for padded keys: `[batch]` (int32) → `[batch, 1, time]`, bool. */
export function paddingMask(lengths: Tensor, time: number): Tensor {
  return lengthMask(lengths, time).unsqueeze(1)
}

/** Keys up to the query's own place: `[query, key]`, bool; with fewer queries than keys, the queries are the last ones. */
export function causalMask(query: number, like: Tensor, key: number = query): Tensor {
  const { backend } = like
  const places = arange(key - query, key, 1, { backend }).unsqueeze(1)
  return arange(0, key, 1, { backend }).unsqueeze(0).lessEqual(places)
}

/** The question a mask answers, as bool numbers that stretch to `[batch, heads, query, key]`. */
type Answer = (at: Places) => Tensor

/** Where queries and keys stand, int32, shaped so that they stretch against each other. */
export interface Places {
  /** `[query, 1]` */
  readonly query: Tensor
  /** `[1, key]` */
  readonly key: Tensor
  /** How many there are in all, also where only some are asked for. */
  readonly queries: number
  readonly keys: number
  /** The only row and head asked for; all of them unless given. */
  readonly batch?: number
  readonly head?: number
}

/** The places of so many queries and keys, on the backend of a tensor; of one query alone where `only` says so. */
export function placesOf(
  queries: number,
  keys: number,
  { backend }: Pick<Tensor, 'backend'>,
  only?: number,
): Places {
  const [from, to] = only === undefined ? [0, queries] : [only, only + 1]
  return {
    query: arange(from, to, 1, { backend }).unsqueeze(1),
    key: arange(0, keys, 1, { backend }).unsqueeze(0),
    queries,
    keys,
  }
}

/** What a mask surely lets through, whatever the numbers: then nothing needs to be hidden. */
type Sure = (queries: number, keys: number) => readonly Way[]
/** Query i sees key i; the last query sees every key; every query sees the first key. */
type Way = 'diagonal' | 'last query' | 'first key'

/**
 * Who may look at what: true = may. Masks compose, and become numbers only where the sizes are known.
 *
 * @example
 * attend(query, keys, values, { mask: causal.and(window(64)).and(padding(lengths)) })
 */
export class Mask {
  /** What it is, for people: `causal and window(64)`. */
  readonly name: string
  readonly #answer: Answer
  readonly #sure: Sure

  /** @param sure what it lets through for so many queries and keys, as far as that is known beforehand */
  constructor(name: string, answer: Answer, sure: Sure = () => []) {
    this.name = name
    this.#answer = answer
    this.#sure = sure
  }

  /** Both allow it. */
  and(other: Mask): Mask {
    return new Mask(
      `${this.name} and ${other.name}`,
      at => this.#answer(at).logicalAnd(other.#answer(at)),
      (...sizes) => this.#sure(...sizes).filter(way => other.#sure(...sizes).includes(way)),
    )
  }

  /** One of them allows it. */
  or(other: Mask): Mask {
    return new Mask(
      `(${this.name} or ${other.name})`,
      at => this.#answer(at).logicalOr(other.#answer(at)),
      (...sizes) => [...this.#sure(...sizes), ...other.#sure(...sizes)],
    )
  }

  /** @internal Whether every key is surely seen by some query, and every query surely sees some key. */
  open(queries: number, keys: number): { readonly keys: boolean; readonly queries: boolean } {
    const ways = this.#sure(queries, keys)
    const diagonal = ways.includes('diagonal')
    return {
      keys: (diagonal && keys <= queries) || ways.includes('last query'),
      queries: (diagonal && queries <= keys) || ways.includes('first key'),
    }
  }

  /** It does not allow it. */
  not(): Mask {
    return new Mask(`not (${this.name})`, at => this.#answer(at).logicalNot())
  }

  /**
   * As bool numbers for so many queries and keys, on the backend of a tensor.
   *
   * @param rank of the scores: 4 with heads, 3 without
   */
  tensor(queries: number, keys: number, like: Pick<Tensor, 'backend'>, rank = 4): Tensor {
    const numbers = this.#answer(placesOf(queries, keys, like))
    return numbers.shape.length === 4 && rank === 3 ? numbers.squeeze(1) : numbers
  }
}

const onDiagonal: Sure = () => ['diagonal']

/** Keys up to the query's own place. */
export const causal: Mask = /* @__PURE__ */ new Mask(
  'causal',
  ({ query, key }) => key.lessEqual(query),
  () => ['diagonal', 'first key'],
)

/** {@link causal} where the queries are the last of the keys, as with a cache: key j for query i if j ≤ i + keys − queries. */
export const causalFromEnd: Mask = /* @__PURE__ */ new Mask(
  'causal from the end',
  ({ query, key, queries, keys }) => key.lessEqual(query.add(keys - queries)),
  (queries, keys) => (keys < queries ? ['last query'] : ['last query', 'diagonal', 'first key']),
)

/** Keys at most `size` places away. Beltagy et al. 2020, §3.1, arXiv:2004.05150; dilated: every `dilation`-th of them. */
export function window(size: number, { dilation = 1 }: { readonly dilation?: number } = {}): Mask {
  return new Mask(
    `window(${size}${dilation > 1 ? `, dilation ${dilation}` : ''})`,
    ({ query, key }) => {
      const distance = key.sub(query).abs()
      const near = distance.lessEqual(size * dilation)
      return dilation === 1 ? near : near.logicalAnd(multipleOf(distance, dilation))
    },
    onDiagonal,
  )
}

/** Keys of the query's own block of `size` places. */
export function blocks(size: number): Mask {
  return new Mask(`blocks(${size})`, ({ query, key }) => query.div(size).equal(key.div(size)), onDiagonal)
}

/** The last `stride` keys, and every `stride`-th before: both patterns of Child et al. 2019, §4.2, arXiv:1904.10509, in one. */
export function strided(stride: number): Mask {
  return new Mask(
    `strided(${stride})`,
    ({ query, key }) => {
      const back = query.sub(key)
      return back.greaterEqual(0).logicalAnd(back.less(stride).logicalOr(multipleOf(back, stride)))
    },
    onDiagonal,
  )
}

/** Keys that everybody sees, and queries that see everything. Beltagy et al. 2020, §3.1, "global attention". */
export function global(places: readonly number[]): Mask {
  const among = (at: Tensor): Tensor =>
    places.reduce(
      (found, place) => found.logicalOr(at.equal(place)),
      at.less(0).logicalAnd(at.greaterEqual(0)),
    )
  return new Mask(`global(${places.join(', ')})`, ({ query, key }) => among(query).logicalOr(among(key)))
}

/** Keys within each row's length, `[batch]` (int32). */
export function padding(lengths: Tensor): Mask {
  return new Mask('padding', ({ key }) => key.less(lengths.reshape([-1, 1, 1, 1])))
}

/** Any bool numbers that stretch to `[batch, heads, query, key]`. */
export function maskOf(numbers: Tensor): Mask {
  return new Mask('given', () => numbers)
}

/** Whatever a function allows, asked once for every place. */
export function maskWhere(
  allow: (batch: number, head: number, query: number, key: number) => boolean,
  { batch = 1, heads = 1 }: { readonly batch?: number; readonly heads?: number } = {},
): Mask {
  return new Mask('a function', ({ query, queries, keys }) => {
    const answers = new Uint8Array(batch * heads * queries * keys)
    let at = 0
    for (let b = 0; b < batch; b++)
      for (let h = 0; h < heads; h++)
        for (let i = 0; i < queries; i++)
          for (let j = 0; j < keys; j++) answers[at++] = Number(allow(b, h, i, j))
    return tensor(answers, { shape: [batch, heads, queries, keys], backend: query.backend })
  })
}

function multipleOf(x: Tensor, n: number): Tensor {
  return x.sub(x.div(n).mul(n)).equal(0)
}
