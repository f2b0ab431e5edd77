/**
 * Least frequently used, with ageing: an entry's rank is how often it was used, plus the rank at which the last one went when it was
 * last used (LFU with dynamic ageing, Arlitt and others 1998). So what was used a lot, but long ago, is passed by what is used now,
 * and nothing is ever swept.
 *
 * Uses are counted up to 255, so that all ranks lie within 256 of the lowest: a ring of as many lists, each in the order of use.
 * The mark: 1 bit that is always set, 8 bits of uses, 8 bits of the list.
 */

import { type Entries, type EntryNumber, markAt, none } from './entries.ts'
import { EntryList } from './entry-list.ts'
import type { Policy } from './policy.ts'

const ranks = 256
const usesMax: number = ranks - 1
const held = 0x10000

export class LeastFrequentlyUsed implements Policy {
  readonly #entries: Entries
  readonly #lists: readonly EntryList[]
  /** The list of the lowest rank that an entry may have. */
  #lowest = 0
  #count = 0

  constructor(entries: Entries) {
    this.#entries = entries
    this.#lists = Array.from({ length: ranks }, () => new EntryList(entries))
  }

  add(entry: EntryNumber): void {
    this.#count++
    this.#place(entry, 1)
  }

  used(entry: EntryNumber): void {
    const mark = this.#entries.word(entry, markAt)
    this.#listOf(mark).remove(entry)
    this.#place(entry, Math.min(((mark >>> 8) & 0xff) + 1, usesMax))
  }

  rewritten(entry: EntryNumber, bytes: number): void {
    this.#listOf(this.#entries.word(entry, markAt)).setBytes(entry, bytes)
    this.used(entry)
  }

  remove(entry: EntryNumber): void {
    this.#listOf(this.#entries.word(entry, markAt)).remove(entry)
    this.#entries.setWord(entry, markAt, 0)
    this.#count--
  }

  victim(): EntryNumber {
    if (this.#count === 0) return none
    while ((this.#lists[this.#lowest] as EntryList).count === 0) this.#lowest = (this.#lowest + 1) % ranks
    return (this.#lists[this.#lowest] as EntryList).oldest
  }

  #place(entry: EntryNumber, uses: number): void {
    const rank = (this.#lowest + uses) % ranks
    this.#entries.setWord(entry, markAt, held | (uses << 8) | rank)
    ;(this.#lists[rank] as EntryList).addNewest(entry)
  }

  #listOf(mark: number): EntryList {
    return this.#lists[mark & 0xff] as EntryList
  }
}
