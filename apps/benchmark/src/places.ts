import { fileURLToPath } from 'node:url'

const root = new URL('..', import.meta.url) // of src and of dist alike

/** Where the peers are installed. */
export const peersFolder: string = fileURLToPath(new URL('peers', root))
/** The PyTorch side of the measurement. */
export const torchScript: string = fileURLToPath(new URL('peers/torch_side.py', root))
/** What JavaScript participants run. */
export const childScript: string = fileURLToPath(new URL('dist/child.js', root))
/** What pages of Chromium run, before it is bundled. */
export const pageSource: string = fileURLToPath(new URL('src/chromium/page.ts', root))
export const coldStartScript: string = fileURLToPath(new URL('dist/coldStart.js', root))
