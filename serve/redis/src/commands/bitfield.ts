/** BITFIELD: integers of any width up to 64 bits at any bit of a string. */

import { equalBytes } from '@orbitkv/bytes'
import { copyValue } from '@orbitkv/engine'
import { badOffset, grown } from './bits.ts'
import { type Call, CommandError, lookUpString, syntaxError } from './command.ts'
import { integerAt } from './options.ts'
import { writeOne } from './writes.ts'

interface FieldType {
  readonly isSigned: boolean
  readonly bits: number
}

type Overflow = 'wrap' | 'sat' | 'fail'

interface Step extends FieldType {
  readonly kind: 'get' | 'set' | 'incrby'
  readonly offset: number
  readonly value: bigint
  readonly overflow: Overflow
}

const badType = 'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.'
/** As in Redis: bits of 512 MiB. */
const bitOffsetEnd = 2 ** 32

export function bitfield(call: Call, onlyReads: boolean): void {
  const steps = stepsOf(call)
  if (onlyReads && steps.some(({ kind }) => kind !== 'get')) {
    throw new CommandError('ERR BITFIELD_RO only supports the GET subcommand')
  }
  const record = lookUpString(call, 1)
  const expiresAt = record?.expiresAt ?? 0
  let bytes = record === undefined ? new Uint8Array(0) : copyValue(record)
  const writes = steps.filter(({ kind }) => kind !== 'get')
  const end = writes.reduce((most, { offset, bits }) => Math.max(most, Math.floor((offset + bits - 1) / 8) + 1), 0)
  const isLonger = record === undefined || end > bytes.length
  bytes = grown(bytes, end)
  const before = bytes.slice()
  const { reply } = call
  reply.array(steps.length)
  for (const step of steps) {
    const result = run(bytes, step)
    if (result === undefined) reply.null()
    else reply.integer(result)
  }
  // As in Redis, what is only set to what it was is no change; a step that counts is one.
  const isChanged = isLonger || writes.some(({ kind }) => kind === 'incrby') || !equalBytes(before, bytes)
  if (writes.length > 0 && isChanged) writeOne(call, 1, bytes, 0, bytes.length, expiresAt)
}

function stepsOf(call: Call): Step[] {
  const { arguments: found } = call
  const steps: Step[] = []
  let overflow: Overflow = 'wrap'
  for (let place = 2; place < found.count; ) {
    const more = found.count - 1 - place
    if (found.is(place, 'OVERFLOW') && more >= 1) {
      overflow = overflowAt(call, place + 1)
      place += 2
    } else if (found.is(place, 'GET') && more >= 2) {
      steps.push({ kind: 'get', ...fieldAt(call, place + 1), value: 0n, overflow })
      place += 3
    } else if ((found.is(place, 'SET') || found.is(place, 'INCRBY')) && more >= 3) {
      const kind = found.is(place, 'SET') ? 'set' : 'incrby'
      steps.push({ kind, ...fieldAt(call, place + 1), value: BigInt(integerAt(call, place + 3)), overflow })
      place += 4
    } else throw new CommandError(syntaxError)
  }
  return steps
}

function overflowAt({ arguments: found }: Call, place: number): Overflow {
  if (found.is(place, 'WRAP')) return 'wrap'
  if (found.is(place, 'SAT')) return 'sat'
  if (found.is(place, 'FAIL')) return 'fail'
  throw new CommandError('ERR Invalid OVERFLOW type specified')
}

/** A type such as `u8`, and an offset in bits, or in fields behind a `#`. */
function fieldAt({ arguments: found }: Call, place: number): FieldType & { readonly offset: number } {
  const match = /^([iu])([1-9]\d?)$/.exec(found.text(place))
  const bits = Number(match?.[2] ?? 0)
  const isSigned = match?.[1] === 'i'
  if (bits < 1 || bits > (isSigned ? 64 : 63)) throw new CommandError(badType)
  const text = found.text(place + 1)
  const isCounted = text.startsWith('#')
  const digits = isCounted ? text.slice(1) : text
  if (!/^(0|[1-9]\d{0,15})$/.test(digits)) throw new CommandError(badOffset)
  const offset = Number(digits) * (isCounted ? bits : 1)
  if (offset + bits > bitOffsetEnd) throw new CommandError(badOffset)
  return { isSigned, bits, offset }
}

/** The reply of a step; undefined where it would overflow and must not. */
function run(bytes: Uint8Array, step: Step): bigint | undefined {
  const old = read(bytes, step)
  if (step.kind === 'get') return old
  const wanted = step.kind === 'set' ? asGiven(step) : old + step.value
  const value = fitted(wanted, step)
  if (value === undefined) return undefined
  write(bytes, step, value)
  return step.kind === 'set' ? old : value
}

/** As in Redis, a negative number that is to be set is a very large one where the field has no sign: it saturates upwards. */
function asGiven({ isSigned, value }: Step): bigint {
  return isSigned ? value : BigInt.asUintN(64, value)
}

function read(bytes: Uint8Array, { offset, bits, isSigned }: Step): bigint {
  let value = 0n
  for (let bit = offset; bit < offset + bits; bit++) {
    const byte = bytes[Math.floor(bit / 8)] ?? 0
    value = (value << 1n) | BigInt((byte >> (7 - (bit % 8))) & 1)
  }
  return isSigned ? BigInt.asIntN(bits, value) : value
}

function write(bytes: Uint8Array, { offset, bits }: Step, value: bigint): void {
  const unsigned = BigInt.asUintN(bits, value)
  for (let i = 0; i < bits; i++) {
    const bit = offset + i
    const place = Math.floor(bit / 8)
    const mask = 0x80 >> (bit % 8)
    const isSet = ((unsigned >> BigInt(bits - 1 - i)) & 1n) === 1n
    bytes[place] = isSet ? (bytes[place] as number) | mask : (bytes[place] as number) & ~mask
  }
}

function fitted(value: bigint, { bits, isSigned, overflow }: Step): bigint | undefined {
  const least = isSigned ? -(2n ** BigInt(bits - 1)) : 0n
  const most = isSigned ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n
  if (value >= least && value <= most) return value
  if (overflow === 'fail') return undefined
  if (overflow === 'sat') return value < least ? least : most
  return isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)
}
