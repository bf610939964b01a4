import { ConfigError } from '@heed/core-tensor'

/** Where {@link useSoftwareAdapter} looks. */
export interface SoftwareAdapter {
  /** Chromium's folder, with `vk_swiftshader_icd.json` and `libvulkan.so.1`; Debian's unless given. */
  readonly folder?: string
}

/** dlopen's RTLD_NOW and RTLD_NODELETE on Linux. */
const STAY = 0x2 | 0x1000

/**
 * Lets `gpu({ software: true })` in Node run on SwiftShader, the Vulkan driver that Chromium brings: for tests on machines without a
 * GPU. Call it before the first `gpu()`. Where `VK_ICD_FILENAMES` is set already, that driver stays.
 *
 * Linux only: elsewhere it does nothing, and Dawn finds the system's own software adapter.
 *
 * @throws ConfigError where the folder holds no SwiftShader
 */
export async function useSoftwareAdapter({
  folder = '/usr/lib/chromium',
}: SoftwareAdapter = {}): Promise<void> {
  if (globalThis.process?.platform !== 'linux') return
  const { existsSync } = process.getBuiltinModule('node:fs') // no import, which bundlers would follow
  if (!process.env.VK_ICD_FILENAMES) {
    const driver = `${folder}/vk_swiftshader_icd.json`
    if (!existsSync(driver))
      throw new ConfigError(
        `useSoftwareAdapter: there is no ${driver}; install chromium, or set VK_ICD_FILENAMES to a Vulkan driver`,
      )
    process.env.VK_ICD_FILENAMES = driver
  }
  const loader = `${folder}/libvulkan.so.1`
  if (!existsSync(loader)) return // the system's, then
  try {
    // Dawn asks for the loader by its bare name, which the system may lack: one that is in memory already answers to it. Node says that
    // it is no addon of its own, and would drop it but for the flag.
    process.dlopen({ exports: {} }, loader, STAY)
  } catch {}
}
