import { type Backend, FormatError, readSafetensors, type Tensor } from '@heed/core-tensor'

/** `|got − want| ≤ atol + rtol · |want|` */
export interface Tolerance {
  readonly rtol: number
  readonly atol: number
}

export type Named = Readonly<Record<string, Tensor>>
export type Settings = Readonly<Record<string, unknown>>

/** One comparison: what goes in, and what PyTorch made of it. The schema is in README.md. */
export interface Case {
  readonly id: string
  readonly op: string
  readonly group: string
  readonly constructor: Settings
  readonly attributes: Settings
  readonly inputs: Named
  readonly params: Named
  readonly buffers: Named
  readonly outputs: Named
  readonly cotangents: Named
  readonly grads: { readonly inputs: Named; readonly params: Named }
  readonly tensors: Named
  readonly tolerance: { readonly out?: Tolerance; readonly grad?: Tolerance }
  readonly advisory: boolean
  /** The case as it stands in the file, for groups with fields of their own. */
  readonly raw: Settings
}

/** One group file, and the file of tensors that it names. */
export interface GroupFile {
  readonly name: string
  readonly text: string
  /** Reads a file beside it. */
  readonly read: (name: string) => Uint8Array
}

/** The cases of one group, their tensors on a backend. @throws FormatError for a file of another schema */
export function casesOf({ name, text, read }: GroupFile, backend: Backend): Case[] {
  const file = JSON.parse(text)
  if (file.schema !== 'golden/1')
    throw new FormatError(`goldens: ${name} has schema ${JSON.stringify(file.schema)}; this reads golden/1`)
  const tensors = file.data ? readSafetensors(read(file.data), { backend }).tensors : {}
  const pick = (names: Record<string, string> | undefined): Named =>
    Object.fromEntries(Object.entries(names ?? {}).map(([key, at]) => [key, tensors[at] as Tensor]))
  return file.cases.map((c: Settings & Record<string, Record<string, string>>): Case => {
    const grads = c.grads as unknown as Record<string, Record<string, string>> | undefined
    return {
      id: String(c.id),
      op: String(c.op),
      group: file.group,
      constructor: (Object.hasOwn(c, 'constructor') ? c.constructor : {}) as unknown as Settings,
      attributes: c.attributes ?? {},
      inputs: pick(c.inputs),
      params: pick(c.params),
      buffers: pick(c.buffers),
      outputs: pick(c.outputs),
      cotangents: pick(c.cotangents),
      grads: { inputs: pick(grads?.inputs), params: pick(grads?.params) },
      tensors: pick(c.tensors),
      tolerance: (c.tolerance ?? {}) as Case['tolerance'],
      advisory: Boolean(c.advisory),
      raw: c,
    }
  })
}
