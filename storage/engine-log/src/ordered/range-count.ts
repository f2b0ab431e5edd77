/**
 * Counting the live keys of a range in the newest state, by ranks in the ordered index instead of a walk.
 *
 * The ordered index also has keys that were deleted and that an older state still sees. What must hold for the count to be
 * right: such a key has exactly one note that deletes it and is its newest, for as long as it is in the index. Where a
 * keyspace has such keys, the notes are read, or else the range is walked, whichever is less.
 */

import { assert } from '@orbitkv/base'
import { compareBytes } from '@orbitkv/bytes'
import { latest, type Range } from '@orbitkv/engine'
import type { LogRecord } from '../log/record.ts'
import type { KeyspaceIndex, VersionIndex } from '../versions/version-index.ts'
import { newNote, type Versions } from '../versions/versions.ts'
import { RangeCursor } from './range-cursor.ts'

export class RangeCount {
  readonly #index: VersionIndex
  readonly #versions: Versions
  readonly #note = newNote()

  constructor({ index, versions }: { readonly index: VersionIndex; readonly versions: Versions }) {
    this.#index = index
    this.#versions = versions
  }

  /** Keys in a range whose newest record is a put; at most its limit. Its `at` is taken for the newest state. */
  count(space: KeyspaceIndex, range: Range): number {
    const limit = range.limit ?? Number.POSITIVE_INFINITY
    const entries = entriesIn(space, range)
    const dead = space.index.size - space.live
    assert(dead >= 0, 'every live key is in the index')
    if (entries === 0 || dead === 0) return Math.min(entries, limit)
    if (entries === space.index.size) return Math.min(space.live, limit)
    const walked = Math.min(entries, limit)
    if (walked <= this.#versions.count) return walk(this.#index, space, range)
    return Math.min(entries - this.#deadIn(space, range, dead), limit)
  }

  /** Deleted keys of the index in a range, of which the keyspace has `dead`. */
  #deadIn(space: KeyspaceIndex, range: Range, dead: number): number {
    const note = this.#note
    let left = dead
    let within = 0
    for (let number = this.#versions.firstNumber; left > 0; number++) {
      assert(number < this.#versions.nextNumber, 'every deleted key of the index has a note')
      this.#versions.load(number, note)
      if (!note.isDelete || note.keyspace !== space.id) continue
      const record = this.#index.deletedBy(note)
      if (record === undefined) continue
      left--
      if (isWithin(record, range)) within++
    }
    return within
  }
}

/** Entries of the index in a range, of deleted keys too. */
function entriesIn({ index }: KeyspaceIndex, { gt, gte, lt, lte }: Range): number {
  const low = gt ?? gte
  const high = lt ?? lte
  const before = low === undefined ? 0 : index.rank(low, 0, low.length, gt !== undefined)
  const until = high === undefined ? index.size : index.rank(high, 0, high.length, lt === undefined)
  return Math.max(0, until - before)
}

function walk(index: VersionIndex, space: KeyspaceIndex, range: Range): number {
  let count = 0
  for (const _ of new RangeCursor(index, space, { ...range, at: latest })) count++
  return count
}

function isWithin({ bytes, keyStart, keyBytes }: LogRecord, { gt, gte, lt, lte }: Range): boolean {
  const orderTo = (bound: Uint8Array): number =>
    compareBytes(bytes, keyStart, keyStart + keyBytes, bound, 0, bound.length)
  if (gt !== undefined ? orderTo(gt) <= 0 : gte !== undefined && orderTo(gte) < 0) return false
  return lt !== undefined ? orderTo(lt) < 0 : lte === undefined || orderTo(lte) <= 0
}
