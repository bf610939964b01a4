import { explain } from './failure.ts'
import { heed } from './program.ts'

// A file that grows past `ulimit -f` raises a signal that would end the process without a word; the write fails instead.
process.on('SIGXFSZ', () => {})
// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0)
})
// Nobody reads the progress any more (`2>&1 | head`): the work goes on.
process.stderr.on('error', () => {})

heed()
  .parseAsync(process.argv)
  .catch((error: unknown) => {
    process.exitCode = explain(error, text => process.stderr.write(text))
  })
