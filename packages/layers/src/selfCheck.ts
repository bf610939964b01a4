import {
  type Backend,
  erf,
  getBackend,
  logSoftmax,
  readSafetensors,
  scope,
  sort,
  type Tensor,
  where,
  zerosLike,
} from '@heed/core-tensor'
import { attend } from './attention/attend.ts'
import { GraphAttentionV2 } from './attention/graph.ts'
import { LocalPredictive } from './attention/local.ts'
import { MultiHeadAttention } from './attention/multiHead.ts'
import { Additive, General, scaledDot } from './attention/scores.ts'
import { entmax15, sparsemax } from './attention/sparse.ts'
import { Conv1d } from './convolution.ts'
import { Embedding } from './embedding.ts'
import { crossEntropy } from './losses.ts'
import type { Module } from './module.ts'
import { LayerNorm } from './normalization.ts'
import { MaxPool2d } from './pooling.ts'
import { GRU, LSTM, RNN, type SequenceOutput } from './recurrent.ts'
import { selfCheckData } from './selfCheckData.ts'

/** What {@link selfCheck} found. */
export interface SelfCheck {
  /** The backend's name and build. */
  readonly backend: string
  /** How many cases agree. */
  readonly passed: number
  /** What does not, a line for each case: which number, what it is, and what it should be. Empty where all is well. */
  readonly differences: readonly string[]
}

/** Finds the tensors of one case. */
type Given = (name: string) => Tensor
/** Finishes a layer: with the case's weights, by the case's names for them where they differ. */
type Load = <M extends Module>(module: M, names?: Readonly<Record<string, string>>) => M

interface Case {
  readonly results: (given: Given, load: Load, backend: Backend) => Readonly<Record<string, Tensor>>
}

const out = (results: (given: Given) => Tensor): Case => ({ results: given => ({ out: results(given) }) })
const one = (f: (x: Tensor) => Tensor): Case => out(given => f(given('x')))
const states = ({ outputs, state }: SequenceOutput): Record<string, Tensor> => ({
  output: outputs,
  h_n: state.hidden,
  ...(state.cell ? { c_n: state.cell } : {}),
})
const looked = (given: Given, score: Parameters<typeof attend>[3]): Record<string, Tensor> => {
  const { weights, context } = attend(given('query'), given('keys'), given('values'), {
    ...score,
    mask: given('mask').unsqueeze(1),
  })
  return { weights, context }
}

/** By the names that the cases have among PyTorch's. */
const cases = (): Record<string, Case> => ({
  matmul_4_4: out(given => given('a').matmul(given('b'))),
  exp: one(x => x.exp()),
  erf_extreme: one(erf),
  'pow_scalar_-1.5': out(given => given('a').pow(-1.5)),
  log_softmax_extreme: one(x => logSoftmax(x)),
  cumsum_4x3_d0: one(x => x.cumsum(0)),
  prod_3x4_all: one(x => x.prod()),
  max_3x4_all: one(x => x.max()),
  sort_4x3_d0_asc: { results: given => ({ ...sort(given('x'), 0) }) },
  gather_4x5_d1: out(given => given('x').gather(1, given('index'))),
  scatter_add_4x5_d1: out(given => given('x').scatterAdd(1, given('index'), given('src'))),
  where_3x4_3x4: out(given => where(given('cond'), given('a'), given('b'))),
  embedding_v7_d3_6: {
    results: (given, load, backend) => ({
      out: load(new Embedding(7, 3, { backend })).forward(given('ids')),
    }),
  },
  'layer_norm_3x5_last1_eps1e-05_noaffine': one(x => new LayerNorm(5, { affine: false }).forward(x)),
  cross_entropy_6_c5_mean_ignore: out(given => crossEntropy(given('logits'), given('target'))),
  conv1d_2_n1_c2_L12_o2_k3_s1_p2_d2_g1_nobias: {
    results: (given, load, backend) => ({
      out: load(new Conv1d(2, 2, 3, { padding: 2, dilation: 2, bias: false, backend })).forward(given('x')),
    }),
  },
  max_pool2d_1_n1_c2_7x7: one(x => new MaxPool2d(3, { stride: 2, padding: 1 }).forward(x)),
  rnn_relu_i2_n2_t4_h3_l2_bf_nobias: {
    results: (given, load, backend) =>
      states(
        load(new RNN(2, 3, { numLayers: 2, bias: false, nonlinearity: 'relu', backend })).forward(given('x')),
      ),
  },
  lstm_i2_n2_t3_h4_l1_bf_nobias: {
    results: (given, load, backend) =>
      states(load(new LSTM(2, 4, { bias: false, backend })).forward(given('x'))),
  },
  gru_i3_n2_t4_h5_l1_bf: {
    results: (given, load, backend) => states(load(new GRU(3, 5, { backend })).forward(given('x'))),
  },
  additive_bias_b2_t2_s5_q4_k4_v3_a4_len: {
    results: (given, load, backend) =>
      looked(given, {
        score: load(new Additive(4, 4, 4, { bias: true, backend }), { W1: 'wQuery', W2: 'wKey', b: 'bias' }),
      }),
  },
  luong_general_b2_t2_s5_q4_k4_v3_a4_len: {
    results: (given, load, backend) =>
      looked(given, { score: load(new General(4, 4, { backend }), { W: 'weight' }) }),
  },
  scaled_dot_b2_t2_s5_q4_k4_v3_a4_len: { results: given => looked(given, { score: scaledDot }) },
  'sparsemax_3x6_scale1.0': one(x => sparsemax(x)),
  'entmax15_3x6_scale1.0': one(x => entmax15(x)),
  self_nobias: {
    results: (given, load, backend) => {
      const { context, weights } = load(new MultiHeadAttention(6, 3, { bias: false, backend })).forward(
        given('query'),
      )
      return { output: context, weights: weights.mean(1) }
    },
  },
  gatv2_n5_i4_o3_h2_concat: {
    results: (given, load, backend) => {
      const layer = load(new GraphAttentionV2(4, 3, { heads: 2, backend }), {
        W_l: 'wSelf',
        W_r: 'wNeighbour',
      })
      const { context, weights } = layer.forward(given('x'), given('adj'))
      return { attention: weights, output: context }
    },
  },
  local_p_b1_t6_s8_d4_D3: {
    results: (given, load, backend) => {
      const layer = load(new LocalPredictive(4, { window: 3, backend }), { Wp: 'weight', vp: 'v' })
      const { centres, weights, context } = layer.forward(given('query'), given('keys'))
      return { p: centres, weights, context }
    },
  },
})

/**
 * Computes a small set of cases, forward and backward, on the user's own device, and says what differs from the numbers that
 * PyTorch has for them.
 *
 * @param backend the one set by `setBackend()` unless given
 * @example
 * const { passed, differences } = await selfCheck(await cpu())
 * if (differences.length) console.warn(differences.join('\n'))
 */
export async function selfCheck(backend: Backend = getBackend()): Promise<SelfCheck> {
  const differences: string[] = []
  let passed = 0
  const all = cases()
  await scope(async () => {
    const bytes = Uint8Array.from(atob(selfCheckData), c => c.charCodeAt(0))
    const { tensors, metadata } = readSafetensors(bytes, { backend })
    for (const [name, { results }] of Object.entries(all)) {
      const wrong = await scope(() =>
        compare(name, results, tensors, JSON.parse(metadata[name] ?? '[0,0,0,0]'), backend),
      ).catch((error: Error) => `${error.name}: ${error.message}`)
      if (wrong) differences.push(`${name}: ${wrong}`)
      else passed++
    }
  })
  return { backend: `${backend.name} (${backend.build})`, passed, differences }
}

async function compare(
  name: string,
  results: Case['results'],
  tensors: Readonly<Record<string, Tensor>>,
  [rtol, atol, gradRtol, gradAtol]: readonly [number, number, number, number],
  backend: Backend,
): Promise<string> {
  const part = (kind: string): [string, Tensor][] =>
    Object.entries(tensors).flatMap(([path, x]) =>
      path.startsWith(`${name}/${kind}/`) ? [[path.slice(name.length + kind.length + 2), x]] : [],
    )
  const leaves = new Map(
    part('in').map(([key, x]): [string, Tensor] => {
      const leaf = x.detach()
      leaf.requiresGrad = x.dtype === 'float32'
      return [key, leaf]
    }),
  )
  const parameters = new Map<string, () => Tensor>()
  const load: Load = (module, names = {}) => {
    const own = (key: string): string => names[key] ?? key
    module.loadStateDict(Object.fromEntries(part('param').map(([key, x]) => [own(key), x])))
    for (const [key] of part('param')) parameters.set(key, () => module.gradients()[own(key)] as Tensor)
    return module
  }
  const made = results(key => leaves.get(key) as Tensor, load, backend)
  const wrong: string[] = []
  for (const [key, want] of part('out')) wrong.push(await difference(key, made[key], want, rtol, atol))
  const cotangents = part('cot')
  const [loss, ...more] = cotangents.map(([key, cotangent]) => (made[key] as Tensor).mul(cotangent).sum())
  more.reduce((sum, term) => sum.add(term), loss as Tensor).backward()
  for (const [key, want] of part('grad')) {
    const leaf = leaves.get(key)
    const got = parameters.get(key)?.() ?? leaf?.grad ?? (leaf && zerosLike(leaf))
    wrong.push(await difference(`the gradient of ${key}`, got, want, gradRtol, gradAtol))
  }
  return wrong.filter(Boolean).join('; ')
}

async function difference(
  name: string,
  got: Tensor | undefined,
  want: Tensor,
  rtol: number,
  atol: number,
): Promise<string> {
  if (got?.shape.join() !== want.shape.join())
    return `${name} is [${got?.shape.join(', ') ?? 'missing'}], should be [${want.shape.join(', ')}]`
  const [a, b] = [await got.data(), await want.data()]
  const at = b.findIndex((w: number, i: number) => !Object.is(a[i], w) && a[i] !== w && !(Math.abs((a[i] as number) - w) <= atol + rtol * Math.abs(w))) // biome-ignore format: one line reads best
  return at < 0 ? '' : `${name}, element ${at}: got ${a[at]}, should be ${b[at]}`
}

/** @internal The names of the cases, for those who write the data. */
export function selfCheckNames(): string[] {
  return Object.keys(cases())
}
