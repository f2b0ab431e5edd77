/**
 * One secondary index of a keyspace: where its entries stand, and which entry a value has. Within the store only.
 *
 * An entry is a record in a keyspace of the index's own. Its key is what the value is found by, as the bytes of a tuple, a
 * zero, and the key of the value; so entries sort by the first and then the second, and a zero, which begins no element,
 * parts them. Its value is the two bytes of the offset at which the key begins.
 *
 * What must hold: every stored value has its entry, once the index is built. The reverse need not: an entry counts only
 * while the value under its key, at the state that is read, is live and would have that entry.
 */

import { encodeTuple, type TupleElement } from '@orbitkv/codecs'
import { type Change, defaultLimits, deleteChange, putChange, type RecordView } from '@orbitkv/engine'
import { storeErrors } from '../errors.ts'
import type { IndexRecord } from './directory.ts'
import { shown } from './schema.ts'

/** What a keyspace's program says of an index: present once it is declared. */
export interface Declared {
  /** What the value in a record is found by. */
  readonly by: (key: Uint8Array, bytes: Uint8Array, offset: number, length: number) => TupleElement | undefined
  /** A key in a message. */
  readonly shownKey: (key: Uint8Array) => string
}

export class StoreIndex {
  readonly keyspace: string
  record: IndexRecord
  declared: Declared | undefined
  /** Why it cannot be built. */
  failure: Error | undefined
  /** Its building, while that is under way. */
  building: Promise<void> | undefined

  constructor(keyspace: string, record: IndexRecord) {
    this.keyspace = keyspace
    this.record = record
  }

  /** The key of the entry of a value that is stored under a key; undefined where it has none. */
  entryOf(key: Uint8Array, bytes: Uint8Array, offset: number, length: number): Uint8Array | undefined {
    if (this.declared === undefined) {
      throw storeErrors.index_undeclared({ keyspace: this.keyspace, index: this.record.name })
    }
    let stem: Uint8Array
    try {
      const by = this.declared.by(key, bytes, offset, length)
      if (by === undefined) return undefined
      stem = encodeTuple(elementsOf(by))
    } catch (cause) {
      throw this.#failed(key, cause instanceof Error ? cause.message : String(cause), cause)
    }
    const entry = new Uint8Array(stem.length + 1 + key.length)
    const { keyBytesMax } = defaultLimits
    if (entry.length > keyBytesMax) {
      throw this.#failed(key, `what it is found by and the key have ${entry.length} bytes, the most is ${keyBytesMax}`)
    }
    entry.set(stem)
    entry.set(key, stem.length + 1)
    return entry
  }

  #failed(key: Uint8Array, problem: string, cause?: unknown): Error {
    const { keyspace, record } = this
    return storeErrors.index_failed({ keyspace, index: record.name, key: this.shownKey(key), problem }, cause)
  }

  shownKey(key: Uint8Array): string {
    return this.declared === undefined ? shown(key) : this.declared.shownKey(key)
  }

  putEntry(entry: Uint8Array, keyBytes: number): Change {
    const keyStart = entry.length - keyBytes
    return putChange(this.record.id, entry, Uint8Array.of(keyStart >>> 8, keyStart & 0xff))
  }

  deleteEntry(entry: Uint8Array): Change {
    return deleteChange(this.record.id, entry)
  }
}

/** The key that an entry leads to, as bytes of the caller's own. */
export function keyOfEntry({ bytes, keyStart, keyBytes, valueStart }: RecordView): Uint8Array {
  const offset = ((bytes[valueStart] as number) << 8) | (bytes[valueStart + 1] as number)
  return bytes.slice(keyStart + offset, keyStart + keyBytes)
}

/** The elements that a value is found by: a single one is a tuple of one. */
export function elementsOf(by: TupleElement): readonly TupleElement[] {
  return Array.isArray(by) ? by : [by as TupleElement]
}
