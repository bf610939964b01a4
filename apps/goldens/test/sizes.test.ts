import { describe, expect, it } from 'vitest'
import { measureSizes } from '../scripts/sizes.mjs'

describe('what importing a part costs', async () => {
  it.each(await measureSizes())('$what: $bytes bytes of gzip at most', ({ gzip, bytes, without, files }) => {
    expect(gzip).toBeLessThanOrEqual(bytes)
    // A budget far from what is used would notice nothing.
    expect(gzip).toBeGreaterThan(bytes / 4)
    const unwanted = without.flatMap(name => files.filter(file => file.endsWith(`/${name}`)))
    expect(unwanted).toEqual([])
  })
})
