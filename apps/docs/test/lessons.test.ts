import { readdirSync, readFileSync } from 'node:fs'
import type { Locator, Page } from 'playwright'
import { describe, expect, it } from 'vitest'
import { alive, looking, served } from './site.ts'

// Each lesson as a reader meets it: press, wait, read what stands there.

const site = served()
/** Opens a lesson, and does what the reader does. */
const read = (name: string, reader: (page: Page) => Promise<void>): Promise<void> =>
  site.read(`/lessons/${name}.html`, reader)

/** A live part by its heading. */
const lab = (page: Page, title: string): Locator =>
  page.locator('.lab', { has: page.getByRole('heading', { name: title }) })

/** Presses start, and waits until the work is done. */
async function train(part: Locator): Promise<string> {
  await part.locator('[data-start]').click()
  await part.locator('[data-stop]:disabled').waitFor({ timeout: 240_000 })
  return (await part.locator('[data-status]').textContent()) ?? ''
}

/** One of a few, as a reader chooses it. */
const choose = (part: Locator, name: string): Promise<void> =>
  part.getByRole('radio', { name, exact: true }).check()

const percent = (text: string, before: string | RegExp): number => {
  const [, found] =
    new RegExp(`${before instanceof RegExp ? before.source : before}\\D*?(\\d+) %`).exec(text) ?? []
  return Number(found)
}
const text = async (locator: Locator): Promise<string> => ((await locator.textContent()) ?? '').trim()

describe('the order of lessons', () => {
  const front = (name: string): Record<string, string> =>
    Object.fromEntries(
      [
        ...readFileSync(new URL(`../lessons/${name}`, import.meta.url), 'utf8').matchAll(
          /^(title|part|order): (.*)$/gm,
        ),
      ].map(([, key, value]) => [key, value]),
    )
  const lessons = readdirSync(new URL('../lessons', import.meta.url))
    .filter(name => name.endsWith('.md') && name !== 'index.md')
    .map(
      name => ({ name: name.slice(0, -3), ...front(name) }) as { name: string; order: string; part: string },
    )
    .sort((a, b) => Number(a.order) - Number(b.order))
    .map(({ name }) => name)

  it('tells the story in three notes first, then why a fixed vector gets stuck, what a query asks, scores and weights, and what grew of it', () => {
    expect(lessons).toEqual([
      'forgetting',
      'soft-attention',
      'elsewhere',
      'bottleneck',
      'look-back',
      'scores',
      'heads',
      'grown',
      'timeline',
      'practice',
      'references',
    ])
  })

  it('every page of a lesson has its proof card, and the last one all of them', () => {
    for (const name of lessons.slice(0, 9))
      expect(readFileSync(new URL(`../lessons/${name}.md`, import.meta.url), 'utf8')).toContain('<ProofCard')
    expect(readFileSync(new URL('../lessons/practice.md', import.meta.url), 'utf8')).toContain('<AllCards')
  })
})

// Each page trains on one core: several at once fill the machine.
describe('a reader', { concurrent: true, timeout: 300_000 }, () => {
  looking('sees a recurrent network guess at 44 words, and attention get it right', () =>
    read('forgetting', async page => {
      const part = lab(page, 'Train a classifier of tweets')
      const failed = await train(part)
      expect(percent(failed, /160, .*?,/)).toBeLessThan(70)
      await choose(part, 'attention')
      const fixed = await train(part)
      expect(fixed).toMatch(/^attention, 44 words: step 160 of 160/)
      expect(percent(fixed, /160, .*?,/)).toBeGreaterThanOrEqual(95)
      expect(await text(part.locator('[data-verdict]'))).toMatch(/^positive/)
      expect(await part.locator('svg').count()).toBe(3) // loss, accuracy, strip
      await part.getByRole('textbox').fill('honestly i hate this class and my coffee was great')
      await part.locator('[data-ask]').click()
      expect(await text(part.locator('[data-answer]'))).toMatch(/negative/)
      expect(await text(page.locator('[data-proof]'))).toMatch(/Decoded Output\s*positive/)
    }),
  )

  looking('can stop a training, and begin again from nothing', () =>
    read('forgetting', async page => {
      const part = lab(page, 'Train a classifier of tweets')
      await part.locator('[data-start]').click()
      await part.getByText(/step \d+ of/).waitFor()
      await part.locator('[data-stop]').click()
      await part.locator('[data-stop]:disabled').waitFor()
      expect(await text(part.locator('[data-status]'))).not.toContain('step 160 of')
      await part.locator('[data-reset]').click()
      expect(await text(part.locator('[data-status]'))).toBe('')
      expect(await part.locator('svg').count()).toBe(0)
    }),
  )

  looking('follows the worked example to its last digit, rounded late and rounded early', () =>
    read('soft-attention', async page => {
      const part = lab(page, 'Three states, one query')
      await part.getByText('[0.5662, 0.4338]').waitFor()
      expect(await text(part.locator('[data-context]'))).toBe('[0.5662, 0.4338]')
      expect(await text(part.locator('[data-rounded]'))).toBe('[0.5663, 0.4337]')
      expect(await part.locator('[data-weight]').allTextContents()).toEqual(['0.4018', '0.3289', '0.2693'])
      const [first, second] = [
        part.getByLabel('query, first number'),
        part.getByLabel('query, second number'),
      ]
      await first.fill('0.3')
      await second.fill('0.7')
      await part.getByText('[0.4338, 0.5662]').waitFor()
      const table = lab(page, 'Five read-outs, four demands')
      await table.locator('[data-readout="attention"]').waitFor()
      expect(
        await table
          .locator('[data-passes="true"]')
          .evaluateAll(rows => rows.map(row => row.getAttribute('data-readout'))),
      ).toEqual(['attention'])
    }),
  )

  looking('sees one reader find its answer among places, neighbours and slots', () =>
    read('elsewhere', async page => {
      const part = lab(page, 'One reader, four kinds of things')
      for (const name of ['places of a picture', 'neighbours in a graph', 'slots of a memory']) {
        await choose(part, name)
        expect(percent(await train(part), ':')).toBeGreaterThanOrEqual(95)
        expect(await text(part.locator('[data-answer]'))).toBe(await text(part.locator('[data-truth]')))
      }
    }),
  )

  looking(
    'loses words on a note, keeps them with a marker, and sees one vector fail where a look back does not',
    () =>
      read('bottleneck', async page => {
        const note = lab(page, 'Sticky note or highlighter?')
        for (const word of ['van', 'nine'])
          await note.getByRole('button', { name: word, exact: true }).click()
        await note.locator('[data-take-away]').click()
        expect(await text(note.locator('[data-status]'))).toContain('2 of 6')
        await choose(note, 'with a highlighter')
        expect(await text(note.locator('[data-status]'))).toContain('6 of 6')
        const reading = lab(page, 'Read with the question in mind')
        await reading.getByRole('button', { name: 'Who eats the letters?' }).click()
        await reading.locator('.sentence').nth(2).click()
        await reading.getByText('So does attention').waitFor()
        const part = lab(page, 'Write it down again')
        await train(part)
        const outputs = await part.locator('[data-output]').allTextContents()
        const source = await text(part.locator('code').first())
        const right = (output = ''): number => [...source].filter((letter, i) => output[i] === letter).length
        expect(right(outputs[1])).toBeGreaterThanOrEqual(10)
        expect(right(outputs[1])).toBeGreaterThan(right(outputs[0]))
        const quiz = page.locator('[data-quiz="bottleneck"]')
        await quiz.getByLabel('The decoder cannot write that many words.').check()
        await quiz.getByRole('button', { name: 'Check' }).click()
        expect(await text(quiz.locator('[data-verdict]'))).toBe('Not quite.')
        await quiz.getByLabel(/One vector of fixed size/).check()
        await quiz.getByRole('button', { name: 'Check' }).click()
        expect(await text(quiz.locator('[data-verdict]'))).toBe('Right.')
      }),
  )

  looking('trains a translator, steps through its words, and clicks through its alignment', () =>
    read('look-back', async page => {
      const part = lab(page, 'Train a translator that looks back')
      expect(percent(await train(part), /,/)).toBeGreaterThanOrEqual(80)
      await part.locator('[data-next]').waitFor()
      const words = []
      const looked: number[] = []
      for (let step = 0; step < 3; step++) {
        words.push(await text(part.locator('[data-word]')))
        looked.push(Number(await text(part.locator('[data-step-weight="football"]'))))
        await part.locator('[data-next]').click()
      }
      expect(words.join(' ')).toBe('er spielt Fußball')
      expect(looked[2]).toBeGreaterThanOrEqual(0.5)
      expect(await text(part.locator('[data-written]'))).toBe('er spielt Fußball')
      const target = part.getByRole('option', { name: 'Fußball' })
      await target.click()
      expect(await target.getAttribute('aria-selected')).toBe('true')
      expect(await text(part.locator('.heed-status'))).toMatch(/“Fußball” → source: “football” 0\.[5-9]/)
      await target.press('ArrowLeft')
      expect(await text(part.locator('.heed-status'))).toMatch(/“spielt”/)
      expect(await text(page.locator('[data-proof]'))).toMatch(/er spielt Fußball/)
    }),
  )

  looking('turns the query, cools and heats the softmax, and times four scores', () =>
    read('scores', async page => {
      const part = lab(page, 'Turn the query')
      const weights = async (): Promise<number[]> =>
        (await part.locator('[data-weight]').allTextContents()).map(Number)
      await part.getByText('0.402').waitFor()
      const before = await weights()
      await part.getByRole('button', { name: '[0.3, 0.7]' }).click()
      await expect.poll(async () => (await weights())[2]).toBeCloseTo(before[0] as number, 2)
      expect((await weights())[0]).toBeCloseTo(before[2] as number, 2)
      await part.getByRole('button', { name: 'very cold' }).click()
      await expect.poll(async () => (await weights())[2]).toBeCloseTo(1, 2)
      await part.getByRole('button', { name: 'very hot' }).click()
      await expect
        .poll(weights)
        .toSatisfy((all: number[]) => all.every(weight => Math.abs(weight - 1 / 3) < 0.01))
      for (const score of ['scaled dot', 'general', 'additive']) {
        await choose(part, score)
        await part.getByRole('button', { name: 'τ = 1' }).click()
        await expect.poll(async () => (await weights()).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 2)
      }
      expect(await train(lab(page, 'What a score costs'))).toMatch(/20 of 20 timed/)
    }),
  )

  looking('finds that one head names one neighbour, and two name both', () =>
    read('heads', async page => {
      const part = lab(page, 'How many ways to look?')
      const one = await train(part)
      expect(Math.min(percent(one, 'left'), percent(one, 'right,? '))).toBeLessThan(60)
      await choose(part, '2')
      const two = await train(part)
      expect(percent(two, 'left')).toBeGreaterThanOrEqual(95)
      expect(percent(two, ', right')).toBeGreaterThanOrEqual(95)
      const parameters = (said: string): string | undefined => /([\d,]+) parameters/.exec(said)?.[1]
      expect(parameters(two)).toBe(parameters(one))
      const heads = part.getByRole('radio', { name: /^head/ })
      expect(await heads.count()).toBe(2)
      await heads.nth(0).press('ArrowRight')
      expect(await heads.nth(1).getAttribute('aria-checked')).toBe('true')
      const roles = (await part.locator('.role').allTextContents()).sort()
      expect(roles).toEqual(['one to the left', 'one to the right'])
    }),
  )

  looking(
    'finds the worked example inside a Transformer layer, order unnoticed without positions, and a block that needs its parts',
    () =>
      read('grown', async page => {
        const same = lab(page, 'The worked example, inside a Transformer layer')
        await same.getByText('0.5662, 0.4338').first().waitFor()
        expect(await text(same.locator('[data-context="layer"]'))).toBe(
          await text(same.locator('[data-context="byHand"]')),
        )
        expect(await text(same.locator('[data-context="scaled"]'))).not.toBe('0.5662, 0.4338')
        const order = lab(page, 'Does it notice the order?')
        await order.getByText('It does not notice.').waitFor()
        await choose(order, 'words with positions')
        await order.getByText('It notices.').waitFor()
        const block = lab(page, 'Take the block apart')
        const whole = await train(block)
        await block.getByLabel('attention', { exact: true }).uncheck()
        const without = await train(block)
        expect(percent(whole, /400,/)).toBeGreaterThanOrEqual(95)
        expect(percent(without, /400,/)).toBeLessThan(65)
      }),
  )

  looking('trains a stop of the timeline and sees it look from the end to the beginning', () =>
    read('timeline', async page => {
      const part = lab(page, 'Seven stops, one task')
      expect(await part.locator('[data-stop-name]').count()).toBe(7)
      for (const stop of ['self-attention', 'gpt']) {
        await part.locator(`[data-stop-name="${stop}"]`).click()
        expect(percent(await train(part), /200,/)).toBeGreaterThanOrEqual(95)
        await part.locator('svg').waitFor()
      }
    }),
  )

  looking('practises: cards, sayings with counter-examples, exercises graded by code and by rubric', () =>
    read('practice', async page => {
      await page.locator('[data-card]').click()
      expect(await text(page.locator('[data-card]'))).toContain('What is asked now')
      const saying = page.locator('[data-mistake="average"]')
      await saying.getByRole('button', { name: 'True' }).click()
      expect(await text(saying.locator('[data-verdict]'))).toBe('Not quite.')
      await saying.locator('[data-test]').click()
      await saying.getByText(/plain average/).waitFor()
      const exercise = page.locator('[data-exercise="softmax"]')
      await exercise.locator('[data-grade]:enabled').click()
      await exercise.locator('[data-score]').waitFor()
      expect(await text(exercise.locator('[data-score]'))).not.toBe('6 of 6 checks pass.')
      await exercise.locator('[data-solution]').click()
      await exercise.locator('[data-grade]').click()
      await exercise.getByText('6 of 6 checks pass.').waitFor()
      const query = page.locator('[data-exercise="query"]')
      await query.locator('[data-grade]:enabled').click()
      await query.getByText('2 of 3 checks pass.').waitFor()
      const rubric = page.locator('[data-rubric]').first()
      await rubric
        .getByRole('textbox')
        .fill(
          'The decoder asks anew at each step, so scores and weights change and the context is another one for every word.',
        )
      await rubric.locator('[data-compare]').click()
      await rubric.getByRole('checkbox').first().check()
      expect(await text(rubric.locator('[data-score]'))).toBe('1 of 4')
    }),
  )

  looking('trains on the GPU where there is one, and chooses', () =>
    read('elsewhere', async page => {
      const part = lab(page, 'One reader, four kinds of things')
      await part.locator('[data-start]:enabled').waitFor()
      expect(await part.locator('[data-places]').count()).toBe(0) // what computes on the CPU is no GPU
      await page.goto(`${page.url()}?gpu=software`)
      await alive(page)
      await choose(part, 'GPU, played by the CPU')
      expect(percent(await train(part), ':')).toBeGreaterThanOrEqual(95)
      expect(await text(part.locator('.lab-build'))).toMatch(/on the GPU: .*swiftshader/i)
      await choose(part, 'CPU')
      expect(await text(part.locator('[data-status]'))).toBe('') // another place, another model
    }),
  )

  looking('is told why a GPU fails, and goes on with the CPU', () =>
    read('elsewhere', async page => {
      // The page sees a GPU that the worker does not find.
      await page.addInitScript(() => {
        const adapter = { info: { vendor: 'somebody', architecture: '', device: '', description: '' } }
        Object.defineProperty(navigator, 'gpu', { value: { requestAdapter: async () => adapter } })
      })
      await page.reload()
      await alive(page)
      const part = lab(page, 'One reader, four kinds of things')
      await choose(part, 'GPU')
      await part.locator('[data-start]').click()
      expect(await text(part.getByRole('alert'))).toMatch(/^gpu: the only adapter.*computes on the CPU/)
      await part.locator('[data-back]').click()
      expect(await part.getByRole('alert').count()).toBe(0)
      expect(percent(await train(part), ':')).toBeGreaterThanOrEqual(95)
      expect(await text(part.locator('.lab-build'))).toContain('1 thread')
    }),
  )

  looking('can do without cross-origin isolation, and is told so', () =>
    read('soft-attention', async page => {
      const part = lab(page, 'Three states, one query')
      await part.getByText(/1 thread.*not cross-origin isolated/).waitFor()
    }),
  )
})
