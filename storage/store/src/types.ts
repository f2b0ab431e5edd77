/**
 * What the store offers: the public interface of an embedded OrbitKV, and the owner's door beneath the servers.
 * store.ts implements both.
 */

import type { Change, EngineStats, Keyspace, Range, RecordView, VerifyReport } from '@orbitkv/engine'

/** Text is taken as UTF-8. */
export type Bytes = string | Uint8Array

/**
 * When a write's promise resolves:
 * `always` once it is on the disk (fdatasync); `interval` once the system has it, with an fdatasync after 100 ms or
 * 1,000 writes, whichever is first; `none` once the system has it.
 */
export type Durability = 'always' | 'interval' | 'none'

export interface WriteOptions {
  /** Lower or higher than the store's own. A write never becomes visible before the writes ahead of it. */
  readonly durability?: Durability
}

export interface PutOptions extends WriteOptions {
  /** Milliseconds from now after which the key is gone. */
  readonly ttl?: number
}

export interface RangeOptions {
  readonly gt?: Bytes
  readonly gte?: Bytes
  readonly lt?: Bytes
  readonly lte?: Bytes
  /** Every key that begins with it; not together with the four bounds. */
  readonly prefix?: Bytes
  readonly reverse?: boolean
  /** Entries at most. */
  readonly limit?: number
}

export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
  /** The revision that wrote it. */
  readonly revision: number
}

/** What can be read from a store now, or from a snapshot of it. */
export interface Reader {
  /** The value, as bytes of the caller's own; undefined where there is none. */
  get(key: Bytes): Uint8Array | undefined
  /**
   * Hands the value to `use` without copying it: `bytes[offset, offset + length)`, valid only inside the call, not to
   * be written. Returns what `use` returns; undefined where there is no value.
   */
  view<Result>(key: Bytes, use: (bytes: Uint8Array, offset: number, length: number) => Result): Result | undefined
  /** As `get`, without ever stalling the event loop on a cold page. */
  getAsync(key: Bytes): Promise<Uint8Array | undefined>
  getMany(keys: readonly Bytes[]): (Uint8Array | undefined)[]
  has(key: Bytes): boolean
  /** Entries in the order of their keys as bytes. */
  range(options?: RangeOptions): Iterable<Entry>
}

export interface Snapshot extends Reader, Disposable {
  readonly revision: number
  /** Milliseconds since 1970: what counts as expired in it. */
  readonly time: number
  /** Lets the store drop the versions that only this snapshot held. */
  close(): void
}

/** Changes to be written as one. Keys and values are read by `commit`, at once: until then their bytes must not change. */
export interface BatchBuilder {
  put(key: Bytes, value: Bytes, options?: { readonly ttl?: number }): this
  delete(key: Bytes): this
  /** Changes collected so far. */
  readonly size: number
  /** Writes all of it or nothing; resolves to its revision. A batch can be committed once. */
  commit(options?: WriteOptions): Promise<number>
}

export interface StoreStats extends EngineStats {
  readonly path: string
  readonly backend: string
  readonly durability: Durability
  readonly snapshotsOpen: number
  /** Writes whose promise has not resolved yet. */
  readonly writesWaiting: number
  readonly keysExpired: number
  readonly syncs: number
  /** Why compaction does not get on; empty while it does. */
  readonly compactionFailure: string
}

export interface Store extends Reader, AsyncDisposable {
  readonly path: string
  /** Resolves to the revision of the write. The bytes of key and value are read before it returns. */
  put(key: Bytes, value: Bytes, options?: PutOptions): Promise<number>
  /** Resolves to whether the key was there. */
  delete(key: Bytes, options?: WriteOptions): Promise<boolean>
  batch(): BatchBuilder
  /** The state now, or at a revision that is still kept (one hour of them by default). Close it. */
  snapshot(options?: { readonly revision?: number }): Snapshot
  /** Resolves once everything written before is on the disk. */
  flush(): Promise<void>
  stats(): StoreStats
  /**
   * Gives up the history that no open snapshot needs, and rewrites everything in the order of keys, while reads and writes go
   * on; resolves to the bytes given back. The store compacts itself in the background: this is for scans that want
   * neighbours side by side, and for a store that is to be as small as it can. Takes as much free space as there are live bytes.
   */
  compact(): Promise<number>
  /** Checks every byte on the disk. */
  verify(progress?: (bytesDone: number, bytesTotal: number) => void): Promise<VerifyReport>
  close(): Promise<void>
  /** The owner's door, for servers: see `Owner`. */
  readonly owner: Owner
}

/**
 * The owner's door: what a server does its commands with. It reads the latest state, published or not, expired keys
 * left out, and withholds every reply until `settle` says that all it saw is published. Everything here is synchronous,
 * so a command that reads and then writes is atomic.
 */
export interface Owner {
  /** Fixes `now` for the commands that follow: to be called before the first command of each turn of the event loop. */
  beginTurn(): void
  /** Milliseconds since 1970 at the last `beginTurn`; never goes back. */
  now(): number
  /** The record of `key[start, end)`, valid until the next call; undefined where there is none or it has expired. */
  get(keyspace: Keyspace, key: Uint8Array, start: number, end: number): RecordView | undefined
  /** A hint: these keys are looked up or written next; see Engine.prefetch. */
  prefetch(keyspace: Keyspace, bytes: Uint8Array, spans: Uint32Array, count: number): void
  /** Live records in key order; each valid until the next step or write. */
  range(keyspace: Keyspace, range: Range): Iterable<RecordView>
  /** Keys in the keyspace, those included that have expired but are not yet removed. */
  count(keyspace: Keyspace): number
  /** A random live key's record; undefined in an empty keyspace. */
  random(keyspace: Keyspace): RecordView | undefined
  /** Appends changes as one batch: visible here at once, to others once settled. Throws with nothing changed. */
  write(changes: readonly Change[]): void
  /** Whether everything appended is published, so that a reply may go out at once. */
  readonly settled: boolean
  /**
   * Calls `done` once everything appended so far is published at the durability asked for (the store's own if
   * absent), perhaps before it returns; with an error if that failed, in which case the store takes no more writes.
   */
  settle(done: (error?: Error) => void, durability?: Durability): void
}
