import { apply } from './dispatch.ts'
import { ConfigError, MemoryError, ShapeError } from './errors.ts'
import { gradEnabled, withGrad } from './gradMode.ts'
import { scope } from './memory.ts'
import type { Args, Attrs, Op, Tape } from './op.ts'
import { full } from './ops/creation.ts'
import { isFloat, sameShape, show } from './shape.ts'
import type { Tensor } from './tensor.ts'

/** One operation that was carried out, noted for its gradient. */
export interface Node {
  readonly op: Op<Attrs>
  readonly attrs: Attrs
  inputs: readonly Tensor[]
  outputs: readonly Tensor[]
  /** Later operations have larger numbers. */
  readonly order: number
  /** How often the inputs had been assigned, in sum. */
  readonly versions: number
  /** Whether backward() has used and released it. */
  spent: boolean
}

/** How {@link Tensor.backward} walks back. */
export interface BackwardOptions {
  /** Where to start from, in place of 1: of this tensor's shape. */
  readonly gradient?: Tensor
  /** Keeps the values in between, so that backward() can run again. */
  readonly retainGraph?: boolean
  /** Makes the gradients differentiable themselves. */
  readonly createGraph?: boolean
}

/** Gradients asked for by name, in place of those that leaves keep; null where none has come yet. */
type Asked = Map<Tensor, Tensor | null>

/** @internal {@link Tensor.backward}; with `asked`, gradients go there and nowhere else. */
export function backward(
  root: Tensor,
  { gradient, createGraph = false, retainGraph = createGraph }: BackwardOptions,
  asked?: Asked,
): void {
  if (!root.requiresGrad)
    throw new ShapeError(
      `backward: ${root.origin} ${show(root.shape)} does not depend on anything that requires a gradient; set x.requiresGrad = true first`,
    )
  if (!gradient && root.shape.some(n => n !== 1))
    throw new ShapeError(
      `backward: ${show(root.shape)} is not one number; pass { gradient } of that shape, or reduce it first`,
    )
  if (gradient && !sameShape(gradient.shape, root.shape))
    throw new ShapeError(
      `backward: the gradient is ${show(gradient.shape)}, the tensor ${show(root.shape)}; make them equal`,
    )
  if (root.node?.spent) throw spent(root.node)
  const walk: Walk = { root, retainGraph, asked }
  scope(() =>
    withGrad(createGraph, () => {
      const seed =
        gradient?.alias() ?? apply(full, [], { shape: root.shape, dtype: root.dtype, value: 1 }, root.backend)
      give(root, seed, asked)
      descend([root], 0, walk)
    }),
  )
}

/** What every step of one call of {@link backward} needs to know. */
interface Walk {
  readonly root: Tensor
  readonly retainGraph: boolean
  readonly asked: Asked | undefined
}

let order = 0

/** @internal Notes for gradients how outputs came about. */
export function note<A extends Attrs>(
  op: Op<A>,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  attrs: A,
): void {
  let versions = 0
  for (const x of inputs) versions += x.version
  const node: Node = {
    op: op as unknown as Op<Attrs>,
    attrs,
    inputs,
    outputs,
    order: order++,
    versions,
    spent: false,
  }
  for (const y of outputs) {
    if (!isFloat(y.dtype)) continue
    y.node = node
    y.requiresGrad = true
  }
}

/**
 * Goes from tensors back through all that they were computed from since a moment, last first.
 *
 * @returns the tensors from before that moment that were met; their gradients are on their way
 */
function descend(from: readonly Tensor[], since: number, walk: Walk): Set<Tensor> {
  const seen = new Set<Node>()
  const earlier = new Set<Tensor>()
  const line: Node[] = [] // the next one last
  const reach = (tensors: Iterable<Tensor>): void => {
    const open = [...tensors]
    const before = line.length
    for (let x = open.pop(); x; x = open.pop()) {
      const { node } = x
      if (!node || seen.has(node)) continue
      if (node.order < since) {
        earlier.add(x)
        continue
      }
      seen.add(node)
      line.push(node)
      for (const input of node.inputs) open.push(input)
    }
    if (line.length > before) line.sort((a, b) => a.order - b.order)
  }
  reach(from)
  let node: Node | undefined
  try {
    for (node = line.pop(); node; node = line.pop()) {
      reach(step(node, walk))
      if (!walk.retainGraph) consume(node, walk.root)
    }
  } catch (error) {
    // What was on its way must not be added to by the next walk.
    for (const { outputs } of node ? [...line, node] : line) for (const y of outputs) y.incoming = null
    for (const x of earlier) x.incoming = null
    throw error
  }
  return earlier
}

/** One operation: from the gradients of its outputs to those of its inputs. Returns tensors to go on from, beside the inputs. */
function step(node: Node, walk: Walk): Iterable<Tensor> {
  if (node.spent) throw spent(node)
  const { op, inputs, outputs } = node
  const { asked } = walk
  if (asked) for (const y of outputs) if (y.incoming && asked.has(y)) asked.set(y, lasting(y.incoming))
  if (outputs.every(y => !y.incoming)) return []
  let versions = 0
  for (const x of inputs) versions += x.version
  if (versions !== node.versions)
    throw new MemoryError(
      `backward: an input of ${op.name} was assigned between forward and backward; call backward() first, then step()`,
    )
  const outer = stepping
  stepping = node
  let met: Iterable<Tensor>
  try {
    met = composes(node) ? again(node, walk) : byRule(node, asked)
  } finally {
    stepping = outer
  }
  for (const y of outputs) {
    if (!y.incoming) continue
    done(y.incoming)
    y.incoming = null
  }
  return met
}

/** Whether the gradient goes through the composition: see {@link Op.recompute} and {@link Op.gradOp}. */
function composes({ op, outputs }: Node): boolean {
  if (!op.compose) return false
  return (
    op.recompute === true ||
    (op.gradOp !== undefined && (gradEnabled() || !outputs[0]?.backend.kernels[op.gradOp]))
  )
}

let stepping: Node | undefined

/** The operation whose gradient is being computed just now, and what it had yielded; for interpreters that tell where something came from. */
export function differentiating():
  | { readonly op: Op<Attrs>; readonly inputs: readonly Tensor[]; readonly outputs: readonly Tensor[] }
  | undefined {
  return stepping
}

/** The gradient by the operation's own rule. */
function byRule(node: Node, asked: Asked | undefined): readonly Tensor[] {
  const { op, attrs, inputs, outputs } = node
  const { grad } = op
  if (!grad)
    throw new ConfigError(
      `backward: ${op.name} has no gradient; give the operation a grad or a compose, or cut it off with detach()`,
    )
  const rule = (): (Tensor | null)[] => {
    const grads = outputs.map(
      y => y.incoming ?? apply(full, [], { shape: y.shape, dtype: y.dtype, value: 0 }, y.backend),
    )
    const tape = { grads, inputs, outputs, attrs, needs: inputs.map(x => x.requiresGrad) }
    const made = grad(tape as unknown as Tape<Attrs>)
    return inputs.map((x, i) => {
      const dx = made[i]
      if (!dx || !x.requiresGrad) return null
      const own = inputs.includes(dx) || outputs.includes(dx) ? dx.alias() : dx
      return unstretch(own, x)
    })
  }
  // Gradients that are part of a graph hold what is made on the way.
  const results = gradEnabled() ? rule() : scope(rule)
  // The inputs' first, since a rule may hand an output's gradient on as it is.
  for (const [i, x] of inputs.entries()) if (results[i]) give(x, results[i], asked)
  return []
}

/** The gradient by computing the outputs once more, through other operations, and going back through these. */
function again({ op, attrs, inputs, outputs }: Node, walk: Walk): Set<Tensor> {
  let earlier = new Set<Tensor>()
  const run = (): (Tensor | null)[] => {
    const since = order
    const made = withGrad(true, () => op.compose?.(inputs as readonly Tensor[] as Args<Tensor>, attrs)) ?? []
    const roots = made.filter((y, i) => y.requiresGrad && outputs[i]?.incoming)
    for (const [i, y] of made.entries())
      if (roots.includes(y)) give(y, outputs[i]?.incoming as Tensor, walk.asked)
    earlier = descend(roots, since, walk)
    return [...earlier].map(x => x.incoming)
  }
  if (gradEnabled()) run()
  else scope(run)
  return earlier
}

/** Sums a gradient back to the shape of a tensor that was stretched. */
function unstretch(gradient: Tensor, x: Tensor): Tensor {
  if (sameShape(gradient.shape, x.shape)) return gradient
  const ahead = gradient.shape.length - x.shape.length
  const axes = gradient.shape.flatMap((n, axis) =>
    axis < ahead || (x.shape[axis - ahead] === 1 && n !== 1) ? [axis] : [],
  )
  return gradient.sum(axes, { keepDims: true }).reshape(x.shape)
}

/** Adds a gradient to what a tensor has been given so far. */
function give(x: Tensor, gradient: Tensor, asked: Asked | undefined): void {
  if (!x.node) {
    if (asked && !asked.has(x)) return
    const before = asked ? asked.get(x) : x.grad
    const total = lasting(before ? before.add(gradient) : gradient)
    if (asked) asked.set(x, total)
    else x.grad = total
    if (before && !before.node && !gradEnabled()) before.release('when another gradient was added to it')
    return
  }
  const before = x.incoming
  x.incoming = before ? before.add(gradient) : gradient
  x.incoming.uses++
  if (before) done(before)
}

/** A gradient that outlives the walk. It may be handed to several: each holds its own, unless it is part of a graph. */
function lasting(gradient: Tensor): Tensor {
  const held = gradient.node ? gradient : gradient.alias()
  held.persistent = true
  held.abandon()
  return held
}

/** Frees a gradient that nothing looks at any more; one that may be part of a graph is left to the scope. */
function done(gradient: Tensor): void {
  if (gradEnabled()) return
  if (--gradient.uses === 0 && !gradient.persistent && !gradient.node) gradient.release('by backward()')
}

/** Frees what only this node's gradient needed. */
function consume(node: Node, root: Tensor): void {
  for (const y of node.outputs)
    if (y !== root && !y.persistent) y.release('by backward(); pass it to keep() before')
  node.spent = true
  node.inputs = []
  node.outputs = []
}

function spent(node: Node): MemoryError {
  return new MemoryError(
    `backward: the graph of ${node.op.name} was freed by an earlier backward(); pass { retainGraph: true } to that one`,
  )
}

/** The nodes that a tensor depends on. */
function nodesFrom(root: Tensor): Set<Node> {
  const seen = new Set<Node>()
  const open: Node[] = root.node ? [root.node] : []
  for (let node = open.pop(); node; node = open.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    for (const x of node.inputs) if (x.node && !seen.has(x.node)) open.push(x.node)
  }
  return seen
}

/** @internal The tensors whose values the gradient of `root` needs. */
export function* graphOf(root: Tensor): Iterable<Tensor> {
  if (!root.node) return
  for (const { op, inputs, outputs } of nodesFrom(root)) {
    const saves = op.saves ?? 'both'
    if (saves === 'inputs' || saves === 'both') yield* inputs
    if (saves === 'outputs' || saves === 'both') yield* outputs
  }
}
