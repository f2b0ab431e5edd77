/**
 * The indexes as they were at one moment, told bit by bit while the store goes on: what is in a checkpoint.
 *
 * The moment is the end of a batch. A location behind it is followed back along the notes to the record that was the key's newest
 * then; a key without one was not there. For that to be right, from the moment on until all is told:
 *   - no note is dropped (`retain` waits), so that a key deleted by then is still in the indexes, and every way back is whole;
 *   - no record moves (compaction waits) and none is taken back: who tells stops when the log is cut.
 */

import { assert } from '@orbitkv/base'
import type { Log } from '../log/log.ts'
import type { IndexParts } from '../versions/index-parts.ts'
import { deadBit, segmentMask } from '../versions/versions.ts'

interface Location {
  segment: number
  offset8: number
}

export class Moment {
  readonly tailSegment: number
  readonly tailBytes: number
  readonly #tailOffset8: number
  /** By segment number: 1 for those that were there. */
  readonly #known: Uint8Array
  readonly #parts: IndexParts
  readonly #found: Location = { segment: 0, offset8: 0 }

  /** Now. The newest batch is sealed. */
  constructor(log: Log, parts: IndexParts) {
    const { number, end } = log.active
    this.tailSegment = number
    this.tailBytes = end
    this.#tailOffset8 = end >>> 3
    this.#known = new Uint8Array(log.segments.length)
    for (const segment of log.inOrder()) this.#known[segment.number] = 1
    this.#parts = parts
  }

  /** For a location of the point index, that of the key's newest record at the moment; undefined where it had none. */
  readonly locate = (segmentWord: number, offset8: number): Readonly<Location> | undefined => {
    const { versions, aliases } = this.#parts
    const found = this.#found
    found.segment = segmentWord
    found.offset8 = offset8
    for (;;) {
      const segment = found.segment & segmentMask
      const at = found.offset8
      if (segment === 0) {
        if (!this.#isBehind(aliases.segment(at), aliases.offset8(at))) break
        found.segment = aliases.olderSegment(at)
        found.offset8 = aliases.olderOffset8(at)
      } else {
        if (!this.#isBehind(segment, at)) break
        if (!versions.find(segment, at)) return undefined
        found.segment = versions.olderSegment
        found.offset8 = versions.olderOffset8
      }
    }
    return found
  }

  /** As `locate`, for a location of the ordered index, which has no aliases. */
  readonly locateOrdered = (segmentWord: number, offset8: number): Readonly<Location> | undefined => {
    const found = this.locate(segmentWord, offset8)
    if (found === undefined || (found.segment & segmentMask) !== 0) return found
    const { aliases } = this.#parts
    const alias = found.offset8
    this.#found.segment = aliases.olderSegment(alias)
    this.#found.offset8 = aliases.olderOffset8(alias)
    assert((this.#found.segment & deadBit) === 0, 'what a range deletes was a put')
    return this.#found
  }

  #isBehind(segment: number, offset8: number): boolean {
    return this.#known[segment] !== 1 || (segment === this.tailSegment && offset8 >= this.#tailOffset8)
  }
}
