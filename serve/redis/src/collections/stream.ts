/**
 * Streams: entries by their ids, as elements of order 0; groups in orders 2 to 5 (stream-groups.ts). A stream without
 * entries stays. Its header goes on with
 *
 *   24 last id | 40 first id | 56 largest id that was deleted | 72 u64 entries ever added      (ids as in keys; big-endian)
 *
 * and an entry's value is its fields and values in turn:
 *
 *   0 u32 strings | { u8 length below 255, or 255 and u32 length | bytes } for each      (little-endian)
 *
 * What must hold: no entry lies before `firstId`, so that ranges need not step over those that were trimmed; it is that of an
 * entry, or 0 where there is none. Whoever has changed a stream calls `save` once, at the end; whoever has only changed
 * what is pending need not.
 */

import { copyBytes } from '@orbitkv/bytes'
import type { RecordView } from '@orbitkv/engine'
import type { Call } from '../commands/command.ts'
import type { Arguments } from '../protocol/arguments.ts'
import type { Scratch } from '../scratch.ts'
import { type Collection, findCollection, newCollection, readCollection, streamTag } from './collection.ts'
import { elementHeadBytes, elementOrder } from './element-keys.ts'
import { streamStateBytes } from './header.ts'
import { formatId, idBytes, idMax, idToBytes, readId, type StreamId, writeId } from './stream-ids.ts'

/** Entries from one id to another, both included. */
export interface EntryRange {
  readonly first: StreamId
  readonly last: StreamId
  readonly isReverse?: boolean
  readonly limit?: number
}

export const allEntries: EntryRange = { first: 0n, last: idMax }

/** What a stream has beside its length. */
export interface StreamState {
  lastId: StreamId
  firstId: StreamId
  /** Of those that were deleted one by one, not trimmed; 0 where there was none. */
  maxDeletedId: StreamId
  /** Ever. */
  entriesAdded: bigint
}

export class Stream implements StreamState {
  readonly collection: Collection
  lastId: StreamId = 0n
  firstId: StreamId = 0n
  maxDeletedId: StreamId = 0n
  entriesAdded = 0n

  constructor(collection: Collection) {
    this.collection = collection
    if (collection.state.length > 0) Object.assign(this, readState(collection.state))
  }

  get length(): number {
    return this.collection.length
  }

  /** Adds an entry behind all others, whose value is `value[0, end)`. */
  add(id: StreamId, value: Uint8Array, end: number): void {
    this.collection.put(idToBytes(id), 0, idBytes, value, 0, end)
    if (this.collection.length === 0) this.firstId = id
    this.collection.length++
    this.entriesAdded++
    this.lastId = id
  }

  has(id: StreamId): boolean {
    return this.collection.has(idToBytes(id))
  }

  /** Deletes an entry that is there; `settleFirst` is to be called after the last. */
  remove(id: StreamId): void {
    this.collection.delete(idToBytes(id), 0, idBytes)
    this.collection.length--
  }

  /** Finds the first entry again after some were removed. */
  settleFirst(): void {
    const first = this.firstId
    this.firstId = 0n
    if (this.length === 0) return
    for (const record of this.entries({ first, last: idMax, limit: 1 })) this.firstId = entryId(record)
  }

  /** Each record is valid until the next step. */
  entries({ isReverse = false, limit, ...range }: EntryRange): Iterable<RecordView> {
    const bounds = this.#bounds(range)
    if (bounds === undefined) return []
    const options = limit === undefined ? { reverse: isReverse } : { reverse: isReverse, limit }
    return this.collection.records(elementOrder, { ...bounds, ...options })
  }

  count({ limit = Number.POSITIVE_INFINITY, ...range }: EntryRange): number {
    const bounds = this.#bounds(range)
    return bounds === undefined ? 0 : Math.min(limit, this.collection.count(elementOrder, bounds))
  }

  #bounds({ first, last }: EntryRange): { gte: Uint8Array; lte: Uint8Array } | undefined {
    const start = first > this.firstId ? first : this.firstId
    if (this.length === 0 || start > last) return undefined
    return {
      gte: this.collection.elementKey(idToBytes(start)),
      lte: this.collection.elementKey(idToBytes(last)),
    }
  }

  /** Clients that wait are told of a new entry only: by `collection.wake`. */
  save(): void {
    this.store()
    this.collection.write()
  }

  /** Puts what it has of its own where the collection keeps it, for whoever saves that. */
  store(): void {
    const state = new Uint8Array(streamStateBytes)
    const view = new DataView(state.buffer)
    writeId(view, 0, this.lastId)
    writeId(view, idBytes, this.firstId)
    writeId(view, 2 * idBytes, this.maxDeletedId)
    view.setBigUint64(3 * idBytes, this.entriesAdded)
    this.collection.state = state
  }
}

export function readState(state: Uint8Array): StreamState {
  return {
    lastId: readId(state, 0),
    firstId: readId(state, idBytes),
    maxDeletedId: readId(state, 2 * idBytes),
    entriesAdded: new DataView(state.buffer, state.byteOffset).getBigUint64(3 * idBytes),
  }
}

export function findStream(call: Call, place: number): Stream | undefined {
  const collection = findCollection(call, place, streamTag)
  return collection === undefined ? undefined : new Stream(collection)
}

/** As `findStream` for commands that read, which count as hits and misses. */
export function readStream(call: Call, place: number): Stream | undefined {
  const collection = readCollection(call, place, streamTag)
  return collection === undefined ? undefined : new Stream(collection)
}

/** A new one; `save` it. */
export function newStream(call: Call, place: number): Stream {
  return new Stream(newCollection(call, call.arguments.copy(place), streamTag))
}

/** A counter of 64 bits as a reply, which has a sign: as in Redis, one that is larger shows as a negative number. */
export function replyCounter({ reply }: Call, value: bigint): void {
  reply.integer(BigInt.asIntN(64, value))
}

export function entryId({ bytes, keyStart }: RecordView): StreamId {
  return readId(bytes, keyStart + elementHeadBytes)
}

/** What tells that a length has 4 bytes of its own. */
const longMark = 255
const countBytes = 4
const lengthBytesMax = 5

/** The value of an entry made of the arguments from a place on, in the scratch memory; returns where it ends. */
export function packFields(found: Arguments, first: number, scratch: Scratch): number {
  let bytesMax = countBytes
  for (let place = first; place < found.count; place++) bytesMax += lengthBytesMax + found.length(place)
  const bytes = scratch.reserve(bytesMax)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setUint32(0, found.count - first, true)
  let offset = countBytes
  for (let place = first; place < found.count; place++) {
    const length = found.length(place)
    bytes[offset++] = Math.min(length, longMark)
    if (length >= longMark) {
      view.setUint32(offset, length, true)
      offset += 4
    }
    copyBytes(bytes, offset, found.bytes, found.start(place), found.end(place))
    offset += length
  }
  return offset
}

/** Tells each string of an entry's value; returns how many there are, or undefined where it is none. */
export function unpackFields(
  value: Uint8Array,
  start: number,
  end: number,
  each: (start: number, end: number) => void,
): number | undefined {
  if (end - start < countBytes) return undefined
  const view = new DataView(value.buffer, value.byteOffset)
  const count = view.getUint32(start, true)
  let offset = start + countBytes
  for (let i = 0; i < count; i++) {
    if (offset >= end) return undefined
    let length = value[offset++] as number
    if (length === longMark) {
      if (offset + 4 > end) return undefined
      length = view.getUint32(offset, true)
      offset += 4
    }
    if (offset + length > end) return undefined
    each(offset, offset + length)
    offset += length
  }
  return offset === end ? count : undefined
}

/** An entry as clients get it: its id, and its fields and values. */
export function replyEntry({ reply }: Call, record: RecordView): void {
  const { bytes, valueStart, valueBytes } = record
  reply.array(2)
  reply.bulkText(formatId(entryId(record)))
  reply.array(new DataView(bytes.buffer, bytes.byteOffset).getUint32(valueStart, true))
  unpackFields(bytes, valueStart, valueStart + valueBytes, (start, end) => reply.bulk(bytes, start, end))
}

/** The entry with an id, which is there. */
export function replyEntryOf(call: Call, stream: Stream, id: StreamId): void {
  for (const record of stream.entries({ first: id, last: id })) replyEntry(call, record)
}

export function replyEntries(call: Call, stream: Stream, range: EntryRange): void {
  call.reply.array(stream.count(range))
  for (const record of stream.entries(range)) replyEntry(call, record)
}
