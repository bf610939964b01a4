import { expect, it } from 'vitest'
import { cpu } from '../src/index.ts'

const source = new URL('../src/index.ts', import.meta.url).href

/** What a page of its own prints: an iframe with other permissions than this page, which is cross-origin isolated. */
function page({ allow = '', head = '' }: { allow?: string; head?: string }, script: string): Promise<string> {
  const frame = document.createElement('iframe')
  frame.allow = allow
  frame.srcdoc = `${head}<script type="module">
    const print = text => parent.postMessage({ printed: String(text) }, '*')
    try {
      const { cpu } = await import('${source}')
      ${script}
    } catch (error) {
      print(error)
    }
  </script>`
  return new Promise(resolve => {
    addEventListener('message', function listen({ source, data }: MessageEvent) {
      if (source !== frame.contentWindow || data?.printed === undefined) return
      removeEventListener('message', listen)
      frame.remove()
      resolve(data.printed)
    })
    document.body.append(frame)
  })
}

const notIsolated = "cross-origin-isolated 'none'"

/** Prints the build of a backend, and the sum of a product of ones. */
const compute = (options: string): string => `
  const backend = await cpu(${options})
  const spec = { shape: [300, 300], dtype: 'float32' }
  const [storage] = backend.kernels.full([], [spec], { value: 1 })
  const x = { ...spec, storage, offset: 0, strides: [300, 1] }
  const [product] = backend.kernels.matmul([x, x], [spec], {})
  const sum = backend.readSync({ ...x, storage: product }).reduce((a, b) => a + b)
  print([crossOriginIsolated, backend.build, sum].join(' | '))`

it('threads are used in a page that is cross-origin isolated', async () => {
  expect(crossOriginIsolated).toBe(true)
  const backend = await cpu({ threads: 3 })
  expect(backend.build).toMatch(/^\w+ \d×\d, 3 threads, Chrome \d+$/)
  backend.dispose()
  expect(await page({}, compute('{ threads: 3 }'))).toMatch(
    /^true \| \w+ \d×\d, 3 threads, Chrome \d+ \| 27000000$/,
  )
})

it.each(['', '{ threads: 3 }'])(
  'elsewhere there is one thread, and the build says why: cpu(%s)',
  async options => {
    expect(await page({ allow: notIsolated }, compute(options))).toMatch(
      /^false \| \w+ \d×\d, 1 thread: page is not cross-origin isolated, Chrome \d+ \| 27000000$/,
    )
  },
)

it('one thread that was asked for needs no reason', async () => {
  expect(await page({ allow: notIsolated }, compute('{ threads: 1 }'))).toMatch(
    /^false \| \w+ \d×\d, 1 thread, Chrome \d+ \| 27000000$/,
  )
})

it('a page that forbids workers gets an error that says what to do', async () => {
  const head = `<meta http-equiv="Content-Security-Policy" content="worker-src 'none'">`
  expect(await page({ head }, compute('{ threads: 2 }'))).toMatch(
    /^BackendError: cpu: its workers do not start, .+; use cpu\(\{ threads: 1 \}\)$/,
  )
  expect(await page({ head }, compute('{ threads: 1 }'))).toMatch(/ 1 thread, Chrome \d+ \| 27000000$/)
})
