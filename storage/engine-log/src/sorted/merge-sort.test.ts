/** Sorting in steps gives what sorting at once gives, however often it is stopped. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { MergeSort } from './merge-sort.ts'

type Item = readonly [high: number, low: number, rest: number]

function sorted(items: readonly Item[], looksBetweenStops: number): Item[] {
  const sort = new MergeSort(items.length, (a, b) => (items[a] as Item)[2] - (items[b] as Item)[2])
  for (const [item, [high, low]] of items.entries()) sort.setHead(item, high, low)
  let looks = 0
  while (!sort.step(() => ++looks % looksBetweenStops !== 0));
  return items.map((_, place) => items[sort.item(place)] as Item)
}

describe('merge sort in steps', () => {
  test('none and one are in order', () => {
    assert.deepEqual(sorted([], 1), [])
    assert.deepEqual(sorted([[3, 4, 5]], 1), [[3, 4, 5]])
  })

  test('heads are numbers without a sign', () => {
    const items: Item[] = [
      [0xffffffff, 1, 0],
      [1, 0xffffffff, 0],
      [1, 0, 0],
    ]
    assert.deepEqual(sorted(items, 1), items.toReversed())
  })

  for (const seed of seedsFor('merge-sort', { kept: [1], fresh: 2 })) {
    test(`it agrees with a sort at once, seed ${seed}`, () => {
      const random = new Random(seed)
      for (const count of [2, 3, 63, 64, 65, 127, 1000, random.between(1, 5000)]) {
        const items = Array.from({ length: count }, (): Item => [random.below(20), random.below(20), random.below(50)])
        const expected = items.toSorted((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2])
        assert.deepEqual(sorted(items, random.between(1, 5)), expected)
      }
    })
  }

  test('equal ones keep their order', () => {
    const sort = new MergeSort(4, () => 0)
    for (const [item, high] of [1, 0, 1, 0].entries()) sort.setHead(item, high, 7)
    assert.equal(
      sort.step(() => true),
      true,
    )
    assert.deepEqual(
      [0, 1, 2, 3].map((place) => sort.item(place)),
      [1, 3, 0, 2],
    )
  })
})
