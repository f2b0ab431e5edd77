/** What each side of the embedded comparison does, each in the way that its authors advise. */

import type { Workload } from './workload.ts'

export interface Contestant {
  /** How it was opened and used, for the report. */
  readonly settings: string
  /** Opens a store in a folder that is not there yet. `synced`: commits are on the disk before they count. */
  open(folder: string, synced: boolean): Promise<void>
  /** Inserts all keys, `batchRecords` in a transaction, none of them synced. */
  insert(workload: Workload): Promise<void>
  /** How many records a range over everything returned, each with key and value. */
  countByRange(): number
  /** The first byte of the key's value, from bytes of the caller's own. */
  readOwned(key: Buffer): number
  /** The same without a copy, in its fast form. */
  readLent(key: Buffer): number
  /** Commits the first `records` keys, `durableGroupRecords` at a time, each group on the disk before the next begins. */
  commitDurably(workload: Workload, records: number): Promise<void>
  /** Bytes of memory that finding records takes, beside the records; undefined where they cannot be told apart. */
  indexBytes(): number | undefined
  close(): Promise<void>
}
