/**
 * The ordered index against a sorted array, over keys in memory of the test's own. A key whose record has gone is gone from
 * the source too: asking for it fails, so the index must live by its own copies.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { compareBytes, encodeText } from '@orbitkv/bytes'
import type { KeySource } from './key-source.ts'
import { LearnedIndex } from './learned-index.ts'

class MemoryKeys implements KeySource {
  readonly #keys = new Map<number, Uint8Array>()
  #next = 1
  /** Comparisons so far. */
  compares = 0

  /** A new location of a key: segment and offset are both made of its number, so that mixing them up shows. */
  add(key: Uint8Array): number {
    this.#keys.set(this.#next, key)
    return this.#next++
  }

  remove(id: number): void {
    this.#keys.delete(id)
  }

  keyAt(segment: number, offset8: number): { bytes: Uint8Array; keyStart: number; keyBytes: number } {
    const key = this.#keyOf(segment, offset8)
    const bytes = Uint8Array.of(9, 9, ...key, 9)
    return { bytes, keyStart: 2, keyBytes: key.length }
  }

  compareKeyAt(segment: number, offset8: number, key: Uint8Array, start: number, end: number): number {
    const own = this.#keyOf(segment, offset8)
    this.compares++
    return compareBytes(own, 0, own.length, key, start, end)
  }

  #keyOf(segment: number, offset8: number): Uint8Array {
    assert.equal(segment, offset8 * 2 + 1, 'segment and offset belong together')
    const key = this.#keys.get(offset8)
    assert.ok(key !== undefined, 'the record is still there')
    return key
  }
}

interface Entry {
  readonly key: Uint8Array
  id: number
}

/** An index and its twin, a sorted array. Every operation is done on both. */
class Pair {
  readonly keys = new MemoryKeys()
  readonly index = new LearnedIndex(this.keys)
  readonly sorted: Entry[] = []

  /** Where a key stands in the sorted array, or would. */
  place(key: Uint8Array): number {
    let from = 0
    let to = this.sorted.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if (compare((this.sorted[middle] as Entry).key, key) < 0) from = middle + 1
      else to = middle
    }
    return from
  }

  find(key: Uint8Array): boolean {
    const entry = this.sorted[this.place(key)]
    const expected = entry !== undefined && compare(entry.key, key) === 0
    const wide = Uint8Array.of(7, ...key, 7)
    assert.equal(this.index.find(wide, 1, 1 + key.length), expected, `finding ${key}`)
    if (expected) assert.deepEqual([this.index.segment, this.index.offset8], [entry.id * 2 + 1, entry.id])
    return expected
  }

  put(key: Uint8Array): void {
    const found = this.find(key)
    const id = this.keys.add(key)
    const place = this.place(key)
    if (found) {
      const entry = this.sorted[place] as Entry
      this.index.replace(id * 2 + 1, id)
      this.keys.remove(entry.id)
      entry.id = id
    } else {
      this.index.insert(key, 0, key.length, id * 2 + 1, id)
      this.sorted.splice(place, 0, { key, id })
    }
  }

  remove(key: Uint8Array): void {
    if (!this.find(key)) return
    this.index.remove()
    const [entry] = this.sorted.splice(this.place(key), 1)
    this.keys.remove((entry as Entry).id)
  }

  removeAt(place: number): void {
    this.remove((this.sorted[place] as Entry).key)
  }

  /** Invariants, and every entry in both directions. */
  check(): void {
    const { index, sorted } = this
    index.validate()
    assert.equal(index.size, sorted.length)
    const expected = sorted.map(({ id }) => id)
    const forward: number[] = []
    for (let leaf = index.firstLeaf(); leaf !== 0; leaf = index.nextLeaf(leaf)) {
      let slot = index.entryFrom(leaf, 0)
      for (; slot < index.leafSlots(leaf); slot = index.entryFrom(leaf, slot + 1)) {
        index.load(leaf, slot)
        forward.push(index.offset8)
      }
    }
    assert.deepEqual(forward, expected)
    const backward: number[] = []
    for (let leaf = index.lastLeaf(); leaf !== 0; leaf = index.previousLeaf(leaf)) {
      let slot = index.entryBefore(leaf, index.leafSlots(leaf))
      for (; slot >= 0; slot = index.entryBefore(leaf, slot)) {
        index.load(leaf, slot)
        backward.push(index.offset8)
      }
    }
    assert.deepEqual(backward, expected.toReversed())
  }

  /** The place that a find of a key leaves: everything before it is smaller. */
  checkPlace(key: Uint8Array): void {
    this.find(key)
    const { index } = this
    let before = entriesIn(index, index.placeLeaf, index.placeSlot)
    for (let leaf = index.previousLeaf(index.placeLeaf); leaf !== 0; leaf = index.previousLeaf(leaf)) {
      before += entriesIn(index, leaf, index.leafSlots(leaf))
    }
    assert.equal(before, this.place(key))
    assert.equal(index.rank(key, 0, key.length), before)
  }
}

/** Entries of a leaf before a slot. */
function entriesIn(index: LearnedIndex, leaf: number, slot: number): number {
  let entries = 0
  for (let at = index.entryFrom(leaf, 0); at < slot; at = index.entryFrom(leaf, at + 1)) entries++
  return entries
}

function compare(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(a, 0, a.length, b, 0, b.length)
}

function number8(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setUint32(4, value)
  return bytes
}

/** Makers of keys that are hard on a tree of 8-byte heads after a shared prefix. */
const kinds: Readonly<Record<string, (random: Random) => Uint8Array>> = {
  'random keys': (random) => random.bytes(random.between(0, 12)),
  'numbers of 8 bytes': (random) => number8(random.below(20_000)),
  'long shared prefixes': (random) =>
    encodeText(
      `${random.pick(['', 'tenant/', 'tenant/0001/orders/'])}${'p'.repeat(random.pick([0, 7, 8, 9, 300]))}${random.below(3000)}`,
    ),
  'keys that are prefixes of each other': (random) =>
    new Uint8Array(random.below(1200)).fill(random.pick([0, 97, 255])),
  'keys that differ in trailing zeros alone': (random) =>
    Uint8Array.of(
      ...random.pick([[], [1], [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7, 8]]),
      ...random.bytes(random.below(14)).map((b) => b & 1),
    ),
  'the lowest and highest bytes': (random) => random.bytes(random.below(16)).map((byte) => (byte & 1 ? 255 : 0)),
}

describe('ordered index', () => {
  test('an empty one', () => {
    const pair = new Pair()
    pair.check()
    assert.equal(pair.find(encodeText('a')), false)
    assert.equal(pair.index.sample(0.5), false)
    assert.equal(pair.index.height, 1)
    assert.equal(pair.index.size, 0)
  })

  test('the empty key, and one that is all zeros, are keys like others', () => {
    const pair = new Pair()
    for (let zeros = 0; zeros < 200; zeros++) pair.put(new Uint8Array(zeros))
    pair.check()
    for (let zeros = 0; zeros < 200; zeros += 2) pair.remove(new Uint8Array(zeros))
    pair.check()
    for (let zeros = 0; zeros < 200; zeros++) assert.equal(pair.find(new Uint8Array(zeros)), zeros % 2 === 1)
  })

  test('inserts and removals are counted as changes, replacements are not', () => {
    const pair = new Pair()
    pair.put(encodeText('a'))
    const before = pair.index.changeCount
    pair.put(encodeText('a'))
    assert.equal(pair.index.changeCount, before)
    pair.remove(encodeText('a'))
    assert.equal(pair.index.changeCount, before + 1)
  })

  test('its shape is counted, or estimated from some of its nodes', () => {
    const random = new Random(1)
    const pair = new Pair()
    for (let i = 0; i < 20_000; i++) pair.put(random.bytes(8))
    const { index } = pair
    const exact = index.shape(Number.POSITIVE_INFINITY)
    let leaves = 0
    let slots = 0
    for (let leaf = index.firstLeaf(); leaf !== 0; leaf = index.nextLeaf(leaf)) {
      leaves++
      slots += index.leafSlots(leaf)
    }
    assert.equal(exact.depth, index.height)
    assert.equal(exact.leaves, leaves)
    assert.equal(exact.gaps, slots - index.size)
    assert.equal(exact.branches, 1)
    assert.ok(exact.errorBitsMean > 0 && exact.errorBitsMean < 2)
    const guess = index.shape(Math.ceil(leaves / 3))
    assert.ok(guess.leaves > leaves / 2 && guess.leaves < leaves * 2, `${guess.leaves} of ${leaves} leaves`)
    assert.ok(guess.gaps > exact.gaps / 2 && guess.gaps < exact.gaps * 2, `${guess.gaps} of ${exact.gaps} gaps`)
  })

  test('nodes that are gone are no part of the shape', () => {
    const pair = new Pair()
    for (let i = 0; i < 20_000; i++) pair.put(number8(i))
    while (pair.sorted.length > 0) pair.removeAt(pair.sorted.length - 1)
    const { leaves, branches, gaps } = pair.index.shape(Number.POSITIVE_INFINITY)
    assert.deepEqual({ leaves, branches, gaps }, { leaves: 1, branches: 0, gaps: 16 })
  })

  test('storeAt gives an entry another location', () => {
    const pair = new Pair()
    pair.put(encodeText('a'))
    const { index } = pair
    const id = pair.keys.add(encodeText('a'))
    index.storeAt(index.firstLeaf(), 0, id * 2 + 1, id)
    assert.equal(index.find(encodeText('a'), 0, 1), true)
    assert.equal(index.offset8, id)
  })

  test('samples come from everywhere', () => {
    const pair = new Pair()
    for (let i = 0; i < 10_000; i++) pair.put(number8(i))
    const seen = new Set<number>()
    for (let i = 0; i < 10_000; i++) {
      assert.equal(pair.index.sample(i / 10_000), true)
      seen.add(pair.index.offset8)
    }
    assert.ok(seen.size > 5000, `${seen.size} of 10,000 entries`)
    assert.equal(pair.index.sample(1), true)
  })

  for (const [name, next] of [
    ['ascending', (i: number) => i],
    ['descending', (i: number) => 9999 - i],
    ['inwards from both ends', (i: number) => (i % 2 === 0 ? i : 9999 - i)],
  ] as const) {
    test(`keys that arrive ${name}`, () => {
      const pair = new Pair()
      for (let i = 0; i < 10_000; i++) {
        pair.put(number8(next(i)))
        if (i % 1000 === 999) pair.check()
      }
      assert.ok(pair.index.height >= 2, 'the tree has a branch')
    })
  }

  test('keys that arrive in order fill their leaves', () => {
    const pair = new Pair()
    for (let i = 0; i < 10_080; i++) pair.put(number8(i))
    let leaves = 0
    for (let leaf = pair.index.firstLeaf(); leaf !== 0; leaf = pair.index.nextLeaf(leaf)) leaves++
    assert.equal(leaves, 10)
  })

  for (const seed of seedsFor('ordered-index', { kept: [1, 2], fresh: 2 })) {
    for (const [kind, someKey] of Object.entries(kinds)) {
      test(`agrees with a sorted array: ${kind}, seed ${seed}`, () => {
        const random = new Random(seed)
        const pair = new Pair()
        for (let phase = 0; phase < 6; phase++) {
          // Growing and shrinking in turn, by single keys and by whole stretches.
          const grows = phase % 2 === 0
          for (let step = 0; step < 1200; step++) {
            const dice = random.below(100)
            if (dice < (grows ? 80 : 20)) pair.put(someKey(random))
            else if (dice < 90) {
              if (pair.sorted.length > 0) pair.removeAt(random.below(pair.sorted.length))
            } else if (dice < 98) pair.checkPlace(someKey(random))
            else if (!grows && pair.sorted.length > 0) {
              const from = random.below(pair.sorted.length)
              for (let left = random.below(200); left > 0 && from < pair.sorted.length; left--) pair.removeAt(from)
            }
            if (step % 200 === 0) pair.check()
          }
          pair.check()
        }
        for (const { key } of pair.sorted.slice()) assert.ok(pair.find(key))
      })
    }

    test(`everything is deleted in any order, and the memory serves again, seed ${seed}`, () => {
      const random = new Random(seed)
      const pair = new Pair()
      let bytes = 0
      for (const order of ['ascending', 'descending', 'random', 'ascending'] as const) {
        for (let i = 0; i < 5000; i++) pair.put(random.pick(Object.values(kinds).slice(0, 3))(random))
        pair.check()
        if (bytes === 0) bytes = pair.index.bytes
        while (pair.sorted.length > 0) {
          const last = pair.sorted.length - 1
          pair.removeAt(order === 'ascending' ? 0 : order === 'descending' ? last : random.below(last + 1))
          if (last % 700 === 0) pair.check()
        }
        pair.check()
        assert.equal(pair.index.height, 1)
      }
      assert.ok(pair.index.bytes <= bytes * 1.5, `${pair.index.bytes} bytes after, ${bytes} with 5,000 keys`)
    })

    test(`runs that grow and shrink at their ends, seed ${seed}`, () => {
      const random = new Random(seed)
      const pair = new Pair()
      const runs = Array.from({ length: 6 }, (_, run) => ({ from: run * 1_000_000, length: 0 }))
      for (let round = 0; round < 400; round++) {
        const run = random.pick(runs)
        for (let left = random.below(120); left > 0; left--) pair.put(number8(run.from + 10 * run.length++))
        for (let left = random.below(100); left > 0 && run.length > 0; left--)
          pair.remove(number8(run.from + 10 * --run.length))
        // A key of its own behind the run, where others have just gone.
        const place = run.from + 10 * run.length
        for (const beside of [1, 2, 3]) pair.put(number8(place + beside))
        for (const beside of [9, 5, 1]) pair.find(number8(place + beside))
        if (round % 20 === 0) pair.check()
      }
      for (const { key } of pair.sorted.slice()) assert.ok(pair.find(key))
      pair.check()
    })

    test(`runs of keys in order come in side by side between others, seed ${seed}`, () => {
      const random = new Random(seed)
      const pair = new Pair()
      for (let i = 0; i < 3000; i++) pair.put(number8(random.below(2 ** 32)))
      const runs = Array.from({ length: 8 }, () => ({ at: random.below(2 ** 32), step: random.pick([1, 7, -1, -300]) }))
      for (let round = 0; round < 6000; round++) {
        const run = random.pick(runs)
        run.at += run.step
        pair.put(number8(run.at >>> 0))
        if (round % 1000 === 999) pair.check()
      }
    })

    test(`many keys that share more than a prefix and a head are told apart by few looks at them, seed ${seed}`, () => {
      const random = new Random(seed)
      const pair = new Pair()
      const users = 200
      const items = 40
      const order = Array.from({ length: users * items }, (_, i) => i)
      for (let i = order.length - 1; i > 0; i--) {
        const other = random.below(i + 1)
        const kept = order[i] as number
        order[i] = order[other] as number
        order[other] = kept
      }
      const keyOf = (i: number): Uint8Array =>
        encodeText(`user-${String(Math.floor(i / items)).padStart(6, '0')}:item-${String(i % items).padStart(8, '0')}`)
      for (const i of order) pair.put(keyOf(i))
      pair.check()
      pair.keys.compares = 0
      for (const i of order) pair.find(keyOf(i))
      assert.ok(pair.keys.compares < order.length * 1.5, `${pair.keys.compares / order.length} looks a key`)
    })

    test(`a stretch with a long prefix goes, and its neighbours take in keys without it, seed ${seed}`, () => {
      const random = new Random(seed)
      const pair = new Pair()
      const groups = ['a', 'b', 'c', 'd', 'e'].map((letter) => letter.repeat(100))
      for (let i = 0; i < 4000; i++) pair.put(encodeText(`${random.pick(groups)}${random.below(100_000)}`))
      pair.check()
      for (let round = 0; round < 10; round++) {
        const from = random.below(pair.sorted.length)
        for (let left = random.below(800); left > 0 && from < pair.sorted.length; left--) pair.removeAt(from)
        pair.check()
        for (let i = 0; i < 300; i++) {
          const group = random.pick(groups)
          pair.put(
            encodeText(`${group.slice(0, random.below(101))}${random.pick(['', '!', '~'])}${random.below(100_000)}`),
          )
        }
        pair.check()
      }
    })
  }

  test('a queue, in at one end and out at the other, keeps its memory however long it runs', () => {
    const pair = new Pair()
    const backlog = 500
    let bytesWhenFull = 0
    for (let i = 0; i < 60_000; i++) {
      pair.put(encodeText(`job:${String(i).padStart(10, '0')}`))
      if (i >= backlog) pair.removeAt(0)
      if (i === 5000) bytesWhenFull = pair.index.bytes
      if (i % 5000 === 4999) pair.check()
    }
    assert.equal(pair.sorted.length, backlog)
    assert.ok(pair.index.bytes <= bytesWhenFull * 1.2, `${pair.index.bytes} bytes, ${bytesWhenFull} near the start`)
    assert.ok(pair.index.height <= 3)
  })

  test('a stack keeps its memory too', () => {
    const pair = new Pair()
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 500; i++) pair.put(number8(i))
      while (pair.sorted.length > 0) pair.removeAt(pair.sorted.length - 1)
    }
    pair.check()
    assert.equal(pair.index.height, 1)
  })
})
