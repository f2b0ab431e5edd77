/**
 * Groups of a stream: who has read up to where, and which entries were given to whom and not acknowledged yet. All of it are
 * elements of the stream, so that it goes with it, and an entry of a large group is touched alone:
 *
 *   order 2 | group                    a group: last id given | i64 entries read, -1 where that is not known
 *   order 3 | group | consumer         a consumer: u64 time at which it was last seen
 *   order 4 | group | id               a pending entry: u64 time of delivery | u64 deliveries | consumer
 *   order 5 | group | consumer | id    the same once more, by its consumer: nothing
 *
 * Ids as in keys; big-endian. A name that something follows has its length ahead, in 2 bytes.
 *
 * What must hold: a pending entry is written and deleted in both orders together, and its group and consumer are there.
 * The entry itself may have been deleted from the stream meanwhile.
 */

import { assert } from '@orbitkv/base'
import { prefixEnd } from '@orbitkv/bytes'
import { copyKey, copyValue, type Range, type RecordView } from '@orbitkv/engine'
import { type Collection, memberOf } from './collection.ts'
import { elementHeadBytes } from './element-keys.ts'
import type { Stream } from './stream.ts'
import { idBytes, idMax, idToBytes, readId, type StreamId, writeId } from './stream-ids.ts'

export const groupOrder = 2
export const consumerOrder = 3
export const pendingOrder = 4
export const ownedOrder = 5

/** Of a group that does not know how many entries it has read. */
export const unknownReads = -1n
export const groupValueBytes = idBytes + 8
export const consumerValueBytes = 8
/** What comes ahead of the consumer in the value of a pending entry. */
export const pendingHeadBytes = 16
const nameHeadBytes = 2

/**
 * Pending entries that are read ahead of whoever goes through them: few at first, and twice as many each time, since what was
 * changed in between has to be sorted before the next can be read.
 */
const readAheadMin = 128
const readAheadMax = 65_536
const nothing = new Uint8Array(0)

/** An entry that was given to a consumer and not acknowledged. */
export interface Pending {
  readonly id: StreamId
  readonly consumer: Uint8Array
  readonly deliveredAt: number
  readonly deliveries: bigint
}

export interface Consumer {
  readonly name: Uint8Array
  readonly seenAt: number
}

export class Group {
  readonly stream: Stream
  readonly name: Uint8Array
  lastId: StreamId
  /** Of all entries that were ever added, how many up to `lastId`. */
  entriesRead: bigint
  readonly #collection: Collection

  constructor(stream: Stream, name: Uint8Array, lastId: StreamId, entriesRead: bigint) {
    this.stream = stream
    this.name = name
    this.lastId = lastId
    this.entriesRead = entriesRead
    this.#collection = stream.collection
  }

  save(): void {
    const value = new Uint8Array(groupValueBytes)
    const view = new DataView(value.buffer)
    writeId(view, 0, this.lastId)
    view.setBigInt64(idBytes, this.entriesRead)
    this.#collection.putOf(groupOrder, this.name, value)
  }

  /** How many records it takes, with its consumers and what they have pending. */
  countRecords(): number {
    return 1 + this.countConsumers() + 2 * this.countPending()
  }

  /** Deletes it with its consumers and what they have pending. */
  delete(): void {
    const head = withLength(this.name)
    for (const order of [consumerOrder, pendingOrder, ownedOrder]) {
      const members = Array.from(this.#collection.records(order, this.#within(order, head)), (record) =>
        memberOf(record),
      )
      for (const member of members) this.#collection.deleteOf(order, member)
    }
    this.#collection.deleteOf(groupOrder, this.name)
  }

  // ---- consumers

  *consumers(): Iterable<Consumer> {
    const head = withLength(this.name)
    for (const record of this.#collection.records(consumerOrder, this.#within(consumerOrder, head))) {
      yield { name: memberOf(record, elementHeadBytes + head.length), seenAt: timeIn(record) }
    }
  }

  countConsumers(): number {
    return this.#collection.count(consumerOrder, this.#within(consumerOrder, withLength(this.name)))
  }

  hasConsumer(name: Uint8Array): boolean {
    return this.#collection.getOf(consumerOrder, consumerMember(this.name, name)) !== undefined
  }

  /** A consumer was here; where it is new, it is made. */
  seeConsumer(name: Uint8Array, now: number): void {
    const value = new Uint8Array(consumerValueBytes)
    new DataView(value.buffer).setBigUint64(0, BigInt(now))
    this.#collection.putOf(consumerOrder, consumerMember(this.name, name), value)
  }

  /** Deletes a consumer with what it has pending; returns how much that was. */
  deleteConsumer(name: Uint8Array): number {
    const ids = [...this.#ownedIds(name, 0n)]
    for (const id of ids) this.#deletePending(id, name)
    this.#collection.deleteOf(consumerOrder, consumerMember(this.name, name))
    return ids.length
  }

  // ---- pending entries

  pending(id: StreamId): Pending | undefined {
    const record = this.#collection.getOf(pendingOrder, pendingMember(this.name, id))
    return record === undefined ? undefined : pendingIn(id, record)
  }

  /** `old` is what was pending under the id. */
  putPending(pending: Pending, old: Pending | undefined): void {
    const { id, consumer, deliveredAt, deliveries } = pending
    const value = new Uint8Array(pendingHeadBytes + consumer.length)
    const view = new DataView(value.buffer)
    view.setBigUint64(0, BigInt(deliveredAt))
    view.setBigUint64(8, deliveries)
    value.set(consumer, pendingHeadBytes)
    this.#collection.putOf(pendingOrder, pendingMember(this.name, id), value)
    const isSame = old !== undefined && Buffer.compare(old.consumer, consumer) === 0
    if (isSame) return
    if (old !== undefined) this.#collection.deleteOf(ownedOrder, ownedMember(this.name, old.consumer, id))
    this.#collection.putOf(ownedOrder, ownedMember(this.name, consumer, id), nothing)
  }

  deletePending({ id, consumer }: Pending): void {
    this.#deletePending(id, consumer)
  }

  #deletePending(id: StreamId, consumer: Uint8Array): void {
    this.#collection.deleteOf(pendingOrder, pendingMember(this.name, id))
    this.#collection.deleteOf(ownedOrder, ownedMember(this.name, consumer, id))
  }

  countPending(): number {
    return this.#collection.count(pendingOrder, this.#within(pendingOrder, withLength(this.name)))
  }

  /** What a consumer has pending from an id on. */
  countOwned(consumer: Uint8Array, first: StreamId = 0n): number {
    return this.#collection.count(ownedOrder, this.#between(ownedOrder, ownedHead(this.name, consumer), first, idMax))
  }

  /** Pending entries from an id on; whoever goes through them may change them. */
  *pendings(first: StreamId, last: StreamId = idMax): Iterable<Pending> {
    const head = withLength(this.name)
    yield* this.#ahead(pendingOrder, head, first, last, pendingIn)
  }

  /** As `pendings`, those of one consumer. */
  *owned(consumer: Uint8Array, first: StreamId, last: StreamId = idMax): Iterable<Pending> {
    for (const id of this.#ownedIds(consumer, first, last)) {
      const pending = this.pending(id)
      assert(pending !== undefined, 'what a consumer has pending its group has, too')
      yield pending
    }
  }

  #ownedIds(consumer: Uint8Array, first: StreamId, last: StreamId = idMax): Iterable<StreamId> {
    return this.#ahead(ownedOrder, ownedHead(this.name, consumer), first, last, (id) => id)
  }

  /** The first or the last id that is pending; undefined where there is none. */
  pendingEdge(isReverse: boolean): StreamId | undefined {
    const bounds = this.#within(pendingOrder, withLength(this.name))
    for (const record of this.#collection.records(pendingOrder, { ...bounds, reverse: isReverse, limit: 1 })) {
      return lastIdIn(record)
    }
    return undefined
  }

  /** What `read` makes of the records that end in an id, some at a time, so that others may be read and changed in between. */
  *#ahead<Item>(
    order: number,
    head: Uint8Array,
    first: StreamId,
    last: StreamId,
    read: (id: StreamId, record: RecordView) => Item,
  ): Iterable<Item> {
    let limit = readAheadMin
    for (let from = first; from <= last; ) {
      const items: Item[] = []
      const bounds = this.#between(order, head, from, last)
      for (const record of this.#collection.records(order, { ...bounds, limit })) {
        const id = lastIdIn(record)
        items.push(read(id, record))
        from = id + 1n
      }
      yield* items
      if (items.length < limit) return
      limit = Math.min(2 * limit, readAheadMax)
    }
  }

  #between(order: number, head: Uint8Array, first: StreamId, last: StreamId): Range {
    return {
      gte: this.#collection.elementKey(join(head, idToBytes(first)), order),
      lte: this.#collection.elementKey(join(head, idToBytes(last)), order),
    }
  }

  /** Every key that begins with the head. */
  #within(order: number, head: Uint8Array): Range {
    const first = this.#collection.elementKey(head, order)
    const end = prefixEnd(first)
    return end === undefined ? { gte: first } : { gte: first, lt: end }
  }
}

export function findGroup(stream: Stream, name: Uint8Array): Group | undefined {
  const record = stream.collection.getOf(groupOrder, name)
  return record === undefined ? undefined : groupIn(stream, name, record)
}

export function groupsOf(stream: Stream): Group[] {
  return Array.from(stream.collection.records(groupOrder), (record) => groupIn(stream, memberOf(record), record))
}

export function countGroups(stream: Stream): number {
  return stream.collection.count(groupOrder, {})
}

function groupIn(stream: Stream, name: Uint8Array, record: RecordView): Group {
  const value = copyValue(record)
  const entriesRead = new DataView(value.buffer, value.byteOffset).getBigInt64(idBytes)
  return new Group(stream, name, readId(value, 0), entriesRead)
}

function pendingIn(id: StreamId, record: RecordView): Pending {
  const value = copyValue(record)
  return {
    id,
    deliveredAt: timeIn(record),
    deliveries: new DataView(value.buffer, value.byteOffset).getBigUint64(8),
    consumer: value.slice(pendingHeadBytes),
  }
}

/** The time with which a value begins. */
function timeIn({ bytes, valueStart }: RecordView): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(valueStart))
}

/** The id with which a key ends. */
function lastIdIn(record: RecordView): StreamId {
  return readId(copyKey(record), record.keyBytes - idBytes)
}

// ---- keys

export function consumerMember(group: Uint8Array, consumer: Uint8Array): Uint8Array {
  return join(withLength(group), consumer)
}

export function pendingMember(group: Uint8Array, id: StreamId): Uint8Array {
  return join(withLength(group), idToBytes(id))
}

function ownedMember(group: Uint8Array, consumer: Uint8Array, id: StreamId): Uint8Array {
  return join(ownedHead(group, consumer), idToBytes(id))
}

function ownedHead(group: Uint8Array, consumer: Uint8Array): Uint8Array {
  return join(withLength(group), withLength(consumer))
}

function withLength(name: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(nameHeadBytes + name.length)
  new DataView(bytes.buffer).setUint16(0, name.length)
  bytes.set(name, nameHeadBytes)
  return bytes
}

/** The name at the beginning of a member, with what follows it; undefined where there is none. */
export function splitName(member: Uint8Array): readonly [name: Uint8Array, rest: Uint8Array] | undefined {
  if (member.length < nameHeadBytes) return undefined
  const end = nameHeadBytes + new DataView(member.buffer, member.byteOffset).getUint16(0)
  return end > member.length ? undefined : [member.subarray(nameHeadBytes, end), member.subarray(end)]
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}
