import { type DType, sizeOf } from '@heed/core-tensor'
import { type Family, only, type Runner, tooLarge, WHOLE } from '../runner.ts'

/** Tensors from nothing. */
export function creation(runner: Runner): Family<'full' | 'arange' | 'random'> {
  return {
    full: (_, outputs, { value }: { readonly value: number }) => {
      const { shape, dtype } = only(outputs)
      if (dtype === 'int32' && Math.abs(value) > WHOLE) throw tooLarge('full', value)
      const text = { floats: ['value'], body: 'return value;' }
      const y = runner.run('full', () => text, sizeOf(shape), [], [value])
      return [dtype === 'float32' ? y : runner.ranged(y, [value, value])]
    },
    arange: (
      _,
      outputs,
      {
        start,
        step,
        length,
        dtype,
      }: { readonly start: number; readonly step: number; readonly length: number; readonly dtype: DType },
    ) => {
      const last = start + step * Math.max(0, length - 1)
      const whole = dtype === 'int32'
      if (whole && Math.max(Math.abs(start), Math.abs(last)) > WHOLE)
        throw tooLarge('arange', Math.abs(start) > Math.abs(last) ? start : last)
      // What float32 leaves of start and step, as second terms.
      const rest = (x: number): number => x - Math.fround(x)
      const y = runner.run(
        'arange',
        () => ({
          floats: ['start', 'startRest', 'step', 'stepRest'],
          body: 'return (this.thread.x * step + start) + (this.thread.x * stepRest + startRest);',
        }),
        sizeOf(only(outputs).shape),
        [],
        [start, rest(start), step, rest(step)],
      )
      return [whole ? runner.ranged(y, [Math.min(start, last), Math.max(start, last)]) : y]
    },
    random: (
      _,
      outputs,
      { key, counter }: { readonly key: readonly [number, number]; readonly counter: number },
    ) => [
      runner.run(
        'random',
        () => ({
          ints: ['key0', 'key1', 'low', 'high'],
          body: 'return randomOf(this.thread.x, key0, key1, low, high);',
        }),
        sizeOf(only(outputs).shape),
        [],
        [key[0] | 0, key[1] | 0, counter | 0, Math.floor(counter / 2 ** 32) | 0],
      ),
    ],
  }
}
