/** Sorting in steps gives what sorting at once gives, however often it is stopped. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { MergeSort } from './merge-sort.ts'

function sorted(pairs: readonly (readonly [number, number])[], looksBetweenStops: number): [number, number][] {
  const words = new Uint32Array(2 * pairs.length)
  for (const [i, [a, b]] of pairs.entries()) words.set([a, b], 2 * i)
  const sort = new MergeSort(words, pairs.length, (a1, b1, a2, b2) => a1 - a2 || b1 - b2)
  let looks = 0
  while (!sort.step(() => ++looks % looksBetweenStops !== 0));
  return pairs.map((_, i) => [sort.pairs[2 * i] as number, sort.pairs[2 * i + 1] as number])
}

describe('merge sort in steps', () => {
  test('none and one are in order', () => {
    assert.deepEqual(sorted([], 1), [])
    assert.deepEqual(sorted([[3, 4]], 1), [[3, 4]])
  })

  for (const seed of seedsFor('merge-sort', { kept: [1], fresh: 2 })) {
    test(`it agrees with a sort at once, seed ${seed}`, () => {
      const random = new Random(seed)
      for (const count of [2, 3, 63, 64, 65, 127, 1000, random.between(1, 5000)]) {
        const pairs = Array.from({ length: count }, (): [number, number] => [random.below(50), random.below(1000)])
        const expected = pairs.toSorted(([a1, b1], [a2, b2]) => a1 - a2 || b1 - b2)
        assert.deepEqual(sorted(pairs, random.between(1, 5)), expected)
      }
    })
  }

  test('equal ones keep their order', () => {
    const words = Uint32Array.of(1, 10, 0, 20, 1, 30, 0, 40)
    const sort = new MergeSort(words, 4, (a1, _, a2) => a1 - a2)
    assert.equal(
      sort.step(() => true),
      true,
    )
    assert.deepEqual([...sort.pairs], [0, 20, 0, 40, 1, 10, 1, 30])
  })
})
