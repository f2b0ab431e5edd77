/**
 * Random elements of a collection. A count asks for that many different ones, a negative count for that many with
 * repeats, no count for one.
 */

import { copyKey, type RecordView } from '@orbitkv/engine'
import { type Call, CommandError } from '../commands/command.ts'
import type { Collection } from './collection.ts'
import { elementOrder } from './element-keys.ts'

/** Repeats that one command may ask for: each is found by itself. */
const repeatsMax = 10_000_000
/** From this part of a collection on it is walked through once, instead of one search for each place. */
const walkFromPart = 1 / 64

/** Places, from 0 on, in ascending order where they are different. */
export function randomPlaces({ random }: Call, length: number, count: number | undefined): readonly number[] {
  if (count === undefined) return [random.below(length)]
  if (count < 0) {
    if (-count > repeatsMax) throw new CommandError('ERR value is out of range')
    return Array.from({ length: -count }, () => random.below(length))
  }
  if (count >= length) return Array.from({ length }, (_, place) => place)
  // Floyd's way to choose: each set of places is as likely as any other.
  const chosen = new Set<number>()
  for (let last = length - count; last < length; last++) {
    const place = random.below(last + 1)
    chosen.add(chosen.has(place) ? last : place)
  }
  return [...chosen].sort((a, b) => a - b)
}

/** The elements at places; `use` may make changes, its record is valid until it does. */
export function forEachPlace(
  collection: Collection,
  places: readonly number[],
  use: (record: RecordView) => void,
): void {
  if (places.length <= 1 || places.length < collection.length * walkFromPart) {
    for (const place of places) use(recordAt(collection, place))
    return
  }
  // Once through, then in the order asked for.
  const wanted = new Set(places)
  const keys = new Map<number, Uint8Array>()
  let place = 0
  for (const record of collection.records()) {
    if (wanted.has(place)) keys.set(place, copyKey(record))
    place++
  }
  for (const each of places) use(recordWith(collection, keys.get(each) as Uint8Array))
}

function recordAt(collection: Collection, place: number): RecordView {
  return recordWith(collection, collection.nthKey(elementOrder, place))
}

function recordWith(collection: Collection, key: Uint8Array): RecordView {
  for (const record of collection.records(elementOrder, { gte: key, limit: 1 })) return record
  throw new Error('an element that was found is there')
}

interface RandomReply {
  /** No count was given: one element, or null. */
  readonly isSingle: boolean
  /** Each element is two replies, which RESP3 puts into an array of their own. */
  readonly isPaired: boolean
  readonly encode: (record: RecordView) => void
}

export function replyRandom(
  { reply }: Call,
  collection: Collection | undefined,
  places: readonly number[],
  { isSingle, isPaired, encode }: RandomReply,
): void {
  if (!isSingle) reply.array(isPaired && !reply.isVersion3 ? places.length * 2 : places.length)
  else if (collection === undefined) reply.null()
  if (collection !== undefined) forEachPlace(collection, places, encode)
}
