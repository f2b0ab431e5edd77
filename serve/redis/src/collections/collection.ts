/**
 * One collection while a command works on it: its header, and its elements as keys of the store.
 *
 * What must hold: whoever has changed it calls `save` once, at the end; until the command's pending changes are
 * committed nothing is written.
 */

import { copyBytes, equalBytes, prefixEnd } from '@orbitkv/bytes'
import type { Range, RecordView } from '@orbitkv/engine'
import { type Call, CommandError, redisKeyspace, wrongType } from '../commands/command.ts'
import type { Arguments } from '../protocol/arguments.ts'
import type { Collections } from './collections.ts'
import { elementHeadBytes, elementOrder, generationStart, orderStart } from './element-keys.ts'
import { type Header, headerBytesList, headerBytesMax, headerBytesShort, readHeader, writeHeader } from './header.ts'
import { elementKeyspace } from './keyspaces.ts'
import { nth } from './nth.ts'

/** What tags say: a string is 0. */
export const hashTag = 1
export const listTag = 2
export const setTag = 3
export const sortedSetTag = 4
export const streamTag = 5

/** The header says so once it has outgrown what Redis keeps compactly: it stays so, as there. */
export const flagLarge = 1
/** Of a set: it has had a member that is no integer. */
export const flagNotIntegers = 2
/** Of a list: its positions have gaps, so that the n-th item has to be looked for. */
export const flagGaps = 4

const noBytes = new Uint8Array(0)

export class Collection implements Header {
  flags = 0
  generation = 0
  length = 0
  head = 0
  tail = 0
  state: Uint8Array = noBytes
  expiresAt = 0
  readonly tag: number
  readonly key: Uint8Array
  readonly #collections: Collections

  constructor(collections: Collections, tag: number, key: Uint8Array) {
    this.#collections = collections
    this.tag = tag
    this.key = key
  }

  /** The record of an element. */
  get(member: Uint8Array, start: number, end: number): RecordView | undefined {
    const { keys, pending } = this.#collections
    keys.element(this.generation, member, start, end)
    return pending.get(elementKeyspace, keys.bytes, 0, keys.end)
  }

  has(member: Uint8Array): boolean {
    return this.get(member, 0, member.length) !== undefined
  }

  put(member: Uint8Array, start: number, end: number, value: Uint8Array, valueStart: number, valueEnd: number): void {
    const { keys, pending } = this.#collections
    keys.element(this.generation, member, start, end)
    pending.put(elementKeyspace, keys.bytes, 0, keys.end, value, valueStart, valueEnd)
  }

  delete(member: Uint8Array, start: number, end: number): void {
    const { keys, pending } = this.#collections
    keys.element(this.generation, member, start, end)
    pending.delete(elementKeyspace, keys.bytes, 0, keys.end)
  }

  putScored(score: number, member: Uint8Array, start: number, end: number): void {
    const { keys, pending } = this.#collections
    keys.scored(this.generation, score, member, start, end)
    pending.put(elementKeyspace, keys.bytes, 0, keys.end, noBytes, 0, 0)
  }

  deleteScored(score: number, member: Uint8Array, start: number, end: number): void {
    const { keys, pending } = this.#collections
    keys.scored(this.generation, score, member, start, end)
    pending.delete(elementKeyspace, keys.bytes, 0, keys.end)
  }

  /** The key that a member has by its score, as bytes of the caller's own. */
  scoredKey(score: number, member: Uint8Array): Uint8Array {
    return this.#collections.keys.scored(this.generation, score, member, 0, member.length).copy()
  }

  /** The key of an element, as bytes of the caller's own. */
  elementKey(member: Uint8Array, order: number = elementOrder): Uint8Array {
    return this.#collections.keys.element(this.generation, member, 0, member.length, order).copy()
  }

  /** As `get`, for an element of another order. */
  getOf(order: number, member: Uint8Array): RecordView | undefined {
    const { keys, pending } = this.#collections
    keys.element(this.generation, member, 0, member.length, order)
    return pending.get(elementKeyspace, keys.bytes, 0, keys.end)
  }

  putOf(order: number, member: Uint8Array, value: Uint8Array): void {
    const { keys, pending } = this.#collections
    keys.element(this.generation, member, 0, member.length, order)
    pending.put(elementKeyspace, keys.bytes, 0, keys.end, value, 0, value.length)
  }

  deleteOf(order: number, member: Uint8Array): void {
    const { keys, pending } = this.#collections
    keys.element(this.generation, member, 0, member.length, order)
    pending.delete(elementKeyspace, keys.bytes, 0, keys.end)
  }

  /** All keys of an order, narrowed where `within` has bounds, which are whole keys. */
  bounds(order: number = elementOrder, within: Range = {}): Range {
    const first = orderStart(this.generation, order)
    const range: { -readonly [Name in keyof Range]: Range[Name] } = { ...within }
    if (range.gt === undefined && range.gte === undefined) range.gte = first
    const end = prefixEnd(first)
    if (range.lt === undefined && range.lte === undefined && end !== undefined) range.lt = end
    return range
  }

  /** Records in the order of their keys; those of an order, within bounds. Valid until the next step. */
  records(order: number = elementOrder, within: Range = {}): Iterable<RecordView> {
    return this.#collections.pending.range(elementKeyspace, this.bounds(order, within))
  }

  /** The records of all orders. */
  everything(): Iterable<RecordView> {
    const first = generationStart(this.generation)
    const end = prefixEnd(first)
    return this.#collections.pending.range(
      elementKeyspace,
      end === undefined ? { gte: first } : { gte: first, lt: end },
    )
  }

  count(order: number, within: Range): number {
    return this.#collections.pending.count(elementKeyspace, this.bounds(order, within))
  }

  /** The key of the n-th record of an order, from 0 on. */
  nthKey(order: number, place: number): Uint8Array {
    return nth(this, order, place)
  }

  /** Whether it has no key: a stream without entries has one. */
  get isGone(): boolean {
    return this.length === 0 && this.tag !== streamTag
  }

  /** A client that waits for something under the key may now find it, or never will. */
  wake(): void {
    this.#collections.onReady(this.key)
  }

  /** Writes the header, or takes the key away where nothing is left; clients that wait for an element look again. */
  save(): void {
    this.write()
    if (this.isGone) return
    if (this.tag === listTag || this.tag === sortedSetTag || this.tag === streamTag) this.wake()
  }

  /** As `save`, where there is nothing new for those who wait. */
  write(): void {
    const { pending } = this.#collections
    const { key } = this
    if (this.isGone) {
      pending.delete(redisKeyspace, key, 0, key.length)
      this.#collections.forgetExpiry(this.generation, this.expiresAt)
      return
    }
    const bytes = writeHeader(this)
    pending.put(redisKeyspace, key, 0, key.length, bytes, 0, headerBytesOf(this.tag), this.tag, this.expiresAt)
  }
}

function headerBytesOf(tag: number): number {
  if (tag === streamTag) return headerBytesMax
  return tag === listTag ? headerBytesList : headerBytesShort
}

/** A field, member or position: what comes after the head of an element's key, as bytes of the caller's own. */
export function memberOf({ bytes, keyStart, keyBytes }: RecordView, headBytes: number = elementHeadBytes): Uint8Array {
  const member = new Uint8Array(keyBytes - headBytes)
  copyBytes(member, 0, bytes, keyStart + headBytes, keyStart + keyBytes)
  return member
}

/** The collection under the key at a place; undefined where there is none. Another type is an error. */
export function findCollection(call: Call, place: number, tag: number): Collection | undefined {
  const { arguments: found, collections } = call
  const record = collections.pending.get(redisKeyspace, found.bytes, found.start(place), found.end(place))
  if (record === undefined) return undefined
  if (record.tag !== tag) throw new CommandError(wrongType)
  return collectionIn(call, record, call.arguments.copy(place))
}

/** As `findCollection` for commands that read, which count as hits and misses. */
export function readCollection(call: Call, place: number, tag: number): Collection | undefined {
  const collection = findCollection(call, place, tag)
  if (collection === undefined) call.server.stats.keyspaceMisses++
  else call.server.stats.keyspaceHits++
  return collection
}

/** The collection under the key at a place, a new one where there is none; `save` it once it has an element. */
export function openCollection(call: Call, place: number, tag: number): Collection {
  return findCollection(call, place, tag) ?? newCollection(call, call.arguments.copy(place), tag)
}

/** A new collection; what stands under the key is to be replaced by the caller (`replaceWith`). */
export function newCollection({ collections }: Pick<Call, 'collections'>, key: Uint8Array, tag: number): Collection {
  const collection = new Collection(collections, tag, key)
  collection.generation = collections.newGeneration()
  return collection
}

/** A collection as its record tells it. */
export function collectionIn(call: Call, record: RecordView, key: Uint8Array): Collection {
  const collection = new Collection(call.collections, record.tag, key)
  readHeader(record, collection)
  collection.expiresAt = record.expiresAt
  return collection
}

/** Saves a new collection over whatever stands under its key; without elements the key is taken away. */
export function replaceWith(call: Call, collection: Collection): void {
  const { collections } = call
  const { key } = collection
  collections.buryKey(key, 0, key.length)
  collections.pending.delete(redisKeyspace, key, 0, key.length)
  if (!collection.isGone) collection.save()
}

/** Whether two places among the arguments hold the same key. */
export function isSameKey(found: Arguments, a: number, b: number): boolean {
  return equalBytes(found.copy(a), found.copy(b))
}
