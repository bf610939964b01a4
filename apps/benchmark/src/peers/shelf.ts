import type { Place } from '../participants.ts'
import type { Untyped } from '../workload.ts'

/** Where a participant takes peers from: their folder in Node, a server in a page. */
export interface Shelf {
  readonly place: Place
  /** A package; its default export where everything is in there. @throws Error if it is not there */
  load(name: string): Promise<Untyped>
  /** Which version is installed. @throws Error if none is */
  version(name: string): Promise<string>
  /** Where the files lie that a package fetches by itself: a path or a URL that ends in a separator. */
  files(name: string): string
}
