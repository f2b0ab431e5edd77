/**
 * Reads by an index: from entries to the values they lead to, at the same state.
 *
 * What must hold: an entry is handed out only where the value under its key is live and would have that entry still; so one
 * whose value expired, or was deleted where nobody could say what it was found by, is never seen.
 */

import { equalBytes } from '@orbitkv/bytes'
import { encodeTuple, type TupleElement, tuplesEnd } from '@orbitkv/codecs'
import { copyKey, type Engine, type Range, type RecordView } from '@orbitkv/engine'
import { storeErrors } from '../errors.ts'
import { checkBounds, checkLimit, decodedKey, decodedValue, isExpired, type Reading } from './reading.ts'
import { elementsOf, keyOfEntry, type StoreIndex } from './store-index.ts'
import type { IndexRange, IndexReader, TypedEntry } from './types.ts'

type IndexReading<Key, Value> = Reading<Key, Value> & { readonly engine: Engine }

export class StoreIndexReader<Key, Value> implements IndexReader<Key, Value> {
  readonly #reading: IndexReading<Key, Value>
  readonly #index: StoreIndex

  constructor(reading: IndexReading<Key, Value>, index: StoreIndex) {
    this.#reading = reading
    this.#index = index
  }

  get(by: TupleElement): TypedEntry<Key, Value> | undefined {
    const stem = encodeTuple(elementsOf(by))
    for (const entry of this.#entries({ gte: withByte(stem, 0), lt: withByte(stem, 1) }, 1)) return entry
    return undefined
  }

  range(options: IndexRange = {}): Iterable<TypedEntry<Key, Value>> {
    return this.#entries(toRange(options), limitOf(options))
  }

  rangeAsync(options: IndexRange = {}): AsyncIterable<TypedEntry<Key, Value>> {
    return this.#entriesAsync(toRange(options), limitOf(options))
  }

  ready(): Promise<void> {
    return this.#reading.build(this.#index)
  }

  *#entries(range: Range, limit: number): Iterable<TypedEntry<Key, Value>> {
    const { engine, state, keyspace } = this.#reading
    let left = limit
    this.#assertReadable()
    if (left === 0) return
    for (const entry of engine.range(this.#index.record.id, { ...range, at: state.at })) {
      const key = keyOfEntry(entry)
      const entryKey = copyKey(entry)
      const found = this.#typed(entryKey, key, engine.get(keyspace.record.id, key, 0, key.length, state.at))
      if (found === undefined) continue
      yield found
      if (--left === 0) return
      this.#assertReadable()
    }
  }

  async *#entriesAsync(range: Range, limit: number): AsyncIterable<TypedEntry<Key, Value>> {
    const { engine, state, keyspace } = this.#reading
    let left = limit
    this.#assertReadable()
    if (left === 0) return
    for await (const entry of engine.rangeAsync(this.#index.record.id, { ...range, at: state.at })) {
      const key = keyOfEntry(entry)
      const record = await engine.getAsync(keyspace.record.id, key, state.at)
      this.#assertReadable()
      const found = this.#typed(copyKey(entry), key, record)
      if (found === undefined) continue
      yield found
      if (--left === 0) return
    }
  }

  /** What an entry leads to, where it still counts. */
  #typed(entry: Uint8Array, key: Uint8Array, record: RecordView | undefined): TypedEntry<Key, Value> | undefined {
    if (record === undefined || isExpired(this.#reading.state, record)) return undefined
    const { bytes, valueStart, valueBytes, revision } = record
    const has = this.#index.entryOf(key, bytes, valueStart, valueBytes)
    if (has === undefined || !equalBytes(has, entry)) return undefined
    const decoded = decodedKey(this.#reading, key, 0, key.length)
    return { key: decoded, value: decodedValue(this.#reading, decoded, { bytes, valueStart, valueBytes }), revision }
  }

  #assertReadable(): void {
    const { state, keyspace } = this.#reading
    const { record, failure } = this.#index
    state.assertReadable()
    const details = { keyspace: keyspace.record.name, index: record.name }
    if (!keyspace.indexes.includes(this.#index)) throw storeErrors.no_such_index(details)
    if (failure !== undefined) throw failure
    if (record.builtAt === undefined) throw storeErrors.index_building(details)
    if (state.at >= 0 && state.at < record.builtAt) {
      throw storeErrors.index_not_then({ ...details, built: record.builtAt, asked: state.at })
    }
  }
}

function limitOf({ limit }: IndexRange): number {
  checkLimit(limit)
  return limit ?? Number.POSITIVE_INFINITY
}

/** Bounds by elements as bounds of entries: those of a tuple's leading elements take in all that begin with them. */
function toRange({ gt, gte, lt, lte, prefix, reverse = false }: IndexRange): Range {
  checkBounds({ gt, gte, lt, lte }, prefix)
  const begin = (by: TupleElement): Uint8Array => encodeTuple(elementsOf(by))
  if (prefix !== undefined) return { gte: begin(prefix), lt: tuplesEnd(begin(prefix)), reverse }
  return {
    reverse,
    ...(gte === undefined ? {} : { gte: begin(gte) }),
    ...(gt === undefined ? {} : { gte: tuplesEnd(begin(gt)) }),
    ...(lt === undefined ? {} : { lt: begin(lt) }),
    ...(lte === undefined ? {} : { lt: tuplesEnd(begin(lte)) }),
  }
}

function withByte(stem: Uint8Array, byte: number): Uint8Array {
  const bytes = new Uint8Array(stem.length + 1)
  bytes.set(stem)
  bytes[stem.length] = byte
  return bytes
}
