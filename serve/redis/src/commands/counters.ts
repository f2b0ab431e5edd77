/** Commands on strings that hold numbers. */

import {
  addExtended,
  type Extended,
  extendedCharsMax,
  formatExtended,
  parseExtended,
  zero,
} from '../protocol/extended.ts'
import { addIntegers, int64CharsMax, int64Min, parseInteger, writeAscii, writeInteger } from '../protocol/numbers.ts'
import { latin1 } from '../protocol/text.ts'
import { type Call, CommandError, type CommandSpec, lookUpString, notAnInteger } from './command.ts'
import { integerAt } from './options.ts'
import { writeOne } from './writes.ts'

const shared = {
  flags: ['write', 'denyoom', 'fast'],
  group: 'string',
  categories: ['string'],
  keys: [{ first: 1, last: 1, step: 1, flags: ['RW', 'access', 'update'] }],
  complexity: 'O(1)',
} as const

export const counterCommands: readonly CommandSpec[] = [
  {
    ...shared,
    name: 'incr',
    arity: 2,
    since: '1.0.0',
    summary: 'Adds one to a number.',
    syntax: 'key',
    run: (call) => add(call, 1),
  },
  {
    ...shared,
    name: 'decr',
    arity: 2,
    since: '1.0.0',
    summary: 'Takes one from a number.',
    syntax: 'key',
    run: (call) => add(call, -1),
  },
  {
    ...shared,
    name: 'incrby',
    arity: 3,
    since: '1.0.0',
    summary: 'Adds to a number.',
    syntax: 'key increment',
    run: (call) => add(call, integerAt(call, 2)),
  },
  {
    ...shared,
    name: 'decrby',
    arity: 3,
    since: '1.0.0',
    summary: 'Takes from a number.',
    syntax: 'key decrement',
    run: (call) => {
      const decrement = integerAt(call, 2)
      if (decrement === int64Min) throw new CommandError('ERR decrement would overflow')
      add(call, typeof decrement === 'bigint' ? -decrement : 0 - decrement)
    },
  },
  {
    ...shared,
    name: 'incrbyfloat',
    arity: 3,
    since: '2.6.0',
    summary: 'Adds to a number with a fraction.',
    syntax: 'key increment',
    difference: 'Hexadecimal numbers are refused. Everything else is as on x86-64, to the last digit.',
    run: addFloat,
  },
]

function add(call: Call, increment: number | bigint): void {
  const record = lookUpString(call, 1)
  const old =
    record === undefined ? 0 : parseInteger(record.bytes, record.valueStart, record.valueStart + record.valueBytes)
  if (old === undefined) throw new CommandError(notAnInteger)
  const sum = addIntegers(old, increment)
  if (sum === undefined) throw new CommandError('ERR increment or decrement would overflow')
  const expiresAt = record?.expiresAt ?? 0
  const text = call.scratch.reserve(int64CharsMax)
  writeOne(call, 1, text, 0, writeInteger(text, 0, sum), expiresAt)
  call.reply.integer(sum)
}

function floatIn(bytes: Uint8Array, start: number, end: number): Extended | undefined {
  return end - start > extendedCharsMax ? undefined : parseExtended(latin1(bytes, start, end))
}

function addFloat(call: Call): void {
  const record = lookUpString(call, 1)
  const { bytes, starts, ends } = call.arguments
  const old =
    record === undefined ? zero : floatIn(record.bytes, record.valueStart, record.valueStart + record.valueBytes)
  const increment = floatIn(bytes, starts[2] as number, ends[2] as number)
  if (old === undefined || increment === undefined) throw new CommandError('ERR value is not a valid float')
  const sum = addExtended(old, increment)
  if (sum === undefined) throw new CommandError('ERR increment would produce NaN or Infinity')
  const result = formatExtended(sum)
  const expiresAt = record?.expiresAt ?? 0
  const text = call.scratch.reserve(result.length)
  writeOne(call, 1, text, 0, writeAscii(text, 0, result), expiresAt)
  call.reply.bulk(text, 0, result.length)
}
