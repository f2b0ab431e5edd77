/** Writing: what commands do to records, each with one batch. */

import { copyBytes } from '@orbitkv/bytes'
import { type Change, deleteRangeChange, engineErrors, type RecordView, valueBytesMaxMax } from '@orbitkv/engine'
import { type Call, redisKeyspace, stringTag } from './command.ts'

const single: Change[] = []
const firstKey = new Uint8Array(0)

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
  const value = call.scratch.reserve(record.valueBytes)
  copyBytes(value, 0, record.bytes, record.valueStart, record.valueStart + record.valueBytes)
  writeOne(call, keyPlace, value, 0, record.valueBytes, expiresAt, tag)
}

export function deleteKey(call: Call, keyPlace: number): void {
  const { change, arguments: found } = call
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

/** Deletes every key of the keyspace with one change. */
export function deleteAll(call: Call): void {
  call.owner.write([deleteRangeChange(redisKeyspace, firstKey)])
}

function writeSingle(call: Call, change: Change): void {
  change.keyspace = redisKeyspace
  single[0] = change
  call.owner.write(single)
}

/**
 * Refuses a value that no store takes before memory is taken for it. A store's own limit may be lower; it then
 * refuses the write itself.
 */
export function assertValueFits(valueBytes: number): void {
  if (valueBytes > valueBytesMaxMax) throw engineErrors.value_too_large({ bytes: valueBytes, max: valueBytesMaxMax })
}
