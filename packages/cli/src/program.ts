import { Command } from 'commander'
import { addTrain } from './commands/train.ts'
import { addTranslate } from './commands/translate.ts'
import { version } from './version.ts'

const EXAMPLES = `
Examples:
  heed train translate                        learn to read dates in many languages (about a minute)
  heed train translate --data pairs.tsv       learn from your own pairs
  heed translate runs/NAME "3 mars 2024"      use what was learned, and see where it looked
  heed train translate --help                 all options`

/** The command `heed`. */
export function heed(): Command {
  const program = new Command('heed')
    .description('Train attention models and look inside them.')
    .version(version)
    .showHelpAfterError('(heed --help shows how)')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
  addTrain(program)
  addTranslate(program)
  for (const command of program.commands) {
    command.exitOverride()
    for (const inner of command.commands) inner.exitOverride()
  }
  return program
}
