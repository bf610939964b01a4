import { ConfigError, FormatError } from '@heed/core-tensor'
import { describe, expect, it } from 'vitest'
import { pairFormat, readPairs } from '../src/index.ts'

/** Eight rows of text, label and translation, written by pyarrow 25.0.1 (base64). */
const FILES: Readonly<Record<string, string>> = {
  snappy:
    'UEFSMRUEFU4VUkwVCBUAEgAAJ5gIAAAARWluIEhhdXMLAAAAbmHDr3ZlIPCfmIAAAAAABAAAAHNhbWUVABUUFRgsFRAVEBUGFQYcAAAACiQCAAAAEAECA+T/FQQVIBUkTBUEFQASAAAQPAAAAAAAAAAAAQAAAAAAAAAVABUSFRYsFRAVEBUGFQYcAAAACSACAAAAEAEBA6YVBBUWFRpMFQIVABIAAAsoBwAAAGEgaG91c2UVABUSFRYsFRAVEBUGFQYcAAAACSACAAAAEAIBEAAVBBUYFRxMFQIVABIAAAwsCAAAAGVpbiBIYXVzFQAVEhUWLBUQFRAVBhUGHAAAAAkgAgAAABACARAAFQQZbDUAGAZzY2hlbWEVBgAVDCUCGAR0ZXh0JQBMHAAAABUEJQIYBWxhYmVsADUCGAt0cmFuc2xhdGlvbhUEABUMJQIYAmVuJQBMHAAAABUMJQIYAmRlJQBMHAAAABYQGRwZTCYAHBUMGTUABhAZGAR0ZXh0FQIWEBakARasASZ2JggpLBUEFQAVAgAVABUQFQIAPBZOGQYZJgAQAAAAJgAcFQQZNQAGEBkYBWxhYmVsFQIWEBZ0Fnwm9AEmtAEpLBUEFQAVAgAVABUQFQIAPCkGGSYAEAAAACYAHBUMGTUABhAZKAt0cmFuc2xhdGlvbgJlbhUCFhAWahZyJuYCJrACKSwVBBUAFQIAFQAVEBUCADwWcBkGGTYAABAAAAAmABwVDBk1AAYQGSgLdHJhbnNsYXRpb24CZGUVAhYQFmwWdCbaAyaiAyksFQQVABUCABUAFRAVAgA8FoABGQYZNgAAEAAAABbuAxYQJggWjgQAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI1LjAuMRlMHAAAHAAAHAAAHAAAAKIBAABQQVIx',
  gzip: 'UEFSMRUEFU4VbkwVCBUAEgAAH4sIAAAAAAACA+NgYGBwzcxT8EgsLeYGsvMSD68vS1X4MH9GA5DHwALExYm5qQC0QOnMJwAAABUAFRQVPCwVEBUQFQYVBhwAAAAfiwgAAAAAAAIDY2JgYBBgZGJ+8h8A1zyWZgoAAAAVBBUgFTRMFQQVABIAAB+LCAAAAAAAAgNjYIAARigNAMtLESAQAAAAFQAVEhU6LBUQFRAVBhUGHAAAAB+LCAAAAAAAAgNjYmBgEGBkZF4GAObz+QUJAAAAFQQVFhU+TBUCFQASAAAfiwgAAAAAAAIDY2dgYEhUyMgvLU4FAIgoJskLAAAAFQAVEhU6LBUQFRAVBhUGHAAAAB+LCAAAAAAAAgNjYmBgEGBiFGAAAEcbFkkJAAAAFQQVGBVATBUCFQASAAAfiwgAAAAAAAID42BgYEjNzFPwSCwtBgCmKjKEDAAAABUAFRIVOiwVEBUQFQYVBhwAAAAfiwgAAAAAAAIDY2JgYBBgYhRgAABHGxZJCQAAABUEGWw1ABgGc2NoZW1hFQYAFQwlAhgEdGV4dCUATBwAAAAVBCUCGAVsYWJlbAA1AhgLdHJhbnNsYXRpb24VBAAVDCUCGAJlbiUATBwAAAAVDCUCGAJkZSUATBwAAAAWEBkcGUwmABwVDBk1AAYQGRgEdGV4dBUEFhAWpAEW7AEmkgEmCCksFQQVABUCABUAFRAVAgA8Fk4ZBhkmABAAAAAmABwVBBk1AAYQGRgFbGFiZWwVBBYQFnQWsAEmxAIm9AEpLBUEFQAVAgAVABUQFQIAPCkGGSYAEAAAACYAHBUMGTUABhAZKAt0cmFuc2xhdGlvbgJlbhUEFhAWaha6ASb+AyakAyksFQQVABUCABUAFRAVAgA8FnAZBhk2AAAQAAAAJgAcFQwZNQAGEBkoC3RyYW5zbGF0aW9uAmRlFQQWEBZsFrwBJroFJt4EKSwVBBUAFQIAFQAVEBUCADwWgAEZBhk2AAAQAAAAFu4DFhAmCBaSBgAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjUuMC4xGUwcAAAcAAAcAAAcAAAApgEAAFBBUjE=',
  zstd: 'UEFSMRUEFU4VYEwVCBUAEgAAKLUv/SAnOQEACAAAAEVpbiBIYXVzCwAAAG5hw692ZSDwn5iAAAAAAAQAAABzYW1lFQAVFBUmLBUQFRAVBhUGHAAAACi1L/0gClEAAAIAAAAQAQID5P8VBBUgFTJMFQQVABIAACi1L/0gEIEAAAAAAAAAAAAAAQAAAAAAAAAVABUSFSQsFRAVEBUGFQYcAAAAKLUv/SAJSQAAAgAAABABAQOmFQQVFhUoTBUCFQASAAAotS/9IAtZAAAHAAAAYSBob3VzZRUAFRIVJCwVEBUQFQYVBhwAAAAotS/9IAlJAAACAAAAEAIBEAAVBBUYFSpMFQIVABIAACi1L/0gDGEAAAgAAABlaW4gSGF1cxUAFRIVJCwVEBUQFQYVBhwAAAAotS/9IAlJAAACAAAAEAIBEAAVBBlsNQAYBnNjaGVtYRUGABUMJQIYBHRleHQlAEwcAAAAFQQlAhgFbGFiZWwANQIYC3RyYW5zbGF0aW9uFQQAFQwlAhgCZW4lAEwcAAAAFQwlAhgCZGUlAEwcAAAAFhAZHBlMJgAcFQwZNQAGEBkYBHRleHQVDBYQFqQBFsgBJoQBJggpLBUEFQAVAgAVABUQFQIAPBZOGQYZJgAQAAAAJgAcFQQZNQAGEBkYBWxhYmVsFQwWEBZ0FpgBJp4CJtABKSwVBBUAFQIAFQAVEBUCADwpBhkmABAAAAAmABwVDBk1AAYQGSgLdHJhbnNsYXRpb24CZW4VDBYQFmoWjgEmrAMm6AIpLBUEFQAVAgAVABUQFQIAPBZwGQYZNgAAEAAAACYAHBUMGTUABhAZKAt0cmFuc2xhdGlvbgJkZRUMFhAWbBaQASa8BCb2AyksFQQVABUCABUAFRAVAgA8FoABGQYZNgAAEAAAABbuAxYQJggW/gQAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI1LjAuMRlMHAAAHAAAHAAAHAAAAKYBAABQQVIx',
}

function bytesOf(name: string): Uint8Array {
  return Uint8Array.from(atob(FILES[name] as string), letter => letter.charCodeAt(0))
}

describe('a Parquet file', () => {
  it.each(Object.keys(FILES))('packed by %s is read as another program wrote it', async packing => {
    const pairs = await readPairs(bytesOf(packing), {
      format: 'parquet',
      columns: ['translation.en', 'translation.de'],
    })
    expect(pairs).toHaveLength(8)
    expect(pairs[7]).toEqual({ source: 'a house', target: 'ein Haus', line: 8 })
  })

  it('gives numbers as text, and says which cell is empty', async () => {
    const columns = ['text', 'label'] as const
    const read = readPairs(bytesOf('snappy'), { format: 'parquet', columns, name: 'p' })
    await expect(read).rejects.toThrow('p: empty sentence in line 3 (source)')
    const labels = await readPairs(bytesOf('snappy'), {
      format: 'parquet',
      columns: ['label', 'translation.de'],
    })
    expect(labels.map(({ source }) => source).join('')).toBe('01100101')
  })

  it('is known by its ending', () => {
    expect(pairFormat('train-00000-of-00001.parquet')).toEqual({ format: 'parquet', gzip: false })
  })

  it('is refused if it lacks a column, is cut off, or is something else', async () => {
    const read = (bytes: Uint8Array | string, columns: readonly [string, string] = ['text', 'label']) =>
      readPairs(bytes, { format: 'parquet', columns, name: 'p' })
    await expect(read(bytesOf('zstd'), ['text', 'labels'])).rejects.toThrow(
      'p: no column is named labels; there are "text", "label", "translation"',
    )
    const whole = bytesOf('gzip')
    for (const bad of [whole.subarray(0, 100), whole.subarray(100), new Uint8Array(), new Uint8Array(50)]) {
      await expect(read(bad)).rejects.toThrow(FormatError)
      await expect(read(bad)).rejects.toThrow('p: not a Parquet file, or a damaged one')
    }
    const damaged = whole.slice()
    damaged.fill(0x55, 4, 60)
    await expect(read(damaged)).rejects.toThrow(FormatError)
    await expect(read('text')).rejects.toThrow(ConfigError)
    await expect(readPairs(whole, { format: 'parquet', columns: [1, 2] })).rejects.toThrow(
      'columns: Parquet has names, got [1,2]',
    )
  })
})
