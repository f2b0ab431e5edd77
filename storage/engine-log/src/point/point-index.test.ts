/** The point index against a Map: locations of every kind, hashes that are equal, memory while it grows, segments that go. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hasCode, MiB, Random, seedsFor } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import { deadBit } from '../versions/versions.ts'
import { PointIndex, type PointKeys } from './point-index.ts'

interface Entry {
  readonly keyspace: number
  readonly key: Uint8Array
}

/** Places all over the log: in segments of up to 1 GiB, some of deletes, some aliases. */
function offset8Of(id: number): number {
  return id + (id % 8) * 2 ** 24
}

function segmentOf(id: number): number {
  if (id % 11 === 0) return deadBit
  return (1 + ((id * 7919) % 1000)) | (id % 5 === 0 ? deadBit : 0)
}

/** An index and its twin. A location's number is its place in `entries`; a key that has gone is asked for no more. */
class Pair implements PointKeys {
  readonly #random = new Random(1)
  readonly index = new PointIndex(this, () => this.#random.uint32())
  readonly twin = new Map<string, number>()
  readonly entries: (Entry | undefined)[] = [undefined]
  /** Questions to the log: a look-up should ask about its own key and about equal hashes, hardly ever more. */
  comparisons = 0

  equalsAt(segment: number, offset8: number, keyspace: number, key: Uint8Array, start: number, end: number): boolean {
    this.comparisons++
    const id = offset8 & 0xffffff
    assert.deepEqual([segment, offset8], [segmentOf(id), offset8Of(id)], 'segment and offset belong together')
    const entry = this.entries[id]
    assert.ok(entry !== undefined, 'the record is still there')
    return entry.keyspace === keyspace && Buffer.compare(entry.key, key.subarray(start, end)) === 0
  }

  find(keyspace: number, key: Uint8Array): number | undefined {
    const expected = this.twin.get(nameOf(keyspace, key))
    const wide = Uint8Array.of(1, ...key, 2, 3)
    assert.equal(this.index.find(keyspace, wide, 1, 1 + key.length), expected !== undefined)
    if (expected !== undefined)
      assert.deepEqual([this.index.segment, this.index.offset8], [segmentOf(expected), offset8Of(expected)])
    return expected
  }

  put(keyspace: number, key: Uint8Array): void {
    const before = this.find(keyspace, key)
    const id = this.entries.push({ keyspace, key }) - 1
    if (before === undefined) this.index.insert(segmentOf(id), offset8Of(id))
    else {
      this.index.replace(segmentOf(id), offset8Of(id))
      this.entries[before] = undefined
    }
    this.twin.set(nameOf(keyspace, key), id)
    assert.equal(this.index.size, this.twin.size)
  }

  remove(keyspace: number, key: Uint8Array): void {
    const before = this.find(keyspace, key)
    if (before === undefined) return
    this.index.remove()
    this.entries[before] = undefined
    this.twin.delete(nameOf(keyspace, key))
    assert.equal(this.index.size, this.twin.size)
  }

  /** Every key of the twin is found, at its place. */
  check(): void {
    for (const id of this.twin.values()) {
      const { keyspace, key } = this.entries[id] as Entry
      this.find(keyspace, key)
    }
    this.index.validate()
  }
}

function nameOf(keyspace: number, key: Uint8Array): string {
  return `${keyspace}:${Buffer.from(key).toString('hex')}`
}

/** The hash takes a key of 4 bytes as one block: mixing is a bijection, so a keyspace can be found that undoes another block. */
function collidingKeyspace(block: number, otherBlock: number): number {
  return (mixedBlock(block) ^ mixedBlock(otherBlock)) >>> 0
}

// The numbers that a Pair's index draws: its seed, and then the two multipliers of its mixing.
const drawn = new Random(1)
drawn.uint32()
const spread = drawn.uint32() | 1
const stir = drawn.uint32() | 1

function mixedBlock(block: number): number {
  let mixed = Math.imul(block, spread)
  mixed = (mixed << 15) | (mixed >>> 17)
  return Math.imul(mixed, stir)
}

function block4(block: number): Uint8Array {
  const key = new Uint8Array(4)
  new DataView(key.buffer).setUint32(0, block, true)
  return key
}

describe('point index', () => {
  test('an empty one finds nothing and takes no memory', () => {
    const pair = new Pair()
    assert.equal(pair.find(0, encodeText('a')), undefined)
    assert.equal(pair.index.size, 0)
    assert.equal(pair.index.bytes, 0)
  })

  test('the same key in two keyspaces is two keys, and the empty key is one', () => {
    const pair = new Pair()
    for (const keyspace of [0, 1, 0xffffffff]) {
      pair.put(keyspace, encodeText('k'))
      pair.put(keyspace, new Uint8Array(0))
    }
    pair.remove(1, encodeText('k'))
    pair.check()
    assert.equal(pair.index.size, 5)
  })

  test('keys of every length up to some dozens, that differ in one byte, are told apart', () => {
    const pair = new Pair()
    for (let length = 1; length <= 40; length++) {
      for (let at = 0; at < length; at++) {
        const key = new Uint8Array(length)
        key[at] = 1
        pair.put(0, key)
      }
      pair.put(0, new Uint8Array(length))
    }
    pair.check()
  })

  test('keys with the very same hash are told apart in the log', () => {
    const pair = new Pair()
    // All of these are one hash, and so one table and one home slot.
    const same = Array.from({ length: 200 }, (_, i) => ({
      keyspace: collidingKeyspace(0, i * 7919),
      key: block4(i * 7919),
    }))
    for (const { keyspace, key } of same) pair.put(keyspace, key)
    pair.comparisons = 0
    pair.check()
    assert.equal(pair.comparisons, (200 * 201) / 2, 'the first is found at once, the last after all others')
    // From the front, from the back and from the middle: no removal hides a follower.
    const random = new Random(5)
    while (same.length > 0) {
      const [gone] = same.splice(random.pick([0, same.length - 1, same.length >>> 1]), 1)
      pair.remove((gone as Entry).keyspace, (gone as Entry).key)
      pair.check()
    }
    assert.equal(pair.index.size, 0)
  })

  test('a look-up asks the log about few keys but its own', () => {
    const pair = new Pair()
    for (let i = 0; i < 50_000; i++) pair.put(0, encodeText(`user:${i}`))
    pair.comparisons = 0
    pair.check()
    assert.ok(pair.comparisons < 50_100, `${pair.comparisons} comparisons for 50,000 keys`)
    pair.comparisons = 0
    for (let i = 0; i < 10_000; i++) pair.find(0, encodeText(`absent:${i}`))
    assert.ok(pair.comparisons < 20, `${pair.comparisons} comparisons for 10,000 absent keys`)
  })

  for (const seed of seedsFor('point-index', { kept: [1], fresh: 3 })) {
    test(`agrees with a Map while keys come and go, seed ${seed}`, () => {
      const random = new Random(seed)
      const pair = new Pair()
      const someKey = (): [number, Uint8Array] => {
        const key = random.bytes(random.below(4)).map((byte) => byte & 31)
        // One in three has the hash of a key of zeros.
        if (key.length === 0 || !random.chance(3)) return [random.below(3), key]
        const block = random.below(100)
        return [collidingKeyspace(0, block), block4(block)]
      }
      for (let phase = 0; phase < 6; phase++) {
        for (let step = 0; step < 4000; step++) {
          if (random.below(100) < (phase % 2 === 0 ? 70 : 25)) pair.put(...someKey())
          else pair.remove(...someKey())
        }
        pair.check()
      }
    })

    test(`forty thousand keys go in, half of them out, and in again, seed ${seed}`, () => {
      const random = new Random(seed)
      const pair = new Pair()
      const keys = Array.from({ length: 40_000 }, (_, i) => encodeText(`${i}`))
      for (const key of keys) pair.put(7, key)
      const gone = keys.filter(() => random.chance(2))
      for (const key of gone) pair.remove(7, key)
      pair.check()
      for (const key of gone) assert.equal(pair.find(7, key), undefined)
      const bytes = pair.index.bytes
      for (const key of gone) pair.put(7, key)
      pair.check()
      assert.equal(pair.index.bytes, bytes, 'the room of removed keys is used again')
    })
  }

  test('memory stays at 16 bytes a key at the most, and at 9.5 at the least, also while tables grow', () => {
    const random = new Random(11)
    const index = new PointIndex(numbers, () => random.uint32())
    let most = 0
    let least = Number.POSITIVE_INFINITY
    for (let id = 1; id <= 400_000; id++) {
      insertNumber(index, id, 1)
      if (id < 50_000 || id % 100 !== 0) continue
      most = Math.max(most, index.bytes / id)
      least = Math.min(least, index.bytes / id)
    }
    assert.ok(most < 16, `${most} bytes a key`)
    assert.ok(least > 9.5, `${least} bytes a key: two tables grow at the same time`)
  })

  test('numbers of segments grow for ever, as long as old ones go', () => {
    const index = new PointIndex(numbers, () => 7, 3)
    for (let segment = 1; segment < 1000; segment++) {
      index.admit(segment * 1_000_000, 64 * MiB)
      insertNumber(index, segment, segment * 1_000_000)
      if (segment < 3) continue
      for (const present of [segment - 2, segment - 1, segment]) {
        assert.equal(findNumber(index, present), true)
        assert.equal(index.segment, present * 1_000_000)
      }
      findNumber(index, segment - 2)
      index.remove()
      index.release((segment - 2) * 1_000_000)
    }
  })

  test('a segment too many is refused, and all others stay as they were', () => {
    const index = new PointIndex(numbers, () => 7, 3)
    index.admit(1, 64 * MiB)
    index.admit(2, 64 * MiB)
    insertNumber(index, 5, 1)
    insertNumber(index, 6, 2)
    const tooLarge = (error: unknown) => hasCode(error, 'engine.log_too_large')
    assert.throws(() => index.admit(3, 64 * MiB + 1), tooLarge, 'it would take two numbers, and one is left')
    index.admit(3, 64 * MiB)
    insertNumber(index, 7, 3)
    index.admit(2, 64 * MiB)
    assert.throws(() => index.admit(4, 1), tooLarge)
    for (const [id, segment] of [5, 6, 7].entries()) {
      assert.equal(findNumber(index, segment), true)
      assert.equal(index.segment, id + 1)
    }
  })
})

/** A log in which the key of the record at an offset is the offset. */
const numbers: PointKeys = {
  equalsAt: (_segment, offset8, _keyspace, key) => new DataView(key.buffer).getUint32(0, true) === offset8,
}

function findNumber(index: PointIndex, id: number): boolean {
  return index.find(0, block4(id), 0, 4)
}

function insertNumber(index: PointIndex, id: number, segment: number): void {
  assert.equal(findNumber(index, id), false)
  index.insert(segment, id)
}
