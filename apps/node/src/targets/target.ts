/**
 * What client commands work on: a folder (folder.ts, opened in this process) or a running server (server.ts).
 * open-target.ts says which.
 */

import type { Entry } from '../formats/mapping.ts'

export interface ScanRange {
  readonly prefix?: Uint8Array
  readonly gt?: Uint8Array
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly lte?: Uint8Array
  readonly reverse?: boolean
  readonly limit?: number
  /** Values are left out (empty). */
  readonly keysOnly?: boolean
  /** Expiry times are wanted. */
  readonly withExpiry?: boolean
}

export interface WriteReport {
  /** Entries that took the place of an earlier value of the same key. */
  readonly replaced: number
}

export interface Target {
  /** The folder or the address, for messages. */
  readonly label: string
  /** The largest value it takes; undefined where only the server knows. */
  readonly valueBytesMax: number | undefined
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** Resolves to the revision; undefined where the target tells none. */
  put(key: Uint8Array, value: Uint8Array, ttlMs?: number): Promise<number | undefined>
  /** Resolves to whether each key was there. */
  delete(keys: readonly Uint8Array[]): Promise<boolean[]>
  /** Entries in key order, in pages of bounded count and bytes. */
  pages(range: ScanRange): AsyncIterable<readonly Entry[]>
  /** Keys that `pages` has left out so far, since what they hold is no plain value but a collection of Redis. */
  readonly keysLeftOut: number
  /** How many entries a scan of everything would meet, if that is known cheaply. */
  count(): Promise<number>
  /** Stores all entries; resolves once they are acknowledged. Writes take effect in the order of the calls. */
  write(entries: readonly Entry[]): Promise<WriteReport>
  stats(): Promise<Readonly<Record<string, unknown>>>
  close(): Promise<void>
}

/** Entries and bytes of a page at most; one entry may be larger by itself. */
export const pageEntriesMax = 1000
export const pageBytesMax = 1024 * 1024

/**
 * Keys of orbit's own in the default keyspace: the progress of imports. They begin with a byte that no text key does,
 * and scan and export leave them out.
 */
export const ownKeyPrefix: Uint8Array = Buffer.from('\0orbit\0')

export function isOwnKey(key: Uint8Array): boolean {
  return key.length >= ownKeyPrefix.length && ownKeyPrefix.every((byte, index) => key[index] === byte)
}
