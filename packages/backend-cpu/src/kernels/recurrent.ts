import { sizeOf } from '@heed/core-tensor'
import { address } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import { allElements, allOutputs } from '../plain/elements.ts'
import { gru, gruGrad, lstm, lstmGrad } from '../plain/recurrent.ts'

interface Scan {
  readonly reverse: boolean
}

type Name = 'gru' | 'gruGrad' | 'lstm' | 'lstmGrad'

const plain = { gru, gruGrad, lstm, lstmGrad }

/**
 * Recurrences over whole sequences.
 *
 * The kernels of assembly/ take sizes, direction and working memory, and then inputs and outputs in the operation's order.
 */
export function recurrent({ heap, wasm }: Machine): Family<Name> {
  const sequence = (name: Name) =>
    kernel<Scan>((inputs, outputs, { reverse }) => {
      const states = name.endsWith('Grad') ? inputs[0] : outputs[0]
      const [batch, time, hidden] = states.shape as [number, number, number]
      if (states.dtype === 'float32') {
        const space = heap.scratch(wasm[`${name}Space`](batch, time, hidden))
        const made = heap.outputs(outputs)
        const compute = wasm[name] as (...words: (number | boolean)[]) => void
        // What is not to be saved has no elements and goes by address 0.
        const results = made.map(({ pointer }, i) => (sizeOf(outputs[i]?.shape ?? []) ? pointer : 0))
        compute(batch, time, hidden, reverse, space, ...inputs.map(address), ...results)
        return made
      }
      const made = heap.outputs(outputs)
      const scan = { batch, time, hidden, reverse }
      plain[name](scan, allElements(heap, inputs), allOutputs(heap, made, outputs))
      return made
    })
  return {
    gru: sequence('gru'),
    gruGrad: sequence('gruGrad'),
    lstm: sequence('lstm'),
    lstmGrad: sequence('lstmGrad'),
  }
}
