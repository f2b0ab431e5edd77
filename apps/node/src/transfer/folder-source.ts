/**
 * A folder of another key-value store, read in the order of its keys, so that an import goes on behind the last one that
 * it stored. Implementations: level-source.ts, lmdb-source.ts.
 *
 * What must hold: all pages of one reading are of one moment, and no page holds more than `pageEntriesMax` entries or
 * much more than `pageBytesMax`, unless one entry alone does.
 */

export interface SourceEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
  /** What the store cannot take over, where there is such a thing. */
  readonly problem?: string
}

export interface FolderSource {
  /** `/var/lib/app` as the command line names it, for messages. */
  readonly name: string
  /** Tells one state of the source from another, as far as it can be told; empty where it cannot. */
  readonly state: string
  /** How much there is, in what `donePast` counts; undefined where nobody knows. */
  readonly total: number | undefined
  /** What is in it and not read, for people. */
  readonly passedOver: readonly string[]
  /** Entries with keys greater than `after`. */
  pages(after: Uint8Array | undefined): AsyncIterable<readonly SourceEntry[]>
  /** How much of the total is read, when so many records are, the last with this key. */
  donePast(key: Uint8Array, records: number): Promise<number>
  close(): Promise<void>
}
