/** Entries and their keys: found whatever was added and removed before, in memory that is used again. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { Entries, type EntryNumber, none } from './entries.ts'
import { EntryList } from './entry-list.ts'

/** Few hashes, so that keys share them, and buckets. */
function hashOf(key: Uint8Array): number {
  return key.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 7) % 5000
}

function add(entries: Entries, key: Uint8Array, bytes: number): EntryNumber {
  return entries.add(hashOf(key), key, 0, key.length, bytes)
}

describe('the entries of a cache', () => {
  for (const seed of seedsFor('cache-entries', { kept: [], fresh: 3 })) {
    test(`they agree with a map, seed ${seed}`, () => {
      const random = new Random(seed)
      const entries = new Entries()
      const twin = new Map<string, { key: Uint8Array; entry: EntryNumber }>()
      for (let step = 0; step < 20_000; step++) {
        const key = random.bytes(random.pick([0, 1, 2, 11, 12, 13, 24, 25, random.below(300)]))
        const name = Buffer.from(key).toString('hex')
        const found = entries.find(hashOf(key), key, 0, key.length)
        assert.equal(found, twin.get(name)?.entry ?? none)
        // It grows for a while, then it shrinks.
        if (random.chance(step < 12_000 ? 4 : 2) && twin.size > 0) {
          const other = [...twin.keys()][random.below(Math.min(twin.size, 50))] as string
          entries.remove((twin.get(other) as { entry: EntryNumber }).entry)
          twin.delete(other)
        } else if (found === none && step < 14_000) twin.set(name, { key, entry: add(entries, key, step) })
      }
      assert.equal(entries.count, twin.size)
      assert.deepEqual(
        [...entries.all()].sort((a, b) => a - b),
        Array.from(twin.values(), ({ entry }) => entry).sort((a, b) => a - b),
      )
      for (const { key, entry } of twin.values()) {
        assert.deepEqual(entries.key(entry), key)
        const found = new Uint32Array(2)
        entries.findMany(Uint32Array.of(hashOf(key), 9999), 2, found)
        assert.deepEqual([found[0] === none, found[1]], [false, none])
      }
    })
  }

  test('what is given back is used again, whatever lengths keys have', () => {
    const entries = new Entries()
    const random = new Random(1)
    let bytesAtFirst = 0
    for (let round = 0; round < 20; round++) {
      const added = Array.from({ length: 3000 }, () => add(entries, random.bytes(60 + 12 * (round % 5)), 1))
      if (round === 4) bytesAtFirst = entries.memoryBytes
      for (const entry of added) entries.remove(entry)
    }
    assert.equal(entries.memoryBytes, bytesAtFirst)
  })

  test('a list keeps the order of use, and what its entries take', () => {
    const entries = new Entries()
    const list = new EntryList(entries)
    const [a = 0, b = 0, c = 0] = [1, 2, 3].map((byte) => add(entries, Uint8Array.of(byte), 10 * byte))
    for (const entry of [a, b, c]) list.addNewest(entry)
    assert.deepEqual([list.newest, list.oldest, list.bytes], [c, a, 60])
    list.makeNewest(a)
    list.makeNewest(a)
    assert.deepEqual([list.newest, list.oldest], [a, b])
    list.setBytes(b, 5)
    list.remove(c)
    assert.deepEqual([list.newest, list.oldest, list.count, list.bytes], [a, b, 2, 15])
    list.remove(a)
    list.remove(b)
    assert.deepEqual([list.newest, list.oldest, list.count, list.bytes], [none, none, 0, 0])
  })
})
