/**
 * Cursors of SCAN: numbers that stand for a place in the order of keys.
 *
 * Redis promises that a scan returns every key that is there from its start to its end. Keys here are in order, so a
 * scan goes on after the last key it returned, whatever was written meanwhile; but a client's cursor has to be a number
 * (many parse it), and a key does not fit one. So the place is remembered here under a number.
 *
 * What must hold: a number never stands for a place further on than the one it was given for. The table is bounded: the
 * oldest places are forgotten, and so are all when the server starts again. A cursor that is not known starts from the
 * first key: the scan returns keys twice, which Redis allows, and misses none. Numbers are never used again, over
 * restarts too, since they begin at the time of the start; they stay below 2^53.
 */

import { MiB } from '@orbitkv/base'

/** Memory for places: at least two thousand scans at once with the longest keys, many more with ordinary ones. */
const placesBytesMax = 16 * MiB
/** What an entry takes beside its key, roughly. */
const entryOverheadBytes = 128
/** Cursors for each millisecond since the start: a server would have to give more of them to meet a later start. */
const cursorsPerMs = 1000

export class ScanPositions {
  /** In the order of their making, which is the order in which they go. */
  readonly #places = new Map<number, Uint8Array>()
  #bytes = 0
  /** What a scan of all keys is told at the end of a shard: the number of the next, 0 after the last. */
  readonly ended: number
  /** A cursor tells the shard it is of: it is the rest when divided by the number of shards. */
  readonly #step: number
  #next: number

  constructor(nowMs: number, shard = 0, shardCount = 1) {
    this.ended = (shard + 1) % shardCount
    this.#step = shardCount
    this.#next = Math.ceil((nowMs * cursorsPerMs + 1) / shardCount) * shardCount + shard
  }

  /** Remembers the last key that was returned; `key` is kept. */
  remember(key: Uint8Array): number {
    const cursor = this.#next
    this.#next += this.#step
    this.#places.set(cursor, key)
    this.#bytes += key.length + entryOverheadBytes
    for (const [oldest, place] of this.#places) {
      if (this.#bytes <= placesBytesMax) break
      this.#places.delete(oldest)
      this.#bytes -= place.length + entryOverheadBytes
    }
    return cursor
  }

  /** The key after which to go on; undefined: from the first. A cursor stays good, as a client may ask twice. */
  find(cursor: number): Uint8Array | undefined {
    return this.#places.get(cursor)
  }

  get count(): number {
    return this.#places.size
  }
}
