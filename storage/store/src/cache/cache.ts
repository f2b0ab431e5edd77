/**
 * The cache: what each key takes, whether it may go, and which one goes next. It reads and writes nothing itself: evictor.ts deletes
 * what it names, and store.ts tells it of every read and write.
 *
 * What must hold: every key of the default keyspace whose newest record is a put has an entry, once all is counted; `bytes` is what
 * they take; its policy holds those that may go. Keys with a lease never go, since somebody keeps them alive, nor do those with a
 * tag, under which a server has more than their value.
 */

import { assert } from '@orbitkv/base'
import { Change, type RecordView } from '@orbitkv/engine'
import { type Clock, type RandomUint32, realRandomUint32 } from '@orbitkv/runtime'
import type { StoreConfig } from '../config.ts'
import { storeErrors } from '../errors.ts'
import { defaultKeyspace } from '../keyspaces.ts'
import { hashOf } from '../transactions/touched.ts'
import { Entries, type EntryNumber, markAt, none } from './entries.ts'
import { LeastFrequentlyUsed } from './lfu.ts'
import { LeastRecentlyUsed } from './lru.ts'
import type { Policy } from './policy.ts'
import { SoonestExpiring } from './soonest.ts'
import { WindowTinyLfu } from './tiny-lfu.ts'
import {
  type CacheKeys,
  type CachePolicy,
  type CacheSettings,
  type CacheStats,
  type CacheTotals,
  cachedBytes,
  evictedTag,
} from './types.ts'

export interface CacheOptions {
  readonly bytesMax: number
  readonly policy: CachePolicy
  readonly keys: CacheKeys
  readonly randomUint32: RandomUint32
  /** Milliseconds since 1970. */
  readonly now: number
  /** Goes on with these, and keeps them up. */
  readonly totals: CacheTotals
}

/** Reads that the policy hears of together. */
const usedMax = 64

/** What of a record decides whether its key may go. */
type Ends = Pick<RecordView, 'expiresAt' | 'lease' | 'tag'>

interface CachedStore {
  readonly clock: Pick<Clock, 'now'>
  readonly config: StoreConfig
  readonly randomUint32?: RandomUint32
}

/** The cache that a store's settings ask for. It goes on counting where the one before it was. */
export function newCache(
  { clock, config, randomUint32 = realRandomUint32 }: CachedStore,
  totals: CacheTotals = { hits: 0, misses: 0, evictions: 0, refusals: 0 },
): Cache | undefined {
  const { cacheBytesMax: bytesMax, cachePolicy, cacheKeys } = config
  if (bytesMax === 0) return undefined
  const policy = cachePolicy as CachePolicy
  return new Cache({ bytesMax, policy, keys: cacheKeys as CacheKeys, randomUint32, now: clock.now(), totals })
}

export class Cache {
  readonly #options: CacheOptions
  readonly totals: CacheTotals
  #bytesMax: number
  #entries = new Entries()
  #policy: Policy
  /** Hashes of keys that were read, and of which the policy does not know yet: many are looked up together. */
  readonly #used = new Uint32Array(usedMax)
  #usedCount = 0
  readonly #found = new Uint32Array(usedMax)
  #bytes = 0
  #evictableBytes = 0

  constructor(options: CacheOptions) {
    this.#options = options
    this.totals = options.totals
    this.#bytesMax = options.bytesMax
    this.#policy = this.#newPolicy()
  }

  #newPolicy(): Policy {
    const { policy, randomUint32, now } = this.#options
    if (policy === 'lfu') return new LeastFrequentlyUsed(this.#entries)
    if (policy === 'ttl') return new SoonestExpiring(this.#entries, now)
    if (policy === 'w-tinylfu')
      return new WindowTinyLfu({ entries: this.#entries, bytesMax: () => this.#bytesMax, randomUint32 })
    return new LeastRecentlyUsed(this.#entries)
  }

  get isOver(): boolean {
    return this.#bytes > this.#bytesMax
  }

  /** Whether not even a key of no bytes fits, once every key that may go has gone. */
  get isFull(): boolean {
    return this.#bytes - this.#evictableBytes + cachedBytes(0, 0) > this.#bytesMax
  }

  /** Takes another cap; false where the rest of the settings asks for another cache. */
  resize({ bytesMax, policy, keys }: CacheSettings): boolean {
    if (bytesMax === 0 || policy !== this.#options.policy || keys !== this.#options.keys) return false
    this.#bytesMax = bytesMax
    return true
  }

  /** Whether there is a key that may go. */
  get hasEvictable(): boolean {
    return this.#evictableBytes > 0
  }

  stats(): Omit<CacheStats, 'isCounted' | 'failure'> {
    const { policy, keys } = this.#options
    const { hits, misses } = this.totals
    const reads = hits + misses
    return {
      policy,
      keys,
      bytesMax: this.#bytesMax,
      bytes: this.#bytes,
      evictableBytes: this.#evictableBytes,
      entries: this.#entries.count,
      ...this.totals,
      hitRate: reads === 0 ? 0 : hits / reads,
    }
  }

  /** A read of the newest state asked for `key[start, end)`. */
  noteRead(key: Uint8Array, start: number, end: number, isHit: boolean): void {
    if (!isHit) {
      this.totals.misses++
      return
    }
    this.totals.hits++
    if (this.#options.policy === 'none') return
    this.#used[this.#usedCount++] = hashOf(defaultKeyspace, key, start, end)
    if (this.#usedCount === usedMax) this.#takeUsed()
  }

  /** Tells the policy what was read since the last time, in that order. Before anything else of it is asked or told. */
  #takeUsed(): void {
    const count = this.#usedCount
    if (count === 0) return
    this.#usedCount = 0
    this.#entries.findMany(this.#used, count, this.#found)
    for (let i = 0; i < count; i++) {
      const entry = this.#found[i] as EntryNumber
      if (entry !== none && this.#isEvictable(entry)) this.#policy.used(entry)
    }
  }

  /** Throws where even without every key that may go there is no room for what a batch adds. */
  assertRoomFor(changes: readonly Change[]): void {
    if (this.hasRoomFor(changes)) return
    this.totals.refusals++
    const heldBytes = this.#bytes - this.#evictableBytes
    throw storeErrors.cache_full({ needBytes: putBytesOf(changes), heldBytes, bytesMax: this.#bytesMax })
  }

  /** Whether a batch fits once every other key that may go has gone. What it deletes by ranges is not taken off. */
  hasRoomFor(changes: readonly Change[]): boolean {
    const putBytes = putBytesOf(changes)
    if (putBytes === 0 || this.#bytes + putBytes <= this.#bytesMax) return true
    return this.#hasRoomForLast(changes.length === 1 ? changes : lastOfEach(changes))
  }

  /** As `hasRoomFor`, of changes of which no two are of one key. */
  #hasRoomForLast(changes: readonly Change[]): boolean {
    const putBytes = putBytesOf(changes)
    let heldBytes = this.#bytes - this.#evictableBytes
    let growthBytes = putBytes
    for (const { kind, keyspace, key, keyStart, keyEnd } of changes) {
      if (kind === 'delete-range' || keyspace !== defaultKeyspace) continue
      const entry = this.#find(key, keyStart, keyEnd)
      if (entry === none) continue
      const bytes = this.#entries.bytes(entry)
      growthBytes -= bytes
      if (!this.#isEvictable(entry)) heldBytes -= bytes
    }
    return growthBytes <= 0 || heldBytes + putBytes <= this.#bytesMax
  }

  /** Changes were appended, in this order: as `Evictor.heard` has them. */
  noteWritten(changes: readonly Change[]): void {
    this.#takeUsed()
    for (let i = 0; i < changes.length; i++) {
      const change = changes[i] as Change
      if (change.keyspace !== defaultKeyspace) continue
      const { kind, key, keyStart, keyEnd, valueStart, valueEnd } = change
      if (kind === 'delete-range') {
        assert(isWhole(change), 'of a part of the keyspace its keys are told one by one')
        this.#clear()
      } else if (kind === 'put') {
        const hash = hashOf(defaultKeyspace, key, keyStart, keyEnd)
        const entry = this.#entries.find(hash, key, keyStart, keyEnd)
        const bytes = cachedBytes(keyEnd - keyStart, valueEnd - valueStart)
        if (entry === none) this.#add(this.#entries.add(hash, key, keyStart, keyEnd, bytes), change)
        else this.#rewrite(entry, bytes, change)
      } else {
        const entry = this.#find(key, keyStart, keyEnd)
        if (entry !== none) this.#remove(entry)
      }
    }
  }

  /** A key was there when the store was opened, and still is. */
  noteStored(record: RecordView): void {
    this.#takeUsed()
    const { bytes, keyStart, keyBytes, valueBytes } = record
    const keyEnd = keyStart + keyBytes
    const hash = hashOf(defaultKeyspace, bytes, keyStart, keyEnd)
    if (this.#entries.find(hash, bytes, keyStart, keyEnd) !== none) return
    this.#add(this.#entries.add(hash, bytes, keyStart, keyEnd, cachedBytes(keyBytes, valueBytes)), record)
  }

  /** The delete of the key that goes next; undefined where none may. `noteWritten` must hear of it. */
  nextEviction(): Change | undefined {
    this.#takeUsed()
    const entry = this.#policy.victim()
    if (entry === none) return undefined
    const change = new Change()
    change.kind = 'delete'
    change.keyspace = defaultKeyspace
    change.key = this.#entries.key(entry)
    change.keyEnd = change.key.length
    change.tag = evictedTag
    return change
  }

  noteEviction(): void {
    this.totals.evictions++
  }

  #find(key: Uint8Array, start: number, end: number): EntryNumber {
    return this.#entries.find(hashOf(defaultKeyspace, key, start, end), key, start, end)
  }

  #isEvictable(entry: EntryNumber): boolean {
    return this.#entries.word(entry, markAt) !== 0
  }

  #mayGo({ expiresAt, lease, tag }: Ends): boolean {
    const { policy, keys } = this.#options
    return policy !== 'none' && lease === 0 && tag === 0 && (keys === 'all' || expiresAt > 0)
  }

  #add(entry: EntryNumber, ends: Ends): void {
    const bytes = this.#entries.bytes(entry)
    this.#bytes += bytes
    if (!this.#mayGo(ends)) return
    this.#evictableBytes += bytes
    this.#policy.add(entry, ends.expiresAt)
  }

  #rewrite(entry: EntryNumber, bytes: number, ends: Ends): void {
    const bytesBefore = this.#entries.bytes(entry)
    if (this.#isEvictable(entry) && this.#mayGo(ends)) {
      this.#bytes += bytes - bytesBefore
      this.#evictableBytes += bytes - bytesBefore
      this.#policy.rewritten(entry, bytes, ends.expiresAt)
      return
    }
    this.#letGo(entry)
    this.#bytes -= bytesBefore
    this.#entries.setBytes(entry, bytes)
    this.#add(entry, ends)
  }

  #remove(entry: EntryNumber): void {
    this.#letGo(entry)
    this.#bytes -= this.#entries.bytes(entry)
    this.#entries.remove(entry)
    assert(this.#bytes >= this.#evictableBytes, 'what may go is a part of all')
  }

  /** The entry may go no more, or is about to change. */
  #letGo(entry: EntryNumber): void {
    if (!this.#isEvictable(entry)) return
    this.#policy.remove(entry)
    this.#evictableBytes -= this.#entries.bytes(entry)
  }

  /** Every key is gone; a new table is made at once, however many there were. */
  #clear(): void {
    this.#entries = new Entries()
    this.#policy = this.#newPolicy()
    this.#bytes = this.#evictableBytes = 0
  }
}

/** Whether a deleted range is all of its keyspace. */
export function isWhole({ keyStart, keyEnd, valueStart, valueEnd }: Change): boolean {
  return keyStart === keyEnd && valueStart === valueEnd
}

function putBytesOf(changes: readonly Change[]): number {
  let bytes = 0
  for (let i = 0; i < changes.length; i++) {
    const { kind, keyspace, keyStart, keyEnd, valueStart, valueEnd } = changes[i] as Change
    if (kind === 'put' && keyspace === defaultKeyspace) bytes += cachedBytes(keyEnd - keyStart, valueEnd - valueStart)
  }
  return bytes
}

/** Of each key of the default keyspace the last put or delete: what a batch makes of it. */
function lastOfEach(changes: readonly Change[]): Change[] {
  const last = new Map<string, Change>()
  for (const change of changes) {
    if (change.kind === 'delete-range' || change.keyspace !== defaultKeyspace) continue
    const { buffer, byteOffset } = change.key
    const key = Buffer.from(buffer, byteOffset + change.keyStart, change.keyEnd - change.keyStart)
    last.set(key.toString('latin1'), change)
  }
  return [...last.values()]
}
