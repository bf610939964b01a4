import { type Attrs, type Backend, type Op, ops } from '@heed/core-tensor'

/** How a backend comes by something; empty where it cannot. */
export type Cell = 'kernel' | 'composed' | 'not differentiable' | ''

/** What one backend does of one operation. */
export interface Cells {
  readonly forward: Cell
  readonly gradient: Cell
}

/** One operation, and what each backend does of it, by the backend's name. */
export interface Row {
  readonly name: string
  readonly kind: 'primitive' | 'fused' | 'view'
  readonly backends: Readonly<Record<string, Cells>>
}

/** Every operation of the registry on each backend. Operations that are only met as others' gradients are in these' rows. */
export function operationTable(backends: readonly Backend[]): Row[] {
  const all = Object.values(ops) as unknown as Op<Attrs>[]
  const gradients = new Set(all.map(op => op.gradOp))
  return all
    .filter(op => !gradients.has(op.name))
    .map(
      (op): Row => ({
        name: op.name,
        kind: op.view ? 'view' : op.compose ? 'fused' : 'primitive',
        backends: Object.fromEntries(backends.map(backend => [backend.name, cells(op, backend)])),
      }),
    )
    .sort((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name))
}

function cells(op: Op<Attrs>, { kernels }: Backend): Cells {
  const forward = op.view || kernels[op.name] ? 'kernel' : op.compose ? 'composed' : ''
  return { forward, gradient: gradient(op, forward, kernels) }
}

function gradient(op: Op<Attrs>, forward: Cell, kernels: Backend['kernels']): Cell {
  // A rule that looks at nothing yields nothing: the slope of steps is 0.
  if (!op.compose && (!op.grad || op.grad.length === 0)) return 'not differentiable'
  if (forward === 'kernel' && op.gradOp && kernels[op.gradOp]) return 'kernel'
  return op.compose || (op.grad && !op.gradOp) ? 'composed' : ''
}

/** The table for people, in Markdown. */
export function tableText(rows: readonly Row[]): string {
  const names = Object.keys(rows[0]?.backends ?? {})
  const lines = [
    ['operation', 'kind', ...names.flatMap(b => [b, `${b}, gradient`])],
    ...rows.map(({ name, kind, backends }) => [
      `\`${name}\``,
      kind,
      ...names.flatMap(b => [backends[b]?.forward ?? '', backends[b]?.gradient ?? '']),
    ]),
  ]
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map(line => (line[i] ?? '').length)))
  lines.splice(
    1,
    0,
    widths.map(width => '-'.repeat(width)),
  )
  const table = lines.map(line => `| ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`)
  return `# Operations

What each backend does of each operation. Generated from the registry of operations by \`src/table.ts\`;
\`node_modules/.bin/vitest run -u apps/goldens/test/table.test.ts\` writes it anew.

- \`kernel\`: the backend computes it itself. (A view needs no kernel: core reads the same memory another way.)
- \`composed\`: through other operations. Gradients of gradients always are, of every operation that has a gradient.
- \`not differentiable\`: whole numbers, truth values, or steps, whose slope is 0.

${table.join('\n')}
`
}
