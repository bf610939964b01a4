import type { Command } from 'commander'
import { addTrainSentiment } from './trainSentiment.ts'
import { addTrainTranslate } from './trainTranslate.ts'

/** Adds `heed train`. */
export function addTrain(program: Command): void {
  const train = program.command('train').description('train a model')
  train.addHelpText('after', '\nExamples:\n  heed train translate --help\n  heed train sentiment --help')
  addTrainTranslate(train)
  addTrainSentiment(train)
}
