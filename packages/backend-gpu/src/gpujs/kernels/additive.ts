import type { Cell, Family, Input, Runner } from '../runner.ts'
import { held } from '../text.ts'
import { dense } from './matmul.ts'
import { columnSums } from './reduce.ts'

/** Additive scores of row-major tensors, and their gradients, without the sum of all pairs. */
export function additive(runner: Runner): Family<'additiveScore' | 'additiveScoreGrad'> {
  return {
    additiveScore: inputs => {
      const [query, key, v] = inputs as readonly [Input, Input, Input]
      const { batch, queries, keys, size } = sizesOf(query, key)
      return [
        runner.run(
          'additiveScore',
          () => ({
            tensors: ['query', 'key', 'v'],
            ints: ['queryAt', 'keyAt', 'vAt', 'queries', 'keys', 'size'],
            body: walked(
              `queryAt + quotient(this.thread.x, keys) * size`,
              `keyAt + (quotient(this.thread.x, queries * keys) * keys + remainder(this.thread.x, keys)) * size`,
              'size',
              'sum += v[vAt + k] * tanhOf(query[at + k] + key[from + k]);',
            ),
          }),
          batch * queries * keys,
          [query.storage, key.storage, v.storage],
          [query.offset, key.offset, v.offset, queries, keys, size],
        ),
      ]
    },
    additiveScoreGrad: inputs => {
      const [dy, query, key, v] = inputs as readonly [Input, Input, Input, Input]
      const { batch, queries, keys, size } = sizesOf(query, key)
      const cells = [dy, query, key, v].map(({ storage }) => storage)
      const starts = [dy, query, key, v].map(({ offset }) => offset)
      const parts = {
        tensors: ['dy', 'query', 'key', 'v'],
        ints: ['dyAt', 'queryAt', 'keyAt', 'vAt', 'queries', 'keys', 'size'],
      }
      const numbers = [...starts, queries, keys, size]
      const column = 'remainder(this.thread.x, size)'
      const row = 'quotient(this.thread.x, size)'
      const grad = (name: string, count: number, body: string): Cell =>
        runner.run(`additiveScoreGrad ${name}`, () => ({ ...parts, body }), count, cells, numbers)
      const slope = (t: string): string => `v[vAt + ${column}] * (1 - ${t} * ${t})`
      // A row of queries, all keys; and a row of keys, all queries.
      const overKeys = (add: string): string =>
        walked(
          `dyAt + ${row} * keys`,
          `keyAt + quotient(${row}, queries) * keys * size + ${column}`,
          'keys',
          `let t = tanhOf(query[queryAt + this.thread.x] + key[from + k * size]);
    sum += dy[at + k] * ${add};`,
        )
      const dq = grad('query', batch * queries * size, overKeys(slope('t')))
      const dk = grad(
        'key',
        batch * keys * size,
        walked(
          `dyAt + quotient(${row}, keys) * queries * keys + remainder(${row}, keys)`,
          `queryAt + quotient(${row}, keys) * queries * size + ${column}`,
          'queries',
          `let t = tanhOf(key[keyAt + this.thread.x] + query[from + k * size]);
    sum += dy[at + k * keys] * ${slope('t')};`,
        ),
      )
      const rows = grad('v', batch * queries * size, overKeys('t'))
      const dv = columnSums(runner, dense(rows, [batch * queries, size]), batch * queries, size)
      runner.free(rows)
      return [dq, dk, dv]
    },
  }
}

function sizesOf(query: Input, key: Input) {
  const [batch, queries, size] = query.shape as [number, number, number]
  return { batch, queries, keys: key.shape[1] as number, size }
}

/** A sum over k, of what is at two places and behind. */
function walked(at: string, from: string, count: string, add: string): string {
  return `let sum = 0;
${held({ at, from }, `for (let k = 0; k < ${count}; k++) {\n${add}\n}`)}
return sum;`
}
