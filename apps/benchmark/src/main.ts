// npm run bench -- [names...] [--threads N] [--peers list] [--json FILE] [--report]
import { benchmark } from './program.ts'

benchmark(process.argv.slice(2), {
  out: text => void process.stdout.write(text),
  err: text => void process.stderr.write(text),
}).then(code => {
  process.exitCode = code
})
