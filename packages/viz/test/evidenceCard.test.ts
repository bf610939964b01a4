import { expect, test } from 'vitest'
import { type EvidenceCardFields, evidenceCard, VizError } from '../src/index.ts'
import { hostile } from './samples.ts'

const fields: EvidenceCardFields = {
  sourceTarget: { source: 'He is playing football', target: 'Er spielt Fußball' },
  decodedOutput: 'Er spielt Fußball',
  alignmentNote: 'Fußball looks at football with 0.84.',
  failureCheck: 'No omission, repetition or hallucination; alignment as expected; 1,000 test lines.',
  expectedOutput: 'Er spielt Fußball',
}

test('an evidence card has its five fields in Markdown, HTML and JSON', async () => {
  const card = evidenceCard(fields)
  for (const name of [
    'Source Target',
    'Decoded Output',
    'Alignment Note',
    'Failure Check',
    'Expected Output',
  ]) {
    expect(card.markdown()).toContain(`| **${name}** |`)
    expect(card.html()).toContain(`<dt>${name}</dt>`)
  }
  expect(JSON.parse(card.json())).toEqual(fields)
  await expect(card.markdown()).toMatchFileSnapshot('snapshots/card.txt')
  await expect(card.html()).toMatchFileSnapshot('snapshots/card.html')
})

test('an evidence card without all five fields is an error that names each missing one', () => {
  expect(() =>
    evidenceCard({ ...fields, failureCheck: '  ', sourceTarget: { source: '', target: 'x' } }),
  ).toThrow(
    new VizError(
      'evidenceCard: missing or empty sourceTarget.source, failureCheck; a card without all five fields is no evidence',
    ),
  )
  for (const name of Object.keys(fields)) {
    const { [name as keyof EvidenceCardFields]: _, ...rest } = fields
    expect(() => evidenceCard(rest as EvidenceCardFields)).toThrow(name)
  }
})

test('an evidence card keeps hostile text in its field and its JSON to five fields', () => {
  const text = hostile.join(' ')
  const card = evidenceCard({ ...fields, alignmentNote: text, extra: 1 } as EvidenceCardFields)
  expect(card.html()).not.toMatch(/<script|<img|<svg/)
  expect(card.markdown().split('\n')).toHaveLength(7)
  expect(Object.keys(JSON.parse(card.json()))).toHaveLength(5)
})
