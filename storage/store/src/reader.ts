/**
 * Reads of one state of a store: what Store and Snapshot share.
 *
 * A reader never hands out an expired record. Values are copied, or lent inside a callback; the engine's bytes never
 * leave here.
 */

import { markAsUntransferable } from 'node:worker_threads'
import { copyBytes, encodeText, encodeTextInto, prefixEnd, utf8BytesPerCharMax } from '@orbitkv/bytes'
import type { At, Engine, Keyspace, Range, RecordView } from '@orbitkv/engine'
import type { Cache } from './cache/cache.ts'
import { storeErrors } from './errors.ts'
import { checkArray, checkFunction, checkOptions } from './options.ts'
import { notMeasured, type ReadMeter } from './read-meter.ts'
import type { Bytes, Entry, RangeOptions, Reader } from './types.ts'

const scratch = new Uint8Array(32 * 1024)
/** Where `keyEnd` found or put the key. */
export let keySource: Uint8Array = scratch

/** Makes a key readable as `keySource[0, end)` without allocating for short text; returns its end. */
export function keyEnd(key: Bytes): number {
  if (typeof key === 'string') {
    if (key.length * utf8BytesPerCharMax <= scratch.length) {
      keySource = scratch
      return encodeTextInto(key, scratch)
    }
    keySource = encodeText(key)
    return keySource.length
  }
  if (!(key instanceof Uint8Array)) {
    throw storeErrors.bad_argument({ name: 'a key', expected: 'a string or a Uint8Array', found: typeof key })
  }
  keySource = key
  return key.length
}

/** A key or value as bytes; text is encoded, bytes are taken as they are. */
export function toBytes(value: Bytes, name: string): Uint8Array {
  if (typeof value === 'string') return encodeText(value)
  if (value instanceof Uint8Array) return value
  throw storeErrors.bad_argument({ name, expected: 'a string or a Uint8Array', found: typeof value })
}

// Small values are cut from a shared slab: a buffer of its own for each costs several times the copy.
const slabBytes = 64 * 1024
const slabValueBytesMax = 4 * 1024
let slab = newSlab()
let slabView = new Uint8Array(slab)
let slabUsed = 0

/** One value moved to another thread would take all the others of its slab along, so the slab refuses to be. */
function newSlab(): ArrayBuffer {
  const made = new ArrayBuffer(slabBytes)
  markAsUntransferable(made)
  return made
}

/** The value as bytes of the caller's own. */
export function copyOut(record: Pick<RecordView, 'bytes' | 'valueStart' | 'valueBytes'>): Uint8Array {
  return copySpan(record.bytes, record.valueStart, record.valueBytes)
}

/** `bytes[start, start + length)` as bytes of the caller's own. */
export function copySpan(bytes: Uint8Array, start: number, length: number): Uint8Array {
  if (length > slabValueBytesMax) return bytes.slice(start, start + length)
  const offset = copyToSlab(bytes, start, length)
  return new Uint8Array(slab, offset, length)
}

/** Returns where in the slab the copy stands. */
function copyToSlab(bytes: Uint8Array, start: number, length: number): number {
  if (slabUsed + length > slabBytes) {
    slab = newSlab()
    slabView = new Uint8Array(slab)
    slabUsed = 0
  }
  const offset = slabUsed
  copyBytes(slabView, offset, bytes, start, start + length)
  slabUsed = (offset + length + 7) & ~7
  return offset
}

/** A record as an entry of the caller's own. A key and the value behind it are copied in one go. */
function copyEntry(record: RecordView): Entry {
  const { bytes, keyStart, keyBytes, valueStart, valueBytes, revision } = record
  const length = keyBytes + valueBytes
  if (valueStart !== keyStart + keyBytes || length > slabValueBytesMax) {
    return { key: copySpan(bytes, keyStart, keyBytes), value: copyOut(record), revision }
  }
  const offset = copyToSlab(bytes, keyStart, length)
  const key = new Uint8Array(slab, offset, keyBytes)
  return { key, value: new Uint8Array(slab, offset + keyBytes, valueBytes), revision }
}

/** Keys that `getManyAsync` has under way: each may hold a read of the disk. */
export const keysAtOnce = 64

export abstract class StoreReader implements Reader {
  protected readonly engine: Engine
  protected readonly keyspaceId: Keyspace
  /** The state that reads see. */
  protected readonly at: At

  protected readonly meter: ReadMeter
  /** Hears of reads of the newest state, where the store is a cache. */
  protected cache: Cache | undefined

  constructor(engine: Engine, keyspaceId: Keyspace, at: At, meter: ReadMeter, cache?: Cache) {
    this.engine = engine
    this.cache = cache
    this.meter = meter
    this.keyspaceId = keyspaceId
    this.at = at
  }

  /** Milliseconds since 1970 by which expiry is judged. */
  protected abstract now(): number
  /** Throws where it cannot be read any more. */
  protected abstract assertReadable(): void

  get(key: Bytes): Uint8Array | undefined {
    const startedMs = this.meter.begin()
    const record = this.#find(key)
    const value = record === undefined ? undefined : copyOut(record)
    if (startedMs !== notMeasured) this.meter.end(startedMs)
    return value
  }

  view<Result>(key: Bytes, use: (bytes: Uint8Array, offset: number, length: number) => Result): Result | undefined {
    checkFunction(use, 'what a view is for')
    const startedMs = this.meter.begin()
    const record = this.#find(key)
    if (startedMs !== notMeasured) this.meter.end(startedMs)
    return record === undefined ? undefined : use(record.bytes, record.valueStart, record.valueBytes)
  }

  async getAsync(key: Bytes): Promise<Uint8Array | undefined> {
    this.assertReadable()
    const end = keyEnd(key)
    const bytes = keySource.slice(0, end)
    const record = await this.engine.getAsync(this.keyspaceId, bytes, this.at)
    const isThere = record !== undefined && !this.#isExpired(record)
    if (this.cache !== undefined) this.cache.noteRead(bytes, 0, bytes.length, isThere)
    return isThere ? copyOut(record) : undefined
  }

  getMany(keys: readonly Bytes[]): (Uint8Array | undefined)[] {
    checkArray(keys, 'keys')
    const startedMs = this.meter.beginLong()
    const values = keys.map((key) => this.get(key))
    this.meter.end(startedMs)
    return values
  }

  has(key: Bytes): boolean {
    const startedMs = this.meter.begin()
    const isThere = this.#find(key) !== undefined
    if (startedMs !== notMeasured) this.meter.end(startedMs)
    return isThere
  }

  range(options: RangeOptions = {}): Iterable<Entry> {
    this.assertReadable()
    return new Entries(this.engine.range(this.keyspaceId, toRange(options, this.at)), {
      limit: options.limit,
      meter: this.meter,
      assertReadable: () => this.assertReadable(),
      isExpired: (record) => this.#isExpired(record),
    })
  }

  async getManyAsync(keys: readonly Bytes[]): Promise<(Uint8Array | undefined)[]> {
    checkArray(keys, 'keys')
    const values: (Uint8Array | undefined)[] = []
    for (let from = 0; from < keys.length; from += keysAtOnce) {
      const some = keys.slice(from, from + keysAtOnce)
      values.push(...(await Promise.all(some.map((key) => this.getAsync(key)))))
    }
    return values
  }

  async hasAsync(key: Bytes): Promise<boolean> {
    return (await this.getAsync(key)) !== undefined
  }

  async *rangeAsync(options: RangeOptions = {}): AsyncIterable<Entry> {
    this.assertReadable()
    const { limit: _, ...range } = toRange(options, this.at)
    let left = options.limit ?? Number.POSITIVE_INFINITY
    if (left === 0) return
    for await (const record of this.engine.rangeAsync(this.keyspaceId, range)) {
      this.assertReadable()
      if (this.#isExpired(record)) continue
      yield copyEntry(record)
      if (--left === 0) return
    }
  }

  #find(key: Bytes): RecordView | undefined {
    this.assertReadable()
    const end = keyEnd(key)
    const record = this.engine.get(this.keyspaceId, keySource, 0, end, this.at)
    const isThere = record !== undefined && !this.#isExpired(record)
    if (this.cache !== undefined) this.cache.noteRead(keySource, 0, end, isThere)
    return isThere ? record : undefined
  }

  #isExpired(record: RecordView): boolean {
    const { expiresAt } = record
    return expiresAt !== 0 && expiresAt <= this.now()
  }
}

interface EntriesOptions {
  readonly limit: number | undefined
  readonly meter: ReadMeter
  readonly assertReadable: () => void
  readonly isExpired: (record: RecordView) => boolean
}

/** What a range hands out; an object with a method beats a generator by a third. */
class Entries implements IterableIterator<Entry> {
  readonly #records: Iterator<RecordView>
  readonly #options: EntriesOptions
  #left: number

  constructor(records: Iterable<RecordView>, options: EntriesOptions) {
    this.#records = records[Symbol.iterator]()
    this.#options = options
    this.#left = options.limit ?? Number.POSITIVE_INFINITY
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorResult<Entry> {
    if (this.#left === 0) return this.return()
    const { meter, assertReadable, isExpired } = this.#options
    assertReadable()
    const startedMs = meter.begin()
    for (;;) {
      const { done, value: record } = this.#records.next()
      if (!done && isExpired(record)) continue
      const entry = done ? undefined : copyEntry(record)
      if (startedMs !== notMeasured) meter.end(startedMs)
      if (entry === undefined) return this.return()
      this.#left--
      return { value: entry, done: false }
    }
  }

  return(): IteratorReturnResult<undefined> {
    this.#left = 0
    this.#records.return?.()
    return { value: undefined, done: true }
  }
}

const boundNames = ['gt', 'gte', 'lt', 'lte'] as const

export function toRange(options: RangeOptions, at: At): Range {
  checkOptions(options)
  const { prefix, reverse, limit } = options
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 0)) {
    throw storeErrors.bad_range({ problem: `limit is ${limit}: it must be a whole number from 0 on` })
  }
  const range: { -readonly [Name in keyof Range]: Range[Name] } = { at, reverse: reverse === true }
  for (const name of boundNames) {
    const bound = options[name]
    if (bound === undefined) continue
    if (prefix !== undefined) throw storeErrors.bad_range({ problem: `prefix and ${name} cannot both be given` })
    range[name] = toBytes(bound, name)
  }
  if (range.gt && range.gte) throw storeErrors.bad_range({ problem: 'gt and gte cannot both be given' })
  if (range.lt && range.lte) throw storeErrors.bad_range({ problem: 'lt and lte cannot both be given' })
  if (prefix !== undefined) {
    range.gte = toBytes(prefix, 'prefix')
    const end = prefixEnd(range.gte)
    if (end !== undefined) range.lt = end
  }
  return range
}
