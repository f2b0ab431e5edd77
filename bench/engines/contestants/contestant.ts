/**
 * What a contestant in JavaScript does, each in the way that its authors advise. child.ts runs it and keeps the time.
 *
 * A read answers with the first plus the last byte of the value, so that the value was touched and all contestants can
 * be held to the same sums. What returns a promise is awaited before the next operation begins; what does not is not.
 */

import type { Workload } from '../data/workload.ts'

/** Unsynced: commits have left the process. Synced: they are on the disk before they count. */
export type Way = 'unsynced' | 'synced'

export interface Contestant {
  /** How it is opened and used, for the report. */
  readonly settings: string
  open(folder: string, way: Way): Promise<void>
  close(): Promise<void>
  /** Commits the keys of insertion from one place up to another, in one batch. */
  insert(from: number, to: number, version: number): void | Promise<void>
  /** How many records a range over everything returns, each with key and value. */
  count(): number | Promise<number>
  /** The value as bytes of the caller's own. */
  get(key: Buffer): number
  /** Without a copy, where there is such a way. */
  view?(key: Buffer): number
  getText?(key: string): number
  has?(key: Buffer): number
  /** Commits one record. */
  put(key: Buffer, value: Buffer): void | Promise<void>
  /** The last byte of the first key at or after this one, found through a range. */
  seek?(key: Buffer): number | Promise<number>
  /** Walks a range from a key on, with keys and values; adds up a byte of each. */
  scan?(key: Buffer, limit: number): number | Promise<number>
  /** Rewrites what is there into its final order; false where it cannot. */
  compact?(): Promise<boolean>
  /** Bytes of memory that finding records takes, where they can be told apart. */
  indexBytes?(): number
}

export type MakeContestant = (workload: Workload) => Contestant

/** What a read adds up. */
export function ends(value: Uint8Array | undefined): number {
  if (value === undefined) throw new Error('a key was not found')
  return (value[0] as number) + (value[value.length - 1] as number)
}

/** What a scan adds up for each entry. */
export function entrySum(key: Uint8Array, value: Uint8Array): number {
  return (key[key.length - 1] as number) + (value[0] as number) + (value[value.length - 1] as number)
}
