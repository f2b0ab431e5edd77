/** Commands that read lists; their rows are in commands/lists.ts. */

import type { RecordView } from '@orbitkv/engine'
import { fromEnd, spanOf } from '../commands/collections.ts'
import { type Call, CommandError, syntaxError } from '../commands/command.ts'
import { numberAt } from '../commands/options.ts'
import { listTag, readCollection } from './collection.ts'
import { elementOrder } from './element-keys.ts'
import { bufferAt, isItem, itemsFrom } from './list-items.ts'

export function llen(call: Call): void {
  call.reply.integer(readCollection(call, 1, listTag)?.length ?? 0)
}

export function lindex(call: Call): void {
  const { reply } = call
  const list = readCollection(call, 1, listTag)
  // Redis looks at the number only where there is a list.
  const place = list === undefined ? -1 : fromEnd(numberAt(call, 2), list.length)
  if (list === undefined || place < 0 || place >= list.length) reply.null()
  else for (const record of itemsFrom(list, place, false, 1)) replyItem(call, record)
}

function replyItem({ reply }: Call, { bytes, valueStart, valueBytes }: RecordView): void {
  reply.bulk(bytes, valueStart, valueStart + valueBytes)
}

export function lrange(call: Call): void {
  const start = numberAt(call, 2)
  const stop = numberAt(call, 3)
  const list = readCollection(call, 1, listTag)
  const { first, last } = spanOf(start, stop, list?.length ?? 0)
  const count = Math.max(0, last - first + 1)
  call.reply.array(count)
  if (list === undefined || count === 0) return
  for (const record of itemsFrom(list, first, false, count)) replyItem(call, record)
}

interface PositionOptions {
  rank: number
  /** Undefined: the first, not as an array. */
  count: number | undefined
  compared: number
}

export function lpos(call: Call): void {
  const { reply } = call
  const { rank, count, compared } = positionOptions(call)
  const wanted = bufferAt(call, 2)
  const list = readCollection(call, 1, listTag)
  const places: number[] = []
  const most = count === undefined ? 1 : count === 0 ? Number.POSITIVE_INFINITY : count
  const isReverse = rank < 0
  let matches = 0
  let looked = 0
  for (const record of list?.records(elementOrder, { reverse: isReverse }) ?? []) {
    if (compared !== 0 && looked === compared) break
    const place = isReverse ? (list?.length ?? 0) - 1 - looked : looked
    looked++
    if (!isItem(record, wanted) || ++matches < Math.abs(rank)) continue
    places.push(place)
    if (places.length >= most) break
  }
  if (count !== undefined) {
    reply.array(places.length)
    for (const place of places) reply.integer(place)
  } else if (places[0] === undefined) reply.null()
  else reply.integer(places[0])
}

const rankIsZero =
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"

function positionOptions(call: Call): PositionOptions {
  const { arguments: found } = call
  const options: PositionOptions = { rank: 1, count: undefined, compared: 0 }
  for (let place = 3; place < found.count; place += 2) {
    if (place + 1 === found.count) throw new CommandError(syntaxError)
    if (found.is(place, 'RANK')) {
      options.rank = numberAt(call, place + 1)
      if (options.rank === 0) throw new CommandError(rankIsZero)
    } else if (found.is(place, 'COUNT')) options.count = notNegativeAt(call, place + 1, 'COUNT')
    else if (found.is(place, 'MAXLEN')) options.compared = notNegativeAt(call, place + 1, 'MAXLEN')
    else throw new CommandError(syntaxError)
  }
  return options
}

function notNegativeAt(call: Call, place: number, name: string): number {
  const problem = `ERR ${name} can't be negative`
  const value = numberAt(call, place, problem)
  if (value < 0) throw new CommandError(problem)
  return value
}
