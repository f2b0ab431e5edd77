/** What decides which key goes: one implementation for each policy, chosen by cache.ts. */

import type { EntryNumber } from './entries.ts'

/** It holds the entries that may go, and no others; each of them has a mark that is not 0. */
export interface Policy {
  /** Takes in an entry that was just written; `expiresAt` is 0 where it never expires. */
  add(entry: EntryNumber, expiresAt: number): void
  /** An entry that it holds was read. */
  used(entry: EntryNumber): void
  /** An entry that it holds was written again, and takes so much now. */
  rewritten(entry: EntryNumber, bytes: number, expiresAt: number): void
  /** Lets go of an entry that it holds. */
  remove(entry: EntryNumber): void
  /** The entry that goes next; none where it holds none. It goes on holding it. */
  victim(): EntryNumber
}
