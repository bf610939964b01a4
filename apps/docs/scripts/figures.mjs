// How heavy and how quick the built site is, as a reader on a phone would find: `node apps/docs/scripts/figures.mjs` prints a table.
// Chromium, nothing cached, 4 times slower than this machine, 1.6 Mbit/s with 150 ms of delay (the "slow 4G" of Lighthouse).
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createGzip } from 'node:zlib'
import { chromium } from 'playwright'

const dist = process.env.HEED_SITE ?? fileURLToPath(new URL('../.vitepress/dist', import.meta.url))
const PAGES = ['/', '/lessons/soft-attention.html', '/lessons/forgetting.html', '/playground.html']
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const LINE = { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 0.75e6 / 8 }

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://site')
  const file = join(dist, pathname.endsWith('/') ? `${pathname}index.html` : pathname)
  if (!file.startsWith(dist) || !existsSync(file) || !statSync(file).isFile())
    return response.writeHead(404).end()
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-encoding': 'gzip',
  })
  createReadStream(file).pipe(createGzip()).pipe(response)
})
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
})

/** Bytes over the line; ms until something is seen; ms until Vue has taken over and the last task of more than 50 ms is done. */
async function measure(path) {
  const context = await browser.newContext({ viewport: { width: 412, height: 823 } })
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  await session.send('Network.enable')
  await session.send('Network.emulateNetworkConditions', LINE)
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 })
  let bytes = 0
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength
  })
  await page.addInitScript(() => {
    globalThis.longTasks = []
    const timer = setInterval(() => {
      const app = document.querySelector('#app')
      if (!app || !('__vue_app__' in app)) return
      globalThis.aliveAt = performance.now()
      clearInterval(timer)
    }, 20)
    new PerformanceObserver(list => {
      for (const { startTime, duration } of list.getEntries()) globalThis.longTasks.push(startTime + duration)
    }).observe({ type: 'longtask', buffered: true })
  })
  await page.goto(`http://127.0.0.1:${server.address().port}${path}`, { waitUntil: 'networkidle' })
  const { seen, answers } = await page.evaluate(async () => {
    while (!globalThis.aliveAt) await new Promise(done => setTimeout(done, 20))
    while (performance.now() - (globalThis.longTasks.at(-1) ?? 0) < 1000)
      await new Promise(done => setTimeout(done, 100))
    const [paint] = performance.getEntriesByName('first-contentful-paint')
    const lastTask = globalThis.longTasks.at(-1) ?? 0
    return { seen: paint.startTime, answers: Math.max(paint.startTime, lastTask, globalThis.aliveAt) }
  })
  await context.close()
  return { bytes, seen, answers }
}

const print = line => process.stdout.write(`${line}\n`)
print('| page | over the line | first seen | answers |\n| --- | ---: | ---: | ---: |')
for (const path of PAGES) {
  const runs = []
  for (let run = 0; run < 3; run++) runs.push(await measure(path))
  const middle = key => runs.map(one => one[key]).sort((a, b) => a - b)[1]
  const seconds = key => `${(middle(key) / 1000).toFixed(1)} s`
  print(
    `| \`${path}\` | ${Math.round(middle('bytes') / 1000)} KB | ${seconds('seen')} | ${seconds('answers')} |`,
  )
}
await browser.close()
server.close()
