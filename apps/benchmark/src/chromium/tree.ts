import { readdirSync, readFileSync } from 'node:fs'
import type { Usage } from '../obey.ts'

/**
 * What a process and all that it started have used, by Linux's `/proc`: processor time in steps of 10 ms a process, and the sum of
 * their resident memory, in which what several share counts several times.
 *
 * @throws Error where there is no `/proc`
 */
export function treeUsage(root: number): Usage {
  const processes = readdirSync('/proc').flatMap(name => {
    const fields = /^\d+$/.test(name) ? read(`/proc/${name}/stat`).split(') ').at(-1)?.split(' ') : undefined
    return fields && fields.length > 12
      ? [{ id: Number(name), parent: Number(fields[1]), ms: 10 * (Number(fields[11]) + Number(fields[12])) }]
      : []
  })
  const tree = new Set([root])
  // Children have later numbers than their parents, until the numbers begin anew: so until nobody is added.
  for (let size = 0; size !== tree.size; ) {
    size = tree.size
    for (const { id, parent } of processes) if (tree.has(parent)) tree.add(id)
  }
  let [cpuMs, peakMB, residentMB] = [0, 0, 0]
  for (const { id, ms } of processes) {
    if (!tree.has(id)) continue
    const status = read(`/proc/${id}/status`)
    cpuMs += ms
    peakMB += Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
    residentMB += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
  }
  return { cpuMs, peakMB, residentMB }
}

/** Nothing where the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
