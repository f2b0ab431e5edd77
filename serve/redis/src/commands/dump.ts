/**
 * DUMP and RESTORE: a value of any type as bytes, in a form of our own.
 *
 *   0 u8 format, 1 | 1 u8 tag | 2 u32 parts | { u32 length, bytes } for each part | u32 crc32c of all before      (little-endian)
 *
 * Parts: a string is one; of a hash field and value, of a sorted set member and score (8 bytes) alternate; of a list and a
 * set each element is one; of a stream as collections/stream-dump.ts says. A payload is never believed further than its checksum: a value is built of it element by
 * element, as commands would.
 */

import { crc32c } from '@orbitkv/bytes'
import { copyValue, type RecordView } from '@orbitkv/engine'
import {
  type Collection,
  collectionIn,
  hashTag,
  listTag,
  memberOf,
  newCollection,
  replaceWith,
  setTag,
  sortedSetTag,
  streamTag,
} from '../collections/collection.ts'
import { putField } from '../collections/hash.ts'
import { pushItem } from '../collections/list-items.ts'
import { addMember } from '../collections/set.ts'
import { putScore, scoreOf } from '../collections/sorted-set.ts'
import { fillStream, streamParts } from '../collections/stream-dump.ts'
import { type Call, CommandError, lookUp, redisKeyspace, stringTag, syntaxError } from './command.ts'
import { clampTime, integerAt } from './options.ts'

const format = 1
const headBytes = 6
const sumBytes = 4
const badPayload = 'ERR DUMP payload version or checksum are wrong'

export function dump(call: Call): void {
  const { reply } = call
  const record = lookUp(call, 1)
  if (record === undefined) {
    reply.null()
    return
  }
  const { tag } = record
  const payload = encode(tag, tag === stringTag ? [copyValue(record)] : partsOf(call, record))
  reply.bulk(payload, 0, payload.length)
}

function partsOf(call: Call, record: RecordView): Uint8Array[] {
  const collection = collectionIn(call, record, call.arguments.copy(1))
  const { tag } = collection
  if (tag === streamTag) return streamParts(collection)
  const parts: Uint8Array[] = []
  for (const element of collection.records()) {
    if (tag !== listTag) parts.push(memberOf(element))
    if (tag !== setTag) parts.push(copyValue(element))
  }
  return parts
}

function encode(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const partBytes = parts.reduce((sum, part) => sum + 4 + part.length, 0)
  const payload = new Uint8Array(headBytes + partBytes + sumBytes)
  const view = new DataView(payload.buffer)
  payload[0] = format
  payload[1] = tag
  view.setUint32(2, parts.length, true)
  let offset = headBytes
  for (const part of parts) {
    view.setUint32(offset, part.length, true)
    payload.set(part, offset + 4)
    offset += 4 + part.length
  }
  view.setUint32(offset, crc32c(0, payload, 0, offset), true)
  return payload
}

function decode(payload: Uint8Array): { readonly tag: number; readonly parts: Uint8Array[] } {
  const end = payload.length - sumBytes
  if (end < headBytes || payload[0] !== format) throw new CommandError(badPayload)
  const view = new DataView(payload.buffer, payload.byteOffset)
  if (view.getUint32(end, true) !== crc32c(0, payload, 0, end)) throw new CommandError(badPayload)
  const parts: Uint8Array[] = []
  let offset = headBytes
  while (offset + 4 <= end) {
    const partEnd = offset + 4 + view.getUint32(offset, true)
    if (partEnd > end) throw new CommandError(badPayload)
    parts.push(payload.subarray(offset + 4, partEnd))
    offset = partEnd
  }
  if (offset !== end || parts.length !== view.getUint32(2, true)) throw new CommandError(badPayload)
  return { tag: payload[1] as number, parts }
}

export function restore(call: Call): void {
  const { arguments: found, collections, reply } = call
  let [replaces, isAbsolute] = [false, false]
  for (let place = 4; place < found.count; place++) {
    if (found.is(place, 'REPLACE')) replaces = true
    else if (found.is(place, 'ABSTTL')) isAbsolute = true
    else if ((found.is(place, 'IDLETIME') || found.is(place, 'FREQ')) && place + 1 < found.count)
      checkUse(call, ++place)
    else throw new CommandError(syntaxError)
  }
  if (!replaces && lookUp(call, 1) !== undefined) throw new CommandError('BUSYKEY Target key name already exists.')
  const ttl = BigInt(integerAt(call, 2))
  if (ttl < 0n) throw new CommandError('ERR Invalid TTL value, must be >= 0')
  const { tag, parts } = decode(found.copy(3))
  const at = isAbsolute ? ttl : ttl + BigInt(call.owner.now())
  const expiresAt = ttl === 0n ? 0 : clampTime(at)
  const key = found.copy(1)
  reply.ok()
  if (expiresAt !== 0 && expiresAt <= call.owner.now()) {
    collections.buryKey(key, 0, key.length)
    collections.pending.delete(redisKeyspace, key, 0, key.length)
  } else if (tag === stringTag) restoreString(call, key, parts, expiresAt)
  else restoreCollection(call, tag, key, parts, expiresAt)
}

/** Accepted for what Redis sends: neither the time nor the number of uses is kept. */
function checkUse(call: Call, place: number): void {
  const isIdleTime = call.arguments.is(place - 1, 'IDLETIME')
  const value = Number(integerAt(call, place))
  if (isIdleTime && value < 0) throw new CommandError('ERR Invalid IDLETIME value, must be >= 0')
  if (!isIdleTime && (value < 0 || value > 255))
    throw new CommandError('ERR Invalid FREQ value, must be >= 0 and <= 255')
}

function restoreString({ collections }: Call, key: Uint8Array, parts: readonly Uint8Array[], expiresAt: number): void {
  const [value] = parts
  if (value === undefined || parts.length > 1) throw new CommandError(badPayload)
  collections.buryKey(key, 0, key.length)
  collections.pending.put(redisKeyspace, key, 0, key.length, value, 0, value.length, stringTag, expiresAt)
}

function restoreCollection(
  call: Call,
  tag: number,
  key: Uint8Array,
  parts: readonly Uint8Array[],
  expiresAt: number,
): void {
  const collection = newCollection(call, key, tag)
  if (tag !== streamTag) fillCollection(collection, parts)
  else if (!fillStream(collection, parts)) throw new CommandError(badPayload)
  collection.expiresAt = expiresAt
  replaceWith(call, collection)
  call.collections.changeExpiry(collection.generation, 0, expiresAt, key, 0, key.length)
}

function fillCollection(collection: Collection, parts: readonly Uint8Array[]): void {
  const { tag } = collection
  const isPaired = tag === hashTag || tag === sortedSetTag
  const isKnown = isPaired || tag === listTag || tag === setTag
  if (!isKnown || parts.length === 0 || (isPaired && parts.length % 2 === 1)) throw new CommandError(badPayload)
  for (let place = 0; place < parts.length; place += isPaired ? 2 : 1) {
    addElement(collection, parts[place] as Uint8Array, parts[place + 1])
  }
}

function addElement(collection: Collection, element: Uint8Array, second: Uint8Array | undefined): void {
  const end = element.length
  if (collection.tag === listTag) pushItem(collection, false, element, 0, end)
  else if (collection.tag === setTag) addMember(collection, element, 0, end)
  else if (second === undefined) throw new CommandError(badPayload)
  else if (collection.tag === hashTag) putField(collection, element, 0, end, second, 0, second.length)
  else {
    if (second.length !== 8) throw new CommandError(badPayload)
    const score = new DataView(second.buffer, second.byteOffset).getFloat64(0, true)
    if (Number.isNaN(score)) throw new CommandError(badPayload)
    putScore(collection, element, 0, end, score, scoreOf(collection, element, 0, end))
  }
}
