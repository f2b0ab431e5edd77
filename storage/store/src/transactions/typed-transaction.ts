/** A typed keyspace inside a transaction: `TypedKeyspace.in` gives one. */

import type { Change } from '@orbitkv/engine'
import type { Reading } from '../keyspaces/reading.ts'
import { TypedReader } from '../keyspaces/typed-reader.ts'
import type { KeyspaceTransaction } from '../keyspaces/types.ts'
import type { StoreTransaction } from './transaction.ts'

/** How the keyspace makes changes of what is put and deleted. */
export interface ChangesOf<Key, Value> {
  put(key: Key, value: Value, ttl: number | undefined): Change
  delete(key: Key): Change
}

export class TypedTransaction<Key, Value> extends TypedReader<Key, Value> implements KeyspaceTransaction<Key, Value> {
  readonly #tx: StoreTransaction
  readonly #changes: ChangesOf<Key, Value>

  constructor(reading: Reading<Key, Value>, tx: StoreTransaction, changes: ChangesOf<Key, Value>) {
    super({ ...reading, ...tx.reading })
    this.#tx = tx
    this.#changes = changes
  }

  put(key: Key, value: Value, { ttl }: { readonly ttl?: number } = {}): void {
    const { keyspace, key: bytes, value: valueBytes, expiresAt } = this.#changes.put(key, value, ttl)
    this.#tx.write(keyspace, bytes, 0, bytes.length, valueBytes, expiresAt)
  }

  delete(key: Key): void {
    const { keyspace, key: bytes } = this.#changes.delete(key)
    this.#tx.write(keyspace, bytes, 0, bytes.length, undefined, 0)
  }
}
