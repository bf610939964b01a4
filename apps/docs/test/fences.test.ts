import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { type Fence, fencesOf, readmes, root, sitePages } from './fences.ts'

// Every ```ts block runs. What stands behind `ts` says how:
//   continue          in one module with the block before
//   throws            it throws, and the heading above is the message, `…` standing for anything
//   no-run: reason    it does not run, and why
// A ```text block right behind it is what it prints.

const folder = join(root, 'apps/docs/generated/blocks', `${process.pid}`)
const code = /^(ts|js|typescript|javascript|tsx|jsx|mjs)$/

interface Program {
  readonly where: string
  readonly source: string
  /** What each of its blocks prints; undefined where the page does not say. */
  readonly prints: readonly (string | undefined)[]
  readonly throws: string | undefined
}

/** Printed between two blocks. */
const border = '— next block —'

/** Blocks that continue each other are one program. */
function programsOf(path: string): Program[] {
  const programs: Program[] = []
  const fences = fencesOf(path)
  for (const [i, { where, language, info, code: source, heading }] of fences.entries()) {
    if (!code.test(language) || info.startsWith('no-run')) continue
    const next = fences[i + 1]
    const prints = next?.language === 'text' && directly(fences, i) ? next.code : undefined
    const before = info === 'continue' ? programs.pop() : undefined
    programs.push({
      where,
      source: before ? `${before.source}\nconsole.log('${border}')\n${source}` : source,
      prints: [...(before?.prints ?? []), prints],
      throws: info === 'throws' ? messageOf(heading) : undefined,
    })
  }
  return programs
}

function directly(fences: readonly Fence[], i: number): boolean {
  const line = (fence: Fence): number => Number(fence.where.split(':').at(-1))
  const [block, next] = [fences[i] as Fence, fences[i + 1] as Fence]
  return line(next) - (line(block) + block.code.split('\n').length + 1) <= 2
}

function messageOf(heading: string): string {
  const [, message = ''] = /^`+ ?(.*?) ?`+( \{#.*\})?$/.exec(heading) ?? []
  if (!message) throw new Error(`“${heading}” is not a message in backticks`)
  return message
}

/** A message whose values are left out. */
function patternOf(message: string): RegExp {
  const parts = message.split('…').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's')
}

/** Runs it in a module of its own. @returns what it printed, with the error it ended with */
async function run(source: string, name: string): Promise<{ printed: string; error: Error | undefined }> {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((...values) => {
    lines.push(values.map(value => (typeof value === 'string' ? value : inspect(value))).join(' '))
  })
  const file = join(folder, `${name}.ts`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, source)
  try {
    await import(/* @vite-ignore */ file)
    return { printed: lines.join('\n').trim(), error: undefined }
  } catch (error) {
    return { printed: lines.join('\n').trim(), error: error as Error }
  } finally {
    log.mockRestore()
  }
}

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the blocks of', () => {
  // READMEs are run by packages/cli/test/readmes.test.ts.
  const pages = [...sitePages(), 'CONTRIBUTING.md'].map(path => [path, programsOf(path)] as const)
  it.each(pages.filter(([, programs]) => programs.length))(
    '%s run and print what they say',
    async (path, programs) => {
      const wrong: string[] = []
      for (const [i, { where, source, prints, throws }] of programs.entries()) {
        if (!source.includes('setBackend(')) vi.resetModules() // it finds no backend that others have set
        const { printed, error } = await run(source, `${path.replaceAll('/', '-').slice(0, -3)}-${i}`)
        const parts = printed.split(border).map(part => part.trim())
        if (throws === undefined) {
          if (error) wrong.push(`${where}: ${error.message}`)
          for (const [b, text] of prints.entries())
            if (text !== undefined && !error && parts[b] !== text)
              wrong.push(`${where}: it prints\n${parts[b]}`)
        } else if (!patternOf(throws).test(error?.message ?? ''))
          wrong.push(`${where}: it throws ${error ? `“${error.message}”` : 'nothing'}`)
      }
      expect(wrong).toEqual([])
    },
  )
})

it('a block that does not run says why', () => {
  const silent = [...sitePages(), ...readmes()].flatMap(fencesOf).flatMap(({ where, language, info }) => {
    if (!code.test(language)) return []
    if (language !== 'ts' && !info.startsWith('no-run: '))
      return [`${where}: ${language} does not run; make it ts`]
    return /^(|continue|throws|no-run: \S.{8,})$/.test(info) ? [] : [`${where}: ${info}`]
  })
  expect(silent).toEqual([])
})
