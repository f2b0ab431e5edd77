/**
 * What a transaction has written in a range, for whoever walks what is stored there: each write comes up in its place. Within
 * transaction.ts only. A key that is first written after the walk has begun is left out; what is written to the others counts.
 */

import type { Keyspace, Range, RecordView } from '@orbitkv/engine'
import type { OwnRecord } from './own-record.ts'
import type { Touched } from './touched.ts'

const noEntries: readonly number[] = []

export class OwnMerge {
  readonly #touched: Touched
  readonly #keyspace: Keyspace
  readonly #direction: 1 | -1
  /** Those that lie in the range, in its order. */
  readonly #entries: readonly number[]
  #next = 0

  constructor(touched: Touched, keyspace: Keyspace, range: Range) {
    this.#touched = touched
    this.#keyspace = keyspace
    this.#direction = range.reverse === true ? -1 : 1
    this.#entries = touched.writes === 0 ? noEntries : entriesIn(touched, keyspace, range)
  }

  /** The next write that comes before a stored record, or at the end where there is none; valid until the next call. */
  before(record: RecordView | undefined): OwnRecord | undefined {
    for (; this.#next < this.#entries.length; this.#next++) {
      const entry = this.#entries[this.#next] as number
      const order = record === undefined ? -1 : this.#direction * this.#touched.compareKey(entry, ...spanOf(record))
      if (order > 0) return undefined
      // That of the record's own key is told by `instead`.
      const written = order === 0 ? undefined : this.#touched.written(entry)
      if (typeof written !== 'object') continue
      this.#next++
      return written
    }
    return undefined
  }

  /** What the transaction sees where a record is stored: that, its own write, or nothing. Valid until the next call. */
  instead(record: RecordView): RecordView | undefined {
    if (this.#touched.writes === 0) return record
    const entry = this.#touched.find(this.#keyspace, ...spanOf(record))
    const written = entry < 0 ? undefined : this.#touched.written(entry)
    return written === 'deleted' ? undefined : (written ?? record)
  }
}

function entriesIn(touched: Touched, keyspace: Keyspace, { gt, gte, lt, lte, reverse }: Range): readonly number[] {
  const entries = touched.sortedWrites().filter((entry) => {
    const order = (bound: Uint8Array) => touched.compareKey(entry, bound, 0, bound.length)
    return (
      touched.keyspaceOf(entry) === keyspace &&
      (gt === undefined || order(gt) > 0) &&
      (gte === undefined || order(gte) >= 0) &&
      (lt === undefined || order(lt) < 0) &&
      (lte === undefined || order(lte) <= 0)
    )
  })
  return reverse === true ? entries.reverse() : entries
}

function spanOf({ bytes, keyStart, keyBytes }: RecordView): [Uint8Array, number, number] {
  return [bytes, keyStart, keyStart + keyBytes]
}
