/**
 * Reads of a keyspace at one state, by its codecs: what a keyspace, its snapshots and its transactions share. Values are decoded where they
 * stand, in the store's memory. What must hold: no expired record is handed out, and nothing of the engine's leaves here but
 * inside the callback of `view`.
 */

import type { Range, RecordView } from '@orbitkv/engine'
import { storeErrors } from '../errors.ts'
import { checkArray, checkFunction, checkOptions } from '../options.ts'
import { notMeasured } from '../read-meter.ts'
import { keyEnd, keySource, keysAtOnce, toBytes } from '../reader.ts'
import { checkBounds, checkLimit, decodedValue, isExpired, type Reading, typedEntry } from './reading.ts'
import type { KeyspaceReads, TypedEntry, TypedRange } from './types.ts'

export class TypedReader<Key, Value> implements KeyspaceReads<Key, Value> {
  protected readonly reading: Reading<Key, Value>

  constructor(reading: Reading<Key, Value>) {
    this.reading = reading
  }

  get(key: Key): Value | undefined {
    const { meter } = this.reading
    const startedMs = meter.begin()
    const record = this.#find(key)
    const value = record && decodedValue(this.reading, key, record)
    if (startedMs !== notMeasured) meter.end(startedMs)
    return value
  }

  view<Result>(key: Key, use: (bytes: Uint8Array, offset: number, length: number) => Result): Result | undefined {
    checkFunction(use, 'what a view is for')
    const { meter } = this.reading
    const startedMs = meter.begin()
    const record = this.#find(key)
    if (startedMs !== notMeasured) meter.end(startedMs)
    return record && use(record.bytes, record.valueStart, record.valueBytes)
  }

  async getAsync(key: Key): Promise<Value | undefined> {
    const { engine, state, keyspace, codecs } = this.reading
    state.assertReadable()
    const bytes = toBytes(codecs.key.encode(key), 'a key')
    const record = await engine.getAsync(keyspace.record.id, bytes, state.at)
    return record === undefined || isExpired(state, record) ? undefined : decodedValue(this.reading, key, record)
  }

  getMany(keys: readonly Key[]): (Value | undefined)[] {
    checkArray(keys, 'keys')
    const { meter } = this.reading
    const startedMs = meter.beginLong()
    const values = keys.map((key) => this.get(key))
    meter.end(startedMs)
    return values
  }

  has(key: Key): boolean {
    const { meter } = this.reading
    const startedMs = meter.begin()
    const isThere = this.#find(key) !== undefined
    if (startedMs !== notMeasured) meter.end(startedMs)
    return isThere
  }

  *range(options: TypedRange<Key> = {}): Iterable<TypedEntry<Key, Value>> {
    const { engine, state, keyspace, meter } = this.reading
    state.assertReadable()
    const range = this.#toRange(options)
    let left = options.limit ?? Number.POSITIVE_INFINITY
    if (left === 0) return
    let startedMs = meter.begin()
    for (const record of engine.range(keyspace.record.id, range)) {
      if (isExpired(state, record)) continue
      const entry = typedEntry(this.reading, record)
      if (startedMs !== notMeasured) meter.end(startedMs)
      yield entry
      if (--left === 0) return
      state.assertReadable()
      startedMs = meter.begin()
    }
    if (startedMs !== notMeasured) meter.end(startedMs)
  }

  async getManyAsync(keys: readonly Key[]): Promise<(Value | undefined)[]> {
    checkArray(keys, 'keys')
    const values: (Value | undefined)[] = []
    for (let from = 0; from < keys.length; from += keysAtOnce) {
      const some = keys.slice(from, from + keysAtOnce)
      values.push(...(await Promise.all(some.map((key) => this.getAsync(key)))))
    }
    return values
  }

  async hasAsync(key: Key): Promise<boolean> {
    return (await this.getAsync(key)) !== undefined
  }

  async *rangeAsync(options: TypedRange<Key> = {}): AsyncIterable<TypedEntry<Key, Value>> {
    const { engine, state, keyspace } = this.reading
    state.assertReadable()
    const range = this.#toRange(options)
    let left = options.limit ?? Number.POSITIVE_INFINITY
    if (left === 0) return
    for await (const record of engine.rangeAsync(keyspace.record.id, range)) {
      state.assertReadable()
      if (isExpired(state, record)) continue
      yield typedEntry(this.reading, record)
      if (--left === 0) return
    }
  }

  #find(key: Key): RecordView | undefined {
    const { engine, state, keyspace, codecs } = this.reading
    state.assertReadable()
    const end = keyEnd(codecs.key.encode(key))
    const record = engine.get(keyspace.record.id, keySource, 0, end, state.at)
    return record === undefined || isExpired(state, record) ? undefined : record
  }

  #toRange(options: TypedRange<Key>): Range {
    checkOptions(options)
    const { prefix, reverse, limit, ...bounds } = options
    const { codecs, state } = this.reading
    checkLimit(limit)
    checkBounds(bounds, prefix)
    const range: { -readonly [Name in keyof Range]: Range[Name] } = { at: state.at, reverse: reverse === true }
    for (const [name, bound] of Object.entries(bounds)) {
      if (bound !== undefined) range[name as keyof typeof bounds] = toBytes(codecs.key.encode(bound as Key), name)
    }
    if (prefix !== undefined) {
      if (codecs.key.prefixEnd === undefined) {
        throw storeErrors.bad_range({ problem: `keys of the codec ${codecs.key.name} have no prefixes` })
      }
      range.gte = toBytes(codecs.key.encode(prefix as Key), 'prefix')
      const end = codecs.key.prefixEnd(range.gte)
      if (end !== undefined) range.lt = end
    }
    return range
  }
}
