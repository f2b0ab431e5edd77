/**
 * Reads by an index: from entries to the values they lead to, at the same state.
 *
 * What must hold: an entry is handed out only where the value under its key is live and would have that entry still; so one
 * whose value expired, or was deleted where nobody could say what it was found by, is never seen.
 */

import { compareBytes, equalBytes } from '@orbitkv/bytes'
import { encodeTuple, type TupleElement, tuplesEnd } from '@orbitkv/codecs'
import { copyKey, type Range, type RecordView } from '@orbitkv/engine'
import { storeErrors } from '../errors.ts'
import { checkOptions } from '../options.ts'
import { notMeasured } from '../read-meter.ts'
import { checkBounds, checkLimit, decodedKey, decodedValue, isExpired, type Reading } from './reading.ts'
import { elementsOf, keyOfEntry, type StoreIndex } from './store-index.ts'
import type { IndexRange, IndexReader, IndexReads, TypedEntry } from './types.ts'

/** An entry, and the key that it leads to. */
export interface Found {
  readonly entry: Uint8Array
  readonly key: Uint8Array
}

/** What a transaction has written and not committed: no entries are stored for it yet. */
export interface OwnWrites {
  /** Entries of what it put, in the order of the range that was asked for. */
  readonly entries: readonly Found[]
  /** Whether it put or deleted a key, so that stored entries do not count for it. */
  wrote(key: Uint8Array): boolean
}

/** Entries in the order of a range, those of own writes in their places. */
class Merge {
  readonly #own: OwnWrites | undefined
  readonly #direction: 1 | -1
  #next = 0

  constructor(own: OwnWrites | undefined, range: Range) {
    this.#own = own
    this.#direction = range.reverse === true ? -1 : 1
  }

  /** What comes up to a stored entry, and with it if it counts; without one, the rest. */
  *upTo(record: RecordView | undefined): Generator<Found> {
    const stored = record && { entry: copyKey(record), key: keyOfEntry(record) }
    const own = this.#own
    for (const entries = own?.entries ?? []; this.#next < entries.length; this.#next++) {
      const one = entries[this.#next] as Found
      if (stored !== undefined && this.#direction * compareEntries(one.entry, stored.entry) > 0) break
      yield one
    }
    if (stored !== undefined && own?.wrote(stored.key) !== true) yield stored
  }
}

/** The reads that transactions have, too. */
export class EntryReader<Key, Value> implements IndexReads<Key, Value> {
  protected readonly reading: Reading<Key, Value>
  protected readonly storeIndex: StoreIndex

  constructor(reading: Reading<Key, Value>, index: StoreIndex) {
    this.reading = reading
    this.storeIndex = index
  }

  get(by: TupleElement): TypedEntry<Key, Value> | undefined {
    for (const entry of this.#entries(exactly(by), 1)) return entry
    return undefined
  }

  range(options: IndexRange = {}): Iterable<TypedEntry<Key, Value>> {
    const limit = limitOf(options)
    return this.#entries(toRange(options), limit)
  }

  /** Of a transaction; undefined where there is none, or it wrote nothing. */
  protected ownWrites(_range: Range): OwnWrites | undefined {
    return undefined
  }

  async getAsync(by: TupleElement): Promise<TypedEntry<Key, Value> | undefined> {
    for await (const entry of this.#entriesAsync(exactly(by), 1)) return entry
    return undefined
  }

  rangeAsync(options: IndexRange = {}): AsyncIterable<TypedEntry<Key, Value>> {
    const limit = limitOf(options)
    return this.#entriesAsync(toRange(options), limit)
  }

  *#entries(range: Range, limit: number): Iterable<TypedEntry<Key, Value>> {
    const { engine, state, keyspace, meter } = this.reading
    let left = limit
    this.#assertReadable()
    if (left === 0) return
    let startedMs = meter.begin()
    for (const { entry, key } of this.#found(range)) {
      const record = engine.get(keyspace.record.id, key, 0, key.length, state.at)
      const found = this.#typed(entry, key, record)
      if (found === undefined) continue
      if (startedMs !== notMeasured) meter.end(startedMs)
      yield found
      if (--left === 0) return
      this.#assertReadable()
      startedMs = meter.begin()
    }
    if (startedMs !== notMeasured) meter.end(startedMs)
  }

  *#found(range: Range): Iterable<Found> {
    const { engine, state } = this.reading
    const merge = new Merge(this.ownWrites(range), range)
    for (const record of engine.range(this.storeIndex.record.id, { ...range, at: state.at })) yield* merge.upTo(record)
    yield* merge.upTo(undefined)
  }

  async *#entriesAsync(range: Range, limit: number): AsyncIterable<TypedEntry<Key, Value>> {
    const { engine, state, keyspace } = this.reading
    let left = limit
    this.#assertReadable()
    if (left === 0) return
    for await (const { entry, key } of this.#foundAsync(range)) {
      const record = await engine.getAsync(keyspace.record.id, key, state.at)
      this.#assertReadable()
      const found = this.#typed(entry, key, record)
      if (found === undefined) continue
      yield found
      if (--left === 0) return
    }
  }

  async *#foundAsync(range: Range): AsyncIterable<Found> {
    const { engine, state } = this.reading
    const merge = new Merge(this.ownWrites(range), range)
    const stored = engine.rangeAsync(this.storeIndex.record.id, { ...range, at: state.at })
    for await (const record of stored) yield* merge.upTo(record)
    yield* merge.upTo(undefined)
  }

  /** What an entry leads to, where it still counts. */
  #typed(entry: Uint8Array, key: Uint8Array, record: RecordView | undefined): TypedEntry<Key, Value> | undefined {
    if (record === undefined || isExpired(this.reading.state, record)) return undefined
    const { bytes, valueStart, valueBytes, revision } = record
    const has = this.storeIndex.entryOf(key, bytes, valueStart, valueBytes)
    if (has === undefined || !equalBytes(has, entry)) return undefined
    const decoded = decodedKey(this.reading, key, 0, key.length)
    return { key: decoded, value: decodedValue(this.reading, decoded, { bytes, valueStart, valueBytes }), revision }
  }

  #assertReadable(): void {
    const { state, keyspace } = this.reading
    const { record, failure } = this.storeIndex
    state.assertReadable()
    const details = { keyspace: keyspace.record.name, index: record.name }
    if (!keyspace.indexes.includes(this.storeIndex)) throw storeErrors.no_such_index(details)
    if (failure !== undefined) throw failure
    if (record.builtAt === undefined) throw storeErrors.index_building(details)
    if (state.at >= 0 && state.at < record.builtAt) {
      throw storeErrors.index_not_then({ ...details, built: record.builtAt, asked: state.at })
    }
  }
}

export class StoreIndexReader<Key, Value> extends EntryReader<Key, Value> implements IndexReader<Key, Value> {
  ready(): Promise<void> {
    return this.reading.build(this.storeIndex)
  }
}

export function compareEntries(one: Uint8Array, other: Uint8Array): number {
  return compareBytes(one, 0, one.length, other, 0, other.length)
}

/** The entries of what is found by exactly this. */
function exactly(by: TupleElement): Range {
  const stem = encodeTuple(elementsOf(by))
  return { gte: withByte(stem, 0), lt: withByte(stem, 1) }
}

function limitOf(options: IndexRange): number {
  checkOptions(options)
  checkLimit(options.limit)
  return options.limit ?? Number.POSITIVE_INFINITY
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
