import { readdirSync, readFileSync } from 'node:fs'

/** How many cases of PyTorch's numbers there are. */
export interface GoldenGroup {
  readonly name: string
  readonly cases: number
}

declare const data: readonly GoldenGroup[]

export { data }

const folder = new URL('../../../../goldens/data/', import.meta.url)

// Counted in the files that hold them.
export default {
  load: (): GoldenGroup[] =>
    readdirSync(folder)
      .filter(name => name.endsWith('.json'))
      .map(name => ({
        name: name.slice(0, -'.json'.length).replaceAll('_', ' '),
        cases: JSON.parse(readFileSync(new URL(name, folder), 'utf8')).cases.length,
      })),
}
