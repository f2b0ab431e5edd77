/**
 * Sorted sets: each member twice, by itself with its score as the value, and by its score without a value. What must hold:
 * both are written and deleted together.
 *
 * The value is the score as 8 bytes, little-endian, with its sign also where it is zero.
 */

import { assert } from '@orbitkv/base'
import type { RecordView } from '@orbitkv/engine'
import { type Collection, flagLarge, memberOf } from './collection.ts'
import { readScore, scoreHeadBytes } from './element-keys.ts'

/** What Redis keeps compactly, for OBJECT ENCODING. */
const compactMembersMax = 128
const compactBytesMax = 64

const scoreBytes = new Uint8Array(8)
const scoreView = new DataView(scoreBytes.buffer)

export interface Scored {
  readonly member: Uint8Array
  readonly score: number
}

export function scoreOf(set: Collection, member: Uint8Array, start: number, end: number): number | undefined {
  const record = set.get(member, start, end)
  return record === undefined ? undefined : scoreIn(record)
}

/** The score in a member's own record. */
export function scoreIn({ bytes, valueStart, valueBytes }: RecordView): number {
  assert(valueBytes === scoreBytes.length, 'a score is 8 bytes')
  for (let i = 0; i < scoreBytes.length; i++) scoreBytes[i] = bytes[valueStart + i] as number
  return scoreView.getFloat64(0, true)
}

/** The member and score of a record in the order of scores. */
export function scoredIn(record: RecordView): Scored {
  return {
    member: memberOf(record, scoreHeadBytes),
    score: readScore(record.bytes, record.keyStart + scoreHeadBytes - scoreBytes.length),
  }
}

/** Gives a member a score; `old` is the one that it has. */
export function putScore(
  set: Collection,
  member: Uint8Array,
  start: number,
  end: number,
  score: number,
  old: number | undefined,
): void {
  if (old !== undefined) set.deleteScored(old, member, start, end)
  else set.length++
  // There is one zero, as by score (`writeScore`): which sign a member would show must not depend on who asks.
  scoreView.setFloat64(0, score === 0 ? 0 : score, true)
  set.put(member, start, end, scoreBytes, 0, scoreBytes.length)
  set.putScored(score, member, start, end)
  if (end - start > compactBytesMax || set.length > compactMembersMax) set.flags |= flagLarge
}

export function removeScored(set: Collection, { member, score }: Scored): void {
  set.delete(member, 0, member.length)
  set.deleteScored(score, member, 0, member.length)
  set.length--
}
