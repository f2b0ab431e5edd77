/**
 * The engine contract: an ordered multi-version map that persists batches.
 *
 * Every engine passes the suite in `suite/`; what it cannot do it declares in `capabilities`. The store (or the leader
 * of a shard) assigns revisions and awaits durability; the engine persists and serves. One event loop owns an engine:
 * no method may be called while another runs.
 *
 * What must hold:
 * 1. A batch becomes visible whole or not at all, in the order of its position.
 * 2. Positions are 1, 2, 3 … without a gap; revisions never decrease, times neither.
 * 3. `published <= appended`, and `durable <= appended`; only what is above `published` can be truncated.
 * 4. After a crash the engine holds every batch up to the last durable one, then perhaps some more in order, never a part of one.
 */

import type { RecordView } from './record.ts'

/** Which state a read sees: a revision, or one of these two. */
export type At = number
/** What has been published: what has been acknowledged at its level. The default. */
export const published: At = -1
/** The newest, published or not: for the owner's executor, which withholds its replies until it is published. */
export const latest: At = -2

const emptyBytes = new Uint8Array(0)

/** Keys of different keyspaces never meet. Small whole numbers below 2^32; 0 is the default keyspace. */
export type Keyspace = number

/**
 * One change within a batch. A class, so that all have one shape, and mutable, so that a hot path reuses one: an engine
 * reads it only during `append`. `key[keyStart, keyEnd)` and `value[valueStart, valueEnd)` are its bytes.
 */
export class Change {
  kind: 'put' | 'delete' | 'delete-range' = 'put'
  keyspace: Keyspace = 0
  /** For `delete-range` the first key of the range. */
  key: Uint8Array = emptyBytes
  keyStart = 0
  keyEnd = 0
  /** For `delete-range` the first key after the range, or empty: to the end of the keyspace. For `delete` empty. */
  value: Uint8Array = emptyBytes
  valueStart = 0
  valueEnd = 0
  /** Milliseconds since 1970 from which on the record counts as absent, 0 for never. The store enforces it. */
  expiresAt = 0
  lease = 0
  /** 0 to 255, opaque to the engine. */
  tag = 0
  /** For `delete`: the reason is expiry. */
  expired = false
}

export interface Batch {
  readonly changes: readonly Change[]
  /**
   * The revision of its records: the engine's revision plus one where the batch changes user data, the engine's
   * revision again where it is housekeeping (leases, due entries). A batch that deletes a range takes a revision of its own.
   */
  readonly revision: number
  /** Milliseconds since 1970; the engine stores the larger of this and the time of the batch before. */
  readonly time: number
  readonly epoch?: number
}

export interface Range {
  readonly gt?: Uint8Array
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly lte?: Uint8Array
  readonly reverse?: boolean
  /** Records at most; absent: all. */
  readonly limit?: number
  readonly at?: At
}

/** Where the state of a revision ends: its last batch, housekeeping included. */
export interface StatePlace {
  readonly position: number
  /** Milliseconds since 1970. */
  readonly time: number
  /** Bytes of log behind it. */
  readonly bytesAfter: number
}

/** A batch as `changes` hands it out. Its records are valid until the next step of the iteration. */
export interface CommittedBatch {
  readonly position: number
  readonly revision: number
  readonly time: number
  readonly epoch: number
  readonly records: Iterable<RecordView>
}

export interface Fault {
  readonly file: string
  /** Bytes from the start of the file. */
  readonly offset: number
  readonly problem: string
}

export interface VerifyReport {
  readonly faults: readonly Fault[]
  readonly batchesChecked: number
  readonly recordsChecked: number
  readonly bytesChecked: number
}

/** A file that holds published state. Its bytes from 0 to `bytes` never change. */
export interface HeldFile {
  readonly kind: 'log' | 'sorted'
  readonly number: number
  /** With kind and number it tells this file from every other one that ever had its name. */
  readonly seed: number
  readonly path: string
  readonly bytes: number
}

/** The files that hold a state, kept on the disk until they are let go: what a backup copies. */
export interface FilesHold {
  readonly storeId: string
  /** Sorted files, then those of the log in their order. */
  readonly files: readonly HeldFile[]
  /** Which files count, and from where on the log does. */
  readonly contents: HeldContents
  /** The newest batch in them: published and durable. */
  readonly position: number
  readonly revision: number
  readonly time: number
  /** The oldest state that they hold, and a time at which it was there. */
  readonly oldest: { readonly revision: number; readonly time: number }
  /** Lets the files go. They may be used no more. */
  release(): Promise<void>
}

/** What stands beside the files; docs/formats/sorted-v1.md has the fields. */
export interface HeldContents {
  readonly generation: number
  readonly oldestRevision: number
  readonly logStart: number
  readonly base: { readonly position: number; readonly revision: number; readonly time: number }
  readonly sorted: readonly {
    readonly number: number
    readonly bytes: number
    readonly records: number
    readonly minRevision: number
    readonly maxRevision: number
  }[]
}

export interface EngineStats {
  /** Live keys and tombstones that the index holds. */
  readonly keysIndexed: number
  /** Keys whose newest record is a put, expired ones included. */
  readonly keysLive: number
  readonly versionsRetained: number
  readonly indexBytes: number
  readonly logBytes: number
  readonly diskBytes: number
  readonly segments: number
  readonly appendedPosition: number
  readonly publishedPosition: number
  readonly durablePosition: number
  readonly revision: number
  /** Anything an engine has to say about itself, by name. */
  readonly details: Readonly<Record<string, string | number | boolean>>
}

export interface Capabilities {
  /** Reads at an older revision, `changes` and snapshots. */
  readonly versions: boolean
  /** Batches survive a crash once `sync` resolved. */
  readonly durable: boolean
  /** `truncateAfter` works. */
  readonly truncate: boolean
  /** `compact` works. */
  readonly compaction: boolean
}

export interface Engine {
  readonly name: string
  readonly capabilities: Capabilities

  /** Position and revision of the newest batch, published or not; 0 in an empty engine. */
  readonly appendedPosition: number
  readonly appendedRevision: number
  /** Time of the newest batch. */
  readonly appendedTime: number
  readonly publishedPosition: number
  readonly publishedRevision: number
  /** Versions kept beside the newest of their key. */
  readonly versionsRetained: number
  /** Time of the newest published batch. */
  readonly publishedTime: number

  /**
   * Appends and indexes a batch, not yet published; returns its position. The bytes may still be staged in memory: `write`
   * or `sync` hands them on. Throws with nothing changed: `engine.key_too_large`, `engine.value_too_large`,
   * `engine.batch_too_large`, `engine.full` (a batch of deletes still fits then), `engine.store_full` (likewise), `engine.index_full`
   * (one that adds no keys still fits), `engine.read_only`, `engine.poisoned`.
   */
  append(batch: Batch): number
  /**
   * Adds a put or delete to the newest batch instead of a batch of its own: it becomes visible with that batch, at its
   * position and revision. False with nothing changed where that cannot be, and an engine may always say so: the batch is
   * already written or is housekeeping, its time is another, it changes this key, or it would grow too large. Throws as
   * `append` does.
   */
  extend(change: Change, time: number): boolean
  /** Hands every appended byte to the operating system; returns the position up to which that is so. */
  write(): number
  /** Makes what was appended before the call durable; resolves to the highest durable position. Fails with `engine.poisoned`. */
  sync(): Promise<number>
  /**
   * As `sync`, but before it returns: for an owner with nothing else to do, whom the trip through a thread costs more than
   * the wait. Undefined where that cannot be now; `sync` always can.
   */
  trySync(): number | undefined
  /** Lets ordinary reads see every batch up to `position`. */
  publish(position: number): void
  /** Removes every batch above `position`; refuses to remove a published one (`engine.published`). */
  truncateAfter(position: number): Promise<void>

  /**
   * The record of a key, or undefined where there is none or a delete. `key[start, end)` is the key. The view is
   * reused: it is valid until the next call on the engine, and its bytes are never copied.
   */
  get(keyspace: Keyspace, key: Uint8Array, start: number, end: number, at?: At): RecordView | undefined
  /**
   * A hint: these keys are looked up or written next. `spans` holds `count` pairs (start, end) of keys in `bytes`. Their memory
   * is brought in together, which costs less than one trip after the other. An engine may do nothing.
   */
  prefetch(keyspace: Keyspace, bytes: Uint8Array, spans: Uint32Array, count: number): void
  /** As `get`, without ever stalling the loop on a cold page; its record is the caller's own. */
  getAsync(keyspace: Keyspace, key: Uint8Array, at?: At): Promise<RecordView | undefined>
  /**
   * The records of a range in key order, deletes left out. Each view is valid until the next step or append. What is published
   * (or appended, for `latest`) while it runs may or may not be seen; with a revision it sees that state.
   */
  range(keyspace: Keyspace, range: Range): Iterable<RecordView>
  /** As `range`, without ever stalling the loop on a cold page; it lets the loop turn, and its records are the caller's own. */
  rangeAsync(keyspace: Keyspace, range: Range): AsyncIterable<RecordView>
  count(keyspace: Keyspace, range: Range): number
  /** The latest record near a fraction (0 to 1) of the way through a keyspace, for random picks; undefined where a delete stands. */
  sample(keyspace: Keyspace, fraction: number): RecordView | undefined
  /** Keyspaces that hold at least one key or tombstone, ascending. */
  keyspaces(): Keyspace[]
  /**
   * Every published batch whose position is above `position`, in order; asked again after its end, it goes on with what has
   * been published since. `engine.compacted` where they are gone.
   */
  changes(position: number): IterableIterator<CommittedBatch>
  /** The time of the newest batch at or before a revision: a snapshot's own now. */
  timeAt(revision: number): number
  placeAt(revision: number): StatePlace

  /**
   * States older than `revision` may go: reads below it fail with `engine.compacted`. Never goes back. Drops a bounded
   * number of versions at a time: false when a further call has more to do.
   */
  retain(revision: number): boolean
  readonly oldestRevision: number

  /**
   * Rewrites what holds garbage, a bounded part of the store at a time, while reads and writes go on; with `all` everything
   * that lies behind the oldest kept state, in the order of keys. Resolves to the bytes given back, 0 where there was nothing
   * to gain. Fails with nothing changed: `engine.full`, `engine.corrupt`. It works in slices; `pause` is awaited between them,
   * by default one turn of the event loop.
   */
  compact(scope?: 'garbage' | 'all', pause?: () => Promise<void>): Promise<number>
  /** Bytes of everything stored, garbage included. */
  readonly storedBytes: number
  /** Bytes that `compact` would give back, about; it is worth calling when they are a good part of the store. */
  readonly reclaimableBytes: number
  /** Checks every byte on the disk, reading past the mappings. */
  verify(progress?: (bytesDone: number, bytesTotal: number) => void): Promise<VerifyReport>
  stats(): EngineStats
  /**
   * Makes what is published durable, and holds the files that have it, while reads, writes and compaction go on. Absent where an
   * engine has no files that can be copied. Fails as `sync` does: with `engine.read_only` where the store is damaged.
   */
  holdFiles?(): Promise<FilesHold>
  close(): Promise<void>
}

export interface EngineLimits {
  readonly keyBytesMax: number
  readonly valueBytesMax: number
  readonly batchBytesMax: number
  readonly batchRecordsMax: number
}
