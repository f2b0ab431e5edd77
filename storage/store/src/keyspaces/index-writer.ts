/**
 * What a batch of changes does to the entries of indexes: the part of every write that keeps them in step, and the check that
 * unique ones stay so. Made for one batch, by keyspaces.ts and the builder.
 *
 * What must hold: the entries of a key are derived from what is stored and from what the batch stores, never from what a caller
 * holds, so that what is put for a value is what is deleted when the value goes.
 */

import { assert, hasCode } from '@orbitkv/base'
import { equalBytes } from '@orbitkv/bytes'
import { type Change, copyKey, type Engine, type Keyspace, latest } from '@orbitkv/engine'
import { storeErrors } from '../errors.ts'
import { keyOfEntry, type StoreIndex } from './store-index.ts'

/** A value within some bytes. */
interface Stored {
  readonly bytes: Uint8Array
  readonly offset: number
  readonly length: number
}

/** An entry that the batch puts or deletes, as the batch leaves it. */
interface Entry {
  readonly index: StoreIndex
  readonly entry: Uint8Array
  readonly key: Uint8Array
  isPut: boolean
}

export class IndexWriter {
  readonly changes: Change[] = []
  readonly #engine: Engine
  readonly #now: number
  /** What the batch has made of keys so far: the engine knows only what stood before it. */
  readonly #within = new Map<string, Stored | undefined>()
  readonly #entries = new Map<string, Entry>()

  constructor(engine: Engine, now: number) {
    this.#engine = engine
    this.#now = now
  }

  /** Takes in a change of an indexed keyspace: the changes to its entries, then itself. */
  add(change: Change, indexes: readonly StoreIndex[]): void {
    assert(change.kind !== 'delete-range', 'an indexed keyspace is not deleted by range')
    const { keyspace, kind } = change
    const key = change.key.subarray(change.keyStart, change.keyEnd)
    const name = nameOf(keyspace, key)
    const before = this.#within.has(name) ? this.#within.get(name) : this.#stored(keyspace, key)
    const { value, valueStart, valueEnd } = change
    const after = kind === 'put' ? { bytes: value, offset: valueStart, length: valueEnd - valueStart } : undefined
    for (const index of indexes) {
      // Expiry cannot wait until the program says how values are found: what is left behind leads nowhere.
      if (index.declared === undefined && change.expired) continue
      const old = before && this.#entryBefore(index, key, before)
      const next = after && index.entryOf(key, after.bytes, after.offset, after.length)
      if (old !== undefined && next !== undefined && equalBytes(old, next)) continue
      if (old !== undefined) this.#note(index, old, key, false)
      if (next !== undefined) this.#note(index, next, key, true)
    }
    this.#within.set(name, after)
    this.changes.push(change)
  }

  /** Puts the entry of a value that is stored already, where it is missing. */
  addMissing(index: StoreIndex, key: Uint8Array, bytes: Uint8Array, offset: number, length: number): void {
    const entry = index.entryOf(key, bytes, offset, length)
    if (entry === undefined || this.#engine.get(index.record.id, entry, 0, entry.length, latest) !== undefined) return
    this.#note(index, entry, key, true)
  }

  /** To be called once all is added. Throws `store.not_unique` where two live keys would have the same in a unique index. */
  assertUnique(): void {
    const keys = new Map<string, Uint8Array>()
    for (const { index, entry, key, isPut } of this.#entries.values()) {
      if (!isPut || !index.record.unique) continue
      const stem = stemOf(entry, key)
      const name = nameOf(index.record.id, stem)
      // Two entries of the batch with one stem are those of two keys.
      const other = keys.get(name) ?? this.#otherWith(index, stem, key)
      keys.set(name, key)
      if (other === undefined) continue
      const { keyspace, record } = index
      throw storeErrors.not_unique({
        keyspace,
        index: record.name,
        key: index.shownKey(key),
        other: index.shownKey(other),
      })
    }
  }

  /** The entry of a value that is about to go; none where the index could never take it in. */
  #entryBefore(index: StoreIndex, key: Uint8Array, { bytes, offset, length }: Stored): Uint8Array | undefined {
    try {
      return index.entryOf(key, bytes, offset, length)
    } catch (error) {
      if (hasCode(error, 'store.index_failed')) return undefined
      throw error
    }
  }

  #stored(keyspace: Keyspace, key: Uint8Array): Stored | undefined {
    const record = this.#engine.get(keyspace, key, 0, key.length, latest)
    return record && { bytes: record.bytes, offset: record.valueStart, length: record.valueBytes }
  }

  #note(index: StoreIndex, entry: Uint8Array, key: Uint8Array, isPut: boolean): void {
    const name = nameOf(index.record.id, entry)
    const noted = this.#entries.get(name)
    if (noted === undefined) this.#entries.set(name, { index, entry, key: key.slice(), isPut })
    else noted.isPut = isPut
    this.changes.push(isPut ? index.putEntry(entry, key.length) : index.deleteEntry(entry))
  }

  /** Another key whose entry, which the batch leaves alone, has the same stem. */
  #otherWith(index: StoreIndex, stem: Uint8Array, key: Uint8Array): Uint8Array | undefined {
    const end = stem.slice()
    end[end.length - 1] = 1
    for (const record of this.#engine.range(index.record.id, { gte: stem, lt: end, at: latest })) {
      const other = keyOfEntry(record)
      if (equalBytes(other, key)) continue
      const entry = copyKey(record)
      if (this.#entries.has(nameOf(index.record.id, entry))) continue
      if (this.#isLive(index, other, entry)) return other
    }
    return undefined
  }

  /** Whether the value under a key is live, and has an entry. */
  #isLive(index: StoreIndex, key: Uint8Array, entry: Uint8Array): boolean {
    const record = this.#engine.get(index.record.of, key, 0, key.length, latest)
    if (record === undefined || (record.expiresAt !== 0 && record.expiresAt <= this.#now)) return false
    const has = index.entryOf(key, record.bytes, record.valueStart, record.valueBytes)
    return has !== undefined && equalBytes(has, entry)
  }
}

function nameOf(keyspace: Keyspace, key: Uint8Array): string {
  return `${keyspace}:${Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')}`
}

/** What a value is found by, with the zero that ends it: an entry without its key. */
function stemOf(entry: Uint8Array, key: Uint8Array): Uint8Array {
  return entry.subarray(0, entry.length - key.length)
}
