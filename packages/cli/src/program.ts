import { Command } from 'commander'
import { addAttend } from './commands/attend.ts'
import { addEvaluate } from './commands/evaluate.ts'
import { addExperiment } from './commands/experiment.ts'
import { addRuns } from './commands/runs.ts'
import { addTrain } from './commands/train.ts'
import { addTranslate } from './commands/translate.ts'
import { version } from './version.ts'

const EXAMPLES = `
Examples:
  heed train translate                        learn to read dates in many languages (about two minutes)
  heed train translate --data pairs.tsv       learn from your own pairs
  heed translate runs/NAME "3 mars 2024"      use what was learned, and see where it looked
  heed train sentiment                        learn what tweets say; half a minute
  heed attend runs/NAME "i love this course"  how much each word counted
  heed evaluate runs/NAME                     metrics with intervals
  heed experiment list                        claims to be put to the test
  heed runs                                   what has been trained
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
  addRuns(program)
  addEvaluate(program)
  addAttend(program)
  addExperiment(program)
  for (const command of program.commands) {
    command.exitOverride()
    for (const inner of command.commands) inner.exitOverride()
  }
  return program
}
