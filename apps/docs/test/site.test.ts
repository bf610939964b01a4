import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import axe from 'axe-core'
import type { Page } from 'playwright'
import { beforeAll, describe, expect, it } from 'vitest'
import { sitePages } from './fences.ts'
import { linksOf } from './links.ts'
import { build, dist, looking, serve, served } from './site.ts'

// The site as it is built, served as any static server would.

const { here } = served()
const files: string[] = []
beforeAll(async () => {
  await build() // links are followed without a browser, too
  const found = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  files.push(...found.filter(name => name.endsWith('.html')))
}, 300_000)

/** `/guide/install.html` of `apps/docs/guide/install.md`. */
const addressOf = (path: string): string => `/${relative('apps/docs', path).replace(/\.md$/, '.html')}`
const written = sitePages().map(addressOf)
const generated = ['/api/index.html', '/api/layers/index.html', '/api/layers/attention/attend.html']

it('every link leads somewhere, to its very heading', () => {
  const pages = new Map(files.map(name => [`/${name}`, linksOf(readFileSync(join(dist, name), 'utf8'))]))
  const broken: string[] = []
  let followed = 0
  for (const [from, { links }] of pages)
    for (const link of links) {
      if (/^(https?|mailto|data|javascript):/.test(link)) {
        if (!URL.canParse(link)) broken.push(`${from}: ${link} is no address`)
        continue
      }
      const { pathname, hash } = new URL(link, `http://site${from}`)
      const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname
      const to = pages.get(decodeURIComponent(path))
      followed++
      if (!to && !isFile(path)) broken.push(`${from}: ${link} leads nowhere`)
      const id = decodeURIComponent(hash.slice(1))
      if (to && id && !to.ids.has(id)) broken.push(`${from}: ${link} has no such heading`)
    }
  expect(broken).toEqual([])
  expect(followed).toBeGreaterThan(1000)
})

function isFile(path: string): boolean {
  try {
    return readFileSync(join(dist, decodeURIComponent(path))).length > 0
  } catch {
    return false
  }
}

looking('the first page takes less than 200 KB, packed as servers do', async () => {
  const { page, context } = await here().open('about:blank')
  const bodies: Promise<Buffer>[] = []
  page.on('response', response => bodies.push(response.body()))
  await page.goto(`${here().address}/`, { waitUntil: 'networkidle' })
  const bytes = (await Promise.all(bodies)).reduce((sum, body) => sum + gzipSync(body).length, 0)
  await context.close()
  expect(bytes).toBeGreaterThan(20_000)
  expect(bytes).toBeLessThan(200_000)
})

// Light and dark are the same elements in other colours: axe looks at all in light, and at the colours again in dark.
describe.concurrent('each page', () => {
  looking.each([...written, ...generated])(
    '%s is whole on a phone, a tablet and a desk, light and dark',
    path =>
      here().lend(path, async ({ page, complaints }) => {
        const wide: string[] = []
        for (const width of [360, 768, 1280]) {
          await page.setViewportSize({ width, height: 900 })
          const reach = await page.evaluate(() => document.documentElement.scrollWidth)
          if (reach > width) wide.push(`${width}: the page is ${reach} wide`)
        }
        expect(wide).toEqual([])
        const faults = (await faultsOf(page)).map(fault => `light: ${fault}`)
        await page.emulateMedia({ colorScheme: 'dark' })
        await page.waitForFunction(() => document.documentElement.classList.contains('dark'))
        faults.push(...(await faultsOf(page, ['color-contrast'])).map(fault => `dark: ${fault}`))
        expect(faults).toEqual([])
        expect(complaints).toEqual([])
      }),
  )
})

/** What keeps people out: serious and critical findings of axe, by all rules unless some are named. */
async function faultsOf(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source)
  // Colours change over a quarter of a second; axe shall see the last ones.
  await page.addStyleTag({
    content: '*, *::before, *::after { transition: none !important; animation: none !important }',
  })
  return page.evaluate(async only => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
      resultTypes: ['violations'],
      ...(only ? { runOnly: { type: 'rule', values: [...only] } } : {}),
    })
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.slice(0, 3).map(node => `${id}: ${node.html.slice(0, 160)}`))
  }, rules)
}

looking('the search finds a function by its name, with the keyboard alone', async () => {
  const { page, complaints, context } = await here().open('/guide/install.html')
  await page.keyboard.press('Control+k')
  await page.locator('.VPLocalSearchBox input').fill('captureAttention')
  await page.locator('.VPLocalSearchBox .result').first().waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(/looking|capture/)
  expect(complaints).toEqual([])
  await context.close()
})

looking(
  'a page computes on one thread and says so where it is not isolated, and on several where it is',
  async () => {
    const ask = async (isolated: boolean): Promise<string> => {
      const own = await serve({ isolated })
      const { page, complaints } = await own.open('/guide/install.html')
      await page.getByRole('button', { name: 'Ask this browser' }).click()
      const answer = page.locator('.this-browser output', { hasText: 'cases' })
      await answer.waitFor()
      const text = (await answer.textContent()) ?? ''
      await own.close()
      expect(complaints).toEqual([])
      return text
    }
    expect(await ask(false)).toMatch(/1 thread\b.*cases agree.*not cross-origin isolated/)
    expect(await ask(true)).toMatch(/[2-9] threads.*cases agree with PyTorch's numbers\.$/)
  },
)
