import { alignment } from '@heed/viz'
import translation from './translation.json' with { type: 'json' }

/** What the home page shows. */
export interface HomePicture {
  readonly svg: string
}

declare const data: HomePicture

export { data }

// Drawn while the site is built: the page needs no code for it.
export default {
  load(): HomePicture {
    const { source, target, weights } = translation
    return { svg: alignment(source, target, weights, { title: 'Where it looked', matrix: false }) }
  },
}
