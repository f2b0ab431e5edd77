/** Ranges of sorted sets: by rank, by score, by the members themselves; forward and backward. */

import { compareBytes } from '@orbitkv/bytes'
import type { Range } from '@orbitkv/engine'
import type { Call } from '../commands/command.ts'
import { CommandError } from '../commands/command.ts'
import { parseDouble } from '../protocol/doubles.ts'
import type { Collection } from './collection.ts'
import { memberOf } from './collection.ts'
import { elementOrder, scoreOrder } from './element-keys.ts'
import { type Scored, scoredIn, scoreIn } from './sorted-set.ts'

/** An end of a range; `bound` undefined: as far as it goes. */
export interface End<Bound> {
  readonly bound: Bound | undefined
  readonly isExcluded: boolean
  /** Of a range by members: `-` as the upper end, or `+` as the lower one. */
  readonly isImpossible: boolean
}

export interface ScoreRange {
  readonly by: 'score'
  readonly low: End<number>
  readonly high: End<number>
}

export interface LexRange {
  readonly by: 'lex'
  readonly low: End<Uint8Array>
  readonly high: End<Uint8Array>
}

export type MemberRange = ScoreRange | LexRange

export interface Window {
  readonly isReverse: boolean
  /** Members left out at the beginning. */
  readonly offset: number
  /** At most so many; negative: all. */
  readonly count: number
}

export const wholeWindow: Window = { isReverse: false, offset: 0, count: -1 }

export function scoreRangeAt(call: Call, lowPlace: number, highPlace: number): ScoreRange {
  return { by: 'score', low: scoreEndAt(call, lowPlace), high: scoreEndAt(call, highPlace) }
}

function scoreEndAt({ arguments: found }: Call, place: number): End<number> {
  const { bytes } = found
  const end = found.end(place)
  let start = found.start(place)
  const isExcluded = start < end && bytes[start] === 0x28
  if (isExcluded) start++
  // As in Redis, nothing at all is zero here.
  const bound = start === end ? 0 : parseDouble(bytes, start, end)
  if (bound === undefined) throw new CommandError('ERR min or max is not a float')
  return { bound, isExcluded, isImpossible: false }
}

export function lexRangeAt(call: Call, lowPlace: number, highPlace: number): LexRange {
  return { by: 'lex', low: lexEndAt(call, lowPlace, 0x2d), high: lexEndAt(call, highPlace, 0x2b) }
}

/** `open` is the sign that stands for no bound at this end. */
function lexEndAt({ arguments: found }: Call, place: number, open: number): End<Uint8Array> {
  const text = found.copy(place)
  const isSign = text.length === 1 && (text[0] === 0x2d || text[0] === 0x2b)
  if (isSign) return { bound: undefined, isExcluded: false, isImpossible: text[0] !== open }
  if (text[0] !== 0x28 && text[0] !== 0x5b) throw new CommandError('ERR min or max not valid string range item')
  return { bound: text.subarray(1), isExcluded: text[0] === 0x28, isImpossible: false }
}

/** Whether no member can lie in a range. */
export function isEmptyRange({ low, high }: MemberRange): boolean {
  if (low.isImpossible || high.isImpossible) return true
  if (low.bound === undefined || high.bound === undefined) return false
  const order = compareBounds(low.bound, high.bound)
  return order > 0 || (order === 0 && (low.isExcluded || high.isExcluded))
}

function compareBounds(a: number | Uint8Array, b: number | Uint8Array): number {
  if (typeof a === 'number' || typeof b === 'number') return Number(a) - Number(b) || 0
  return compareBytes(a, 0, a.length, b, 0, b.length)
}

/** The order that a range goes through, and the keys between which it lies. */
function keysOf(set: Collection, range: MemberRange): { readonly order: number; readonly keys: Range } {
  return range.by === 'score'
    ? { order: scoreOrder, keys: scoreKeys(set, range) }
    : { order: elementOrder, keys: lexKeys(set, range) }
}

const noMember = new Uint8Array(0)

function scoreKeys(set: Collection, { low, high }: ScoreRange): Range {
  const keys: { -readonly [Name in keyof Range]: Range[Name] } = {}
  // Of a score all members lie from the score alone to the next score alone.
  if (low.bound !== undefined) keys.gte = set.scoredKey(low.isExcluded ? nextUp(low.bound) : low.bound, noMember)
  if (high.bound !== undefined && (high.isExcluded || high.bound !== Number.POSITIVE_INFINITY)) {
    keys.lt = set.scoredKey(high.isExcluded ? high.bound : nextUp(high.bound), noMember)
  }
  return keys
}

const bits = new DataView(new ArrayBuffer(8))

/** The next larger number; of infinity, one that no score is. */
function nextUp(value: number): number {
  if (value === 0) return Number.MIN_VALUE
  bits.setFloat64(0, value)
  bits.setBigUint64(0, bits.getBigUint64(0) + (value > 0 ? 1n : -1n))
  const next = bits.getFloat64(0)
  return Number.isNaN(next) ? Number.POSITIVE_INFINITY : next
}

function lexKeys(set: Collection, { low, high }: LexRange): Range {
  const keys: { -readonly [Name in keyof Range]: Range[Name] } = {}
  if (low.bound !== undefined) keys[low.isExcluded ? 'gt' : 'gte'] = set.elementKey(low.bound)
  if (high.bound !== undefined) keys[high.isExcluded ? 'lt' : 'lte'] = set.elementKey(high.bound)
  return keys
}

/** Whether the range begins beyond the last score there is. */
function isBeyond(range: MemberRange): boolean {
  return range.by === 'score' && range.low.isExcluded && range.low.bound === Number.POSITIVE_INFINITY
}

export function countIn(set: Collection, range: MemberRange): number {
  if (isEmptyRange(range) || isBeyond(range)) return 0
  const { order, keys } = keysOf(set, range)
  return set.count(order, keys)
}

/** Members in a range, in its direction. */
export function membersIn(set: Collection, range: MemberRange, { isReverse, offset, count }: Window): Scored[] {
  const members: Scored[] = []
  if (isEmptyRange(range) || isBeyond(range) || offset < 0 || count === 0) return members
  const { order, keys } = keysOf(set, range)
  let left = count < 0 ? Number.POSITIVE_INFINITY : count
  let skipped = 0
  for (const record of set.records(order, { ...keys, reverse: isReverse })) {
    if (skipped++ < offset) continue
    const isByScore = range.by === 'score'
    members.push(isByScore ? scoredIn(record) : { member: memberOf(record), score: scoreIn(record) })
    if (--left <= 0) break
  }
  return members
}

/** Members from one rank to another, both included; ranks count from the end that the direction begins at. */
export function membersByRank(set: Collection, first: number, last: number, isReverse: boolean): Scored[] {
  const members: Scored[] = []
  if (first > last) return members
  const place = isReverse ? set.length - 1 - first : first
  const from: Range = first === 0 ? {} : { [isReverse ? 'lte' : 'gte']: set.nthKey(scoreOrder, place) }
  for (const record of set.records(scoreOrder, { ...from, reverse: isReverse, limit: last - first + 1 })) {
    members.push(scoredIn(record))
  }
  return members
}

/** How many members lie before one, in a direction. */
export function rankOf(set: Collection, { member, score }: Scored, isReverse: boolean): number {
  const before = set.count(scoreOrder, { lt: set.scoredKey(score, member) })
  return isReverse ? set.length - 1 - before : before
}
