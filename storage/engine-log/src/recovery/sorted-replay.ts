/**
 * Taking the records of sorted segments into the indexes, when a store is opened: first every put, in whatever order the
 * segments are read, then every delete. Recovery goes by revision and the number of the segment, never by the order of
 * files (sorted-segment.ts), so that a delete that was kept beside an older put wins over it wherever the two stand.
 */

import type { LogRecord } from '../log/record.ts'
import type { PointIndex } from '../point/point-index.ts'
import type { KeyspaceIndex, VersionIndex } from '../versions/version-index.ts'
import { segmentMask } from '../versions/versions.ts'

interface SortedReplayParts {
  readonly index: VersionIndex
  readonly point: PointIndex
  readonly supersede: (segment: number, offset8: number) => void
}

export class SortedReplay {
  readonly #index: VersionIndex
  readonly #point: PointIndex
  readonly #supersede: (segment: number, offset8: number) => void

  constructor({ index, point, supersede }: SortedReplayParts) {
    this.#index = index
    this.#point = point
    this.#supersede = supersede
  }

  /** Readies the indexes for the records of a segment. */
  begin(segment: number, bytes: number): void {
    this.#point.admit(segment, bytes)
  }

  put(record: LogRecord, segment: number): void {
    const point = this.#point
    const space = this.#index.space(record.keyspace)
    const { bytes, keyStart, start } = record
    const keyEnd = keyStart + record.keyBytes
    const offset8 = start >>> 3
    if (!point.find(space.id, bytes, keyStart, keyEnd)) {
      space.index.find(bytes, keyStart, keyEnd)
      space.index.insert(bytes, keyStart, keyEnd, segment, offset8)
      point.insert(segment, offset8)
      space.live++
    } else if (this.#isFoundBefore(record.revision, segment + 1)) {
      this.#supersede(point.segment, point.offset8)
      point.replace(segment, offset8)
    } else {
      this.#supersede(segment, offset8)
    }
  }

  /** A delete, or the delete of a range. */
  delete(record: LogRecord, segment: number): void {
    const space = this.#index.space(record.keyspace)
    const first = record.bytes.slice(record.keyStart, record.keyStart + record.keyBytes)
    if (record.kind === 'delete') {
      if (space.index.find(first, 0, first.length)) this.#deleteOlder(space, first, record.revision, segment)
      return
    }
    const end = record.bytes.slice(record.valueStart, record.valueStart + record.valueBytes)
    for (let from = first; ; ) {
      const key = this.#keyFrom(space, from, end)
      if (key === undefined) return
      // Nothing but its own batch shares its revision, and what that put after it is kept: no tie is the range's.
      this.#deleteOlder(space, key, record.revision, 0)
      // The smallest key above it.
      from = new Uint8Array(key.length + 1)
      from.set(key)
    }
  }

  /** The first key of the index at or above `from` and below `end` (empty: no end). */
  #keyFrom({ index }: KeyspaceIndex, from: Uint8Array, end: Uint8Array): Uint8Array | undefined {
    index.find(from, 0, from.length)
    if (!index.toEntry(index.placeLeaf, index.placeSlot)) return undefined
    const { segment, offset8 } = index
    if (end.length > 0 && this.#index.compareKeyAt(segment, offset8, end, 0, end.length) >= 0) return undefined
    return this.#index.keyCopy(segment, offset8)
  }

  /** The key goes, if its newest record is older than the delete: at the same revision, if it stands before a segment. */
  #deleteOlder(space: KeyspaceIndex, key: Uint8Array, revision: number, segment: number): void {
    const point = this.#point
    point.find(space.id, key, 0, key.length)
    if (!this.#isFoundBefore(revision, segment)) return
    this.#supersede(point.segment, point.offset8)
    space.index.find(key, 0, key.length)
    space.index.remove()
    point.remove()
    space.live--
  }

  /** Whether the found record has a lower revision, or the same and stands before a segment. */
  #isFoundBefore(revision: number, segment: number): boolean {
    const { segment: foundSegment, offset8 } = this.#point
    const found = this.#index.keyAt(foundSegment, offset8).revision
    return found < revision || (found === revision && (foundSegment & segmentMask) < segment)
  }
}
