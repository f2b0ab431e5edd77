/** What the commands on hashes do; their rows are in commands/hashes.ts. A field is an element, its value the value. */

import type { RecordView } from '@orbitkv/engine'
import { scanCollection } from '../commands/collections.ts'
import { type Call, CommandError, syntaxError } from '../commands/command.ts'
import { integerAt, numberAt } from '../commands/options.ts'
import { addExtended, extendedCharsMax, formatExtended, parseExtended, zero } from '../protocol/extended.ts'
import { addIntegers, int64CharsMax, parseInteger, writeAscii, writeInteger } from '../protocol/numbers.ts'
import { latin1 } from '../protocol/text.ts'
import {
  type Collection,
  findCollection,
  flagLarge,
  hashTag,
  memberOf,
  openCollection,
  readCollection,
} from './collection.ts'
import { elementHeadBytes } from './element-keys.ts'
import { randomPlaces, replyRandom } from './random-places.ts'

/** What Redis keeps compactly, for OBJECT ENCODING. */
const compactFieldsMax = 512
const compactBytesMax = 64

/** Puts a field; returns whether it is new. */
export function putField(
  hash: Collection,
  field: Uint8Array,
  fieldStart: number,
  fieldEnd: number,
  value: Uint8Array,
  valueStart: number,
  valueEnd: number,
): boolean {
  const isNew = hash.get(field, fieldStart, fieldEnd) === undefined
  hash.put(field, fieldStart, fieldEnd, value, valueStart, valueEnd)
  if (isNew) hash.length++
  const isLong = fieldEnd - fieldStart > compactBytesMax || valueEnd - valueStart > compactBytesMax
  if (isLong || hash.length > compactFieldsMax) hash.flags |= flagLarge
  return isNew
}

export function hset(call: Call): void {
  call.reply.integer(setFields(call))
}

export function hmset(call: Call): void {
  setFields(call)
  call.reply.ok()
}

function setFields(call: Call): number {
  const { arguments: found } = call
  if (found.count % 2 === 1) {
    throw new CommandError(`ERR wrong number of arguments for '${call.session.lastCommand?.fullName}' command`)
  }
  const hash = openCollection(call, 1, hashTag)
  let added = 0
  for (let place = 2; place < found.count; place += 2) if (putArgument(call, hash, place, place + 1)) added++
  hash.save()
  return added
}

function putArgument({ arguments: found }: Call, hash: Collection, field: number, value: number): boolean {
  const { bytes } = found
  return putField(hash, bytes, found.start(field), found.end(field), bytes, found.start(value), found.end(value))
}

export function hsetnx(call: Call): void {
  const { arguments: found, reply } = call
  const hash = openCollection(call, 1, hashTag)
  const isNew = fieldAt(call, hash, 2) === undefined
  reply.integer(isNew ? 1 : 0)
  if (!isNew) return
  putArgument(call, hash, 2, found.count - 1)
  hash.save()
}

/** The record of the field that an argument names. */
function fieldAt({ arguments: found }: Call, hash: Collection, place: number): RecordView | undefined {
  return hash.get(found.bytes, found.start(place), found.end(place))
}

export function hget(call: Call): void {
  const hash = readCollection(call, 1, hashTag)
  replyField(call, hash === undefined ? undefined : fieldAt(call, hash, 2))
}

export function hmget(call: Call): void {
  const { arguments: found, reply } = call
  const hash = readCollection(call, 1, hashTag)
  reply.array(found.count - 2)
  for (let place = 2; place < found.count; place++) {
    replyField(call, hash === undefined ? undefined : fieldAt(call, hash, place))
  }
}

function replyField({ reply }: Call, record: RecordView | undefined): void {
  if (record === undefined) reply.null()
  else reply.bulk(record.bytes, record.valueStart, record.valueStart + record.valueBytes)
}

export function hdel(call: Call): void {
  const { arguments: found, reply } = call
  const hash = findCollection(call, 1, hashTag)
  let deleted = 0
  for (let place = 2; hash !== undefined && place < found.count; place++) {
    if (fieldAt(call, hash, place) === undefined) continue
    hash.delete(found.bytes, found.start(place), found.end(place))
    deleted++
  }
  reply.integer(deleted)
  if (hash === undefined || deleted === 0) return
  hash.length -= deleted
  hash.save()
}

export function hlen(call: Call): void {
  call.reply.integer(readCollection(call, 1, hashTag)?.length ?? 0)
}

export function hstrlen(call: Call): void {
  const hash = readCollection(call, 1, hashTag)
  call.reply.integer(hash === undefined ? 0 : (fieldAt(call, hash, 2)?.valueBytes ?? 0))
}

export function hexists(call: Call): void {
  const hash = readCollection(call, 1, hashTag)
  call.reply.integer(hash !== undefined && fieldAt(call, hash, 2) !== undefined ? 1 : 0)
}

export function hgetall(call: Call): void {
  const hash = readCollection(call, 1, hashTag)
  call.reply.map(hash?.length ?? 0)
  replyAll(call, hash, true, true)
}

export function hkeys(call: Call): void {
  const hash = readCollection(call, 1, hashTag)
  call.reply.array(hash?.length ?? 0)
  replyAll(call, hash, true, false)
}

export function hvals(call: Call): void {
  const hash = readCollection(call, 1, hashTag)
  call.reply.array(hash?.length ?? 0)
  replyAll(call, hash, false, true)
}

function replyAll({ reply }: Call, hash: Collection | undefined, withFields: boolean, withValues: boolean): void {
  for (const { bytes, keyStart, keyBytes, valueStart, valueBytes } of hash?.records() ?? []) {
    if (withFields) reply.bulk(bytes, keyStart + elementHeadBytes, keyStart + keyBytes)
    if (withValues) reply.bulk(bytes, valueStart, valueStart + valueBytes)
  }
}

export function hincrby(call: Call): void {
  const increment = integerAt(call, 3)
  const hash = openCollection(call, 1, hashTag)
  const record = fieldAt(call, hash, 2)
  const old = record === undefined ? 0 : parseInteger(record.bytes, record.valueStart, valueEnd(record))
  if (old === undefined) throw new CommandError('ERR hash value is not an integer')
  const sum = addIntegers(old, increment)
  if (sum === undefined) throw new CommandError('ERR increment or decrement would overflow')
  const text = call.scratch.reserve(int64CharsMax)
  putText(call, hash, text, writeInteger(text, 0, sum))
  call.reply.integer(sum)
}

export function hincrbyfloat(call: Call): void {
  const { arguments: found, reply, scratch } = call
  const increment = parseExtended(found.length(3) > extendedCharsMax ? '' : found.text(3))
  if (increment === undefined) throw new CommandError('ERR value is not a valid float')
  if (typeof increment === 'string') throw new CommandError('ERR value is NaN or Infinity')
  const hash = openCollection(call, 1, hashTag)
  const record = fieldAt(call, hash, 2)
  const isLong = record !== undefined && record.valueBytes > extendedCharsMax
  const old = record === undefined ? zero : isLong ? undefined : parseExtended(textOf(record))
  if (old === undefined) throw new CommandError('ERR hash value is not a float')
  const sum = addExtended(old, increment)
  if (sum === undefined) throw new CommandError('ERR increment would produce NaN or Infinity')
  const result = formatExtended(sum)
  const text = scratch.reserve(result.length)
  putText(call, hash, text, writeAscii(text, 0, result))
  reply.bulk(text, 0, result.length)
}

function putText({ arguments: found }: Call, hash: Collection, text: Uint8Array, end: number): void {
  putField(hash, found.bytes, found.start(2), found.end(2), text, 0, end)
  hash.save()
}

function valueEnd({ valueStart, valueBytes }: RecordView): number {
  return valueStart + valueBytes
}

function textOf(record: RecordView): string {
  return latin1(record.bytes, record.valueStart, valueEnd(record))
}

export function hrandfield(call: Call): void {
  const { arguments: found, reply } = call
  if (found.count > 4) throw new CommandError(syntaxError)
  const withValues = found.count === 4
  if (withValues && !found.is(3, 'WITHVALUES')) throw new CommandError(syntaxError)
  const count = found.count === 2 ? undefined : numberAt(call, 2)
  const hash = readCollection(call, 1, hashTag)
  const places = hash === undefined ? [] : randomPlaces(call, hash.length, count)
  replyRandom(call, hash, places, {
    isSingle: count === undefined,
    isPaired: withValues,
    encode: (record) => {
      const field = memberOf(record)
      if (withValues && reply.isVersion3) reply.array(2)
      reply.bulk(field, 0, field.length)
      if (withValues) replyField(call, record)
    },
  })
}

export function hscan(call: Call): void {
  const { reply } = call
  scanCollection(call, hashTag, (fields) => {
    reply.array(fields.length * 2)
    for (const { member, value } of fields) {
      reply.bulk(member, 0, member.length)
      reply.bulk(value, 0, value.length)
    }
  })
}
