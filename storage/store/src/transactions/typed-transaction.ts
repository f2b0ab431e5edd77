/** A typed keyspace inside a transaction: `TypedKeyspace.in` gives one. */

import type { Change, Keyspace, Range } from '@orbitkv/engine'
import { compareEntries, EntryReader, type OwnWrites } from '../keyspaces/index-reader.ts'
import { declaredIndex, type Reading } from '../keyspaces/reading.ts'
import type { StoreIndex } from '../keyspaces/store-index.ts'
import { TypedReader } from '../keyspaces/typed-reader.ts'
import type { IndexReads, KeyspaceTransaction } from '../keyspaces/types.ts'
import type { ExpiryOptions } from '../types.ts'
import type { StoreTransaction } from './transaction.ts'

/** How the keyspace makes changes of what is put and deleted. */
export interface ChangesOf<Key, Value> {
  put(key: Key, value: Value, options: ExpiryOptions): Change
  delete(key: Key): Change
}

/** Reads by an index inside a transaction: what it has written counts, though no entries are stored for it yet. */
class TransactionIndex<Key, Value> extends EntryReader<Key, Value> {
  readonly #tx: StoreTransaction
  readonly #keyspace: Keyspace

  constructor(reading: Reading<Key, Value>, index: StoreIndex, tx: StoreTransaction) {
    super(reading, index)
    this.#tx = tx
    this.#keyspace = reading.keyspace.record.id
  }

  protected override ownWrites({ gte, lt, reverse }: Range): OwnWrites | undefined {
    const keys = this.#tx.writtenIn(this.#keyspace)
    if (keys.length === 0) return undefined
    const entries = keys.flatMap((key) => {
      const record = this.#tx.find(this.#keyspace, key, 0, key.length)
      const entry = record && this.storeIndex.entryOf(key, record.bytes, record.valueStart, record.valueBytes)
      const isWithin =
        entry !== undefined &&
        (gte === undefined || compareEntries(entry, gte) >= 0) &&
        (lt === undefined || compareEntries(entry, lt) < 0)
      return isWithin ? [{ entry, key }] : []
    })
    entries.sort((one, other) => compareEntries(one.entry, other.entry))
    if (reverse === true) entries.reverse()
    const written = new Set(keys.map((key) => Buffer.from(key).toString('latin1')))
    return { entries, wrote: (key) => written.has(Buffer.from(key).toString('latin1')) }
  }
}

export class TypedTransaction<Key, Value, IndexName extends string>
  extends TypedReader<Key, Value>
  implements KeyspaceTransaction<Key, Value, IndexName>
{
  readonly #tx: StoreTransaction
  readonly #changes: ChangesOf<Key, Value>

  constructor(reading: Reading<Key, Value>, tx: StoreTransaction, changes: ChangesOf<Key, Value>) {
    super({ ...reading, ...tx.reading })
    this.#tx = tx
    this.#changes = changes
  }

  put(key: Key, value: Value, options: ExpiryOptions = {}): void {
    const { keyspace, key: bytes, value: valueBytes, expiresAt, lease } = this.#changes.put(key, value, options)
    this.#tx.write(keyspace, bytes, 0, bytes.length, valueBytes, expiresAt, lease)
  }

  index(name: IndexName): IndexReads<Key, Value> {
    return new TransactionIndex(this.reading, declaredIndex(this.reading, name), this.#tx)
  }

  delete(key: Key): void {
    const { keyspace, key: bytes } = this.#changes.delete(key)
    this.#tx.write(keyspace, bytes, 0, bytes.length, undefined, 0, 0)
  }
}
