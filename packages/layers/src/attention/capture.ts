import { keep, noGrad, ShapeError, scope, type Tensor } from '@heed/core-tensor'
import { type Places, placesOf } from '../masks.ts'
import type { Module } from '../module.ts'

/** One place where attention was paid, with what it takes to see it: nothing of size `[query, key]` is held. */
export interface AttentionMap {
  /** Which module: `decoder.layers.0.crossAttention`; `''` for the model itself or none of its parts. */
  readonly path: string
  /** `[batch, query, key]`, or with heads `[batch, heads, query, key]` */
  readonly shape: readonly number[]
  /** All weights, made anew: of {@link shape}. */
  weights(): Tensor
  /** One query's weights, `[key]`; costs one row, and equals that row of {@link weights}. */
  row(at: { readonly batch?: number; readonly head?: number; readonly query: number }): Tensor
}

/** What {@link captureAttention} yields. */
export interface Captured<T> {
  readonly output: T
  /** In the order in which attention was paid. */
  readonly maps: readonly AttentionMap[]
}

/** What a map needs to make weights again. */
export interface Look {
  readonly query: Tensor
  readonly prepared: Tensor
  readonly mask: Tensor | undefined
  readonly bias: Tensor | undefined
  readonly uses: readonly Tensor[]
  readonly shape: readonly number[]
  readonly weigh: (
    query: Tensor,
    prepared: Tensor,
    mask: Tensor | undefined,
    places: () => Places,
    bias: Tensor | undefined,
    uses: readonly Tensor[],
  ) => Tensor
}

let observer: ((owner: Module | undefined, look: Look) => void) | undefined

/** @internal `attend` tells of every time attention is paid; nothing happens where nobody captures. */
export function observe(owner: Module | undefined, look: () => Look): void {
  observer?.(owner, look())
}

/**
 * Runs the body and collects every map that attention draws meanwhile, with its path in the model.
 *
 * The output is the same, bit for bit, as without: maps hold queries, keys and masks, and make weights again when asked.
 * They outlive the scopes of the body; the collector takes them with the capture. The body may be async.
 *
 * @example
 * const { output, maps } = captureAttention(model, () => model.forward(x))
 * maps[0].row({ head: 2, query: 5 })
 */
export function captureAttention<T>(model: Module, body: () => Promise<T>): Promise<Captured<T>>
export function captureAttention<T>(model: Module, body: () => T): Captured<T>
export function captureAttention<T>(
  model: Module,
  body: () => T | Promise<T>,
): Captured<T> | Promise<Captured<T>> {
  const paths = new Map<Module, string>([...model.namedModules()].map(([path, module]) => [module, path]))
  const maps: AttentionMap[] = []
  const outer = observer
  observer = (owner, look) => {
    outer?.(owner, look)
    maps.push(mapOf(owner ? (paths.get(owner) ?? '') : '', look))
  }
  const stop = (): void => {
    observer = outer
  }
  let output: T | Promise<T>
  try {
    output = body()
  } catch (error) {
    stop()
    throw error
  }
  if (output instanceof Promise) return output.finally(stop).then(value => ({ output: value, maps }))
  stop()
  return { output, maps }
}

function mapOf(path: string, look: Look): AttentionMap {
  const hold = (x: Tensor): Tensor => keep(x.detach())
  const [query, prepared] = [hold(look.query), hold(look.prepared)]
  const [mask, bias] = [look.mask && hold(look.mask), look.bias && hold(look.bias)]
  const uses = look.uses.map(hold)
  const { shape, weigh } = look
  const [queries, keys] = shape.slice(-2) as [number, number]
  return {
    path,
    shape,
    weights: () =>
      scope(() =>
        noGrad(() => weigh(query, prepared, mask, () => placesOf(queries, keys, query), bias, uses)),
      ),
    row({ batch = 0, head, query: at }) {
      const lead = shape.length === 4 ? [batch, head ?? 0] : [batch]
      const asked = [...lead, at]
      if (
        asked.some(
          (place, axis) => !Number.isInteger(place) || place < 0 || place >= (shape[axis] as number),
        ) ||
        (shape.length === 3 && head !== undefined)
      )
        throw new ShapeError(
          `row: no row ${JSON.stringify({ batch, head, query: at })} in a map of [${shape.join(', ')}]; count from 0`,
        )
      const one = (x: Tensor, places: readonly number[]): Tensor => part(x, places, shape.length)
      const rows = (x: Tensor): Tensor => one(x, asked)
      return scope(() =>
        noGrad(() => {
          const places = (): Places => ({ ...placesOf(queries, keys, query, at), batch, head: head ?? 0 })
          return weigh(
            rows(query),
            one(prepared, lead),
            mask && rows(mask),
            places,
            bias && rows(bias),
            uses,
          ).reshape([keys])
        }),
      )
    },
  }
}

/** One place of each leading axis, the axis kept; axes that stretch (length 1 or missing) stay as they are. */
function part(x: Tensor, places: readonly number[], rank: number): Tensor {
  const missing = rank - x.shape.length
  return x.slice(
    x.shape.map((length, axis) => {
      const place = places[axis + missing]
      return place === undefined || length === 1 ? {} : { start: place, stop: place + 1 }
    }),
  )
}
