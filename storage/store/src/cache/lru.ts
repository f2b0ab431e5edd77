/** Least recently used: one list, exactly in the order of use. */

import { type Entries, type EntryNumber, markAt } from './entries.ts'
import { EntryList } from './entry-list.ts'
import type { Policy } from './policy.ts'

const held = 1

export class LeastRecentlyUsed implements Policy {
  readonly #entries: Entries
  readonly #list: EntryList

  constructor(entries: Entries) {
    this.#entries = entries
    this.#list = new EntryList(entries)
  }

  add(entry: EntryNumber): void {
    this.#entries.setWord(entry, markAt, held)
    this.#list.addNewest(entry)
  }

  used(entry: EntryNumber): void {
    this.#list.makeNewest(entry)
  }

  rewritten(entry: EntryNumber, bytes: number): void {
    this.#list.setBytes(entry, bytes)
    this.used(entry)
  }

  remove(entry: EntryNumber): void {
    this.#list.remove(entry)
    this.#entries.setWord(entry, markAt, 0)
  }

  victim(): EntryNumber {
    return this.#list.oldest
  }
}
