import { cpu } from '@heed/backend-cpu'
import { setBackend } from '@heed/core-tensor'
import { checkNumbers, readAttention } from './bytes.ts'
import { describe } from './format.ts'
import type { ViewerReply, ViewerRequest } from './protocol.ts'
import { type OpenRun, openRun } from './run.ts'
import { sampleFile } from './samples.ts'

let run: OpenRun | undefined

const send = (reply: ViewerReply, transfer: Transferable[] = []): void =>
  self.postMessage(reply, { transfer })

self.addEventListener('message', async ({ data }: MessageEvent<ViewerRequest>) => {
  const { id } = data
  try {
    if (data.kind === 'file') await readFile(id, data.file)
    else if (data.kind === 'sample') {
      const made = data.large
        ? ({ tokens: 512, layers: 12, heads: 12, as: 'float16' } as const)
        : ({ tokens: 24, layers: 4, heads: 6, as: 'numbers' } as const)
      await readFile(id, new File([sampleFile(made)], 'sample.json'))
    } else if (data.kind === 'run') {
      setBackend(await cpu({ threads: 1 }))
      run = await openRun(
        new Map(data.files.map(({ path, file }) => [path.split('/').at(-1) as string, file])),
      )
      send({ kind: 'run', id, about: run.about, curves: run.curves, example: run.example })
    } else {
      if (!run) throw new Error('there is no run to ask; drop its folder first')
      const began = performance.now()
      const { text, weights, described } = await run.ask(data.text)
      send({ kind: 'layer', id, layer: 0, weights, size: described }, [weights.buffer])
      send({ kind: 'described', id, described, ms: performance.now() - began })
      send({ kind: 'answer', id, text })
    }
  } catch (error) {
    send({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) })
  }
})

async function readFile(id: number, file: File): Promise<void> {
  const began = performance.now()
  send({ kind: 'reading', id })
  const bytes = new Uint8Array(await file.arrayBuffer())
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let told = began
  const { head, size } = readAttention(
    bytes,
    file.name,
    (layer, weights, shape) => {
      const sums = checkNumbers(layer, weights, shape, file.name)
      least = Math.min(least, sums.least)
      most = Math.max(most, sums.most)
      const { heads, queries, keys } = shape
      send({ kind: 'layer', id, layer, weights, size: { heads, queries, keys } }, [weights.buffer])
    },
    share => {
      if (performance.now() - told < 100) return
      told = performance.now()
      send({ kind: 'progress', id, share })
    },
  )
  const notes =
    least < 0.98 || most > 1.02
      ? [
          `Rows sum to ${least.toFixed(3)} to ${most.toFixed(3)}, where 1 is usual (0 for a place that may look nowhere).`,
        ]
      : []
  send({
    kind: 'described',
    id,
    described: describe(head, size, file.name, notes),
    ms: performance.now() - began,
  })
}
