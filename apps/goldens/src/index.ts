export { type Case, loadCases, type Tolerance } from './cases.ts'
export { type Adapter, differences, type Made } from './compare.ts'
export { type Result, runGoldens } from './run.ts'
export { type Cell, type Cells, operationTable, type Row, tableText } from './table.ts'
