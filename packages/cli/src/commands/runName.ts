import { InvalidArgumentError } from 'commander'

/** Reads the name of a run: one folder below `--out`. */
export function oneName(text: string): string {
  if (/[\\/]/.test(text) || ['', '.', '..'].includes(text.trim()))
    throw new InvalidArgumentError('Give one name without slashes; --out says where it goes.')
  return text
}

/** `dates-20260301-101500`: what a run is called unless the user says: from its data and the time. */
export function runName(data: { readonly kind: string; readonly path?: string }): string {
  const now = new Date().toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15)
  const name =
    data.path === undefined
      ? data.kind
      : (data.path.split(/[\\/]/).at(-1) ?? '')
          .replace(/\.(tsv|csv|jsonl)(\.gz)?$/i, '')
          .replaceAll(/[^\w-]+/g, '-')
  return `${name || 'pairs'}-${now}`
}
