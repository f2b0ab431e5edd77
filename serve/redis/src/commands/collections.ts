/** What commands on collections share: writing all their changes as one batch, and reading of arguments. */

import { compileGlob, equalBytes, type Glob } from '@orbitkv/bytes'
import { copyKey, type RecordView } from '@orbitkv/engine'
import { type Collection, readCollection } from '../collections/collection.ts'
import { elementHeadBytes, generationBytes } from '../collections/element-keys.ts'
import { type Call, CommandError, syntaxError } from './command.ts'
import { numberAt } from './options.ts'
import { readCursor } from './scan.ts'

/**
 * Runs a command that changes collections: what it has changed is written at its end, as one batch. Where it fails, the
 * executor drops what it has changed so far.
 */
export function writing(run: (call: Call) => void): (call: Call) => void {
  return (call) => {
    run(call)
    call.collections.pending.commit()
  }
}

/** One key, at argument 1. */
export function oneKey(...flags: string[]): { first: number; last: number; step: number; flags: string[] }[] {
  return [{ first: 1, last: 1, step: 1, flags }]
}

/** A number of keys behind their count at a place; returns the place after the last. */
export function keysEndAt(call: Call, countPlace: number, problem = 'ERR numkeys should be greater than 0'): number {
  const count = numberAt(call, countPlace, problem)
  if (count < 1) throw new CommandError(problem)
  if (count > call.arguments.count - countPlace - 1) throw new CommandError(syntaxError)
  return countPlace + 1 + count
}

/** A place in a sequence of `length`, negative ones counted from the end; below 0 where it lies before the first. */
export function fromEnd(place: number, length: number): number {
  return place < 0 ? place + length : place
}

export interface Span {
  readonly first: number
  /** Below `first` where the span is empty. */
  readonly last: number
}

/** Both ends as commands give them, made to lie within a sequence. */
export function spanOf(start: number, stop: number, length: number): Span {
  const first = Math.max(0, fromEnd(start, length))
  const last = Math.min(length - 1, fromEnd(stop, length))
  return { first, last }
}

/** What a scan without COUNT looks at for each call, as in Redis. */
const scanCountDefault = 10

/** HSCAN, SSCAN and ZSCAN: elements, a few for each call, in the order of their keys. */
export function scanCollection(
  call: Call,
  tag: number,
  reply: (elements: readonly Scanned[], collection: Collection | undefined) => void,
): void {
  const { arguments: found, scans } = call
  const cursor = readCursor(call, 2)
  const collection = readCollection(call, 1, tag)
  // As in Redis: where there is nothing, options are not looked at.
  if (collection === undefined) {
    call.reply.array(2)
    call.reply.bulkInteger(0)
    reply([], undefined)
    return
  }
  let count = scanCountDefault
  let glob: Glob | undefined
  for (let place = 3; place < found.count; place += 2) {
    if (place + 1 === found.count) throw new CommandError(syntaxError)
    if (found.is(place, 'COUNT')) {
      count = numberAt(call, place + 1)
      if (count < 1) throw new CommandError(syntaxError)
    } else if (found.is(place, 'MATCH')) glob = compileGlob(found.copy(place + 1))
    else throw new CommandError(syntaxError)
  }
  const seen: Scanned[] = []
  let looked = 0
  let last: Uint8Array | undefined
  let hasMore = false
  for (const record of collection.records(0, after(collection, cursor, call))) {
    hasMore = looked === count
    if (hasMore) break
    looked++
    if (looked === count) last = copyKey(record)
    const { bytes, keyStart, keyBytes } = record
    if (glob?.matches(bytes, keyStart + elementHeadBytes, keyStart + keyBytes) ?? true) seen.push(scannedOf(record))
  }
  call.reply.array(2)
  call.reply.bulkInteger(hasMore && last !== undefined ? scans.remember(last) : 0)
  reply(seen, collection)
}

export interface Scanned {
  readonly member: Uint8Array
  readonly value: Uint8Array
}

function scannedOf({ bytes, keyStart, keyBytes, valueStart, valueBytes }: RecordView): Scanned {
  return {
    member: bytes.slice(keyStart + elementHeadBytes, keyStart + keyBytes),
    value: bytes.slice(valueStart, valueStart + valueBytes),
  }
}

/** From after the last element that was returned; a cursor of another collection, or of one before it, begins anew. */
function after(collection: Collection, cursor: number, { scans }: Call): { readonly gt?: Uint8Array } {
  const place = cursor === 0 ? undefined : scans.find(cursor)
  if (place === undefined) return {}
  const own = collection.elementKey(new Uint8Array(0)).subarray(0, generationBytes)
  return equalBytes(place.subarray(0, generationBytes), own) ? { gt: place } : {}
}
