import { variant, type Workload } from '../workload.ts'

// (j) A new process: from the import of the library to the first product of two matrices. The versions are in ../coldStart.ts,
// since nothing of Heed may be loaded before the clock runs.

export const coldStart: Workload = {
  name: 'cold-start',
  letter: 'j',
  title: 'From import to the first result',
  variants: [
    variant({
      name: 'import',
      kind: 'coldStart',
      threads: 'one',
      inputs: () => ({}),
      tolerance: 0,
      heed: () => () => ({}),
      peers: {},
    }),
  ],
}
