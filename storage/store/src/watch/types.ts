/** Watches as their users see them; watch.ts implements `Store.watch` with them, watcher.ts the owner's door. */

import type { Bytes, RangeOptions } from '../types.ts'

export interface WatchOptions {
  /** What to watch: one key, all keys with a prefix, or a range. Without any of them, every key. */
  readonly key?: Bytes
  readonly prefix?: Bytes
  readonly range?: Pick<RangeOptions, 'gt' | 'gte' | 'lt' | 'lte'>
  /** The first revision whose changes are wanted, perhaps one that is still to come; absent: what is published from now on. */
  readonly from?: number
  /** What the key was before, with each change. */
  readonly previous?: boolean
  /** After so many milliseconds without a change, and once it has caught up, a mark says how far the watch is. */
  readonly progress?: number
  /** Bytes of changes that wait for a slow consumer, before the watch ends (`store.watch_slow`); 16 MiB by default. */
  readonly bufferBytes?: number
  /** Ends the watch. */
  readonly signal?: AbortSignal
}

/** A key as it was before a change. */
export interface PreviousEntry {
  readonly value: Uint8Array
  readonly revision: number
  readonly createRevision: number
  readonly version: number
  readonly lease: number
}

interface ChangeBase {
  /** Several watches may share the bytes of a change: not to be written. */
  readonly key: Uint8Array
  readonly revision: number
  /** Of its batch, in milliseconds since 1970. */
  readonly time: number
  /** The lease that carries the key, or that took it along; 0 for none. */
  readonly lease: number
  /** No further change of this revision follows in this watch: all of a batch that it asked for has been seen. */
  readonly last: boolean
  /** What the key was before, where `previous` was asked for and there was something. */
  readonly previous: PreviousEntry | undefined
}

export interface WatchedPut extends ChangeBase {
  readonly kind: 'put'
  readonly value: Uint8Array
  /** The revision that created the key, and how many times it was put since. */
  readonly createRevision: number
  readonly version: number
  /** Milliseconds since 1970; 0 for never. */
  readonly expiresAt: number
  readonly tag: number
}

/** `expire`: the time to live of the key, or its lease, has ended. `evict`: the store is a cache, and was full. */
export interface WatchedDelete extends ChangeBase {
  readonly kind: 'delete' | 'expire' | 'evict'
  readonly value: undefined
}

export type WatchChange = WatchedPut | WatchedDelete

/** Every change up to this revision, as far as it was asked for, has been handed out. */
export interface WatchMark {
  readonly kind: 'progress'
  readonly revision: number
}

export type WatchEvent = WatchChange | WatchMark

/**
 * Changes as they are published, in order and without a gap. It runs from the call of `watch` on, and holds what is not taken.
 * It ends by `close`, by leaving a `for await` loop, or with the store: then what was published before is still handed out.
 * It fails by its signal's reason, and with `store.watch_slow`, `engine.compacted`, `engine.poisoned`.
 */
export interface Watch<Event extends WatchEvent = WatchEvent> extends AsyncIterableIterator<Event>, AsyncDisposable {
  /** A watch from this revision goes on where this one stands: it hands out what this one has not, and at most a batch again. */
  readonly resumeFrom: number
  close(): void
}

/** A watch without promises, for servers: see `Owner.watch`. */
export interface Watcher {
  /**
   * The next event; undefined where there is none now, and then the watcher calls `ready` once there is. Throws what the watch
   * failed with, once everything before that is taken.
   */
  take(): WatchEvent | undefined
  /** Nothing will come any more. */
  readonly isEnded: boolean
  readonly resumeFrom: number
  close(): void
}
