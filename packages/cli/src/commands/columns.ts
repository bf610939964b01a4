import { ConfigError } from '@heed/core-tensor'

/** What `--columns` means: two numbers or two names. @throws ConfigError if they are not two */
export function columnsOf(columns: string | undefined): [string | number, string | number] | undefined {
  const given = columns?.split(',').map(name => (/^\d+$/.test(name.trim()) ? Number(name) : name.trim()))
  if (given && (given.length !== 2 || given.some(name => name === '' || name === 0)))
    throw new ConfigError(`--columns ${columns}: give two, for example 1,2 or text,label`)
  return given as [string | number, string | number] | undefined
}
