import type { Page } from 'playwright'
import { describe, expect, it } from 'vitest'
import { EXAMPLES } from '../.vitepress/theme/live/playground/examples.ts'
import { fromHash, pack, toHash, unpack } from '../.vitepress/theme/live/playground/share.ts'
import { looking, served } from './site.ts'

const site = served()

/** Opens the playground with a program, does something, and expects a console without complaints. */
async function play(
  program: string | undefined,
  player: (page: Page) => Promise<void>,
  expected?: RegExp,
): Promise<void> {
  const hash = program === undefined ? '' : await toHash(program)
  await site.read(
    `/playground.html${hash}`,
    async page => {
      await page.locator('[data-run]:enabled').waitFor()
      await player(page)
    },
    expected,
  )
}
async function run(page: Page): Promise<{ status: string; output: string }> {
  await page.locator('[data-run]').click()
  await page.locator('[data-run]:enabled').waitFor({ timeout: 60_000 })
  return {
    status: (await page.locator('[data-status]').textContent()) ?? '',
    output: (await page.locator('[data-output]').textContent()) ?? '',
  }
}

describe('a link', () => {
  it('holds a program whole, with all its letters', async () => {
    const program = `const word: string = 'Fußball ⚽ \\n'\nconsole.log(word)\n`.repeat(20)
    expect(await unpack(await pack(program))).toBe(program)
    expect((await pack(program)).length).toBeLessThan(program.length / 4)
    expect(await fromHash(await toHash(program))).toBe(program)
    expect(await fromHash('#somewhere')).toBeUndefined()
  })

  it('that is damaged says so', async () => {
    await expect(unpack('AAAA%')).rejects.toThrow('playground: the link is damaged')
    await expect(unpack((await pack('let x = 1')).slice(0, -6))).rejects.toThrow('damaged')
  })
})

describe('the playground', () => {
  looking('runs every example of its menu', () =>
    play(undefined, async page => {
      for (const { name, title } of EXAMPLES) {
        await page.getByLabel('Example').selectOption(name)
        const { status, output } = await run(page)
        expect(status, title).toMatch(/^Done in/)
        expect(output.length + (await page.locator('iframe').count()), title).toBeGreaterThan(0)
      }
      expect(await page.locator('[data-output]').textContent()).toContain('er spielt')
      expect(await page.locator('iframe').count()).toBe(1)
    }),
  )

  looking('shows tensors, objects and errors with their line, and marks it', () =>
    play(
      `import { tensor } from '@heed/core-tensor'
interface Pair { a: number }
const pair: Pair = { a: 1 }
console.log(tensor([[1, 2]]), pair)
tensor([1, 2]).matmul(tensor([[1, 2, 3]]))
`,
      async page => {
        const { status, output } = await run(page)
        expect(status).toBe('Failed.')
        expect(output).toContain('Tensor [1, 2] float32')
        expect(output).toContain('"a": 1')
        expect(await page.locator('[data-failure]').textContent()).toMatch(/^Line 5: ShapeError: matmul/)
        expect(await page.locator('.cm-wrong').textContent()).toContain('matmul')
      },
    ),
  )

  looking('says in which line a program is not TypeScript, and which packages there are', () =>
    play('const x = 1\nconst = 2\n', async page => {
      await run(page)
      expect(await page.locator('[data-failure]').textContent()).toMatch(/^Line 2: SyntaxError/)
      await page.locator('.cm-content').click()
      await page.keyboard.press('Control+a')
      await page.keyboard.insertText("import { readFile } from 'node:fs'\nreadFile('x')")
      await run(page)
      expect(await page.locator('[data-failure]').textContent()).toContain(
        "import 'node:fs': the playground has @heed/backend-cpu",
      )
    }),
  )

  looking('stops a loop without end, and is ready again', () =>
    play('for (;;) {}\n', async page => {
      await page.locator('[data-run]').click()
      await page.getByText('Running…').waitFor()
      await page.waitForTimeout(300)
      await page.locator('[data-stop]').click()
      await page.getByText('Stopped.').waitFor()
      expect(await page.locator('[data-run]').isEnabled()).toBe(true)
    }),
  )

  looking('shares what stands in the editor, and never runs a link by itself', () =>
    play("console.log('from a link')\n", async page => {
      expect(await page.locator('[data-status]').textContent()).toContain('Read it before you run it')
      expect(await page.locator('[data-output]').textContent()).not.toContain('from a link')
      await page.locator('.cm-content').click()
      await page.keyboard.press('Control+a')
      await page.keyboard.insertText("console.log('changed')")
      await page.locator('[data-share]').click()
      const link = await page.getByLabel('Link to this program').inputValue()
      expect(await fromHash(new URL(link).hash)).toBe("console.log('changed')")
    }),
  )

  looking('shows pictures of a program in a frame that runs nothing', () =>
    play(
      `show('<svg width="50" height="40" onload="parent.document.title = 1"><script>parent.document.title = 2</script></svg>')\n`,
      async page => {
        const title = await page.title()
        await page.locator('[data-run]').click()
        const frame = page.locator('iframe')
        await frame.waitFor()
        expect(await frame.getAttribute('sandbox')).toBe('')
        expect(await page.title()).toBe(title)
      },
      /^Blocked script execution in 'about:srcdoc'/,
    ),
  )
})
