import { chromium } from 'playwright'
import type { Adapter } from '../results.ts'

/**
 * How Chromium is started where pages compute on the GPU: on its drivers' WebGPU, and where there is no GPU, on SwiftShader, a program
 * that it brings. The names of adapter and driver are for developers alone.
 */
export const GPU_FLAGS: readonly string[] = [
  '--enable-unsafe-webgpu',
  '--enable-webgpu-developer-features',
  '--enable-features=Vulkan',
  '--ignore-gpu-blocklist',
]

/** The adapter that pages of this Chromium get. @throws Error if they get none */
export async function findAdapter(program: string): Promise<Adapter> {
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', ...GPU_FLAGS] })
  try {
    const page = await browser.newPage()
    await page.route('**/*', route =>
      route.fulfill({ contentType: 'text/html', body: '<title>Heed</title>' }),
    )
    await page.goto('http://127.0.0.1/') // a secure context, as WebGPU needs
    const found = await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' })
      if (!adapter) return null
      const { vendor, architecture, description, isFallbackAdapter, driver, type } =
        adapter.info as GPUAdapterInfo & { readonly driver?: string; readonly type?: string }
      return { vendor, architecture, description, fallback: isFallbackAdapter, driver, type }
    })
    if (!found)
      throw new Error(
        '--place gpu: pages of Chromium get no WebGPU adapter; install the graphics driver, or a Chromium that brings SwiftShader',
      )
    return described(found)
  } finally {
    await browser.close()
  }
}

/** What a page was told about its adapter. */
export interface AdapterWords {
  readonly vendor: string
  readonly architecture: string
  readonly description: string
  readonly fallback?: boolean
  readonly driver?: string | undefined
  readonly type?: string | undefined
}

/** The adapter in words. */
export function described({
  vendor,
  architecture,
  description,
  fallback,
  driver,
  type,
}: AdapterWords): Adapter {
  const name = [vendor, architecture, description].filter(Boolean).join(' ') || 'an adapter without a name'
  const software = fallback === true || type === 'CPU' || /swiftshader|llvmpipe|lavapipe/i.test(name)
  return { name, driver: driver || 'a driver without a name', software }
}
