// How changesets become CHANGELOG.md: what changed in the words of the changeset, and one line for what came along.

/** @param {{ summary: string }} changeset */
async function getReleaseLine({ summary }) {
  const [first, ...more] = summary
    .trim()
    .split(/\n\s*\n/)
    .map(paragraph => paragraph.replace(/\s*\n\s*/g, ' '))
  return [`- ${first}`, ...more.map(paragraph => `\n  ${paragraph}`)].join('\n')
}

/**
 * @param {readonly unknown[]} _
 * @param {readonly { name: string, newVersion: string }[]} updated
 */
async function getDependencyReleaseLine(_, updated) {
  if (!updated.length) return ''
  return `- With ${updated.map(({ name, newVersion }) => `\`${name}\` ${newVersion}`).join(', ')}.`
}

module.exports = { getReleaseLine, getDependencyReleaseLine }
