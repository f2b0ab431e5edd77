/** The marks of superseded records: a mark is never missing, and marks at most what shares its 64 bytes. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB, MiB, Random, seedsFor } from '@orbitkv/base'
import { Superseded } from './superseded.ts'

describe('superseded marks', () => {
  test('none is set at first, and no memory taken', () => {
    const marks = new Superseded()
    assert.equal(marks.has(1, 8), false)
    assert.equal(marks.has(1000, 2 ** 29 - 1), false)
    assert.equal(marks.bytes, 0)
  })

  test('one marks the places that begin in its 64 bytes, in its segment', () => {
    const marks = new Superseded()
    marks.add(2, 16, 8, 64 * KiB)
    for (let offset8 = 16; offset8 < 24; offset8++) assert.equal(marks.has(2, offset8), true)
    assert.deepEqual(
      [marks.has(2, 15), marks.has(2, 24), marks.has(1, 16), marks.has(3, 16)],
      [false, false, false, false],
    )
  })

  test('the last place of a segment is marked, and a segment may grow', () => {
    const marks = new Superseded()
    marks.add(1, (16 * KiB) / 8 - 1, 8, 16 * KiB)
    marks.add(1, MiB / 8 - 1, 8, MiB)
    assert.equal(marks.has(1, (16 * KiB) / 8 - 1), true)
    assert.equal(marks.has(1, MiB / 8 - 1), true)
    assert.equal(marks.has(1, MiB / 8 - 9), false)
  })

  test('they cost a five-hundredth of the segment', () => {
    const marks = new Superseded()
    for (let offset8 = 0; offset8 < (64 * MiB) / 8; offset8 += 1000) marks.add(1, offset8, 8, 64 * MiB)
    assert.ok(marks.bytes <= (64 * MiB) / 512 + 8)
  })

  for (const seed of seedsFor('superseded', { kept: [1], fresh: 2 })) {
    test(`agree with a set of stretches, seed ${seed}`, () => {
      const random = new Random(seed)
      const marks = new Superseded()
      const twin = new Set<string>()
      for (let step = 0; step < 20_000; step++) {
        const segment = random.between(1, 5)
        const offset8 = random.below((64 * KiB) / 8)
        const stretch = `${segment}:${offset8 >>> 3}`
        assert.equal(marks.has(segment, offset8), twin.has(stretch))
        if (random.chance(4)) {
          marks.add(segment, offset8, 8, 64 * KiB)
          twin.add(stretch)
        }
      }
    })
  }
})
