/**
 * Finds the n-th key of a collection by counting: the index tells how many keys lie before one, so halving the space of
 * keys, byte by byte, comes to the n-th in a number of counts that does not depend on how many keys there are.
 */

import { assert } from '@orbitkv/base'
import { copyKey, type Range, type RecordView } from '@orbitkv/engine'
import { orderStart } from './element-keys.ts'

/** What `nth` needs of a collection. */
export interface Counted {
  readonly generation: number
  readonly length: number
  records(order: number, within: Range): Iterable<RecordView>
  count(order: number, within: Range): number
}

/** Nearer to an end, or to what is known, than this, walking is the shorter way. */
const walkMax = 128

export function nth(collection: Counted, order: number, place: number): Uint8Array {
  const { length } = collection
  assert(place >= 0 && place < length, 'there is an element at this place')
  if (place < walkMax) return walk(collection, order, place, {})
  if (length - 1 - place < walkMax) return walk(collection, order, length - 1 - place, { reverse: true })
  const prefix = [...orderStart(collection.generation, order)]
  /** How many lie before every key that begins with the prefix. */
  let before = 0
  for (;;) {
    const byte = lastByteBefore(collection, order, prefix, place)
    before = countBefore(collection, order, [...prefix, byte])
    prefix.push(byte)
    const start = Uint8Array.from(prefix)
    if (place - before < walkMax) return walk(collection, order, place - before, { gte: start })
  }
}

/** The largest byte for which no more than `place` keys lie before the prefix with that byte. */
function lastByteBefore(collection: Counted, order: number, prefix: readonly number[], place: number): number {
  let low = 0
  let high = 255
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (countBefore(collection, order, [...prefix, middle]) <= place) low = middle
    else high = middle - 1
  }
  return low
}

function countBefore(collection: Counted, order: number, prefix: readonly number[]): number {
  return collection.count(order, { lt: Uint8Array.from(prefix) })
}

function walk(collection: Counted, order: number, steps: number, within: Range): Uint8Array {
  let left = steps
  for (const record of collection.records(order, { ...within, limit: steps + 1 }))
    if (left-- === 0) return copyKey(record)
  throw new Error('the header of a collection counts more elements than there are')
}
