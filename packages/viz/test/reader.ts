/// <reference types="@vitest/browser-playwright" />
import { cdp } from 'vitest/browser'

/** Plays a reader whose system is set to light or dark. */
export async function prefer(value: 'light' | 'dark'): Promise<void> {
  await cdp().send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] })
}
