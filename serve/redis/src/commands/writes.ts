/** Writing: what commands do to records, each with one batch. */

import { assert } from '@orbitkv/base'
import { copyBytes } from '@orbitkv/bytes'
import { type Change, copyValue, engineErrors, type RecordView, valueBytesMaxMax } from '@orbitkv/engine'
import { headerOf } from '../collections/collections.ts'
import { type Call, redisKeyspace, stringTag } from './command.ts'

const single: Change[] = []

/** Puts a string, `value[start, end)`, under the key at a place among the arguments. The hottest write: it reuses all. */
export function writeOne(
  call: Call,
  keyPlace: number,
  value: Uint8Array,
  start: number,
  end: number,
  expiresAt: number,
  tag: number = stringTag,
): void {
  const { change, arguments: found } = call
  if (call.collections.any) buryAt(call, keyPlace)
  change.kind = 'put'
  change.key = found.bytes
  change.keyStart = found.starts[keyPlace] as number
  change.keyEnd = found.ends[keyPlace] as number
  change.value = value
  change.valueStart = start
  change.valueEnd = end
  change.expiresAt = expiresAt
  change.tag = tag
  writeSingle(call, change)
}

/** Puts a record again with another time of expiry. */
export function putAgain(call: Call, keyPlace: number, record: RecordView, expiresAt: number): void {
  const { tag } = record
  if (tag !== stringTag) {
    changeExpiry(call, keyPlace, record, expiresAt)
    return
  }
  const value = call.scratch.reserve(record.valueBytes)
  copyBytes(value, 0, record.bytes, record.valueStart, record.valueStart + record.valueBytes)
  writeOne(call, keyPlace, value, 0, record.valueBytes, expiresAt, tag)
}

/** Puts the header of a collection again with another time of expiry, and its grave with it. */
function changeExpiry(call: Call, keyPlace: number, record: RecordView, expiresAt: number): void {
  const { arguments: found, collections, owner } = call
  const key = found.copy(keyPlace)
  const value = copyValue(record)
  const from = record.expiresAt
  const { tag } = record
  collections.changeExpiry(headerOf(record).generation, from, expiresAt, key, 0, key.length)
  collections.pending.put(redisKeyspace, key, 0, key.length, value, 0, value.length, tag, expiresAt)
  assert(owner === collections.pending.base, 'a change goes where it was read')
  collections.pending.commit()
}

/** What stands under the key at a place is to go: if it is a collection, that is noted for the batch that follows. */
function buryAt({ arguments: found, collections }: Call, keyPlace: number): void {
  collections.buryKey(found.bytes, found.start(keyPlace), found.end(keyPlace))
}

export function deleteKey(call: Call, keyPlace: number): void {
  const { change, arguments: found } = call
  if (call.collections.any) buryAt(call, keyPlace)
  change.kind = 'delete'
  change.key = found.bytes
  change.keyStart = found.starts[keyPlace] as number
  change.keyEnd = found.ends[keyPlace] as number
  change.valueStart = 0
  change.valueEnd = 0
  change.expiresAt = 0
  change.tag = 0
  writeSingle(call, change)
}

function writeSingle(call: Call, change: Change): void {
  change.keyspace = redisKeyspace
  single[0] = change
  writeAll(call, single)
}

/** Writes changes of whole keys as one batch, with what is noted of the collections that stood under them. */
export function writeAll({ collections, owner }: Call, changes: readonly Change[]): void {
  const { pending } = collections
  if (pending.size === 0) {
    owner.write(changes)
    return
  }
  pending.write(changes)
  pending.commit()
}

/**
 * Refuses a value that no store takes before memory is taken for it. A store's own limit may be lower; it then
 * refuses the write itself.
 */
export function assertValueFits(valueBytes: number): void {
  if (valueBytes > valueBytesMaxMax) throw engineErrors.value_too_large({ bytes: valueBytes, max: valueBytesMaxMax })
}
