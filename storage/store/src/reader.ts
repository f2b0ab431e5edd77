/**
 * Reads of one state of a store: what Store and Snapshot share.
 *
 * A reader never hands out an expired record. Values are copied, or lent inside a callback; the engine's bytes never
 * leave here.
 */

import { markAsUntransferable } from 'node:worker_threads'
import { copyBytes, encodeText, encodeTextInto, prefixEnd, utf8BytesPerCharMax } from '@orbitkv/bytes'
import { type At, copyKey, type Engine, type Keyspace, type Range, type RecordView } from '@orbitkv/engine'
import { storeErrors } from './errors.ts'
import type { Bytes, Entry, RangeOptions, Reader } from './types.ts'

const scratch = new Uint8Array(32 * 1024)
/** Where `keyEnd` found or put the key. */
let keySource: Uint8Array = scratch

/** Makes a key readable as `keySource[0, end)` without allocating for short text; returns its end. */
function keyEnd(key: Bytes): number {
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
function copyOut(record: RecordView): Uint8Array {
  const { bytes, valueStart, valueBytes } = record
  if (valueBytes > slabValueBytesMax) return bytes.slice(valueStart, valueStart + valueBytes)
  if (slabUsed + valueBytes > slabBytes) {
    slab = newSlab()
    slabView = new Uint8Array(slab)
    slabUsed = 0
  }
  const start = slabUsed
  copyBytes(slabView, start, bytes, valueStart, valueStart + valueBytes)
  slabUsed = (start + valueBytes + 7) & ~7
  return new Uint8Array(slab, start, valueBytes)
}

export abstract class StoreReader implements Reader {
  protected readonly engine: Engine
  protected readonly keyspaceId: Keyspace
  /** The state that reads see. */
  protected readonly at: At

  constructor(engine: Engine, keyspaceId: Keyspace, at: At) {
    this.engine = engine
    this.keyspaceId = keyspaceId
    this.at = at
  }

  /** Milliseconds since 1970 by which expiry is judged. */
  protected abstract now(): number
  /** Throws where it cannot be read any more. */
  protected abstract assertReadable(): void

  get(key: Bytes): Uint8Array | undefined {
    const record = this.#find(key)
    return record === undefined ? undefined : copyOut(record)
  }

  view<Result>(key: Bytes, use: (bytes: Uint8Array, offset: number, length: number) => Result): Result | undefined {
    const record = this.#find(key)
    return record === undefined ? undefined : use(record.bytes, record.valueStart, record.valueBytes)
  }

  async getAsync(key: Bytes): Promise<Uint8Array | undefined> {
    this.assertReadable()
    const end = keyEnd(key)
    const record = await this.engine.getAsync(this.keyspaceId, keySource.slice(0, end), this.at)
    return record === undefined || this.#isExpired(record) ? undefined : copyOut(record)
  }

  getMany(keys: readonly Bytes[]): (Uint8Array | undefined)[] {
    return keys.map((key) => this.get(key))
  }

  has(key: Bytes): boolean {
    return this.#find(key) !== undefined
  }

  *range(options: RangeOptions = {}): Iterable<Entry> {
    this.assertReadable()
    const range = toRange(options, this.at)
    let left = options.limit ?? Number.POSITIVE_INFINITY
    if (left === 0) return
    for (const record of this.engine.range(this.keyspaceId, range)) {
      if (this.#isExpired(record)) continue
      yield { key: copyKey(record), value: copyOut(record), revision: record.revision }
      if (--left === 0) return
      this.assertReadable()
    }
  }

  #find(key: Bytes): RecordView | undefined {
    this.assertReadable()
    const end = keyEnd(key)
    const record = this.engine.get(this.keyspaceId, keySource, 0, end, this.at)
    return record === undefined || this.#isExpired(record) ? undefined : record
  }

  #isExpired(record: RecordView): boolean {
    const { expiresAt } = record
    return expiresAt !== 0 && expiresAt <= this.now()
  }
}

const boundNames = ['gt', 'gte', 'lt', 'lte'] as const

function toRange(options: RangeOptions, at: At): Range {
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
