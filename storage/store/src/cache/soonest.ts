/**
 * What would expire first goes first: a heap of the entries that expire, by when; and once there are none, those that never do, least
 * recently used first.
 *
 * In the heap `newer` is an entry's place and `older` when it expires, in steps of 16 ms since the store was opened: one word reaches
 * two years, and what expires later counts as then.
 */

import { type Entries, type EntryNumber, markAt, newerAt, olderAt } from './entries.ts'
import { EntryList } from './entry-list.ts'
import type { Policy } from './policy.ts'

const inHeap = 1
const inList = 2
const stepMs = 16
const stepMax: number = 2 ** 32 - 1
/** Places of the heap come in blocks of 128 KiB, so that growing copies nothing. */
const blockShift = 15
const placesPerBlock: number = 1 << blockShift
const blockMask: number = placesPerBlock - 1

export class SoonestExpiring implements Policy {
  readonly #entries: Entries
  readonly #list: EntryList
  readonly #startMs: number
  readonly #heap: Uint32Array[] = []
  #heaped = 0

  constructor(entries: Entries, startMs: number) {
    this.#entries = entries
    this.#list = new EntryList(entries)
    this.#startMs = startMs
  }

  add(entry: EntryNumber, expiresAt: number): void {
    const entries = this.#entries
    if (expiresAt === 0) {
      entries.setWord(entry, markAt, inList)
      this.#list.addNewest(entry)
      return
    }
    const steps = Math.floor((expiresAt - this.#startMs) / stepMs)
    entries.setWord(entry, markAt, inHeap)
    entries.setWord(entry, olderAt, Math.min(Math.max(steps, 0), stepMax))
    if (this.#heaped === this.#heap.length * placesPerBlock) this.#heap.push(new Uint32Array(placesPerBlock))
    this.#raise(entry, this.#heaped++)
  }

  used(entry: EntryNumber): void {
    if (this.#entries.word(entry, markAt) === inList) this.#list.makeNewest(entry)
  }

  rewritten(entry: EntryNumber, bytes: number, expiresAt: number): void {
    this.remove(entry)
    this.#entries.setBytes(entry, bytes)
    this.add(entry, expiresAt)
  }

  remove(entry: EntryNumber): void {
    if (this.#entries.word(entry, markAt) === inList) this.#list.remove(entry)
    else {
      const place = this.#entries.word(entry, newerAt)
      const last = this.#at(--this.#heaped)
      if (last !== entry) {
        this.#lower(last, place)
        this.#raise(last, this.#entries.word(last, newerAt))
      }
    }
    this.#entries.setWord(entry, markAt, 0)
  }

  victim(): EntryNumber {
    return this.#heaped > 0 ? this.#at(0) : this.#list.oldest
  }

  /** Puts an entry at a free place or further up. */
  #raise(entry: EntryNumber, place: number): void {
    const due = this.#entries.word(entry, olderAt)
    while (place > 0) {
      const above = (place - 1) >>> 1
      const other = this.#at(above)
      if (this.#entries.word(other, olderAt) <= due) break
      this.#put(other, place)
      place = above
    }
    this.#put(entry, place)
  }

  /** Puts an entry at a free place or further down. */
  #lower(entry: EntryNumber, place: number): void {
    const due = this.#entries.word(entry, olderAt)
    for (;;) {
      let below = 2 * place + 1
      if (below >= this.#heaped) break
      if (below + 1 < this.#heaped && this.#dueAt(below + 1) < this.#dueAt(below)) below++
      if (this.#dueAt(below) >= due) break
      this.#put(this.#at(below), place)
      place = below
    }
    this.#put(entry, place)
  }

  #dueAt(place: number): number {
    return this.#entries.word(this.#at(place), olderAt)
  }

  #at(place: number): EntryNumber {
    return (this.#heap[place >>> blockShift] as Uint32Array)[place & blockMask] as EntryNumber
  }

  #put(entry: EntryNumber, place: number): void {
    ;(this.#heap[place >>> blockShift] as Uint32Array)[place & blockMask] = entry
    this.#entries.setWord(entry, newerAt, place)
  }
}
