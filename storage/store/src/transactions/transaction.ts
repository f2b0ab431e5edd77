/**
 * One attempt of a transaction: the reads and writes of its function, over one state.
 *
 * What must hold: all reads see the state at `at`, judge expiry by one `now`, and are noted in `touched` and `ranges`, so that
 * `conflict` can say whether they would give the same now. Nothing reaches the store from here: transactions.ts does that.
 */

import { type At, copyKey, type Engine, type Keyspace, latest, type Range, type RecordView } from '@orbitkv/engine'
import { storeErrors } from '../errors.ts'
import type { Reading } from '../keyspaces/reading.ts'
import { defaultKeyspace } from '../keyspaces.ts'
import { checkArray, checkFunction, checkOptions, leaseOf } from '../options.ts'
import { notMeasured, type ReadMeter } from '../read-meter.ts'
import { copyOut, keyEnd, keySource, keysAtOnce, toBytes, toRange } from '../reader.ts'
import type { Bytes, Entry, ExpiryOptions, RangeOptions } from '../types.ts'
import { OwnMerge } from './own-merge.ts'
import { holdRecord } from './own-record.ts'
import { RangeRead } from './range-read.ts'
import type { Touched } from './touched.ts'
import { type Transaction, transactionLimits } from './types.ts'

/** What a transaction needs of its store. */
export interface TransactionSource {
  readonly engine: Engine
  readonly meter: ReadMeter
  /** The time at which a ttl given now ends; throws for a bad one. */
  expiry(ttl: number | undefined): number
  /** Throws once the store is closed. */
  assertOpen(): void
}

export interface StoreTransactionOptions {
  readonly source: TransactionSource
  /** Empty. */
  readonly touched: Touched
  /** The revision that is published as it begins. */
  readonly base: number
  /** What it reads: `base`, or `latest` where nothing can come between its reads and its commit. */
  readonly at: At
  readonly now: number
  readonly readOnly: boolean
}

type TransactionReading = Pick<Reading<unknown, unknown>, 'engine' | 'state'>

export class StoreTransaction implements Transaction {
  readonly base: number
  at: At
  readonly touched: Touched
  readonly #source: TransactionSource
  readonly #now: number
  readonly #readOnly: boolean
  #ranges: RangeRead[] | undefined
  /** It saw a record that expires: then time alone may change what a read gives. */
  #sawExpiry = false
  #isEnded = false
  #lostIn = -1

  constructor({ source, touched, base, at, now, readOnly }: StoreTransactionOptions) {
    this.#source = source
    this.touched = touched
    this.base = base
    this.at = at
    this.#now = now
    this.#readOnly = readOnly
  }

  // ---- for its user

  get(key: Bytes): Uint8Array | undefined {
    const { meter } = this.#source
    const startedMs = meter.begin()
    const record = this.#find(key)
    const value = record === undefined ? undefined : copyOut(record)
    if (startedMs !== notMeasured) meter.end(startedMs)
    return value
  }

  view<Result>(key: Bytes, use: (bytes: Uint8Array, offset: number, length: number) => Result): Result | undefined {
    checkFunction(use, 'what a view is for')
    const { meter } = this.#source
    const startedMs = meter.begin()
    const record = this.#find(key)
    if (startedMs !== notMeasured) meter.end(startedMs)
    return record === undefined ? undefined : use(record.bytes, record.valueStart, record.valueBytes)
  }

  async getAsync(key: Bytes): Promise<Uint8Array | undefined> {
    const end = keyEnd(key)
    const record = await this.findAsync(defaultKeyspace, keySource.slice(0, end))
    return record === undefined ? undefined : copyOut(record)
  }

  getMany(keys: readonly Bytes[]): (Uint8Array | undefined)[] {
    checkArray(keys, 'keys')
    const { meter } = this.#source
    const startedMs = meter.beginLong()
    const values = keys.map((key) => this.get(key))
    meter.end(startedMs)
    return values
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

  has(key: Bytes): boolean {
    const { meter } = this.#source
    const startedMs = meter.begin()
    const isThere = this.#find(key) !== undefined
    if (startedMs !== notMeasured) meter.end(startedMs)
    return isThere
  }

  async hasAsync(key: Bytes): Promise<boolean> {
    return (await this.getAsync(key)) !== undefined
  }

  *range(options: RangeOptions = {}): Iterable<Entry> {
    const range = toRange(options, this.at)
    let left = options.limit ?? Number.POSITIVE_INFINITY
    this.#assertReadable()
    if (left === 0) return
    const { meter } = this.#source
    let startedMs = meter.begin()
    for (const record of this.records(defaultKeyspace, range)) {
      const entry = entryOf(record)
      if (startedMs !== notMeasured) meter.end(startedMs)
      yield entry
      if (--left === 0) return
      startedMs = meter.begin()
    }
    if (startedMs !== notMeasured) meter.end(startedMs)
  }

  async *rangeAsync(options: RangeOptions = {}): AsyncIterable<Entry> {
    const range = toRange(options, this.at)
    let left = options.limit ?? Number.POSITIVE_INFINITY
    this.#assertReadable()
    if (left === 0) return
    for await (const record of this.recordsAsync(defaultKeyspace, range)) {
      yield entryOf(record)
      if (--left === 0) return
    }
  }

  put(key: Bytes, value: Bytes, options: ExpiryOptions = {}): void {
    checkOptions(options)
    const valueBytes = toBytes(value, 'a value')
    const expiresAt = this.#source.expiry(options.ttl)
    const end = keyEnd(key)
    this.write(defaultKeyspace, keySource, 0, end, valueBytes, expiresAt, leaseOf(options))
  }

  delete(key: Bytes): void {
    const end = keyEnd(key)
    this.write(defaultKeyspace, keySource, 0, end, undefined, 0, 0)
  }

  // ---- records of any keyspace

  #find(key: Bytes): RecordView | undefined {
    const end = keyEnd(key)
    return this.find(defaultKeyspace, keySource, 0, end)
  }

  /** The record that the transaction sees, of its own write first; valid until the next call. */
  find(keyspace: Keyspace, key: Uint8Array, start: number, end: number): RecordView | undefined {
    this.#assertReadable()
    const { touched } = this
    const entry = this.#readOnly ? -1 : touched.entry(keyspace, key, start, end)
    if (touched.writes > 0) {
      const own = touched.written(entry)
      if (own !== undefined) return own === 'deleted' ? undefined : own
    }
    return this.#see(entry, this.#source.engine.get(keyspace, key, start, end, this.at))
  }

  /** As `find`, without ever stalling the event loop on a cold page; its record is the caller's own. */
  async findAsync(keyspace: Keyspace, key: Uint8Array): Promise<RecordView | undefined> {
    // What runs alone has its answer before anything else may come.
    if (this.at === latest) {
      const record = this.find(keyspace, key, 0, key.length)
      return record === undefined ? undefined : holdRecord(record)
    }
    this.#assertReadable()
    const { touched } = this
    const entry = this.#readOnly ? -1 : touched.entry(keyspace, key, 0, key.length)
    const own = touched.writes > 0 ? touched.written(entry) : undefined
    if (own !== undefined) return own === 'deleted' ? undefined : holdRecord(own)
    const record = await this.#source.engine.getAsync(keyspace, key, this.at)
    this.#assertUsable()
    return this.#see(entry, record)
  }

  /** Notes what was found of a key; undefined where it has expired. */
  #see(entry: number, record: RecordView | undefined): RecordView | undefined {
    let isLive = record !== undefined
    if (record !== undefined && record.expiresAt !== 0) {
      this.#sawExpiry = true
      isLive = record.expiresAt > this.#now
    }
    if (!this.#readOnly) this.touched.noteSeen(entry, isLive)
    return isLive ? record : undefined
  }

  /** The records of a range that the transaction sees, its own writes in their places; each valid until the next step. */
  *records(keyspace: Keyspace, range: Range): Generator<RecordView, void, void> {
    this.#assertReadable()
    const held = holdBounds(range, this.at)
    const cursor = this.#source.engine.range(keyspace, held)[Symbol.iterator]()
    const read = new RangeRead(keyspace, held, cursor)
    if (!this.#readOnly) this.#noteRange(read)
    const merge = new OwnMerge(this.touched, keyspace, held)
    try {
      for (;;) {
        let record = this.#nextLive(cursor, read)
        let isHeld = false
        for (let own = merge.before(record); own !== undefined; own = merge.before(record)) {
          // What is handed out after others have had their turn must not be the engine's: it is gone with the next append.
          if (record !== undefined && !isHeld) record = holdRecord(record)
          isHeld = true
          yield own
          this.#assertUsable()
        }
        if (record === undefined) return
        const seen = merge.instead(record)
        if (seen !== undefined) yield seen
      }
    } finally {
      read.close()
    }
  }

  /** As `records`, without ever stalling the event loop on a cold page; its records are the caller's own. */
  async *recordsAsync(keyspace: Keyspace, range: Range): AsyncGenerator<RecordView, void, void> {
    // Once it awaits, nothing runs alone any more: it goes on at its base, or has lost and is to run again.
    if (this.at === latest) await undefined
    this.#assertReadable()
    const held = holdBounds(range, this.at)
    const read = new RangeRead(keyspace, held)
    if (!this.#readOnly) this.#noteRange(read)
    const merge = new OwnMerge(this.touched, keyspace, held)
    for await (const record of this.#source.engine.rangeAsync(keyspace, held)) {
      this.#assertReadable()
      if (!this.#noteLive(record, read)) continue
      for (let own = merge.before(record); own !== undefined; own = merge.before(record)) {
        yield holdRecord(own)
        this.#assertUsable()
      }
      const seen = merge.instead(record)
      if (seen === undefined) continue
      yield seen === record ? record : holdRecord(seen)
      this.#assertUsable()
    }
    this.#assertUsable()
    read.noteEnd()
    for (let own = merge.before(undefined); own !== undefined; own = merge.before(undefined)) {
      yield holdRecord(own)
      this.#assertUsable()
    }
  }

  /** Puts a value, or deletes where there is none. The bytes are read before it returns. */
  write(
    keyspace: Keyspace,
    key: Uint8Array,
    start: number,
    end: number,
    value: Uint8Array | undefined,
    expiresAt: number,
    lease: number,
  ): void {
    this.#assertUsable()
    if (this.#readOnly) throw storeErrors.transaction_read_only()
    const { touched } = this
    const entry = touched.entry(keyspace, key, start, end)
    if (value === undefined) touched.delete(entry)
    else touched.put(entry, value, expiresAt, lease)
  }

  /** The keys of a keyspace that were written so far. */
  writtenIn(keyspace: Keyspace): Uint8Array[] {
    const { touched } = this
    if (touched.writes === 0) return []
    return touched
      .sortedWrites()
      .filter((entry) => touched.keyspaceOf(entry) === keyspace)
      .map((entry) => touched.copyKey(entry))
  }

  #noteRange(read: RangeRead): void {
    this.#ranges ??= []
    const { rangesMax } = transactionLimits
    if (this.#ranges.length >= rangesMax) {
      throw storeErrors.transaction_too_large({ size: rangesMax + 1, unit: 'ranges', max: rangesMax })
    }
    this.#ranges.push(read)
  }

  #nextLive(cursor: Iterator<RecordView>, read: RangeRead): RecordView | undefined {
    for (;;) {
      this.#assertReadable()
      const step = cursor.next()
      if (step.done === true) {
        read.noteEnd()
        return undefined
      }
      if (this.#noteLive(step.value, read)) return step.value
    }
  }

  /** Notes a record of a range; false where it has expired. */
  #noteLive(record: RecordView, read: RangeRead): boolean {
    if (record.expiresAt !== 0) {
      this.#sawExpiry = true
      if (record.expiresAt <= this.#now) return false
    }
    if (!this.#readOnly) {
      read.note(record)
      this.touched.countRead()
    }
    return true
  }

  #assertUsable(): void {
    if (this.#isEnded) throw storeErrors.transaction_ended()
    if (this.#lostIn >= 0) throw storeErrors.transaction_conflict({ attempts: 1 })
    this.#source.assertOpen()
  }

  #assertReadable(): void {
    this.#assertUsable()
    const { at } = this
    const { oldestRevision } = this.#source.engine
    if (at !== latest && at < oldestRevision) {
      throw storeErrors.transaction_too_old({ revision: at, oldest: oldestRevision })
    }
  }

  isOf(engine: Engine): boolean {
    return this.#source.engine === engine
  }

  /** What the readers of a typed keyspace need to read from it. */
  get reading(): TransactionReading {
    return {
      engine: {
        get: (keyspace, key, start, end) => this.find(keyspace, key, start, end),
        getAsync: (keyspace, key) => this.findAsync(keyspace, key),
        range: (keyspace, range) => this.records(keyspace, range),
        rangeAsync: (keyspace, range) => this.recordsAsync(keyspace, range),
      },
      state: { at: this.at, now: () => this.#now, assertReadable: () => this.#assertReadable() },
    }
  }

  // ---- for transactions.ts

  get isWriting(): boolean {
    return this.touched.writes > 0
  }

  get hasOpenRange(): boolean {
    return this.#ranges?.some(({ isOpen }) => isOpen) === true
  }

  /** The lane in which it lost, because others changed what it read; -1 while it has not. */
  get lostIn(): number {
    return this.#lostIn
  }

  /** From now on it is in vain, and takes no more calls. */
  lose(lane: number): void {
    this.#lostIn = lane
  }

  /** Takes no more calls from now on. */
  end(): void {
    this.#isEnded = true
    if (this.#ranges !== undefined) for (const read of this.#ranges) read.close()
  }

  /**
   * The lane (retries.ts) of a read that gives something else with `now` as the present, or -1: then the transaction is as if it
   * had run at this moment. `unsound` leaves a part out, for tests that must notice.
   */
  changed(now: number, unsound?: 'keys' | 'ranges'): number {
    const { touched, base } = this
    const { engine } = this.#source
    if (engine.appendedRevision === base && !this.#sawExpiry) return -1
    const entry = touched.firstSeenNot((keyspace, bytes, start, end, wasPresent) => {
      const record = engine.get(keyspace, bytes, start, end, latest)
      if (record === undefined || (record.expiresAt !== 0 && record.expiresAt <= now)) return !wasPresent
      return wasPresent && record.revision <= base
    })
    if (entry >= 0 && unsound !== 'keys') return touched.laneOf(entry)
    if (this.#ranges === undefined || unsound === 'ranges') return -1
    for (const read of this.#ranges) {
      const lane = read.conflict(engine, base, now)
      if (lane >= 0) return lane
    }
    return -1
  }
}

/** The range at a state, with bounds that the caller cannot change: it is walked again in the end. */
function holdBounds({ gt, gte, lt, lte, reverse }: Range, at: At): Range {
  return {
    ...(gt === undefined ? {} : { gt: gt.slice() }),
    ...(gte === undefined ? {} : { gte: gte.slice() }),
    ...(lt === undefined ? {} : { lt: lt.slice() }),
    ...(lte === undefined ? {} : { lte: lte.slice() }),
    reverse: reverse === true,
    at,
  }
}

function entryOf(record: RecordView): Entry {
  return { key: copyKey(record), value: copyOut(record), revision: record.revision }
}
