/**
 * A store in cache mode under random histories: writes, reads, leases, expiry, transactions, snapshots, restarts and power cuts.
 *
 * What they hold it to: the cap; every key that is gone was deleted, expired or evicted, as the watch tells, and an eviction took
 * what was newest; no key with a lease goes, and where only expiring keys may, no other; what the cache counts is what is there; snapshots
 * read what they pinned; and a power cut leaves a sound store with all of that still true.
 */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { hasCode, Random, seedsFor } from '@orbitkv/base'
import { decodeText } from '@orbitkv/bytes'
import { type CacheKeys, type CachePolicy, cachedBytes, type Snapshot, type Watcher } from './index.ts'
import { entriesOf, type Setup, storeTest, turn } from './store-suite.ts'

const cacheBytesMax = 40 * cachedBytes(4, 60)
const names = Array.from({ length: 120 }, (_, i) => `k${i}`)

interface Written {
  readonly value: string
  readonly lease: number
  readonly expires: boolean
}

class History {
  readonly #setup: Setup
  readonly #random: Random
  readonly #keys: CacheKeys
  /** What was written and is not known to be gone. */
  readonly #written = new Map<string, Written>()
  /** What the watch has shown so far. */
  readonly #shown = new Map<string, string>()
  readonly #snapshots: { snapshot: Snapshot; entries: [string, string][] }[] = []
  #watcher: Watcher | undefined
  #lease: number | undefined
  #writes = 0
  evictions = 0

  constructor(setup: Setup, random: Random, keys: CacheKeys) {
    this.#setup = setup
    this.#random = random
    this.#keys = keys
    this.#watch(1)
  }

  get #store() {
    return this.#setup.store
  }

  #watch(from: number): void {
    this.#watcher = this.#store.watcher(0, { from, previous: true, bufferBytes: 1e9 }, () => {})
  }

  // ---- what is done

  async step(): Promise<void> {
    const random = this.#random
    const dice = random.below(100)
    if (dice < 50) await this.#write(random.pick([1, 1, 1, 5, 30]))
    else if (dice < 75) for (let i = 0; i < 20; i++) this.#store.get(random.pick(names))
    else if (dice < 80) await this.#transact()
    else if (dice < 85) this.#pin()
    else if (dice < 90) await this.#setup.clock.advanceAwaiting(random.pick([1, 100, 3000]))
    else if (dice < 93) await this.#restart()
    else if (dice < 96) await this.#cut()
    else if (dice < 98) await this.#replaceLease()
    else await this.#store.compact()
    await this.check()
  }

  async #write(changes: number): Promise<void> {
    const { made, done } = this.#begin(changes)
    if (await this.#isTaken(done)) this.#note(made)
  }

  /** A batch that is on its way: what it makes of each key. */
  #begin(changes: number): { made: Map<string, Written | undefined>; done: Promise<unknown> } {
    const random = this.#random
    const batch = this.#store.batch()
    const made = new Map<string, Written | undefined>()
    for (let i = 0; i < changes; i++) {
      const key = random.pick(names)
      if (random.chance(12)) {
        batch.delete(key)
        made.set(key, undefined)
        continue
      }
      const value = `${this.#writes++} `.padEnd(random.chance(20) ? random.below(3000) : random.below(60), '.')
      const lease = random.chance(15) ? (this.#lease ?? 0) : 0
      const expires = random.chance(3)
      batch.put(key, value, { ...(lease === 0 ? {} : { lease }), ...(expires ? { ttl: random.between(1, 9000) } : {}) })
      made.set(key, { value, lease, expires })
    }
    return { made, done: batch.commit() }
  }

  /** False where the cache had no room for it; then nothing has changed. */
  async #isTaken(writing: Promise<unknown>): Promise<boolean> {
    try {
      await writing
      return true
    } catch (error) {
      assert.ok(hasCode(error, 'store.cache_full'), String(error))
      return false
    }
  }

  async #transact(): Promise<void> {
    const key = this.#random.pick(names)
    const value = `transacted ${this.#writes++}`
    const done = this.#store.transact((tx) => {
      tx.get(this.#random.pick(names))
      tx.put(key, value)
    })
    if (await this.#isTaken(done)) this.#note(new Map([[key, { value, lease: 0, expires: false }]]))
  }

  /** The watch goes first: what it tells is older than these. */
  #note(made: ReadonlyMap<string, Written | undefined>): void {
    for (const [key, written] of made)
      written === undefined ? this.#written.delete(key) : this.#written.set(key, written)
  }

  #pin(): void {
    if (this.#snapshots.length === 3) (this.#snapshots.shift() as { snapshot: Snapshot }).snapshot.close()
    const snapshot = this.#store.snapshot()
    this.#snapshots.push({ snapshot, entries: entriesOf(snapshot) })
  }

  /** A lease that is revoked takes its keys along: deletes that the store makes itself. */
  async #replaceLease(): Promise<void> {
    const { leases } = this.#store
    if (this.#lease !== undefined) {
      await leases.revoke(this.#lease)
      for (const [key, { lease }] of this.#written) if (lease === this.#lease) this.#written.delete(key)
    }
    this.#lease = await leases.grant(1e9)
  }

  async #restart(): Promise<void> {
    this.#follow()
    const from = this.#store.stats().revision + 1
    this.#snapshots.length = 0
    await this.#setup.reopen()
    this.#watch(from)
  }

  async #cut(): Promise<void> {
    const random = this.#random
    this.#follow()
    const from = this.#store.stats().revision + 1
    this.#snapshots.length = 0
    const { made, done } = this.#begin(random.pick([1, 30]))
    const taken = this.#isTaken(done)
    for (let turns = random.below(8); turns > 0; turns--) await undefined
    this.#setup.disk.crash({ mode: random.pick(['random', 'prefix', 'drop-all', 'keep-all'] as const), random })
    const [, acknowledged] = await Promise.allSettled([this.#store.close(), taken])
    await this.#setup.open()
    const isThere = this.#store.stats().revision >= from
    assert.ok(isThere || acknowledged.status !== 'fulfilled' || !acknowledged.value, 'what was acknowledged is there')
    if (isThere) this.#note(made)
    assert.equal(this.#store.stats().details.readOnly, '', 'a power cut is not damage')
    this.#watch(from)
  }

  // ---- what must hold

  async check(): Promise<void> {
    for (let turns = 0; this.#store.stats().cache?.isCounted !== true; turns++) {
      assert.ok(turns < 1000, 'what was there is counted in the end')
      await turn()
    }
    // What counting found too much of may still be on its way to the disk.
    await this.#store.flush()
    this.#follow()
    const entries = entriesOf(this.#store)
    const { cache } = this.#store.stats()
    assert.ok(cache !== undefined)
    assert.equal(cache.failure, '')
    assert.ok(cache.bytes <= cacheBytesMax, `${cache.bytes} bytes of ${cacheBytesMax}`)
    assert.deepEqual(
      entries,
      [...this.#shown].sort(([a], [b]) => (a < b ? -1 : 1)),
      'the watch has told all of it',
    )
    assert.equal(cache.entries, entries.length)
    assert.equal(
      cache.bytes,
      entries.reduce((sum, [key, value]) => sum + cachedBytes(key.length, value.length), 0),
    )
    assert.deepEqual(
      entries,
      [...this.#written].map(([key, { value }]) => [key, value] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
      'nothing is gone that was not deleted, expired or evicted',
    )
    for (const { snapshot, entries: pinned } of this.#snapshots) assert.deepEqual(entriesOf(snapshot), pinned)
  }

  /** Takes what the watch shows: each change must fit what stood there before. */
  #follow(): void {
    for (let event = this.#watcher?.take(); event !== undefined; event = this.#watcher?.take()) {
      if (event.kind === 'progress') continue
      const key = decodeText(event.key)
      if (event.kind === 'put') {
        this.#shown.set(key, decodeText(event.value))
        continue
      }
      const value = event.previous && decodeText(event.previous.value)
      assert.equal(value, this.#shown.get(key), `the newest value of ${key} goes`)
      this.#shown.delete(key)
      const written = this.#written.get(key)
      // A later write of this history may have made it anew; the watch will come to that.
      if (written === undefined || written.value !== value) continue
      if (event.kind === 'evict') {
        this.evictions++
        assert.equal(written.lease, 0, `${key} has a lease, and was evicted`)
        assert.ok(written.expires || this.#keys === 'all', `${key} does not expire, and was evicted`)
      }
      if (event.kind === 'expire') assert.ok(written.expires)
      if (event.kind !== 'delete') this.#written.delete(key)
    }
  }
}

const cases: readonly [CachePolicy, CacheKeys][] = [
  ['lru', 'all'],
  ['lru', 'expiring'],
  ['lfu', 'all'],
  ['ttl', 'all'],
  ['ttl', 'expiring'],
  ['w-tinylfu', 'all'],
  ['none', 'all'],
]

describe('a cache against a model', () => {
  for (const [cachePolicy, cacheKeys] of cases) {
    for (const seed of seedsFor(`store-cache-${cachePolicy}-${cacheKeys}`, { kept: [], fresh: 2 })) {
      storeTest(
        `${cachePolicy}, ${cacheKeys} keys, seed ${seed}`,
        async (setup) => {
          const history = new History(setup, new Random(seed), cacheKeys)
          for (let step = 0; step < 250; step++) await history.step()
          assert.equal(history.evictions > 0, cachePolicy !== 'none', `${history.evictions} evictions`)
        },
        { settings: { cacheBytesMax, cachePolicy, cacheKeys } },
      )
    }
  }
})
