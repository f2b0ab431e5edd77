/**
 * What the store offers: the public interface of an embedded OrbitKV, and the owner's door beneath the servers.
 * store.ts implements both.
 */

import type { Change, EngineStats, FilesHold, Keyspace, Range, RecordView, VerifyReport } from '@orbitkv/engine'

import type { CacheSettings, CacheStats } from './cache/types.ts'
import type { PinStats } from './history.ts'
import type { KeyspaceOptions, TypedKeyspace } from './keyspaces/types.ts'
import type { Leases } from './leases/types.ts'
import type { Transaction, TransactOptions } from './transactions/types.ts'
import type { Watch, WatchChange, Watcher, WatchOptions } from './watch/types.ts'

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

/** A write with a condition fails with `store.conflict`, and nothing changed, where the key is not as it says. */
export interface ConditionOptions {
  /** The revision that wrote the key's value, 0 where there must be none. */
  readonly ifRevision?: number
}

export interface DeleteOptions extends WriteOptions, ConditionOptions {}

/** When a key goes by itself: whichever comes first. */
export interface ExpiryOptions {
  /** Milliseconds from now after which the key is gone. */
  readonly ttl?: number
  /** The lease with which it goes (`store.leases`); `store.no_such_lease` where that has ended. */
  readonly lease?: number
}

export interface PutOptions extends WriteOptions, ConditionOptions, ExpiryOptions {
  /** As `ifRevision: 0`. */
  readonly ifAbsent?: boolean
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
  /** The three above as `getAsync` is to `get`: they never stall the event loop, and let it turn now and then. */
  getManyAsync(keys: readonly Bytes[]): Promise<(Uint8Array | undefined)[]>
  hasAsync(key: Bytes): Promise<boolean>
  rangeAsync(options?: RangeOptions): AsyncIterable<Entry>
}

export interface Snapshot extends Reader, Disposable {
  readonly revision: number
  /** Milliseconds since 1970: what counts as expired in it. */
  readonly time: number
  /** Lets the store drop the versions that only this snapshot held. */
  close(): void
}

export interface ReadOptions {
  /** A revision, or a moment: the state after the last write that was made by then. */
  readonly at?: number | Date
}

export interface SnapshotOptions extends ReadOptions {
  /** As `at` with a number. */
  readonly revision?: number
  /** Names it in `stats().pins`. */
  readonly name?: string
}

/** Changes to be written as one. Keys and values are read by `commit`, at once: until then their bytes must not change. */
export interface BatchBuilder {
  put(key: Bytes, value: Bytes, options?: ExpiryOptions): this
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
  /**
   * The longest that a read held up the event loop, of those measured: one in 128, every one after a slow one, and every getMany. Of
   * a range each step is a read. The async forms never do.
   */
  readonly longestReadMs: number
  readonly watchesOpen: number
  readonly leasesHeld: number
  /** The oldest that can be asked for. */
  readonly oldestRevision: number
  /** Who holds old states, the oldest 16. */
  readonly pins: readonly PinStats[]
  readonly transactionsOpen: number
  /** Attempts of transactions that ended in vain. */
  readonly transactionConflicts: number
  /** Writes whose promise has not resolved yet. */
  readonly writesWaiting: number
  readonly keysExpired: number
  readonly syncs: number
  /** Why compaction does not get on; empty while it does. */
  readonly compactionFailure: string
  /** Why nothing is written any more, after a write or a sync that failed; empty while all is well. */
  readonly writeFailure: string
  /** Absent where the store is no cache. */
  readonly cache?: CacheStats
}

export interface Store extends Reader, AsyncDisposable {
  readonly path: string
  /** Resolves to the revision of the write. The bytes of key and value are read before it returns. */
  put(key: Bytes, value: Bytes, options?: PutOptions): Promise<number>
  /** Resolves to whether the key was there. */
  delete(key: Bytes, options?: DeleteOptions): Promise<boolean>
  batch(): BatchBuilder
  /** What makes keys go together when nobody renews it. */
  readonly leases: Leases
  /**
   * A keyspace of its own, by codecs: its keys meet no others. It comes into being with its first write. Fails with
   * `store.keyspace_codec` where its keys have another codec.
   */
  keyspace<Key, Value, IndexName extends string = never>(
    name: string,
    options: KeyspaceOptions<Key, Value, IndexName>,
  ): TypedKeyspace<Key, Value, IndexName>
  /**
   * Runs a function over one state of the store and writes what it put and deleted, all or nothing, as if no other write had come
   * between: resolves to what the function gives, once that is published. A function that throws writes nothing. One that returns a
   * promise runs again where others changed what it read, so it must have no effects but through the transaction.
   * Fails with `store.transaction_conflict`, `store.transaction_too_old`, `store.transaction_too_large`.
   */
  transact<Result>(run: (tx: Transaction) => Result | PromiseLike<Result>, options?: TransactOptions): Promise<Result>
  /** The state now, or at a revision or moment that is still kept (one hour of them by default). Close it. */
  snapshot(options?: SnapshotOptions): Snapshot
  /** As of a reader; with `at` from a state that is still kept: for one key, where `snapshot` is for many. */
  get(key: Bytes, options?: ReadOptions): Uint8Array | undefined
  /**
   * Follows the changes of a key, of all keys with a prefix, or of a range, from a revision that is still kept or from now on. Fails
   * with `engine.compacted` where `from` is no longer kept: `details.oldest` can be had.
   */
  watch(options: WatchOptions & { readonly progress: number }): Watch
  watch(options?: Omit<WatchOptions, 'progress'>): Watch<WatchChange>
  /**
   * As `watch`, of any keyspace and without promises: for servers. `ready` is called when there is something to take where there
   * was nothing, never from inside `take`; what it throws ends the watch.
   */
  watcher(keyspace: Keyspace, options: WatchOptions, ready: () => void): Watcher
  /** Resolves once everything written before is on the disk. */
  flush(): Promise<void>
  stats(): StoreStats
  /**
   * Gives up the states before a revision, for good: from now on they cannot be asked for, and they go as soon as nobody holds
   * them. Fails with `engine.not_yet` where the revision is still to come.
   */
  compactTo(revision: number): Promise<void>
  /**
   * Gives up the history that no open snapshot needs, and rewrites everything in the order of keys, while reads and writes go
   * on; resolves to the bytes given back. The store compacts itself in the background: this is for scans that want
   * neighbours side by side, and for a store that is to be as small as it can. Takes as much free space as there are live bytes.
   */
  compact(): Promise<number>
  /** Checks every byte on the disk. */
  verify(progress?: (bytesDone: number, bytesTotal: number) => void): Promise<VerifyReport>
  /**
   * Holds the files that have all that is published, for a backup to copy while reads and writes go on. `engine.not_supported`
   * where an engine has none. Let them go soon: compaction frees nothing of them before.
   */
  holdFiles(): Promise<FilesHold>
  close(): Promise<void>
  /**
   * Makes the store a cache, another one, or none, until it is closed. Where policy or keys change, what is there is counted anew in the
   * background, as after opening. Throws `config.invalid`.
   */
  changeCache(settings: CacheSettings): void
  /** Whether it is a cache in which nothing new fits, since what it holds may not go. */
  readonly isCacheFull: boolean
  /** Whether a server keeps, or once kept, collections here: keys with a tag, under which more lies than their value. */
  readonly mayHoldCollections: boolean
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
  /** Keys in the keyspace, or in a range of it, those included that have expired but are not yet removed. */
  count(keyspace: Keyspace, range?: Range): number
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
