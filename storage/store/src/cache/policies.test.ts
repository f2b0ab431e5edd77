/** Which entry each policy lets go next, and how often the sketch believes that a key was used. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { Entries, type EntryNumber, markAt, none } from './entries.ts'
import { FrequencySketch } from './frequency-sketch.ts'
import { LeastFrequentlyUsed } from './lfu.ts'
import { LeastRecentlyUsed } from './lru.ts'
import type { Policy } from './policy.ts'
import { SoonestExpiring } from './soonest.ts'
import { WindowTinyLfu } from './tiny-lfu.ts'

/** A cache of entries that take one byte each, over any policy. */
class Entered {
  readonly entries = new Entries()
  readonly policy: Policy
  readonly #max: number
  readonly #of = new Map<number, EntryNumber>()
  readonly #keys = new Map<EntryNumber, number>()

  constructor(max: number, make: (entries: Entries) => Policy) {
    this.#max = max
    this.policy = make(this.entries)
  }

  /** Whether the key was there; if not it is now. */
  use(key: number, expiresAt = 0): boolean {
    const found = this.#of.get(key)
    if (found !== undefined) {
      this.policy.used(found)
      return true
    }
    const hash = Math.imul(key + 1, 0x9e3779b1) >>> 0
    const entry = this.entries.add(hash, Uint8Array.of(key, key >>> 8), 0, 2, 1)
    this.#of.set(key, entry)
    this.#keys.set(entry, key)
    this.policy.add(entry, expiresAt)
    while (this.entries.count > this.#max) this.evict()
    return false
  }

  evict(): number {
    const entry = this.policy.victim()
    assert.notEqual(entry, none)
    assert.equal(this.policy.victim() === none, false)
    this.policy.remove(entry)
    assert.equal(this.entries.word(entry, markAt), 0)
    this.entries.remove(entry)
    const key = this.#keys.get(entry) as number
    this.#of.delete(key)
    return key
  }

  evictAll(): number[] {
    const keys: number[] = []
    while (this.entries.count > 0) keys.push(this.evict())
    assert.equal(this.policy.victim(), none)
    return keys
  }

  rewrite(key: number, bytes: number, expiresAt = 0): void {
    this.policy.rewritten(this.#of.get(key) as EntryNumber, bytes, expiresAt)
  }
}

describe('policies', () => {
  test('lru: what was used least lately goes first', () => {
    const cache = new Entered(4, (entries) => new LeastRecentlyUsed(entries))
    for (const key of [1, 2, 3, 4]) cache.use(key)
    cache.use(1)
    cache.rewrite(3, 2)
    assert.deepEqual(cache.evictAll(), [2, 4, 1, 3])
  })

  test('lfu: what was used least often goes first, and of two the one used less lately', () => {
    const cache = new Entered(4, (entries) => new LeastFrequentlyUsed(entries))
    for (const key of [1, 2, 3, 4, 1, 1, 2, 4]) cache.use(key)
    cache.rewrite(3, 2)
    assert.deepEqual(cache.evictAll(), [2, 4, 3, 1])
  })

  test('lfu: what was used a lot, but long ago, goes in the end', () => {
    const cache = new Entered(10, (entries) => new LeastFrequentlyUsed(entries))
    for (let i = 0; i < 1000; i++) cache.use(0)
    let turns = 0
    while (cache.use(0)) {
      // Between two of its uses as many others as take its rank from it.
      for (let i = 0; i < 4000; i++) cache.use(1 + ((turns * 4000 + i) % 60_000))
      assert.ok(++turns < 10)
    }
    assert.ok(turns >= 1)
  })

  for (const seed of seedsFor('cache-soonest', { kept: [], fresh: 5 })) {
    test(`ttl: what expires first goes first, what never does last, seed ${seed}`, () => {
      const random = new Random(seed)
      const cache = new Entered(1000, (entries) => new SoonestExpiring(entries, 1_000_000))
      const due = new Map<number, number>()
      const expiry = (): number => (random.chance(5) ? 0 : 1_000_000 + 16 * random.below(5000))
      for (let key = 0; key < 400; key++) {
        due.set(key, expiry())
        cache.use(key, due.get(key))
      }
      for (let i = 0; i < 400; i++) {
        const key = random.below(400)
        due.set(key, expiry())
        cache.rewrite(key, 2, due.get(key))
        cache.use(random.below(400))
      }
      const order = cache.evictAll().map((key) => due.get(key) || Number.POSITIVE_INFINITY)
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      )
    })
  }

  test('w-tinylfu: what is used again and again outlives a scan that lru would lose it to', () => {
    const options = { bytesMax: () => 100, randomUint32: () => 1 }
    const tiny = new Entered(100, (entries) => new WindowTinyLfu({ entries, ...options }))
    const lru = new Entered(100, (entries) => new LeastRecentlyUsed(entries))
    for (const [cache, most, least] of [
      [tiny, 50, 45],
      [lru, 0, 0],
    ] as const) {
      for (let round = 0; round < 8; round++) for (let key = 0; key < 50; key++) cache.use(key)
      for (let key = 1000; key < 1300; key++) cache.use(key)
      let there = 0
      for (let key = 0; key < 50; key++) if (cache.use(key)) there++
      assert.ok(there >= least && there <= most, `${there} of 50 are there`)
    }
  })

  for (const seed of seedsFor('cache-tiny', { kept: [], fresh: 5 })) {
    test(`w-tinylfu: every entry is in one list, whatever goes by itself, seed ${seed}`, () => {
      const random = new Random(seed)
      const options = { bytesMax: () => 300, randomUint32: () => random.uint32() }
      const cache = new Entered(200, (entries) => new WindowTinyLfu({ entries, ...options }))
      for (let step = 0; step < 20_000; step++) {
        const key = random.below(random.pick([50, 1000]))
        if (cache.use(key) && random.chance(3)) cache.rewrite(key, random.between(1, 40))
        if (random.chance(50)) cache.evict()
      }
      const { count } = cache.entries
      assert.equal(new Set(cache.evictAll()).size, count)
    })
  }
})

describe('the frequency sketch', () => {
  test('it counts up to 15, and never too few before it ages', () => {
    const sketch = new FrequencySketch()
    const random = new Random(3)
    const hashes = Array.from({ length: 100 }, () => random.uint32())
    for (const [i, hash] of hashes.entries()) for (let use = 0; use < i % 20; use++) sketch.use(hash, 200)
    let exact = 0
    for (const [i, hash] of hashes.entries()) {
      const expected = Math.min(i % 20, 15)
      assert.ok(sketch.estimate(hash) >= expected)
      if (sketch.estimate(hash) === expected) exact++
    }
    assert.ok(exact >= 95, `${exact} of 100 are exact`)
  })

  test('what was used once is forgotten, and what it counted stays while it grows', () => {
    const sketch = new FrequencySketch()
    const random = new Random(4)
    const hash = random.uint32()
    for (let use = 0; use < 12; use++) sketch.use(hash, 1)
    const blocksBefore = sketch.blockCount
    sketch.use(random.uint32(), 5000)
    assert.ok(sketch.blockCount > blocksBefore)
    assert.ok(sketch.blockCount <= blocksBefore + 4, 'no use waits for all of it to grow')
    for (let use = 0; use < 1000; use++) sketch.use(random.uint32(), 5000)
    assert.equal(sketch.blockCount, 5000 / 8)
    assert.ok(sketch.estimate(hash) >= 12, 'growing forgets nothing')
    for (let use = 0; use < 400_000; use++) sketch.use(random.uint32(), 100)
    assert.ok(sketch.estimate(hash) < 12, 'ageing does')
  })
})
