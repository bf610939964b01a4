import { type Ref, ref } from 'vue'

/** Where a model is trained: `software` is WebGPU that an ordinary processor plays, for trying things out. */
export type Place = 'cpu' | 'gpu' | 'software'

/** The reader's choice, for all live parts until the page is loaded anew. */
export const place: Ref<Place> = ref('cpu')

/** What there is besides the CPU; undefined where there is no GPU. */
export const found: Ref<Exclude<Place, 'cpu'> | undefined> = ref()

let asked = false

/**
 * Looks for a GPU that WebGPU reaches, once. An adapter that computes on the CPU is no GPU; with `?gpu=software` in the address it is
 * offered under its own name.
 */
export async function findGpu(): Promise<void> {
  if (asked) return
  asked = true
  // No adapter, or a browser that refuses to look: then nothing is offered, and the CPU is all there is to choose.
  const adapter = await navigator.gpu
    ?.requestAdapter({ powerPreference: 'high-performance' })
    .catch(() => null)
  if (!adapter) return
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info
  const software =
    isFallbackAdapter ||
    /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(
      [vendor, architecture, device, description].join(' '),
    )
  if (!software) found.value = 'gpu'
  else if (new URLSearchParams(location.search).get('gpu') === 'software') found.value = 'software'
}
