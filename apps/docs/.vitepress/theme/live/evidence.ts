import type { EvidenceCardFields } from '@heed/viz'
import { reactive } from 'vue'

/** What a live part has shown, ready for a card; kept in the reader's browser. */
export interface Evidence extends EvidenceCardFields {
  /** When, as the browser tells the date. */
  readonly date: string
}

const KEY = 'heed-evidence'
const kept: Record<string, Evidence> = reactive({})
let loaded = false

/** Everything kept, by lesson. In a browser only. */
export function evidence(): Record<string, Evidence> {
  if (!loaded) {
    loaded = true
    try {
      Object.assign(kept, JSON.parse(localStorage.getItem(KEY) ?? '{}'))
    } catch {
      // What is stored is damaged, or may not be read: cards are then made anew.
    }
  }
  return kept
}

/** Keeps what a lesson has shown. */
export function keepEvidence(lesson: string, fields: EvidenceCardFields): void {
  evidence()[lesson] = { ...fields, date: new Date().toISOString().slice(0, 10) }
  try {
    localStorage.setItem(KEY, JSON.stringify(kept))
  } catch {
    // No room, or not allowed: the card lives as long as the page.
  }
}
