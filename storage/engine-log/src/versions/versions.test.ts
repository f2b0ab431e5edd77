/** The notes of older versions against an array: both ends, over the borders of chunks, and looked up by location. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { deadBit, type Note, newNote, segmentMask, Versions } from './versions.ts'

/** Notes in a chunk, as versions.ts has it; the tests cross several of its borders. */
const chunkNotes = 4096

/** The note of a number: locations ascend with it, a segment holds a thousand. */
function note(number: number): Note {
  return {
    keyspace: number % 5 === 0 ? 2 ** 32 - 1 : number % 5,
    segment: 1 + Math.floor(number / 1000),
    offset8: 8 + (number % 1000) * 3,
    isDelete: number % 3 === 0,
    olderSegment: number % 2 === 0 ? number + 1 : (number + 1) | deadBit,
    olderOffset8: (number * 31) % 2 ** 29,
    revision: number + 2 ** 40,
    alias: 0,
  }
}

function filled(count: number): Versions {
  const versions = new Versions()
  for (let i = 0; i < count; i++) versions.push(note(i))
  return versions
}

describe('notes of older versions', () => {
  test('none has neither end', () => {
    const versions = new Versions()
    const into = newNote()
    assert.equal(versions.first(into), false)
    assert.equal(versions.last(into), false)
    assert.deepEqual(into, newNote(), 'nothing is loaded')
    assert.equal(versions.find(1, 8), false)
    assert.equal(versions.holds(1, 8, 0), false)
    assert.throws(() => versions.shift(), { code: 'base.assertion' })
    assert.throws(() => versions.pop(), { code: 'base.assertion' })
    assert.deepEqual([versions.count, versions.bytes], [0, 0])
  })

  test('come out as they went in, first in first out, over many chunks', () => {
    const most = 3 * chunkNotes + 7
    const versions = filled(most)
    const into = newNote()
    for (let i = 0; i < most; i++) {
      assert.equal(versions.count, most - i)
      assert.equal(versions.first(into), true)
      assert.deepEqual(into, note(i))
      versions.shift()
    }
    assert.equal(versions.first(into), false)
  })

  test('and last in first out', () => {
    const most = 3 * chunkNotes
    const versions = filled(most)
    const into = newNote()
    for (let i = most - 1; i >= 0; i--) {
      assert.equal(versions.last(into), true)
      assert.deepEqual(into, note(i))
      versions.pop()
    }
    assert.equal(versions.last(into), false)
  })

  test('few at a time take no more than two chunks, however many go through', () => {
    const versions = new Versions()
    let bytesMax = 0
    for (let i = 0; i < 10 * chunkNotes; i++) {
      versions.push(note(i))
      if (i >= 10) versions.shift()
      bytesMax = Math.max(bytesMax, versions.bytes)
    }
    assert.ok(bytesMax <= 2 * chunkNotes * 32, `${bytesMax} bytes`)
  })

  for (const count of [chunkNotes - 1, chunkNotes, chunkNotes + 1]) {
    for (const front of [0, 1, chunkNotes - 1, chunkNotes]) {
      test(`${count} in, ${front} out in front, the rest out behind, and in again`, () => {
        const versions = new Versions()
        const into = newNote()
        for (let round = 0; round < 3; round++) {
          const out = Math.min(front, count)
          for (let i = 0; i < count; i++) versions.push(note(i))
          for (let i = 0; i < out; i++) {
            assert.equal(versions.first(into), true)
            assert.deepEqual(into, note(i))
            versions.shift()
          }
          for (let i = count - 1; i >= out; i--) {
            assert.equal(versions.last(into), true)
            assert.deepEqual(into, note(i))
            versions.pop()
          }
          assert.equal(versions.first(into), false)
          assert.equal(versions.last(into), false)
          assert.equal(versions.count, 0)
        }
      })
    }
  }

  test('the older location is found by that of the newer record, and by no other', () => {
    const most = 2 * chunkNotes + 100
    const versions = filled(most)
    for (let i = 0; i < most; i++) {
      const { segment, offset8, olderSegment, olderOffset8 } = note(i)
      assert.equal(versions.find(segment, offset8), true)
      assert.deepEqual([versions.olderSegment, versions.olderOffset8], [olderSegment, olderOffset8])
      assert.equal(versions.find(segment, offset8 + 1), false)
      assert.equal(versions.find(segment + 100_000, offset8), false)
    }
    assert.equal(versions.find(0, 8), false)
    assert.equal(versions.find(1, 7), false)
  })

  test('a record that took over from none has no older one, and its note is there all the same', () => {
    const versions = new Versions()
    versions.push({ ...newNote(), segment: 1, offset8: 8, isDelete: true })
    versions.push({ ...newNote(), segment: 1, offset8: 16, olderSegment: 0, olderOffset8: 5 })
    assert.equal(versions.find(1, 8), false)
    assert.equal(versions.holds(1, 8, 0), true)
    assert.equal(versions.find(1, 16), true, 'an alias is an older location')
    assert.deepEqual([versions.olderSegment, versions.olderOffset8], [0, 5])
  })

  test('the notes of one delete-range are told apart by their aliases', () => {
    const versions = new Versions()
    versions.push({ ...newNote(), segment: 1, offset8: 8, olderSegment: 1 })
    for (let alias = 1; alias <= 200; alias++) {
      versions.push({
        ...newNote(),
        segment: 2,
        offset8: 8,
        isDelete: true,
        olderSegment: 1,
        olderOffset8: alias,
        alias,
      })
    }
    versions.push({ ...newNote(), segment: 2, offset8: 16, olderSegment: 1 })
    for (let alias = 1; alias <= 200; alias++) assert.equal(versions.holds(2, 8, alias), true)
    assert.equal(versions.holds(2, 8, 201), false)
    assert.equal(versions.holds(2, 8, 0), false)
    assert.equal(versions.holds(2, 16, 1), false)
    // Some of them go from the head, as retention takes them.
    for (let i = 0; i < 50; i++) versions.shift()
    assert.equal(versions.holds(1, 8, 0), false)
    assert.equal(versions.holds(2, 8, 49), false)
    assert.equal(versions.holds(2, 8, 50), true)
  })

  for (const seed of seedsFor('versions', { kept: [1], fresh: 3 })) {
    test(`agree with an array while they come and go at both ends, seed ${seed}`, () => {
      const random = new Random(seed)
      const versions = new Versions()
      const twin: number[] = []
      const into = newNote()
      for (let phase = 0; phase < 40; phase++) {
        const operation = random.pick(['push', 'push', 'push', 'shift', 'shift', 'pop'] as const)
        for (let left = random.below(chunkNotes * 2); left > 0; left--) {
          if (operation === 'push') {
            const next = (twin.at(-1) ?? 0) + random.between(1, 3)
            versions.push(note(next))
            twin.push(next)
          } else if (twin.length > 0 && operation === 'shift') {
            versions.shift()
            twin.shift()
          } else if (twin.length > 0) {
            versions.pop()
            twin.pop()
          }
        }
        assert.equal(versions.count, twin.length)
        assert.equal(versions.first(into), twin.length > 0)
        if (twin.length > 0) assert.deepEqual(into, note(twin[0] as number))
        assert.equal(versions.last(into), twin.length > 0)
        if (twin.length > 0) assert.deepEqual(into, note(twin.at(-1) as number))
        const present = new Set(twin)
        for (let tries = 0; tries < 200; tries++) {
          const number = random.below((twin.at(-1) ?? 0) + 5)
          const { segment, offset8, olderSegment } = note(number)
          assert.equal(versions.holds(segment, offset8, 0), present.has(number))
          assert.equal(versions.find(segment, offset8), present.has(number))
          if (present.has(number)) assert.equal(versions.olderSegment & segmentMask, olderSegment & segmentMask)
        }
      }
    })
  }
})
