import { softmax } from '@heed/core-tensor'
import {
  AdjacentMemoryNetwork,
  addressMemory,
  LayerwiseMemoryNetwork,
  moveWeights,
  writeMemory,
} from '@heed/layers'
import type { Case } from '../cases.ts'
import type { Adapter } from '../compare.ts'
import { loaded } from './loaded.ts'
import { attributes, given } from './settings.ts'

const LAYERWISE = {
  A: 'wKey', B: 'wQuestion', C: 'wValue', H: 'wState', W: 'wAnswer', TA: 'keyPlaces', TC: 'valuePlaces',
} // biome-ignore format: a table

/** E0 → words.0, T0 → places.0 */
function adjacent(c: Case): Record<string, string> {
  const place = (name: string): string => name.replace('E', 'words.').replace('T', 'places.')
  return Object.fromEntries(Object.keys(c.params).map(name => [name, place(name)]))
}

export const memory: Record<string, Adapter> = {
  memn2n: c => {
    const s = attributes(c)
    const shared = s.word('tying') === 'layerwise'
    const [words, places] = shared ? [given(c, 'A'), given(c, 'TA')] : [given(c, 'E0'), given(c, 'T0')]
    const [vocab, size] = words.shape as [number, number]
    const options = { hops: s.number('hops'), positionEncoding: s.flag('position_encoding') }
    const Network = shared ? LayerwiseMemoryNetwork : AdjacentMemoryNetwork
    const network = new Network(vocab, size, places.shape[0] as number, options)
    const held = loaded(c, network, shared ? LAYERWISE : adjacent(c))
    const { logits, weights } = held.module.forward(given(c, 'story'), given(c, 'query'))
    return { outputs: { logits, attention: weights }, ...held }
  },
  ntm_head: c => {
    // One head: an axis of length 1 after the batch.
    const head = (name: string) => given(c, name).unsqueeze(1)
    const move = {
      gate: head('gate'),
      previous: head('prev_weights'),
      shift: head('shift'),
      sharpening: head('gamma'),
      offsets: attributes(c).numbers('shift_offsets'),
    }
    const memory = given(c, 'memory')
    const address = { key: head('key'), strength: head('beta'), ...move }
    const { context, weights, scores } = addressMemory(memory, address)
    const content = softmax(scores)
    const { gated, shifted } = moveWeights(content, move)
    return {
      outputs: {
        content_weights: content.squeeze(1),
        gated_weights: gated.squeeze(1),
        shifted_weights: shifted.squeeze(1),
        weights: weights.squeeze(1),
        read: context.squeeze(1),
        memory_after: writeMemory(memory, weights, head('erase'), head('add')),
      },
    }
  },
}
