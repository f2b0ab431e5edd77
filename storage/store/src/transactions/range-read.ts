/**
 * What a transaction saw of a range: how many live records, and up to which key. That is enough to tell whether others changed
 * it: what was there is there still if there are as many and none is newer than the state that was read.
 */

import { copyBytes } from '@orbitkv/bytes'
import { type Engine, type Keyspace, latest, type Range, type RecordView } from '@orbitkv/engine'
import { hashOf } from './touched.ts'

const keyBytesAtFirst = 32

export class RangeRead {
  readonly #keyspace: Keyspace
  readonly #range: Range
  #records = 0
  #lastKey = new Uint8Array(keyBytesAtFirst)
  #lastKeyBytes = 0
  /** Walked to its end: keys behind the last one count, too. */
  #isWhole = false
  /** Ends the walk; undefined once it has ended. */
  #cursor: Iterator<RecordView> | undefined

  /** Without a cursor it is for whoever walks to end that. */
  constructor(keyspace: Keyspace, range: Range, cursor?: Iterator<RecordView>) {
    this.#keyspace = keyspace
    this.#range = range
    this.#cursor = cursor
  }

  get isOpen(): boolean {
    return this.#cursor !== undefined
  }

  note({ bytes, keyStart, keyBytes }: RecordView): void {
    this.#records++
    if (keyBytes > this.#lastKey.length) this.#lastKey = new Uint8Array(keyBytes * 2)
    copyBytes(this.#lastKey, 0, bytes, keyStart, keyStart + keyBytes)
    this.#lastKeyBytes = keyBytes
  }

  noteEnd(): void {
    this.#isWhole = true
    this.#cursor = undefined
  }

  /** The caller walks no further. */
  close(): void {
    this.#cursor?.return?.()
    this.#cursor = undefined
  }

  /** The lane (retries.ts) of what others changed in it after a revision, or -1. */
  conflict(engine: Engine, base: number, now: number): number {
    if (!this.#isWhole && this.#records === 0) return -1
    let records = 0
    for (const record of engine.range(this.#keyspace, this.#walked())) {
      const { expiresAt, revision, bytes, keyStart, keyBytes } = record
      if (expiresAt !== 0 && expiresAt <= now) continue
      if (revision > base) return hashOf(this.#keyspace, bytes, keyStart, keyStart + keyBytes)
      records++
    }
    if (records === this.#records) return -1
    return hashOf(this.#keyspace, this.#lastKey, 0, this.#lastKeyBytes)
  }

  /** The part that was walked, as it is now. */
  #walked(): Range {
    const { gt, gte, lt, lte, reverse } = this.#range
    const lastKey = this.#lastKey.subarray(0, this.#lastKeyBytes)
    const low = gt !== undefined ? { gt } : gte !== undefined ? { gte } : {}
    const high = lt !== undefined ? { lt } : lte !== undefined ? { lte } : {}
    if (this.#isWhole) return { ...low, ...high, at: latest }
    return reverse === true ? { gte: lastKey, ...high, at: latest } : { ...low, lte: lastKey, at: latest }
  }
}
