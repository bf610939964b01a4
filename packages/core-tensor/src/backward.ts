import { apply } from './dispatch.ts'
import { MemoryError, ShapeError } from './errors.ts'
import { withGrad } from './gradMode.ts'
import { scope } from './memory.ts'
import type { Attrs, Op, Tape } from './op.ts'
import { full } from './ops/creation.ts'
import { sameShape, show } from './shape.ts'
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
  scope(() =>
    withGrad(createGraph, () => {
      const seed =
        gradient?.alias() ?? apply(full, [], { shape: root.shape, dtype: root.dtype, value: 1 }, root.backend)
      give(root, seed, asked)
      for (const node of nodesFrom(root)) {
        step(node, asked)
        if (!retainGraph) consume(node, root)
      }
    }),
  )
}

/** The nodes that a tensor depends on, last first. */
function nodesFrom(root: Tensor): Node[] {
  const seen = new Set<Node>()
  const open: Node[] = root.node ? [root.node] : []
  for (let node = open.pop(); node; node = open.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    for (const x of node.inputs) if (x.node && !seen.has(x.node)) open.push(x.node)
  }
  return [...seen].sort((a, b) => b.order - a.order)
}

/** One gradient rule: from the gradients of the outputs to those of the inputs. */
function step(node: Node, asked: Asked | undefined): void {
  if (node.spent) throw spent(node)
  const { op, attrs, inputs, outputs } = node
  if (asked) for (const y of outputs) if (y.incoming && asked.has(y)) asked.set(y, lasting(y.incoming))
  if (outputs.every(y => !y.incoming)) return
  let versions = 0
  for (const x of inputs) versions += x.version
  if (versions !== node.versions)
    throw new MemoryError(
      `backward: an input of ${op.name} was assigned between forward and backward; call backward() first, then step()`,
    )
  const results = scope(() => {
    const grads = outputs.map(
      y => y.incoming ?? apply(full, [], { shape: y.shape, dtype: y.dtype, value: 0 }, y.backend),
    )
    const tape = { grads, inputs, outputs, attrs, needs: inputs.map(x => x.requiresGrad) }
    const made = (op.grad as (tape: Tape<Attrs>) => readonly (Tensor | null)[])(
      tape as unknown as Tape<Attrs>,
    )
    return inputs.map((x, i) => {
      const dx = made[i]
      if (!dx || !x.requiresGrad) return null
      const own = inputs.includes(dx) || outputs.includes(dx) ? dx.alias() : dx
      return unstretch(own, x)
    })
  })
  // The inputs' first, since a rule may hand an output's gradient on as it is.
  for (const [i, x] of inputs.entries()) if (results[i]) give(x, results[i], asked)
  for (const y of outputs) {
    if (!y.incoming) continue
    done(y.incoming)
    y.incoming = null
  }
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
    if (before && !before.node) before.release('when another gradient was added to it')
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

function done(gradient: Tensor): void {
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

/** @internal The tensors whose values the gradient of `root` needs. */
export function* graphOf(root: Tensor): Iterable<Tensor> {
  if (!root.node) return
  for (const { op, inputs, outputs } of nodesFrom(root)) {
    const saves = op.saves ?? 'both'
    if (saves === 'inputs' || saves === 'both') yield* inputs
    if (saves === 'outputs' || saves === 'both') yield* outputs
  }
}
