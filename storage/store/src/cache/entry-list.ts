/** Entries in an order, from the newest to the oldest. An entry is in one list at most, which its policy knows by its mark. */

import { type Entries, type EntryNumber, newerAt, none, olderAt } from './entries.ts'

export class EntryList {
  readonly #entries: Entries
  newest: EntryNumber = none
  oldest: EntryNumber = none
  count = 0
  /** What its entries take. */
  bytes = 0

  constructor(entries: Entries) {
    this.#entries = entries
  }

  addNewest(entry: EntryNumber): void {
    const entries = this.#entries
    entries.setWord(entry, newerAt, none)
    entries.setWord(entry, olderAt, this.newest)
    if (this.newest === none) this.oldest = entry
    else entries.setWord(this.newest, newerAt, entry)
    this.newest = entry
    this.count++
    this.bytes += entries.bytes(entry)
  }

  remove(entry: EntryNumber): void {
    const entries = this.#entries
    const newer = entries.word(entry, newerAt)
    const older = entries.word(entry, olderAt)
    if (newer === none) this.newest = older
    else entries.setWord(newer, olderAt, older)
    if (older === none) this.oldest = newer
    else entries.setWord(older, newerAt, newer)
    this.count--
    this.bytes -= entries.bytes(entry)
  }

  /** Of an entry of this list. */
  setBytes(entry: EntryNumber, bytes: number): void {
    this.bytes += bytes - this.#entries.bytes(entry)
    this.#entries.setBytes(entry, bytes)
  }

  makeNewest(entry: EntryNumber): void {
    if (this.newest === entry) return
    this.remove(entry)
    this.addNewest(entry)
  }
}
