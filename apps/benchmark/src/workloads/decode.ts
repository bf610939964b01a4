import { getBackend, type Tensor, tensor } from '@heed/core-tensor'
import { GPT, greedy } from '@heed/models'
import type { Graph } from '../onnx/graph.ts'
import type { Draw, NamedValues } from '../values.ts'
import { type Untyped, variant, type Workload } from '../workload.ts'

// (h) A small GPT writes 128 words behind a prompt of 16, each the most likely one, with a cache: width 256, 4 layers, 8 heads,
// 1000 words.

const D = 256
const LAYERS = 4
const HEADS = 8
const SIZE = D / HEADS
const VOCAB = 1000
const PROMPT = 16
const WORDS = 128
const PLACES = PROMPT + WORDS

const inputsOf = (draw: Draw): Record<string, NamedValues[string]> => ({
  prompt: draw.integers([1, PROMPT], VOCAB),
  'wte.weight': draw.normal([VOCAB, D], 0.06),
  'wpe.weight': draw.normal([PLACES, D], 0.06),
  'ln_f.weight': draw.normal([D], 0.1, 1),
  'ln_f.bias': draw.normal([D], 0.1),
  ...Object.assign(
    {},
    ...Array.from({ length: LAYERS }, (_, i) => ({
      [`blocks.${i}.ln_1.weight`]: draw.normal([D], 0.1, 1),
      [`blocks.${i}.ln_1.bias`]: draw.normal([D], 0.1),
      [`blocks.${i}.attn.qkv.weight`]: draw.normal([3 * D, D], 0.06),
      [`blocks.${i}.attn.qkv.bias`]: draw.normal([3 * D], 0.02),
      [`blocks.${i}.attn.proj.weight`]: draw.normal([D, D], 0.06),
      [`blocks.${i}.attn.proj.bias`]: draw.normal([D], 0.02),
      [`blocks.${i}.ln_2.weight`]: draw.normal([D], 0.1, 1),
      [`blocks.${i}.ln_2.bias`]: draw.normal([D], 0.1),
      [`blocks.${i}.mlp.fc.weight`]: draw.normal([4 * D, D], 0.06),
      [`blocks.${i}.mlp.fc.bias`]: draw.normal([4 * D], 0.02),
      [`blocks.${i}.mlp.proj.weight`]: draw.normal([D, 4 * D], 0.03),
      [`blocks.${i}.mlp.proj.bias`]: draw.normal([D], 0.02),
    })),
  ),
})

/** For tfjs and jax-js: short names, weights `[in, out]`. */
function shortNames(a: Untyped, transpose: (x: Untyped) => Untyped): Untyped {
  const layers = Array.from({ length: LAYERS }, (_, i) => {
    const of = (name: string): Untyped => a[`blocks.${i}.${name}`]
    return {
      g1: of('ln_1.weight'),
      e1: of('ln_1.bias'),
      wqkv: transpose(of('attn.qkv.weight')),
      bqkv: of('attn.qkv.bias'),
      wo: transpose(of('attn.proj.weight')),
      bo: of('attn.proj.bias'),
      g2: of('ln_2.weight'),
      e2: of('ln_2.bias'),
      w1: transpose(of('mlp.fc.weight')),
      b1: of('mlp.fc.bias'),
      w2: transpose(of('mlp.proj.weight')),
      b2: of('mlp.proj.bias'),
    }
  })
  return { layers, wte: a['wte.weight'], wpe: a['wpe.weight'], gf: a['ln_f.weight'], ef: a['ln_f.bias'] }
}

/** Grows its cache by concatenation. */
function tfDecoder(tf: Untyped, a: Untyped): () => Promise<Untyped> {
  const p = shortNames(a, x => tf.transpose(x))
  const head = tf.transpose(p.wte)
  const prompt = a.prompt.reshape([PROMPT])
  const norm = (x: Untyped, weight: Untyped, bias: Untyped): Untyped => {
    const { mean, variance } = tf.moments(x, -1, true)
    return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), weight), bias)
  }
  const gelu = (x: Untyped): Untyped => {
    const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI))
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1))
  }
  const future = tf.tensor(futureMask(PROMPT), [PROMPT, PROMPT])
  const step = (ids: Untyped, at: number, cache: Untyped): Untyped =>
    tf.tidy(() => {
      const n = ids.size as number
      let x = tf.add(tf.gather(p.wte, ids), tf.slice(p.wpe, [at, 0], [n, D]))
      const longer: Untyped[] = []
      for (const [l, w] of p.layers.entries()) {
        const packed = tf.add(tf.matMul(norm(x, w.g1, w.e1), w.wqkv), w.bqkv)
        const heads = (z: Untyped): Untyped => tf.transpose(z.reshape([n, HEADS, SIZE]), [1, 0, 2])
        let [q, k, v] = tf.split(packed, 3, 1).map(heads)
        if (cache) [k, v] = [tf.concat([cache[l][0], k], 1), tf.concat([cache[l][1], v], 1)]
        longer.push([k, v])
        q = tf.mul(q, 1 / Math.sqrt(SIZE))
        const scores = tf.matMul(q, k, false, true)
        const weights = tf.softmax(n > 1 ? tf.add(scores, future) : scores)
        const seen = tf.transpose(tf.matMul(weights, v), [1, 0, 2]).reshape([n, D])
        x = tf.add(x, tf.add(tf.matMul(seen, w.wo), w.bo))
        const inner = gelu(tf.add(tf.matMul(norm(x, w.g2, w.e2), w.w1), w.b1))
        x = tf.add(x, tf.add(tf.matMul(inner, w.w2), w.b2))
      }
      const last = norm(tf.slice(x, [n - 1, 0], [1, D]), p.gf, p.ef)
      return { next: tf.argMax(tf.matMul(last, head), 1), longer }
    })
  return async () => {
    const ids: number[] = []
    let state = step(prompt, 0, null)
    for (let at = PROMPT; ; at++) {
      ids.push((await state.next.data())[0] as number)
      if (ids.length === WORDS) break
      const following = step(state.next, at, state.longer)
      tf.dispose(state)
      state = following
    }
    tf.dispose(state)
    return { ids: tf.tensor1d(ids, 'int32') }
  }
}

/** A cache of fixed size, rewritten by `where`: there is no dynamic slice, and a new length would compile anew. */
function jaxDecoder(jax: Untyped, a: Untyped): () => Promise<Untyped> {
  const { numpy: np, nn, jit, tree, blockUntilReady } = jax
  const p = shortNames(a, x => np.transpose(x))
  const norm = (x: Untyped, weight: Untyped, bias: Untyped): Untyped => {
    const away = x.sub(np.mean(x.ref, -1, { keepdims: true }))
    const variance = np.mean(np.square(away.ref), -1, { keepdims: true })
    return away
      .mul(np.reciprocal(np.sqrt(variance.add(1e-5))))
      .mul(weight)
      .add(bias)
  }
  const gelu = (x: Untyped): Untyped => {
    const cube = np.square(x.ref).mul(x.ref).mul(0.044715)
    return x.ref.mul(0.5).mul(np.tanh(x.add(cube).mul(Math.sqrt(2 / Math.PI))).add(1))
  }
  const stepOf = (n: number): Untyped =>
    jit((w: Untyped, ids: Untyped, at: Untyped, cache: Untyped) => {
      const rows = np.arange(n).add(at)
      let x = np.take(w.wte.ref, ids, 0).add(np.take(w.wpe, rows.ref, 0))
      const places = np.arange(PLACES)
      const seenBy = np.lessEqual(places.ref.reshape([1, PLACES]), rows.ref.reshape([n, 1]))
      const longer: Untyped[] = []
      for (const [l, one] of w.layers.entries()) {
        const heads = (z: Untyped): Untyped => np.transpose(z.reshape([n, HEADS, SIZE]), [1, 0, 2])
        const packed = np.matmul(norm(x.ref, one.g1, one.e1), one.wqkv).add(one.bqkv)
        const [q, k, v] = np.split(packed, 3, 1).map(heads)
        const put = (old: Untyped, z: Untyped): Untyped => {
          if (n === 1) return np.where(np.equal(places.ref, rows.ref).reshape([1, PLACES, 1]), z, old)
          old.dispose()
          return np.pad(z, [
            [0, 0],
            [0, PLACES - n],
            [0, 0],
          ])
        }
        const keys = put(cache[l][0], k)
        const values = put(cache[l][1], v)
        longer.push([keys.ref, values.ref])
        const raw = np.matmul(q, np.swapaxes(keys, -1, -2)).mul(1 / Math.sqrt(SIZE))
        const scores = np.where(seenBy.ref.reshape([1, n, PLACES]), raw, -1e9)
        const seen = np.transpose(np.matmul(nn.softmax(scores, -1), values), [1, 0, 2]).reshape([n, D])
        x = x.add(np.matmul(seen, one.wo).add(one.bo))
        const inner = gelu(np.matmul(norm(x.ref, one.g2, one.e2), one.w1).add(one.b1))
        x = x.add(np.matmul(inner, one.w2).add(one.b2))
      }
      for (const last of [places, rows, seenBy]) last.dispose()
      const last = norm(x.slice([n - 1, n]), w.gf, w.ef)
      return [np.argmax(np.matmul(last, np.transpose(w.wte)), -1), longer]
    })
  const one = stepOf(1)
  const many = stepOf(PROMPT)
  const whole = (numbers: Int32Array): Untyped => np.array(numbers, { dtype: np.int32 })
  const scalar = (value: number): Untyped => np.array(value, { dtype: np.int32 })
  return async () => {
    const empty = p.layers.map(() => [0, 1].map(() => np.zeros([HEADS, PLACES, SIZE])))
    const ids = new Int32Array(WORDS)
    let [next, cache] = many(tree.ref(p), a.prompt.ref.reshape([PROMPT]), scalar(0), empty)
    for (let t = 0; t < WORDS; t++) {
      ids[t] = (await next.data())[0] as number
      if (t + 1 < WORDS)
        [next, cache] = one(tree.ref(p), whole(ids.slice(t, t + 1)), scalar(PROMPT + t), cache)
    }
    await blockUntilReady(cache)
    tree.dispose(cache)
    return { ids: whole(ids) }
  }
}

/** One step: ids `[1, n]`, places `[n]`, mask `[n, t]`, and the cache → the next id, and the longer cache. */
function ortStep(g: Graph): Record<string, string> {
  const ids = g.input('ids', 'int32', [1, 'n'])
  const at = g.input('at', 'int32', ['n'])
  const mask = g.input('mask', 'float32', ['n', 't'])
  let x = g.op('Add', [g.op('Gather', ['wte.weight', ids]), g.op('Gather', ['wpe.weight', at])])
  const shape = g.integers(1, -1, HEADS, SIZE)
  const flat = g.integers(1, -1, D)
  const caches: Record<string, string> = {}
  for (let l = 0; l < LAYERS; l++) {
    const w = (name: string): string => `blocks.${l}.${name}`
    const y = g.layerNorm(x, w('ln_1.weight'), w('ln_1.bias'))
    const packed = g.linear(y, w('attn.qkv.weight'), w('attn.qkv.bias'))
    const [q = '', k = '', v = ''] = g
      .many('Split', [packed, g.integers(D, D, D)], 3, { axis: 2 })
      .map(part => g.op('Transpose', [g.op('Reshape', [part, shape])], { perm: [0, 2, 1, 3] }))
    const past = ['k', 'v'].map(kind => g.input(`${kind}${l}`, 'float32', [1, HEADS, 'past', SIZE]))
    const keys = g.op('Concat', [past[0] ?? '', k], { axis: 2 })
    const values = g.op('Concat', [past[1] ?? '', v], { axis: 2 })
    caches[`k${l}`] = keys
    caches[`v${l}`] = values
    const seen = g.op('Transpose', [g.attention(q, keys, values, SIZE, mask)], { perm: [0, 2, 1, 3] })
    const joined = g.linear(g.op('Reshape', [seen, flat]), w('attn.proj.weight'), w('attn.proj.bias'))
    x = g.op('Add', [x, joined])
    const z = g.layerNorm(x, w('ln_2.weight'), w('ln_2.bias'))
    const inner = g.op('Gelu', [g.linear(z, w('mlp.fc.weight'), w('mlp.fc.bias'))], { approximate: 'tanh' })
    x = g.op('Add', [x, g.linear(inner, w('mlp.proj.weight'), w('mlp.proj.bias'))])
  }
  const last = g.layerNorm(g.op('Gather', [x, g.integers(-1)], { axis: 1 }), 'ln_f.weight', 'ln_f.bias')
  const next = g.op('ArgMax', [g.linear(last, 'wte.weight')], { axis: -1, keepdims: 0 })
  g.output(next, 'int64')
  for (const name of Object.values(caches)) g.output(name)
  return { next, ...caches }
}

function futureMask(n: number): Float32Array {
  return Float32Array.from({ length: n * n }, (_, i) => (i % n > Math.floor(i / n) ? -1e9 : 0))
}

export const decode: Workload = {
  name: 'decode',
  letter: 'h',
  title: 'GPT writes 128 words with a cache',
  variants: [
    variant({
      name: 'greedy-128',
      gpu: 'any',
      inputs: inputsOf,
      tolerance: 0, // the same words
      heed({ prompt, ...weights }: Readonly<Record<string, Tensor>>) {
        const words = prompt as Tensor
        const model = new GPT({ vocab: VOCAB, maxLength: PLACES, embedding: D, heads: HEADS, layers: LAYERS })
        model.loadStateDict(weights)
        model.eval()
        let begin: number | undefined
        return async () => {
          begin ??= (await words.data()).at(-1) as number
          const [row] = await greedy(() => model.stepper(words), 1, getBackend(), {
            begin,
            end: -1,
            maxLength: WORDS,
          })
          return { ids: tensor(Int32Array.from(row?.ids ?? [])) }
        }
      },
      peers: {
        tfjs: tfDecoder,
        jax: jaxDecoder,
        ort: {
          feeds: [],
          read: ['next'],
          build(graph, { prompt: _fed, ...weights }) {
            graph.take(weights, [])
            return ortStep(graph)
          },
          run(ort, session, { prompt }, { next = '', ...caches }) {
            const words = prompt?.data as Int32Array
            const int = (values: Int32Array, shape: number[]): Untyped =>
              new ort.Tensor('int32', values, shape)
            const float = (values: Float32Array, shape: number[]): Untyped =>
              new ort.Tensor('float32', values, shape)
            const cache = (of: (name: string) => Untyped): Untyped =>
              Object.fromEntries(Object.entries(caches).map(([name, output]) => [name, of(output)]))
            const empty = cache(() => float(new Float32Array(0), [1, HEADS, 0, SIZE]))
            const feed = (ids: Int32Array, at: number, past: Untyped, mask: Untyped): Untyped => ({
              ids: int(ids, [1, ids.length]),
              at: int(
                ids.map((_, i) => at + i),
                [ids.length],
              ),
              mask,
              ...past,
            })
            return async () => {
              const ids = new Int32Array(WORDS)
              let made = await session.run(feed(words, 0, empty, float(futureMask(PROMPT), [PROMPT, PROMPT])))
              for (let t = 0; ; t++) {
                ids[t] = Number(made[next].data[0])
                if (t + 1 === WORDS) break
                const past = cache(name => made[name])
                const count = PROMPT + t + 1
                const open = float(new Float32Array(count), [1, count])
                made = await session.run(feed(ids.slice(t, t + 1), PROMPT + t, past, open))
                for (const old of Object.values(past)) (old as Untyped).dispose()
              }
              for (const last of Object.values(cache(name => made[name]))) (last as Untyped).dispose()
              return { ids: int(ids, [WORDS]) }
            }
          },
        },
        torch: `
def make(a):
    prompt = a['prompt'][0]
    heads = lambda z: z.view(z.shape[0], ${HEADS}, ${SIZE}).transpose(0, 1)
    def forward(ids, at, cache):
        n = ids.shape[0]
        x = a['wte.weight'][ids] + a['wpe.weight'][at:at + n]
        for l in range(${LAYERS}):
            w = lambda name: a[f'blocks.{l}.{name}']
            y = F.layer_norm(x, (${D},), w('ln_1.weight'), w('ln_1.bias'))
            q, k, v = [heads(z) for z in F.linear(y, w('attn.qkv.weight'), w('attn.qkv.bias')).split(${D}, 1)]
            keys, values = cache[l]
            keys[:, at:at + n] = k
            values[:, at:at + n] = v
            s = (q @ keys[:, :at + n].transpose(-1, -2)) * ${1 / Math.sqrt(SIZE)}
            if n > 1:
                s = s + torch.full((n, n), float('-inf')).triu(1)
            o = (torch.softmax(s, -1) @ values[:, :at + n]).transpose(0, 1).reshape(n, ${D})
            x = x + F.linear(o, w('attn.proj.weight'), w('attn.proj.bias'))
            y = F.layer_norm(x, (${D},), w('ln_2.weight'), w('ln_2.bias'))
            y = F.gelu(F.linear(y, w('mlp.fc.weight'), w('mlp.fc.bias')), approximate='tanh')
            x = x + F.linear(y, w('mlp.proj.weight'), w('mlp.proj.bias'))
        last = F.layer_norm(x[-1:], (${D},), a['ln_f.weight'], a['ln_f.bias'])
        return F.linear(last, a['wte.weight']).argmax(-1)
    def step():
        with torch.no_grad():
            cache = [[torch.empty(${HEADS}, ${PLACES}, ${SIZE}) for _ in 'kv'] for _ in range(${LAYERS})]
            ids = [forward(prompt, 0, cache)]
            for t in range(${WORDS - 1}):
                ids.append(forward(ids[-1], ${PROMPT} + t, cache))
        return dict(ids=torch.cat(ids))
    return step`,
      },
    }),
  ],
}
