import { BackendError, ConfigError, FormatError, MemoryError, ShapeError } from '@heed/core-tensor'
import { DivergenceError } from '@heed/training'
import { VizError } from '@heed/viz'
import { CommanderError } from 'commander'

/** What a command ends with: 0 well, 1 the environment failed, 2 the input was wrong, 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 130

/** The user pressed Ctrl-C, and everything worth keeping was kept. */
export class Interrupted extends Error {
  override readonly name: string = 'Interrupted'
}

/** Hears Ctrl-C (and the system's polite request to end): the signal tells it, a second one ends at once. */
export function listenForCtrlC(): { readonly signal: AbortSignal; ignore(): void } {
  const stop = new AbortController()
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130)
    stop.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return {
    signal: stop.signal,
    ignore: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  }
}

const inputErrors = [ConfigError, FormatError, ShapeError, VizError, DivergenceError] as const
const environmentErrors = [BackendError, MemoryError] as const

/** Says in one line on stderr what went wrong; a fault of ours says where, so that it can be reported. */
export function explain(error: unknown, write: (text: string) => void): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2 // it has said so itself
  if (error instanceof Interrupted) {
    write(`${error.message}\n`)
    return 130
  }
  if (inputErrors.some(kind => error instanceof kind)) return said(2, error as Error, write)
  if (environmentErrors.some(kind => error instanceof kind)) return said(1, error as Error, write)
  if (error instanceof Error && 'syscall' in error) {
    write(`heed: ${system(error as NodeJS.ErrnoException)}\n`)
    return 1
  }
  write(
    `heed: this is a fault of heed itself, please report it: ${error instanceof Error ? error.stack : error}\n`,
  )
  return 1
}

function said(code: ExitCode, error: Error, write: (text: string) => void): ExitCode {
  write(`heed: ${error.message.replaceAll('\n', ' ')}\n`)
  return code
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; make room',
  EDQUOT: 'the disk quota is used up; make room',
  EFBIG: 'the file would be larger than the system allows here; raise the limit (ulimit -f)',
  EACCES: 'no permission; choose another folder, or change its permissions',
  EPERM: 'not permitted; choose another folder, or change its permissions',
  EROFS: 'the file system is read-only; choose another folder',
  EMFILE: 'too many open files; raise the limit (ulimit -n)',
  ENOENT: 'there is no such file or folder; check the path',
  ENOTDIR: 'part of this path is a file, not a folder; choose another',
  EISDIR: 'this is a folder; name a file',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
}

function system({ code = '', syscall, path, message }: NodeJS.ErrnoException): string {
  const reason = REASONS[code] ?? message
  const file = path?.replace(/\.\d+\.part$/, '') // what writeAtomic was about to become
  return `${file ?? syscall ?? 'system'}: ${reason}`
}
