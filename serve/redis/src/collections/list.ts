/** What the commands on lists do; their rows are in commands/lists.ts. */

import { fromEnd, keysEndAt, spanOf } from '../commands/collections.ts'
import { type Call, CommandError, noSuchKey, syntaxError } from '../commands/command.ts'
import { numberAt } from '../commands/options.ts'
import {
  type Collection,
  findCollection,
  flagGaps,
  isSameKey,
  listTag,
  memberOf,
  newCollection,
  openCollection,
} from './collection.ts'
import { elementOrder } from './element-keys.ts'
import {
  bufferAt,
  isItem,
  popItem,
  positionAt,
  positionBetween,
  pushItem,
  removeItem,
  settleEnds,
} from './list-items.ts'
import { popCountAt } from './sorted-set-writes.ts'

/** LPUSH, RPUSH and those that want the list to be there. */
export function push(call: Call, atHead: boolean, onlyKnown: boolean): void {
  const { arguments: found, reply } = call
  const list = onlyKnown ? findCollection(call, 1, listTag) : openCollection(call, 1, listTag)
  for (let place = 2; list !== undefined && place < found.count; place++) {
    pushItem(list, atHead, found.bytes, found.start(place), found.end(place))
  }
  list?.save()
  reply.integer(list?.length ?? 0)
}

export function pop(call: Call, atHead: boolean): void {
  const { arguments: found, reply } = call
  if (found.count > 3) {
    throw new CommandError(`ERR wrong number of arguments for '${call.session.lastCommand?.fullName}' command`)
  }
  const outOfRange = 'ERR value is out of range, must be positive'
  const hasCount = found.count === 3
  const count = hasCount ? numberAt(call, 2, outOfRange) : 1
  if (count < 0) throw new CommandError(outOfRange)
  const list = findCollection(call, 1, listTag)
  if (list === undefined) {
    if (hasCount) reply.nullArray()
    else reply.null()
    return
  }
  const items = popItems(list, atHead, count)
  if (hasCount) reply.array(items.length)
  for (const item of items) reply.bulk(item, 0, item.length)
}

export function popItems(list: Collection, atHead: boolean, most: number): Uint8Array[] {
  const items: Uint8Array[] = []
  for (let left = Math.min(most, list.length); left > 0; left--) items.push(popItem(list, atHead))
  if (items.length > 0) list.save()
  return items
}

/** LMPOP, of whose keys those from one place to before another count; false, without a reply, where all are empty. */
export function lmpop(call: Call, countPlace: number, firstKey: number, keysEnd: number): boolean {
  const { arguments: found, reply } = call
  const end = keysEndAt(call, countPlace)
  if (end >= found.count) throw new CommandError(syntaxError)
  const atHead = isHeadAt(call, end)
  const count = popCountAt(call, end + 1)
  for (let place = firstKey; place < keysEnd; place++) {
    const list = findCollection(call, place, listTag)
    if (list === undefined) continue
    const items = popItems(list, atHead, count)
    reply.array(2)
    reply.bulk(found.bytes, found.start(place), found.end(place))
    reply.array(items.length)
    for (const item of items) reply.bulk(item, 0, item.length)
    return true
  }
  return false
}

/** BLPOP and BRPOP: one item of the first list that has one, with its key. */
export function takeItem(call: Call, firstKey: number, keysEnd: number, atHead: boolean): boolean {
  const { arguments: found, reply } = call
  for (let place = firstKey; place < keysEnd; place++) {
    const list = findCollection(call, place, listTag)
    if (list === undefined) continue
    const [item = found.bytes] = popItems(list, atHead, 1)
    reply.array(2)
    reply.bulk(found.bytes, found.start(place), found.end(place))
    reply.bulk(item, 0, item.length)
    return true
  }
  return false
}

export function isHeadAt({ arguments: found }: Call, place: number): boolean {
  if (found.is(place, 'LEFT')) return true
  if (found.is(place, 'RIGHT')) return false
  throw new CommandError(syntaxError)
}

/** LMOVE and RPOPLPUSH: from the list of argument 1 to that of argument 2; false, without a reply, where it is empty. */
export function moveItem(call: Call, fromHead: boolean, toHead: boolean): boolean {
  const { arguments: found, reply } = call
  const source = findCollection(call, 1, listTag)
  if (source === undefined) return false
  const known = isSameKey(found, 1, 2) ? source : findCollection(call, 2, listTag)
  const target = known ?? newCollection(call, found.copy(2), listTag)
  const item = popItem(source, fromHead)
  pushItem(target, toHead, item, 0, item.length)
  if (source !== target) source.save()
  target.save()
  reply.bulk(item, 0, item.length)
  return true
}

export function lset(call: Call): void {
  const { arguments: found, reply } = call
  const list = findCollection(call, 1, listTag)
  if (list === undefined) throw new CommandError(noSuchKey)
  const place = fromEnd(numberAt(call, 2), list.length)
  if (place < 0 || place >= list.length) throw new CommandError('ERR index out of range')
  const position = positionAt(list, place)
  list.put(position, 0, position.length, found.bytes, found.start(3), found.end(3))
  list.save()
  reply.ok()
}

export function ltrim(call: Call): void {
  const start = numberAt(call, 2)
  const stop = numberAt(call, 3)
  const list = findCollection(call, 1, listTag)
  call.reply.ok()
  if (list === undefined) return
  const { first, last } = spanOf(start, stop, list.length)
  const kept = Math.max(0, last - first + 1)
  const fromHead = kept === 0 ? list.length : first
  const fromTail = list.length - fromHead - kept
  if (fromHead + fromTail === 0) return
  for (let left = fromTail; left > 0; left--) popItem(list, false)
  for (let left = fromHead; left > 0; left--) popItem(list, true)
  list.save()
}

export function lrem(call: Call): void {
  const count = numberAt(call, 2)
  const wanted = bufferAt(call, 3)
  const list = findCollection(call, 1, listTag)
  const positions: Uint8Array[] = []
  for (const record of list?.records(elementOrder, { reverse: count < 0 }) ?? []) {
    if (isItem(record, wanted)) positions.push(memberOf(record))
    if (count !== 0 && positions.length === Math.abs(count)) break
  }
  call.reply.integer(positions.length)
  if (list === undefined || positions.length === 0) return
  for (const position of positions) removeItem(list, position)
  settleEnds(list)
  list.save()
}

export function linsert(call: Call): void {
  const { arguments: found, reply } = call
  const isBefore = found.is(2, 'BEFORE')
  if (!isBefore && !found.is(2, 'AFTER')) throw new CommandError(syntaxError)
  const list = findCollection(call, 1, listTag)
  if (list === undefined) {
    reply.integer(0)
    return
  }
  const inserted = insertNear(list, bufferAt(call, 3), isBefore, bufferAt(call, 4))
  if (inserted) list.save()
  reply.integer(inserted ? list.length : -1)
}

/** Puts a value beside the first item that is the pivot; false where there is none. */
function insertNear(list: Collection, pivot: Buffer, isBefore: boolean, value: Uint8Array): boolean {
  let previous: Uint8Array | undefined
  let found: Uint8Array | undefined
  for (const record of list.records()) {
    const position = memberOf(record)
    if (found !== undefined) {
      insertBetween(list, found, position, isBefore, value)
      return true
    }
    if (isItem(record, pivot)) {
      if (isBefore && previous !== undefined) {
        insertBetween(list, previous, position, isBefore, value)
        return true
      }
      if (isBefore) {
        pushItem(list, true, value, 0, value.length)
        return true
      }
      found = position
    }
    previous = position
  }
  if (found !== undefined) pushItem(list, false, value, 0, value.length)
  return found !== undefined
}

function insertBetween(
  list: Collection,
  lower: Uint8Array,
  upper: Uint8Array,
  nearLower: boolean,
  value: Uint8Array,
): void {
  const position = positionBetween(lower, upper, nearLower)
  list.put(position, 0, position.length, value, 0, value.length)
  list.length++
  list.flags |= flagGaps
}

export function lmpopNow(call: Call): void {
  if (!lmpop(call, 1, 2, keysEndAt(call, 1))) call.reply.nullArray()
}

export function lmove(call: Call): void {
  const fromHead = isHeadAt(call, 3)
  const toHead = isHeadAt(call, 4)
  if (!moveItem(call, fromHead, toHead)) call.reply.null()
}

export function rpoplpush(call: Call): void {
  if (!moveItem(call, false, true)) call.reply.null()
}
