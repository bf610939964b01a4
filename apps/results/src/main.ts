// npm run results -- RECIPE [--model ...] [--set ...] [--epochs N] [--resume] ...
import { results } from './program.ts'

results(process.argv.slice(2), { out: process.stdout, err: process.stderr }).then(code => {
  process.exitCode = code
})
