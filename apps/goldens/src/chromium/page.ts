// What a page of Chromium runs: the cases of one folder on a GPU backend, told what to do by inChromium.ts.
import { type GpuInfo, gpu } from '@heed/backend-gpu'
import { casesOf, type Result, runCases } from '../web.ts'
import type { Wanted } from './inChromium.ts'

declare global {
  /** Sends one result to the program. */
  function report(result: Result): Promise<void>
  /** Compares all cases; the names of all group files, and what to run on. */
  function goldens(names: readonly string[], wanted: Wanted): Promise<GpuInfo>
}

globalThis.goldens = async (names, wanted) => {
  const backend = await gpu({ ...wanted, software: true })
  const bytes = async (name: string): Promise<Uint8Array> =>
    new Uint8Array(await (await fetch(`/data/${name}`)).arrayBuffer())
  for (const name of names) {
    const text = new TextDecoder().decode(await bytes(name))
    const { data } = JSON.parse(text) as { data?: string }
    const beside = data ? await bytes(data) : new Uint8Array()
    const cases = casesOf({ name, text, read: () => beside }, backend)
    for await (const result of runCases(cases, backend)) await report(result)
  }
  const info = backend.info()
  backend.dispose()
  return info
}
