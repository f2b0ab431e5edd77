/** The owner's door: see `Owner` in types.ts. It reads the latest state and appends; `settle` is the committer's. */

import { type Change, type Engine, type Keyspace, latest, type Range, type RecordView } from '@orbitkv/engine'
import type { RandomUint32 } from '@orbitkv/runtime'
import type { Cache } from './cache/cache.ts'
import { defaultKeyspace } from './keyspaces.ts'
import type { Durability, Owner } from './types.ts'

/** What the owner's door needs of its store. */
export interface OwnerOptions {
  readonly engine: Engine
  readonly now: () => number
  readonly append: (changes: readonly Change[], now: number) => void
  readonly settle: (durability: Durability | undefined, done: (error?: Error) => void) => void
  readonly assertOpen: () => void
  readonly randomUint32: RandomUint32
}

/** Random picks that meet a deleted or expired key try this often before they walk on in key order. */
const randomTriesMax = 100

export class StoreOwner implements Owner {
  readonly #options: OwnerOptions
  readonly #engine: Engine
  #now: number
  /** Hears of look-ups, where the store is a cache. */
  cache: Cache | undefined

  constructor(options: OwnerOptions, cache: Cache | undefined) {
    this.cache = cache
    this.#options = options
    this.#engine = options.engine
    this.#now = options.now()
  }

  beginTurn(): void {
    this.#options.assertOpen()
    this.#now = this.#options.now()
  }

  now(): number {
    return this.#now
  }

  get(keyspace: Keyspace, key: Uint8Array, start: number, end: number): RecordView | undefined {
    const record = this.#engine.get(keyspace, key, start, end, latest)
    const isThere = record !== undefined && !this.#isExpired(record)
    const { cache } = this
    if (cache !== undefined && keyspace === defaultKeyspace) cache.noteRead(key, start, end, isThere)
    return isThere ? record : undefined
  }

  prefetch(keyspace: Keyspace, bytes: Uint8Array, spans: Uint32Array, count: number): void {
    this.#engine.prefetch(keyspace, bytes, spans, count)
  }

  *range(keyspace: Keyspace, range: Range): Iterable<RecordView> {
    let left = range.limit ?? Number.POSITIVE_INFINITY
    if (left <= 0) return
    const { limit: _, at = latest, ...bounds } = range
    // What had expired in an older state is what had by its own time.
    const now = at >= 0 ? this.#engine.timeAt(at) : this.#now
    for (const record of this.#engine.range(keyspace, { ...bounds, at })) {
      if (isExpired(record, now)) continue
      yield record
      if (--left <= 0) return
    }
  }

  count(keyspace: Keyspace, range: Range = {}): number {
    return this.#engine.count(keyspace, { ...range, at: latest })
  }

  random(keyspace: Keyspace): RecordView | undefined {
    for (let tries = 0; tries < randomTriesMax; tries++) {
      const record = this.#engine.sample(keyspace, this.#options.randomUint32() / 2 ** 32)
      if (record !== undefined && !this.#isExpired(record)) return record
    }
    for (const record of this.range(keyspace, { limit: 1 })) return record
    return undefined
  }

  write(changes: readonly Change[]): void {
    this.#options.append(changes, this.#now)
  }

  get settled(): boolean {
    return this.#engine.publishedPosition === this.#engine.appendedPosition
  }

  settle(done: (error?: Error) => void, durability?: Durability): void {
    this.#options.settle(durability, done)
  }

  #isExpired(record: RecordView): boolean {
    return isExpired(record, this.#now)
  }
}

function isExpired({ expiresAt }: RecordView, now: number): boolean {
  return expiresAt !== 0 && expiresAt <= now
}
