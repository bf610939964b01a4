import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as backendCpu from '@heed/backend-cpu'
import * as core from '@heed/core-tensor'
import * as testing from '@heed/core-tensor/testing'
import * as datasets from '@heed/datasets'
import * as layers from '@heed/layers'
import * as models from '@heed/models'
import * as training from '@heed/training'
import * as trainingNode from '@heed/training/node'
import * as viz from '@heed/viz'
import { describe, expect, it } from 'vitest'
import { fencesOf, root, sitePages } from './fences.ts'

const exported = new Set(
  [backendCpu, core, testing, datasets, layers, models, training, trainingNode, viz].flatMap(Object.keys),
)
const methods: Readonly<Record<string, object>> = {
  x: core.Tensor.prototype,
  model: layers.Module.prototype,
  trainer: training.Trainer.prototype,
}
/** Words of the language, of options and of examples. */
const plain =
  /^(await|new|console|log|String|mask|modify|lengths|loss|batch|weights|clipNorm|callbacks|forward|and|true|null)$/

/** What is wrong with a piece of code that a table shows. */
function problemsOf(code: string): string[] {
  if (/^@heed\/[a-z-]+(\/[a-z]+)?$/.test(code)) return []
  const words = code.replaceAll(/\{.*?\}/g, '').replaceAll(/'.*?'/g, '')
  return [...words.matchAll(/(?<![\w.])([A-Za-z]\w*)(?:\.(\w+))?/g)].flatMap(([, name = '', member]) => {
    const owner = Object.hasOwn(methods, name) ? methods[name] : undefined
    if (owner) return !member || member in owner || member === 'grad' ? [] : [`${name}.${member}`]
    return exported.has(name) || plain.test(name) || argument.test(name) ? [] : [name]
  })
}
const argument =
  /^(a|b|q|k|v|t|f|y|xs|rng|state|query|keys|values|logits|target|source|size|vocab|inFeatures|backend|graph)$/

describe('every name that a page shows exists', () => {
  it('in the tables of those who come from elsewhere', () => {
    const page = readFileSync(join(root, 'apps/docs/guide/coming-from.md'), 'utf8')
    const cells = [...page.matchAll(/^\| .* \| (.*) \|$/gm)].map(([, cell = '']) => cell)
    const shown = cells.flatMap(cell => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code))
    expect(shown.length).toBeGreaterThan(80)
    expect(shown.flatMap(code => problemsOf(code).map(name => `${name} in ${code}`))).toEqual([])
  })

  it('where code is imported from a package, in every block, run or not', () => {
    const wrong = sitePages()
      .flatMap(fencesOf)
      .flatMap(({ where, code }) =>
        [
          ...code.matchAll(
            /import \{([^}]*)\} from '@heed\/(core-tensor|layers|models|viz|training|datasets)'/g,
          ),
        ]
          .flatMap(([, names = '']) => names.split(','))
          .map(name => name.trim())
          .filter(name => name && !name.startsWith('type ') && !exported.has(name.split(' as ')[0] as string))
          .map(name => `${where}: ${name}`),
      )
    expect(wrong).toEqual([])
  })

  it('in the references', () => {
    const page = readFileSync(join(root, 'apps/docs/facts/references.md'), 'utf8')
    const options = /^(copy|coverage|reverseSource|attention)$/ // of Seq2SeqConfig
    const shown = [...page.matchAll(/`(\w+)[^`]*`/g)].map(([, name = '']) => name)
    expect(shown.filter(name => !exported.has(name) && !options.test(name))).toEqual([])
  })
})
