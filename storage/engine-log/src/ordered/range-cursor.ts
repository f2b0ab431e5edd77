/**
 * Steps through a range of one keyspace in key order, forward or backward, resolving each key at the state it was asked for.
 *
 * The bounds are places in the index, so a step compares no keys. Where the index has changed since the last step, the
 * cursor seeks its last key and its bounds again: it neither repeats nor skips a key that was there all along.
 */

import { compareBytes } from '@orbitkv/bytes'
import { type At, published, type Range } from '@orbitkv/engine'
import { LogRecord } from '../log/record.ts'
import type { KeyspaceIndex, VersionIndex } from '../versions/version-index.ts'
import { segmentMask } from '../versions/versions.ts'
import type { LearnedIndex } from './learned-index.ts'

const noKey = new Uint8Array(0)

/** After so many steps a cursor is on a longer way, and brings in the records of so many steps to come. */
const stepsBeforeAhead = 8
const stepsAhead = 24
const ahead = new Uint32Array(2 * stepsAhead)

export class RangeCursor implements IterableIterator<LogRecord> {
  readonly #versions: VersionIndex
  readonly #space: KeyspaceIndex
  readonly #index: LearnedIndex
  readonly #range: Range
  readonly #at: At
  readonly #record = new LogRecord()
  readonly #result: { value: LogRecord; done: boolean }
  #left: number
  #changes = -1
  /** The next entry to look at is at this slot (forward), or the one before it (backward). */
  #leaf = 0
  #slot = 0
  #loadedLeaf = 0
  #loadedSlot = 0
  #stopLeaf = 0
  #stopSlot = 0
  /** The last entry looked at, to find the place again; segment 0 where there is none, or `#lastKey` has its key. */
  #lastKey: Uint8Array | undefined
  #lastSegment = 0
  #lastOffset8 = 0
  #isOpen = false
  /** Steps until records are brought in again. */
  #untilAhead = stepsBeforeAhead

  constructor(versions: VersionIndex, space: KeyspaceIndex, range: Range) {
    this.#versions = versions
    this.#space = space
    this.#index = space.index
    this.#range = range
    this.#at = range.at ?? published
    this.#left = isEmpty(range) ? 0 : (range.limit ?? Number.POSITIVE_INFINITY)
    this.#result = { value: this.#record, done: false }
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorResult<LogRecord> {
    const index = this.#index
    const reverse = this.#range.reverse === true
    if (!this.#isOpen) this.#open()
    while (this.#left > 0) {
      if (this.#changes !== index.changeCount) this.#place(reverse)
      if (!(reverse ? this.#stepBack() : this.#stepForward())) break
      if (--this.#untilAhead === 0) this.#lookAhead(reverse)
      this.#lastSegment = index.segment
      this.#lastOffset8 = index.offset8
      this.#versions.newest(this.#space, this.#loadedLeaf, this.#loadedSlot)
      const { newestSegment, newestOffset8 } = this.#versions
      if (this.#versions.resolve(newestSegment, newestOffset8, this.#at, this.#record) === undefined) continue
      this.#left--
      return this.#result as IteratorResult<LogRecord>
    }
    return this.return()
  }

  return(): IteratorResult<LogRecord> {
    this.#left = 0
    if (this.#isOpen) {
      this.#isOpen = false
      this.#versions.cursors.delete(this)
    }
    return { value: undefined, done: true }
  }

  /** Records are about to go, those of a segment or any. */
  leave(segment?: number): void {
    const last = this.#lastSegment & segmentMask
    if (last !== 0 && (segment === undefined || last === segment)) this.#keepKey()
  }

  #open(): void {
    if (this.#left === 0) return
    this.#isOpen = true
    this.#versions.cursors.add(this)
  }

  #keepKey(): void {
    this.#lastKey = this.#versions.keyCopy(this.#lastSegment, this.#lastOffset8)
    this.#lastSegment = 0
  }

  /** Loads the entry at the place and moves past it; false at the end of the range. */
  #stepForward(): boolean {
    const index = this.#index
    for (; this.#leaf !== 0; this.#leaf = index.nextLeaf(this.#leaf), this.#slot = 0) {
      const slot = index.entryFrom(this.#leaf, this.#slot)
      if (this.#leaf === this.#stopLeaf && slot >= this.#stopSlot) return false
      if (slot === index.leafSlots(this.#leaf)) continue
      this.#load(slot)
      this.#slot = slot + 1
      return true
    }
    return false
  }

  #stepBack(): boolean {
    const index = this.#index
    while (this.#leaf !== 0) {
      const slot = index.entryBefore(this.#leaf, this.#slot)
      if (this.#leaf === this.#stopLeaf && slot < this.#stopSlot) return false
      if (slot >= 0) {
        this.#load(slot)
        this.#slot = slot
        return true
      }
      this.#leaf = index.previousLeaf(this.#leaf)
      this.#slot = this.#leaf === 0 ? 0 : index.leafSlots(this.#leaf)
    }
    return false
  }

  /** Records stand anywhere in memory: fetched together they do not wait for one another. */
  #lookAhead(reverse: boolean): void {
    this.#untilAhead = stepsAhead
    const count = Math.min(stepsAhead, this.#left)
    const from = reverse ? this.#slot - 1 : this.#slot
    const found = this.#index.locationsFrom(this.#leaf, from, reverse ? -1 : 1, count, ahead)
    if (!reverse) this.#versions.accesses.readAhead.look(ahead, found)
    // Where pages may be cold, touching them would wait for the disk (cold-reads.ts).
    if (this.#versions.guard === undefined) this.#versions.touch(ahead, found)
  }

  #load(slot: number): void {
    this.#loadedLeaf = this.#leaf
    this.#loadedSlot = slot
    this.#index.load(this.#leaf, slot)
  }

  /** Finds the bounds, and the place to go on from. */
  #place(reverse: boolean): void {
    const index = this.#index
    const { gt, gte, lt, lte } = this.#range
    if (this.#lastSegment !== 0) this.#keepKey()
    const low = reverse ? undefined : this.#lastKey
    const high = reverse ? this.#lastKey : undefined
    if (low !== undefined) this.#seek(low, true)
    else if (gt !== undefined) this.#seek(gt, true)
    else if (gte !== undefined) this.#seek(gte, false)
    else this.#set(index.firstLeaf(), 0)
    const lowLeaf = this.#leaf
    const lowSlot = this.#slot
    if (high !== undefined) this.#seek(high, false)
    else if (lt !== undefined) this.#seek(lt, false)
    else if (lte !== undefined) this.#seek(lte, true)
    else this.#set(index.lastLeaf(), index.leafSlots(index.lastLeaf()))
    if (reverse) {
      this.#stopLeaf = lowLeaf
      this.#stopSlot = lowSlot
    } else {
      this.#stopLeaf = this.#leaf
      this.#stopSlot = this.#slot
      this.#set(lowLeaf, lowSlot)
    }
    this.#changes = index.changeCount
  }

  /** Moves to the first entry at the key or, with `past`, after it. */
  #seek(key: Uint8Array, past: boolean): void {
    const found = this.#index.find(key, 0, key.length)
    this.#set(this.#index.placeLeaf, this.#index.placeSlot + (found && past ? 1 : 0))
  }

  #set(leaf: number, slot: number): void {
    this.#leaf = leaf
    this.#slot = slot
  }
}

/** Whether no key can be in the range. */
function isEmpty({ gt, gte, lt, lte }: Range): boolean {
  const low = gt ?? gte ?? noKey
  const high = lt ?? lte
  if (high === undefined) return false
  const order = compareBytes(low, 0, low.length, high, 0, high.length)
  return order > 0 || (order === 0 && (gt !== undefined || lt !== undefined))
}
