import { describe, expect, it } from 'vitest'
import { type ClassScore, classification, multiLabelClassification } from '../src/index.ts'

/** Three decimals more than anybody reads. */
const close = (found: ClassScore | undefined, [precision, recall, f1]: readonly number[]): void => {
  expect(found?.precision).toBeCloseTo(precision as number, 12)
  expect(found?.recall).toBeCloseTo(recall as number, 12)
  expect(found?.f1).toBeCloseTo(f1 as number, 12)
}

// Numbers of scikit-learn 1.9.1, precision_recall_fscore_support and accuracy_score.
describe('classification', () => {
  const wanted = [0, 1, 2, 2, 1, 0, 3, 2, 1]
  const predicted = [0, 2, 2, 2, 1, 1, 0, 2, 1]
  const found = classification(predicted, wanted)

  it('scores each class as scikit-learn does', () => {
    close(found.classes[0], [0.5, 0.5, 0.5])
    close(found.classes[1], [2 / 3, 2 / 3, 2 / 3])
    close(found.classes[2], [0.75, 1, 0.8571428571428571])
    close(found.classes[3], [0, 0, 0])
    expect(found.classes.map(c => c.support)).toEqual([2, 3, 3, 1])
    expect(found.confusion).toEqual([[1, 1, 0, 0], [0, 2, 1, 0], [0, 0, 3, 0], [1, 0, 0, 0]]) // biome-ignore format: a matrix
  })

  it('takes the three means as scikit-learn does', () => {
    close(found.micro, [2 / 3, 2 / 3, 2 / 3])
    close(found.macro, [0.47916666666666663, 0.5416666666666666, 0.5059523809523809])
    close(found.weighted, [0.5833333333333334, 0.6666666666666666, 0.6190476190476191])
    expect(found.accuracy).toBeCloseTo(2 / 3, 12)
  })

  it('refuses classes beyond the last, and lists of different lengths', () => {
    expect(() => classification([2], [0], 2)).toThrow('classification: row 0 has class 2, there are 2')
    expect(() => classification([0], [])).toThrow('classification: 1 predictions and 0 wanted')
  })
})

describe('multiLabelClassification', () => {
  const wanted = [[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0]] // biome-ignore format: a matrix
  const predicted = [[1, 0, 0], [0, 1, 1], [1, 0, 0], [0, 0, 0]] // biome-ignore format: a matrix

  it('scores labels and their means as scikit-learn does', () => {
    const found = multiLabelClassification(predicted, wanted)
    close(found.classes[1], [1, 0.5, 2 / 3])
    close(found.micro, [0.75, 0.6, 2 / 3])
    close(found.macro, [2 / 3, 0.5, 0.5555555555555555])
    close(found.weighted, [0.8, 0.6, 2 / 3])
    expect(found.accuracy).toBe(0.25)
  })
})
