/**
 * Lists: items by position. A position is a whole number, 8 bytes big-endian, and `head` and `tail` of the header are
 * those of the first and the last item, so that a push takes the next number and an item is found by its place in the
 * list without a search. An item that is put between two others gets the number of the one before it and one or more
 * digits of 6 bytes more, as in a fraction; from then on, and once an item in the middle is gone, the header's flag
 * for gaps says that places have to be counted.
 */

import { assert } from '@orbitkv/base'
import { copyValue, type Range, type RecordView } from '@orbitkv/engine'
import type { Call } from '../commands/command.ts'
import { type Collection, flagGaps, memberOf } from './collection.ts'
import { elementHeadBytes, elementOrder } from './element-keys.ts'

/** Where a list begins, so that it can grow to both sides. */
const firstPosition = 2 ** 52
const wholeBytes = 8
const digitBytes = 6
const digitEnd = 2 ** 48
/** How far apart neighbours are put: many more fit behind the one put last than when halving. */
const digitStep = 2 ** 20

const wholeKey = new Uint8Array(wholeBytes)
const wholeView = new DataView(wholeKey.buffer)

/** A whole position, valid until the next call. */
function wholePosition(position: number): Uint8Array {
  assert(position > 0 && position < Number.MAX_SAFE_INTEGER, 'a list has room at both its ends')
  wholeView.setUint32(0, Math.floor(position / 2 ** 32))
  wholeView.setUint32(4, position >>> 0)
  return wholeKey
}

/** The whole number of the position in a record's key. */
function wholeOf({ bytes, keyStart }: RecordView): number {
  let whole = 0
  for (let i = 0; i < wholeBytes; i++) whole = whole * 256 + (bytes[keyStart + elementHeadBytes + i] as number)
  return whole
}

/** Adds `bytes[start, end)` at an end; the header is to be saved. */
export function pushItem(list: Collection, atHead: boolean, bytes: Uint8Array, start: number, end: number): void {
  if (list.length === 0) {
    list.head = firstPosition
    list.tail = firstPosition
  } else if (atHead) list.head--
  else list.tail++
  list.put(wholePosition(atHead ? list.head : list.tail), 0, wholeBytes, bytes, start, end)
  list.length++
}

/** Takes the item at an end; the header is to be saved. */
export function popItem(list: Collection, atHead: boolean): Uint8Array {
  assert(list.length > 0, 'an item is popped from a list that has one')
  if ((list.flags & flagGaps) !== 0) return popCounted(list, atHead)
  const position = wholePosition(atHead ? list.head : list.tail)
  const record = list.get(position, 0, wholeBytes)
  assert(record !== undefined, 'an item is where the header says')
  const value = copyValue(record)
  list.delete(position, 0, wholeBytes)
  if (atHead) list.head++
  else list.tail--
  list.length--
  return value
}

function popCounted(list: Collection, atHead: boolean): Uint8Array {
  for (const record of list.records(elementOrder, { ...itemBounds(list), reverse: !atHead, limit: 1 })) {
    const value = copyValue(record)
    removeItem(list, memberOf(record))
    settleEnds(list)
    return value
  }
  throw new Error('a list has an item at its end')
}

/** Deletes an item anywhere; `settleEnds` is to be called after the last. */
export function removeItem(list: Collection, position: Uint8Array): void {
  list.delete(position, 0, position.length)
  list.length--
  list.flags |= flagGaps
}

/** Finds the ends again after items were removed. */
export function settleEnds(list: Collection): void {
  if (list.length === 0) return
  const bounds = itemBounds(list)
  for (const record of list.records(elementOrder, { ...bounds, limit: 1 })) list.head = wholeOf(record)
  for (const record of list.records(elementOrder, { ...bounds, reverse: true, limit: 1 })) list.tail = wholeOf(record)
}

/** Begins at the first item, so that no step is wasted on what was popped before it. */
function itemBounds(list: Collection): Range {
  return { gte: list.elementKey(wholePosition(list.head)) }
}

/** Items from a place on, in a direction. Valid until the next step. */
export function itemsFrom(list: Collection, place: number, isReverse: boolean, limit: number): Iterable<RecordView> {
  const key = itemKey(list, place)
  return list.records(elementOrder, { ...(isReverse ? { lte: key } : { gte: key }), reverse: isReverse, limit })
}

/** The key of the item at a place from 0 on. */
function itemKey(list: Collection, place: number): Uint8Array {
  if ((list.flags & flagGaps) !== 0) return list.nthKey(elementOrder, place)
  return list.elementKey(wholePosition(list.head + place))
}

/** The position of the item at a place; of the caller's own. */
export function positionAt(list: Collection, place: number): Uint8Array {
  return itemKey(list, place).slice(elementHeadBytes)
}

/**
 * A position between two neighbours. `nearLower` puts it as near to the lower one as there is a step of room, otherwise to
 * the upper one: whoever inserts before the same item again and again does not halve what is left.
 */
export function positionBetween(lower: Uint8Array, upper: Uint8Array, nearLower: boolean): Uint8Array {
  const position: number[] = [...lower.subarray(0, wholeBytes)]
  const isSameWhole = position.every((byte, i) => byte === upper[i])
  /** Digits of the upper one still bound the new position. */
  let isBound = isSameWhole
  for (let at = wholeBytes; ; at += digitBytes) {
    const low = digitAt(lower, at) ?? 0
    const high = isBound ? (digitAt(upper, at) ?? digitEnd) : digitEnd
    if (high - low > 1) {
      const step = Math.min(digitStep, Math.floor((high - low) / 2))
      addDigit(position, nearLower ? low + step : high - step)
      return Uint8Array.from(position)
    }
    addDigit(position, low)
    isBound &&= high === low
  }
}

function digitAt(position: Uint8Array, at: number): number | undefined {
  if (at >= position.length) return undefined
  let digit = 0
  for (let i = 0; i < digitBytes; i++) digit = digit * 256 + (position[at + i] as number)
  return digit
}

function addDigit(position: number[], digit: number): void {
  for (let i = digitBytes - 1; i >= 0; i--) position.push(Math.floor(digit / 256 ** i) % 256)
}

/** Whether an item is equal to one. */
export function isItem({ bytes, valueStart, valueBytes }: RecordView, wanted: Buffer): boolean {
  return valueBytes === wanted.length && wanted.compare(bytes, valueStart, valueStart + valueBytes) === 0
}

export function bufferAt({ arguments: found }: Call, place: number): Buffer {
  return Buffer.from(found.copy(place))
}
