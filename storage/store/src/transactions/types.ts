/** Transactions as their users see them; transactions.ts implements `Store.transact` with them. */

import type { Bytes, ExpiryOptions, RangeOptions, Reader, WriteOptions } from '../types.ts'

/**
 * What the function of a transaction reads and writes with. Reads see one state, with the transaction's own writes over it;
 * writes reach the store together when the function ends, or not at all. Of no use once it has ended.
 */
export interface Transaction
  extends Pick<Reader, 'get' | 'view' | 'getAsync' | 'getMany' | 'getManyAsync' | 'has' | 'hasAsync'> {
  /**
   * Entries in the order of their keys, own writes among them at revision 0. A key that is first written while the range runs
   * may be left out. The part that was walked counts as read: a key that others put into it is a conflict.
   */
  range(options?: RangeOptions): ReturnType<Reader['range']>
  /** As `range`, without ever stalling the event loop on a cold page. */
  rangeAsync(options?: RangeOptions): ReturnType<Reader['rangeAsync']>
  /** The bytes of key and value are read before it returns. */
  put(key: Bytes, value: Bytes, options?: ExpiryOptions): void
  delete(key: Bytes): void
}

export interface TransactOptions extends WriteOptions {
  /** How often the function is run at most, until nobody changed what it read; 10 by default. */
  readonly attempts?: number
  /** Only reads: a snapshot without limits on what it reads, which notes nothing and never conflicts. */
  readonly readOnly?: boolean
  /** Once aborted, no further attempt begins. */
  readonly signal?: AbortSignal
}

/** What one transaction may touch. Without a bound on what is read, checking it at the end would hold up the event loop. */
export const transactionLimits = {
  /** Keys read and written and values written, held in memory until it ends. */
  bytesMax: 64 * 1024 * 1024,
  /** Keys read, and entries seen in ranges. */
  readsMax: 250_000,
  rangesMax: 10_000,
  /** Open at once in a store. */
  openMax: 50_000,
  attemptsMax: 1000,
} as const
