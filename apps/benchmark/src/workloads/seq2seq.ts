import { concat, stack, type Tensor, unstack } from '@heed/core-tensor'
import { Additive, attend, crossEntropy, Embedding, GRU, GRUCell, Linear, Module } from '@heed/layers'
import { Adam } from '@heed/training'
import type { Draw, NamedValues } from '../values.ts'
import { type Untyped, type Variant, variant, type Workload } from '../workload.ts'
import { adamStep, jaxTrainer } from './adam.ts'

// (f) A training step of a translator with additive attention (Bahdanau et al. 2015): batch 64, 20 words on each side,
// word vectors of 128, 256 hidden units, 2000 words.

const BATCH = 64
const TIME = 20
const EMBEDDING = 128
const HIDDEN = 256
const VOCAB = 2000

/** A GRU encoder, a GRU decoder that looks back before each step, and an output layer. */
class Translator extends Module {
  readonly se = new Embedding(VOCAB, EMBEDDING)
  readonly te = new Embedding(VOCAB, EMBEDDING)
  readonly enc = new GRU(EMBEDDING, HIDDEN)
  readonly dec = new GRUCell(EMBEDDING + HIDDEN, HIDDEN)
  readonly score = new Additive(HIDDEN, HIDDEN, HIDDEN)
  readonly out = new Linear(HIDDEN, VOCAB)

  /** `[batch, time]` each → `[batch, time, vocab]` */
  forward(source: Tensor, target: Tensor): Tensor {
    const { outputs: states, state } = this.enc.forward(this.se.forward(source)) // [batch, time, hidden]
    const prepared = this.score.prepare(states)
    let hidden = state.hidden.squeeze(0) // [batch, hidden]
    const made: Tensor[] = []
    for (const word of unstack(this.te.forward(target), 1)) {
      const { context } = attend(hidden.unsqueeze(1), states, states, { score: this.score, prepared })
      hidden = this.dec.forward(concat([word, context.squeeze(1)], 1), hidden)
      made.push(hidden)
    }
    return this.out.forward(stack(made, 1))
  }
}

const inputsOf = (draw: Draw, batch: number): Record<string, NamedValues[string]> => ({
  source: draw.integers([batch, TIME], VOCAB),
  input: draw.integers([batch, TIME], VOCAB),
  target: draw.integers([batch, TIME], VOCAB),
  'se.weight': draw.normal([VOCAB, EMBEDDING]),
  'te.weight': draw.normal([VOCAB, EMBEDDING]),
  'enc.weight_ih_l0': draw.normal([3 * HIDDEN, EMBEDDING], 0.06),
  'enc.weight_hh_l0': draw.normal([3 * HIDDEN, HIDDEN], 0.06),
  'enc.bias_ih_l0': draw.normal([3 * HIDDEN], 0.02),
  'enc.bias_hh_l0': draw.normal([3 * HIDDEN], 0.02),
  'dec.weight_ih': draw.normal([3 * HIDDEN, EMBEDDING + HIDDEN], 0.05),
  'dec.weight_hh': draw.normal([3 * HIDDEN, HIDDEN], 0.06),
  'dec.bias_ih': draw.normal([3 * HIDDEN], 0.02),
  'dec.bias_hh': draw.normal([3 * HIDDEN], 0.02),
  'score.wQuery': draw.normal([HIDDEN, HIDDEN], 0.06),
  'score.wKey': draw.normal([HIDDEN, HIDDEN], 0.06),
  'score.v': draw.normal([HIDDEN], 0.06),
  'out.weight': draw.normal([VOCAB, HIDDEN], 0.06),
  'out.bias': draw.normal([VOCAB], 0.02),
})

/** For tfjs and jax-js: short names, weights `[in, out]`. */
function shortNames(a: Untyped, transpose: (x: Untyped) => Untyped): Record<string, Untyped> {
  return {
    se: a['se.weight'],
    te: a['te.weight'],
    ew: transpose(a['enc.weight_ih_l0']),
    eu: transpose(a['enc.weight_hh_l0']),
    eb: a['enc.bias_ih_l0'],
    ec: a['enc.bias_hh_l0'],
    dw: transpose(a['dec.weight_ih']),
    du: transpose(a['dec.weight_hh']),
    db: a['dec.bias_ih'],
    dc: a['dec.bias_hh'],
    wq: transpose(a['score.wQuery']),
    wk: transpose(a['score.wKey']),
    v: a['score.v'].reshape([HIDDEN, 1]),
    ow: transpose(a['out.weight']),
    ob: a['out.bias'],
  }
}

/** Embeddings as products with one-hot rows: the gradient of `gather` has no wasm kernel. */
function tfLoss(tf: Untyped, p: Untyped, a: Untyped): () => Untyped {
  const [batch] = a.source.shape
  const hot = (ids: Untyped): Untyped => tf.oneHot(ids.reshape([batch * TIME]), VOCAB).toFloat()
  const [source, input, target] = [hot(a.source), hot(a.input), hot(a.target)]
  const cell = (gates: Untyped, h: Untyped, u: Untyped, c: Untyped): Untyped => {
    const [xr, xz, xn] = tf.split(gates, 3, 1)
    const [hr, hz, hn] = tf.split(tf.add(tf.matMul(h, u), c), 3, 1)
    const z = tf.sigmoid(tf.add(xz, hz))
    const n = tf.tanh(tf.add(xn, tf.mul(tf.sigmoid(tf.add(xr, hr)), hn)))
    return tf.add(n, tf.mul(z, tf.sub(h, n)))
  }
  return () => {
    const gates = tf.add(tf.matMul(tf.matMul(source, p.se), p.ew), p.eb).reshape([batch, TIME, 3 * HIDDEN])
    let h = tf.zeros([batch, HIDDEN])
    const states: Untyped[] = []
    for (const x of tf.unstack(gates, 1)) {
      h = cell(x, h, p.eu, p.ec)
      states.push(h)
    }
    const memory = tf.stack(states, 1)
    const keys = tf.matMul(memory.reshape([batch * TIME, HIDDEN]), p.wk).reshape([batch, TIME, HIDDEN])
    const made: Untyped[] = []
    for (const word of tf.unstack(tf.matMul(input, p.te).reshape([batch, TIME, EMBEDDING]), 1)) {
      const query = tf.matMul(h, p.wq).reshape([batch, 1, HIDDEN])
      const scores = tf.matMul(tf.tanh(tf.add(keys, query)).reshape([batch * TIME, HIDDEN]), p.v)
      const weights = tf.softmax(scores.reshape([batch, TIME])).reshape([batch, 1, TIME])
      const context = tf.matMul(weights, memory).reshape([batch, HIDDEN])
      h = cell(tf.add(tf.matMul(tf.concat([word, context], 1), p.dw), p.db), h, p.du, p.dc)
      made.push(h)
    }
    const rows = tf.stack(made, 1).reshape([batch * TIME, HIDDEN])
    return tf.losses.softmaxCrossEntropy(target, tf.add(tf.matMul(rows, p.ow), p.ob))
  }
}

/** Embeddings as products with one-hot rows: the gradient of `take` fails under jit. Ids time first. */
function jaxLoss({ numpy: np, nn }: Untyped): (p: Untyped, ...ids: Untyped[]) => Untyped {
  const cell = (gates: Untyped, h: Untyped, u: Untyped, c: Untyped): Untyped => {
    const [xr, xz, xn] = np.split(gates, 3, 1)
    const [hr, hz, hn] = np.split(np.matmul(h.ref, u).add(c), 3, 1)
    const z = nn.sigmoid(xz.add(hz))
    const n = np.tanh(xn.add(nn.sigmoid(xr.add(hr)).mul(hn)))
    return n.ref.add(z.mul(h.sub(n)))
  }
  return (p, source, input, target) => {
    const batch = source.shape[0] / TIME
    const gates = np.matmul(np.matmul(nn.oneHot(source, VOCAB), p.se), p.ew).add(p.eb)
    let h = np.zeros([batch, HIDDEN])
    const states: Untyped[] = []
    for (const x of np.split(gates, TIME, 0)) {
      h = cell(x, h, p.eu.ref, p.ec.ref)
      states.push(h.ref)
    }
    const memory = np.stack(states, 1)
    const keys = np.matmul(memory.ref.reshape([batch * TIME, HIDDEN]), p.wk).reshape([batch, TIME, HIDDEN])
    const made: Untyped[] = []
    for (const word of np.split(np.matmul(nn.oneHot(input, VOCAB), p.te), TIME, 0)) {
      const query = np.matmul(h.ref, p.wq.ref).reshape([batch, 1, HIDDEN])
      const scores = np.matmul(np.tanh(keys.ref.add(query)).reshape([batch * TIME, HIDDEN]), p.v.ref)
      const weights = nn.softmax(scores.reshape([batch, TIME]), -1).reshape([batch, 1, TIME])
      const context = np.matmul(weights, memory.ref).reshape([batch, HIDDEN])
      const inner = np.matmul(np.concatenate([word, context], 1), p.dw.ref).add(p.db.ref)
      h = cell(inner, h, p.du.ref, p.dc.ref)
      made.push(h.ref)
    }
    const used = [h, memory, keys, p.eu, p.ec, p.wq, p.v, p.dw, p.db, p.du, p.dc]
    for (const last of used) last.dispose()
    const logits = np.matmul(np.concatenate(made, 0), p.ow).add(p.ob)
    const right = nn.logSoftmax(logits, -1).mul(nn.oneHot(target, VOCAB))
    return np.mean(np.sum(right, -1)).mul(-1)
  }
}

/** Forward, cross-entropy, backward, Adam with a rate of 0.001. */
const training = (name: string, batch: number, gpu: 'full' | 'small'): Variant =>
  variant({
    name,
    gpu,
    inputs: draw => inputsOf(draw, batch),
    tolerance: 1e-4,
    compared: 3,
    flops: (11e9 * batch) / BATCH,
    heed({ source, input, target, ...weights }: Readonly<Record<string, Tensor>>) {
      const model = new Translator()
      model.loadStateDict(weights)
      const adam = new Adam(model.namedParameters())
      return () => {
        model.zeroGrad()
        const loss = crossEntropy(model.forward(source as Tensor, input as Tensor), target as Tensor)
        loss.backward()
        adam.step()
        return { loss }
      }
    },
    peers: {
      tfjs: (tf, a) => {
        const p = Object.fromEntries(
          Object.entries(shortNames(a, x => tf.transpose(x))).map(([name, x]) => [name, tf.variable(x)]),
        )
        return adamStep(tf, Object.values(p), tfLoss(tf, p, a))
      },
      jax: (jax, a) => {
        const timeFirst = (ids: Untyped): Untyped => jax.numpy.transpose(ids).reshape([TIME * batch])
        return jaxTrainer(
          jax,
          shortNames(a, x => jax.numpy.transpose(x)),
          [timeFirst(a.source), timeFirst(a.input), timeFirst(a.target)],
          jaxLoss(jax),
        )
      },
      torch: `
class Translator(nn.Module):
    def __init__(s):
        super().__init__()
        s.se = nn.Embedding(${VOCAB}, ${EMBEDDING})
        s.te = nn.Embedding(${VOCAB}, ${EMBEDDING})
        s.enc = nn.GRU(${EMBEDDING}, ${HIDDEN}, batch_first=True)
        s.dec = nn.GRUCell(${EMBEDDING + HIDDEN}, ${HIDDEN})
        s.score = nn.Module()
        s.score.wQuery = nn.Parameter(torch.empty(${HIDDEN}, ${HIDDEN}))
        s.score.wKey = nn.Parameter(torch.empty(${HIDDEN}, ${HIDDEN}))
        s.score.v = nn.Parameter(torch.empty(${HIDDEN}))
        s.out = nn.Linear(${HIDDEN}, ${VOCAB})

    def forward(s, source, target):
        states, h = s.enc(s.se(source))
        h = h[0]
        keys = F.linear(states, s.score.wKey)
        made = []
        for word in s.te(target).unbind(1):
            scores = torch.tanh(keys + F.linear(h, s.score.wQuery).unsqueeze(1)) @ s.score.v
            context = torch.bmm(torch.softmax(scores, -1).unsqueeze(1), states).squeeze(1)
            h = s.dec(torch.cat([word, context], -1), h)
            made.append(h)
        return s.out(torch.stack(made, 1))

def make(a):
    m = Translator()
    m.load_state_dict({k: a[k] for k in m.state_dict()})
    adam = torch.optim.Adam(m.parameters(), 1e-3)
    def step():
        adam.zero_grad(set_to_none=True)
        loss = F.cross_entropy(m(a['source'], a['input']).reshape(-1, ${VOCAB}), a['target'].reshape(-1))
        loss.backward()
        adam.step()
        return dict(loss=loss)
    return step`,
    },
  })

export const trainingStep: Variant = training('training-step', BATCH, 'full')

export const seq2seq: Workload = {
  name: 'seq2seq',
  letter: 'f',
  title: 'Translator with additive attention, batch 64, 20 words',
  variants: [trainingStep, training('training-step-batch-8', 8, 'small')],
}
