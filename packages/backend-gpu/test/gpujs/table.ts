import { type Attrs, type Kernels, type Op, ops } from '@heed/core-tensor'

/** How a mode comes by something; empty where it cannot. */
export type How = 'kernel' | 'view' | 'composed' | 'not differentiable' | ''

/** One operation, and what each mode does of it: by the mode's name, forward and gradient. */
export interface Row {
  readonly name: string
  readonly modes: Readonly<Record<string, readonly [forward: How, gradient: How]>>
}

/** Every operation of the registry in each mode, whose kernels are given. Gradients that are operations themselves are in these' rows. */
export function operationTable(modes: Readonly<Record<string, Kernels<never>>>): Row[] {
  const all = Object.values(ops) as unknown as Op<Attrs>[]
  const gradients = new Set(all.map(op => op.gradOp))
  return all
    .filter(op => !gradients.has(op.name))
    .map(op => ({
      name: op.name,
      modes: Object.fromEntries(
        Object.entries(modes).map(([mode, kernels]) => {
          const forward: How = op.view ? 'view' : kernels[op.name] ? 'kernel' : op.compose ? 'composed' : ''
          return [mode, [forward, gradient(op, kernels)] as const]
        }),
      ),
    }))
    .sort((a, b) => a.name.localeCompare(b.name))
}

function gradient(op: Op<Attrs>, kernels: Kernels<never>): How {
  if (!op.compose && (!op.grad || op.grad.length === 0)) return 'not differentiable'
  if (op.gradOp) return kernels[op.gradOp] ? 'kernel' : op.compose ? 'composed' : ''
  return op.grad || op.compose ? 'composed' : ''
}

/** The table for people, in Markdown. */
export function tableText(rows: readonly Row[]): string {
  const modes = Object.keys(rows[0]?.modes ?? {})
  const lines: string[][] = [
    ['operation', ...modes.flatMap(mode => [mode, 'gradient'])],
    ...rows.map(row => [`\`${row.name}\``, ...modes.flatMap(mode => [...(row.modes[mode] ?? [])])]),
  ]
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map(line => (line[i] ?? '').length)))
  lines.splice(
    1,
    0,
    widths.map(width => '-'.repeat(width)),
  )
  const table = lines.map(line => `| ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`)
  return `# Operations on the GPU

What each mode does of each operation. Generated from the kernels by \`test/gpujs/operations.test.ts\`; \`vitest run -u\` on that file
writes it anew. That each kernel runs, and agrees with the reference, is what the conformance tests show.

- \`kernel\`: computed by a kernel of its own. \`view\`: nothing is computed, the same memory is read another way.
- \`composed\`: through kernels of other operations, on the same device. Nothing ever goes through the CPU.
- \`not differentiable\`: whole numbers, truth values, or steps, whose slope is 0.

What a mode cannot do is an error that names it and the way out:

- float64 exists in none of them: \`x.cast('float32')\`, or \`@heed/backend-cpu\`.
- gpu.js's kernels hold int32 and bool in float32. Whole numbers beyond ±16777215 are refused where they come in, and where a result
  has one, it is an error when it (or anything made of it, short of a cast to float32, where it is NaN) is read.
- One tensor has at most as many elements as the mode's memory of one piece holds: \`info().limits\` says how many.

${table.join('\n')}
`
}
