/** Commands on parts of strings. */

import { copyBytes } from '@orbitkv/bytes'
import { type Call, CommandError, type CommandSpec, lookUpString, readString } from './command.ts'
import { numberAt } from './options.ts'
import { assertValueFits, writeOne } from './writes.ts'

const oneKey = (...flags: string[]) => [{ first: 1, last: 1, step: 1, flags }]

export const rangeCommands: readonly CommandSpec[] = [
  {
    name: 'strlen',
    arity: 2,
    flags: ['readonly', 'fast'],
    group: 'string',
    categories: ['string'],
    keys: oneKey('RO'),
    since: '2.2.0',
    complexity: 'O(1)',
    summary: 'The length of a value in bytes.',
    syntax: 'key',
    run: (call) => call.reply.integer(readString(call, 1)?.valueBytes ?? 0),
  },
  {
    name: 'append',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    group: 'string',
    categories: ['string'],
    keys: oneKey('RW', 'insert'),
    since: '2.0.0',
    complexity: 'O(N) for a value of N bytes',
    summary: 'Adds to the end of a value, or sets it.',
    syntax: 'key value',
    run: append,
  },
  {
    name: 'getrange',
    arity: 4,
    flags: ['readonly'],
    group: 'string',
    categories: ['string'],
    keys: oneKey('RO', 'access'),
    since: '2.4.0',
    complexity: 'O(N) for N bytes returned',
    summary: 'Part of a value; both ends are included, negative ones count from the end.',
    syntax: 'key start end',
    run: getrange,
  },
  {
    name: 'substr',
    arity: 4,
    flags: ['readonly'],
    group: 'string',
    categories: ['string'],
    keys: oneKey('RO', 'access'),
    since: '1.0.0',
    deprecatedSince: '2.0.0',
    replacedBy: '`GETRANGE`',
    complexity: 'O(N) for N bytes returned',
    summary: 'The old name of GETRANGE.',
    syntax: 'key start end',
    run: getrange,
  },
  {
    name: 'setrange',
    arity: 4,
    flags: ['write', 'denyoom'],
    group: 'string',
    categories: ['string'],
    keys: oneKey('RW', 'update'),
    since: '2.2.0',
    complexity: 'O(N) for a value of N bytes',
    summary: 'Overwrites part of a value, which grows by zero bytes as far as needed.',
    syntax: 'key offset value',
    run: setrange,
  },
]

function append(call: Call): void {
  const { arguments: found, reply, scratch } = call
  const record = lookUpString(call, 1)
  const addedBytes = found.length(2)
  if (record === undefined) {
    writeOne(call, 1, found.bytes, found.start(2), found.end(2), 0)
    reply.integer(addedBytes)
    return
  }
  const { valueStart, valueBytes, expiresAt } = record
  const totalBytes = valueBytes + addedBytes
  assertValueFits(totalBytes)
  const value = scratch.reserve(totalBytes)
  copyBytes(value, 0, record.bytes, valueStart, valueStart + valueBytes)
  copyBytes(value, valueBytes, found.bytes, found.start(2), found.end(2))
  writeOne(call, 1, value, 0, totalBytes, expiresAt)
  reply.integer(totalBytes)
}

function getrange(call: Call): void {
  let start = numberAt(call, 2)
  let end = numberAt(call, 3)
  const record = readString(call, 1)
  const length = record?.valueBytes ?? 0
  const isInverted = start < 0 && end < 0 && start > end
  if (start < 0) start = Math.max(0, length + start)
  if (end < 0) end = Math.max(0, length + end)
  end = Math.min(end, length - 1)
  if (record === undefined || isInverted || start > end) {
    call.reply.bulkText('')
    return
  }
  call.reply.bulk(record.bytes, record.valueStart + start, record.valueStart + end + 1)
}

/** As Redis words it. What is shorter, and too long for the store, is told in the words of the store. */
const tooLong = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)'

function setrange(call: Call): void {
  const { arguments: found, reply, scratch } = call
  const offset = numberAt(call, 2)
  if (offset < 0) throw new CommandError('ERR offset is out of range')
  const record = lookUpString(call, 1)
  const oldBytes = record?.valueBytes ?? 0
  const addedBytes = found.length(3)
  if (addedBytes === 0) {
    reply.integer(oldBytes)
    return
  }
  const totalBytes = Math.max(oldBytes, offset + addedBytes)
  if (totalBytes > call.limits.bulkBytesMax) throw new CommandError(tooLong)
  assertValueFits(totalBytes)
  const value = scratch.reserve(totalBytes)
  if (record !== undefined) copyBytes(value, 0, record.bytes, record.valueStart, record.valueStart + oldBytes)
  value.fill(0, oldBytes, totalBytes)
  copyBytes(value, offset, found.bytes, found.start(3), found.end(3))
  writeOne(call, 1, value, 0, totalBytes, record?.expiresAt ?? 0)
  reply.integer(totalBytes)
}
