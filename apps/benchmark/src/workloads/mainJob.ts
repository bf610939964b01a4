import { type Tensor, tensor } from '@heed/core-tensor'
import { Seq2Seq, seq2seqConfig } from '@heed/models'
import { Adam } from '@heed/training'
import type { Draw, NamedValues, Values } from '../values.ts'
import { variant, type Workload } from '../workload.ts'

// (k) What `heed train translate` does: one training step of its model on a batch like those of its dates, and the whole job on 3000
// lines, from the command to the report. The job has no peer: no other library ships it.

const BATCH = 32
const SOURCE = 30
const TARGET = 12
const WORDS = 100
const HIDDEN = 128
const EMBEDDING = 64

/** Without 0, which is padding. */
const words = (draw: Draw, shape: readonly number[]): Values => {
  const { data } = draw.integers(shape, WORDS - 1)
  return { shape, data: Int32Array.from(data, id => id + 1) }
}

function recurrent(draw: Draw, input: number, prefix: string, suffix: string): Record<string, Values> {
  return {
    [`${prefix}.weight_ih${suffix}`]: draw.normal([3 * HIDDEN, input], 0.06),
    [`${prefix}.weight_hh${suffix}`]: draw.normal([3 * HIDDEN, HIDDEN], 0.06),
    [`${prefix}.bias_ih${suffix}`]: draw.normal([3 * HIDDEN], 0.02),
    [`${prefix}.bias_hh${suffix}`]: draw.normal([3 * HIDDEN], 0.02),
  }
}

const inputsOf = (draw: Draw): Record<string, NamedValues[string]> => ({
  source: words(draw, [BATCH, SOURCE]),
  target: words(draw, [BATCH, TARGET]),
  'sourceEmbedding.weight': draw.normal([WORDS, EMBEDDING]),
  'targetEmbedding.weight': draw.normal([WORDS, EMBEDDING]),
  ...recurrent(draw, EMBEDDING, 'encoder', '_l0'),
  ...recurrent(draw, EMBEDDING, 'encoder', '_l0_reverse'),
  'init.weight': draw.normal([HIDDEN, HIDDEN], 0.06),
  'init.bias': draw.normal([HIDDEN], 0.02),
  'score.wQuery': draw.normal([HIDDEN, HIDDEN], 0.06),
  'score.wKey': draw.normal([HIDDEN, 2 * HIDDEN], 0.06),
  'score.v': draw.normal([HIDDEN], 0.06),
  ...recurrent(draw, EMBEDDING + 2 * HIDDEN, 'cell', ''),
  'output.weight': draw.normal([WORDS, 3 * HIDDEN + EMBEDDING], 0.06),
  'output.bias': draw.normal([WORDS], 0.02),
})

const trainingStep = variant({
  name: 'training-step',
  inputs: inputsOf,
  tolerance: 1e-4,
  compared: 3,
  heed({ source, target, ...weights }: Readonly<Record<string, Tensor>>) {
    const model = new Seq2Seq(
      seq2seqConfig({ sourceVocab: WORDS, targetVocab: WORDS, embedding: EMBEDDING, hidden: HIDDEN }),
    )
    model.loadStateDict(weights)
    const adam = new Adam(model.namedParameters())
    const sourceLengths = tensor(new Int32Array(BATCH).fill(SOURCE))
    const batch = { source: source as Tensor, target: target as Tensor, sourceLengths }
    return () => {
      model.zeroGrad()
      const loss = model.loss(batch)
      loss.backward()
      adam.step()
      return { loss }
    }
  },
  peers: {
    torch: `
class Translator(nn.Module):
    def __init__(s):
        super().__init__()
        s.sourceEmbedding = nn.Embedding(${WORDS}, ${EMBEDDING}, padding_idx=0)
        s.targetEmbedding = nn.Embedding(${WORDS}, ${EMBEDDING}, padding_idx=0)
        s.encoder = nn.GRU(${EMBEDDING}, ${HIDDEN}, batch_first=True, bidirectional=True)
        s.init = nn.Linear(${HIDDEN}, ${HIDDEN})
        s.score = nn.Module()
        s.score.wQuery = nn.Parameter(torch.empty(${HIDDEN}, ${HIDDEN}))
        s.score.wKey = nn.Parameter(torch.empty(${HIDDEN}, ${2 * HIDDEN}))
        s.score.v = nn.Parameter(torch.empty(${HIDDEN}))
        s.cell = nn.GRUCell(${EMBEDDING + 2 * HIDDEN}, ${HIDDEN})
        s.output = nn.Linear(${3 * HIDDEN + EMBEDDING}, ${WORDS})

    def forward(s, source, target):
        states, last = s.encoder(s.sourceEmbedding(source))
        mask = source == 0
        keys = F.linear(states, s.score.wKey)
        h = torch.tanh(s.init(last[1]))
        words = s.targetEmbedding(target)
        made = []
        for word in words.unbind(1):
            scores = torch.tanh(keys + F.linear(h, s.score.wQuery).unsqueeze(1)) @ s.score.v
            weights = torch.softmax(scores.masked_fill(mask, -1e30), -1)
            context = torch.bmm(weights.unsqueeze(1), states).squeeze(1)
            h = s.cell(torch.cat([word, context], -1), h)
            made.append(torch.cat([h, context, word], -1))
        return s.output(torch.stack(made, 1))

def make(a):
    m = Translator()
    m.load_state_dict({k: a[k] for k in m.state_dict()})
    adam = torch.optim.Adam(m.parameters(), 1e-3)
    source, target = a['source'], a['target']
    def step():
        adam.zero_grad(set_to_none=True)
        logits = m(source, target[:, :-1])
        loss = F.cross_entropy(logits.reshape(-1, ${WORDS}), target[:, 1:].reshape(-1), ignore_index=0)
        loss.backward()
        adam.step()
        return dict(loss=loss)
    return step`,
  },
})

export const mainJob: Workload = {
  name: 'main-job',
  letter: 'k',
  title: 'Learning to read dates',
  variants: [
    trainingStep,
    variant({
      name: 'end-to-end',
      kind: 'mainJob',
      threads: 'most',
      inputs: () => ({}),
      tolerance: 0,
      heed: () => () => ({}),
      peers: {},
    }),
  ],
}
