/** Reading of arguments: integers, times and options. */

import { compileGlob, encodeText } from '@orbitkv/bytes'
import { databaseCount } from '../collections/keyspaces.ts'
import { parseDouble } from '../protocol/doubles.ts'
import { parseInteger } from '../protocol/numbers.ts'
import { type Call, CommandError, notAnInteger, syntaxError } from './command.ts'

/** A 64-bit integer; a BigInt where a number would not be exact. */
export function integerAt(call: Call, place: number, problem = notAnInteger): number | bigint {
  const { bytes } = call.arguments
  const value = parseInteger(bytes, call.arguments.start(place), call.arguments.end(place))
  if (value === undefined) throw new CommandError(problem)
  return value
}

/** A 64-bit integer as a number: beyond 2^53 not exact, for sizes and places, of which none is as large. */
export function numberAt(call: Call, place: number, problem = notAnInteger): number {
  return Number(integerAt(call, place, problem))
}

/** A number with a fraction. */
export function doubleAt(call: Call, place: number, problem = 'ERR value is not a valid float'): number {
  const { arguments: found } = call
  const value = parseDouble(found.bytes, found.start(place), found.end(place))
  if (value === undefined) throw new CommandError(problem)
  return value
}

export type TimeUnit = 'seconds' | 'milliseconds'

/** Redis's clock ends with 64 bits of milliseconds. */
const timeMsMax = 2n ** 63n - 1n
/** The latest time that a record can hold, in the year 287,396; what is later becomes that. */
export const expiresAtMax = Number.MAX_SAFE_INTEGER

export interface ExpiryOption {
  readonly place: number
  readonly unit: TimeUnit
  /** From now on, not from 1970. */
  readonly isRelative: boolean
}

/** The options that say until when a value lives: EX PX EXAT PXAT. */
export const expiryOptions: Readonly<Record<string, Omit<ExpiryOption, 'place'>>> = {
  EX: { unit: 'seconds', isRelative: true },
  PX: { unit: 'milliseconds', isRelative: true },
  EXAT: { unit: 'seconds', isRelative: false },
  PXAT: { unit: 'milliseconds', isRelative: false },
}

/** The name of the expiry option at a place, if it is one. */
export function expiryOptionAt(call: Call, place: number): Omit<ExpiryOption, 'place'> | undefined {
  const length = call.arguments.length(place)
  if (length !== 2 && length !== 4) return undefined
  return expiryOptions[call.arguments.text(place).toUpperCase()]
}

/** Milliseconds since 1970 for a positive time, as SET and GETEX want it. */
export function expiresAt(call: Call, { place, unit, isRelative }: ExpiryOption): number {
  const value = BigInt(integerAt(call, place))
  const ms = unit === 'seconds' ? value * 1000n : value
  const at = isRelative ? ms + BigInt(call.owner.now()) : ms
  if (value <= 0n || ms > timeMsMax || at > timeMsMax) throw invalidExpireTime(call)
  return clampTime(at)
}

export function invalidExpireTime(call: Call): CommandError {
  return new CommandError(`ERR invalid expire time in '${call.session.lastCommand?.fullName ?? ''}' command`)
}

/** A time that a record can hold; one before 1970 becomes the first moment after it, which is over, too. */
export function clampTime(ms: bigint): number {
  if (ms > BigInt(expiresAtMax)) return expiresAtMax
  return ms < 1n ? 1 : Number(ms)
}

/** Exactly one of two words, in any case. */
export function eitherAt(call: Call, place: number, yes: string, no: string): boolean {
  if (call.arguments.is(place, yes)) return true
  if (call.arguments.is(place, no)) return false
  throw new CommandError(syntaxError)
}

/** Whether a name, in small letters, matches the pattern at a place, in any case: for names of commands and settings. */
export function nameMatcher(call: Call, place: number): (name: string) => boolean {
  const glob = compileGlob(encodeText(call.arguments.text(place).toLowerCase()))
  return (name) => {
    const bytes = encodeText(name)
    return glob.matches(bytes, 0, bytes.length)
  }
}

/** The number of a database. */
export function databaseAt(call: Call, place: number, problem?: string): number {
  const database = Number(integerAt(call, place, problem))
  if (database < 0 || database >= databaseCount) throw new CommandError('ERR DB index is out of range')
  return database
}
