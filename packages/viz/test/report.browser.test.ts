import { afterEach, expect, test } from 'vitest'
import { userEvent } from 'vitest/browser'
import { report } from '../src/index.ts'
import { prefer } from './reader.ts'
import { sampleReport } from './sampleReport.ts'
import { hostile } from './samples.ts'

let frame: HTMLIFrameElement | undefined
afterEach(() => frame?.remove())

/** Opens a page in a frame of its own and yields its document when its scripts have run. */
async function open(html: string, width = 1200): Promise<Document> {
  const made = document.createElement('iframe')
  frame = made
  made.style.cssText = `width:${width}px;height:800px;border:0`
  const loaded = new Promise(resolve => made.addEventListener('load', resolve, { once: true }))
  made.srcdoc = html
  document.body.append(made)
  await loaded
  return made.contentDocument as Document
}

const options = (page: Document) => [...page.querySelectorAll<HTMLElement>('[role=option]')]
const status = (page: Document) => page.querySelector('[role=status]')?.textContent

test('a report runs its viewer: click a word, go on with the arrow keys', async () => {
  const page = await open(report(sampleReport))
  expect(options(page).map(option => option.textContent)).toEqual(['Er', 'spielt', 'Fußball'])
  await userEvent.click(options(page)[2] as HTMLElement)
  expect(status(page)).toBe(
    'target word 3 of 3, “Fußball” → source: “football” 0.84, “playing” 0.12, “is” 0.03',
  )
  expect(page.querySelectorAll<HTMLElement>('.heed-input .heed-token')[3]?.dataset.weight).toBe('0.84')
  await userEvent.keyboard('{ArrowLeft}')
  expect(status(page)).toContain('target word 2 of 3, “spielt” → source: “playing” 0.55')
  await userEvent.keyboard('{Home}')
  expect(page.activeElement).toBe(options(page)[0])
  expect(page.querySelectorAll('select option')).toHaveLength(6)
})

test('a report runs no script but its own', async () => {
  const html = report(sampleReport)
  const page = await open(
    html.replace(
      '<main>',
      '<main><script>document.title = "hacked"</script><img src=x onerror="document.title = 1">',
    ),
  )
  expect(page.title).toBe(sampleReport.title)
  expect(options(page)).toHaveLength(3)
})

test('the viewer needs no unsafe-inline for its style', async () => {
  const page = await open(
    report(sampleReport)
      .replace("style-src 'unsafe-inline'", "style-src 'none'")
      .replace('style-src &#39;unsafe-inline&#39;', 'style-src &#39;none&#39;'),
  )
  const view = page.defaultView as Window
  expect(view.getComputedStyle(page.body).marginTop).toBe('8px')
  const shade = view.getComputedStyle(page.querySelector('.heed-input .heed-token') as Element, '::before')
  expect(shade.backgroundColor).toMatch(/\/ 0\.9\)$/)
})

test('a report survives hostile words', async () => {
  const text = hostile.join(' ')
  const page = await open(
    report({
      title: text,
      summary: text,
      examples: [
        {
          source: hostile,
          target: hostile,
          weights: hostile.map((_, t) => hostile.map((_, s) => Number(s === t))),
        },
      ],
    }),
  )
  expect(page.querySelectorAll('script')).toHaveLength(2)
  expect(page.querySelector('img')).toBeNull()
  expect(options(page)).toHaveLength(hostile.length)
})

test('a report fits 360 and 1400 pixels, in light and in dark', async () => {
  for (const value of ['light', 'dark'] as const) {
    await prefer(value)
    for (const width of [360, 1400]) {
      const page = await open(report(sampleReport), width)
      expect(page.documentElement.scrollWidth).toBeLessThanOrEqual(width)
      const view = page.defaultView as Window
      expect(view.getComputedStyle(page.body).backgroundColor).toBe(
        value === 'dark' ? 'rgb(18, 22, 28)' : 'rgb(255, 255, 255)',
      )
      frame?.remove()
    }
  }
})

test('a report shows a picture of the first example where scripts may not run', async () => {
  const page = await open(report(sampleReport).replace(/script-src [^;]+;/, ''))
  expect(page.querySelector('#heed-alignment svg title')?.textContent).toBe('The first example')
})
