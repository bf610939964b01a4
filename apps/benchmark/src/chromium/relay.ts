import { chromium } from 'playwright'
import type { Participating } from '../obey.ts'
import type { Wanted } from '../prepare.ts'
import type { ChildSpec, Pages } from '../protocol.ts'
import type { PageParticipant } from './page.ts'
import { serve } from './server.ts'
import { treeUsage } from './tree.ts'

/** How Chromium is started: without what talks to the network or draws by itself. */
const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A participant in a page, and an end to its browser. */
export interface PageOpened extends Participating {
  close(): Promise<void>
}

/**
 * Starts Chromium with one page in which the participant computes; processor time and memory are those of this process and of all of
 * Chromium's.
 *
 * @throws Error if Chromium or the participant does not start
 */
export async function openPage(
  spec: ChildSpec,
  { folder, chromium: program, gpuFlags = ['--disable-gpu'] }: Pages,
): Promise<PageOpened> {
  let into = ''
  const site = await serve({ folder, data: spec.data, into: () => into })
  const browser = await chromium
    .launch({ executablePath: program, args: [...FLAGS, ...gpuFlags] })
    .catch(error => {
      site.close()
      throw error
    })
  const close = async (): Promise<void> => {
    await browser.close()
    site.close()
  }
  try {
    const page = await browser.newPage()
    const broken: string[] = []
    page.on('pageerror', error => broken.push(error.message))
    await page.goto(site.address)
    if (!(await page.evaluate(() => 'participant' in globalThis)))
      throw new Error(`the page does not start: ${broken.join('; ') || 'no word why'}`)
    const wanted: Wanted = {
      peer: spec.peer,
      ...(spec.engine ? { engine: spec.engine } : {}),
      workload: spec.workload,
      variant: spec.variant,
      threads: spec.threads,
    }
    const about = await page.evaluate(
      one => (globalThis as unknown as { participant: PageParticipant }).participant.open(one),
      wanted,
    )
    return {
      about: `${about}, Chromium ${browser.version()}`,
      async result(steps, path) {
        into = path
        await page.evaluate(
          count => (globalThis as unknown as { participant: PageParticipant }).participant.result(count),
          steps,
        )
      },
      time: (ms, most) =>
        page.evaluate(
          ([a, b]) => (globalThis as unknown as { participant: PageParticipant }).participant.time(a, b),
          [ms, most] as const,
        ),
      usage: () => treeUsage(process.pid),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
