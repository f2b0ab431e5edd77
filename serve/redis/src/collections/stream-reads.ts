/**
 * Commands that read streams, XREADGROUP among them, which also notes what it gives to whom; their rows are in
 * commands/streams.ts and stream-groups.ts there.
 *
 * Whoever waits for entries is served from the key that was written: with the entries behind the last id that it knew
 * of, or that its group was given.
 */

import { type Call, type Command, CommandError, lookUp, syntaxError } from '../commands/command.ts'
import { numberAt } from '../commands/options.ts'
import { latin1 } from '../protocol/text.ts'
import { keepArguments } from '../transaction.ts'
import { streamTag } from './collection.ts'
import { entryId, findStream, readStream, replyEntries, replyEntryOf, type Stream } from './stream.ts'
import { advance } from './stream-counters.ts'
import { seeConsumer } from './stream-group-commands.ts'
import { findGroup, type Group } from './stream-groups.ts'
import { formatId, idAt, idMax, rangeEndAt, rangeStartAt, type StreamId } from './stream-ids.ts'

/** What a client that waits without COUNT is given at most. */
const blockedCount = 1000
/** A timer that is set further ahead than this would never come. */
const timerMsMax = 2 ** 31 - 1

export function xlen(call: Call): void {
  call.reply.integer(readStream(call, 1)?.length ?? 0)
}

export function xrange(call: Call): void {
  replyRange(call, rangeStartAt(call, 2), rangeEndAt(call, 3), false)
}

export function xrevrange(call: Call): void {
  const first = rangeStartAt(call, 3)
  replyRange(call, first, rangeEndAt(call, 2), true)
}

function replyRange(call: Call, first: StreamId, last: StreamId, isReverse: boolean): void {
  const { arguments: found, reply } = call
  let limit = Number.POSITIVE_INFINITY
  for (let place = 4; place < found.count; place += 2) {
    if (place + 1 === found.count || !found.is(place, 'COUNT')) throw new CommandError(syntaxError)
    limit = Math.max(0, numberAt(call, place + 1))
  }
  const stream = readStream(call, 1)
  if (stream === undefined) reply.array(0)
  else if (limit === 0) reply.nullArray()
  else replyEntries(call, stream, { first, last, isReverse, limit })
}

// ---- XREAD and XREADGROUP

interface ReadOptions {
  /** Undefined: does not wait. 0: for ever. */
  blockMs: number | undefined
  /** 0: all. */
  count: number
  groupPlace: number | undefined
  noAck: boolean
  /** The place of the first key; as many ids follow the keys. */
  first: number
  streams: number
}

/** From where on a stream is read: behind an id, `new` of a group what it was not given yet. */
type From = StreamId | 'new'

export function xread(call: Call): void {
  read(call, false)
}

export function xreadgroup(call: Call): void {
  read(call, true)
}

function read(call: Call, isGroup: boolean): void {
  const { reply } = call
  const options = readOptions(call, isGroup)
  const froms = Array.from({ length: options.streams }, (_, i) => fromAt(call, options, i))
  const served = froms.map((from, i) => serveAt(call, options, i, from)).filter((serve) => serve !== undefined)
  if (served.length > 0) {
    replyStreams(call, served)
    return
  }
  if (options.blockMs === undefined || call.isInTransaction) reply.nullArray()
  else wait(call, options, options.blockMs, froms)
}

function replyStreams({ reply }: Call, served: readonly (() => void)[]): void {
  if (reply.isVersion3) reply.map(served.length)
  else reply.array(served.length)
  for (const serve of served) serve()
}

function readOptions(call: Call, isGroup: boolean): ReadOptions {
  const { arguments: found } = call
  const options: ReadOptions = {
    blockMs: undefined,
    count: 0,
    groupPlace: undefined,
    noAck: false,
    first: 0,
    streams: 0,
  }
  for (let place = 1; place < found.count && options.first === 0; place++) {
    const more = found.count - place - 1
    if (found.is(place, 'BLOCK') && more > 0) {
      assertNoScript(call)
      options.blockMs = blockMsAt(call, ++place)
    } else if (found.is(place, 'COUNT') && more > 0) options.count = Math.max(0, numberAt(call, ++place))
    else if (found.is(place, 'STREAMS') && more > 0) {
      if (more % 2 === 1) {
        throw new CommandError(
          "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
        )
      }
      options.first = place + 1
      options.streams = more / 2
    } else if (found.is(place, 'GROUP') && more > 1) {
      assertOfGroup(isGroup, 'GROUP')
      options.groupPlace = place + 1
      place += 2
    } else if (found.is(place, 'NOACK')) {
      assertOfGroup(isGroup, 'NOACK')
      options.noAck = true
    } else throw new CommandError(syntaxError)
  }
  if (options.first === 0) throw new CommandError(syntaxError)
  if (isGroup && options.groupPlace === undefined) throw new CommandError('ERR Missing GROUP option for XREADGROUP')
  return options
}

function assertOfGroup(isGroup: boolean, name: string): void {
  if (isGroup) return
  throw new CommandError(`ERR The ${name} option is only supported by XREADGROUP. You called XREAD instead.`)
}

/** A script can't wait for what others do, since nobody does anything until it has ended. */
function assertNoScript({ arguments: found, server }: Call): void {
  if (!server.scripts.isRunning) return
  throw new CommandError(`ERR ${found.text(0)} command is not allowed with BLOCK option from scripts`)
}

function blockMsAt(call: Call, place: number): number {
  const ms = numberAt(call, place, 'ERR timeout is not an integer or out of range')
  if (ms < 0) throw new CommandError('ERR timeout is negative')
  return ms
}

/** From where on the stream of this number is to be read. */
function fromAt(call: Call, { groupPlace, first, streams }: ReadOptions, i: number): From {
  const { arguments: found } = call
  const place = first + streams + i
  const stream = findStream(call, first + i)
  if (groupPlace !== undefined && (stream === undefined || findGroup(stream, found.copy(groupPlace)) === undefined)) {
    const [key, group] = [found.text(first + i), found.text(groupPlace)]
    throw new CommandError(`NOGROUP No such key '${key}' or consumer group '${group}' in XREADGROUP with GROUP option`)
  }
  if (found.is(place, '$')) {
    if (groupPlace === undefined) return stream?.lastId ?? 0n
    throw new CommandError(
      'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.',
    )
  }
  if (found.is(place, '>')) {
    if (groupPlace !== undefined) return 'new'
    throw new CommandError(
      'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.',
    )
  }
  const id = idAt(call, place)
  return groupPlace !== undefined && id === idMax ? 'new' : id
}

/**
 * What replies the stream of this number; undefined where there is nothing to read. What a group is given is noted at once: the
 * same stream may come again among the keys, and is not to be given again.
 */
function serveAt(call: Call, options: ReadOptions, i: number, from: From): (() => void) | undefined {
  const { groupPlace, first, count } = options
  const key = first + i
  const stream = readStream(call, key)
  if (stream === undefined) return undefined
  if (groupPlace === undefined) {
    const isThere = from !== 'new' && hasAfter(stream, from)
    return isThere ? () => replyAfter(call, key, stream, from, count) : undefined
  }
  const group = findGroup(stream, call.arguments.copy(groupPlace))
  if (group === undefined) return undefined
  if (from !== 'new') return giveHistory(call, options, key, group, from)
  return hasAfter(stream, group.lastId) ? giveNew(call, options, key, group, count) : undefined
}

function hasAfter(stream: Stream, id: StreamId): boolean {
  if (stream.length === 0 || id >= stream.lastId) return false
  for (const _ of stream.entries({ first: id + 1n, last: idMax, limit: 1 })) return true
  return false
}

function replyKey({ arguments: found, reply }: Call, place: number): void {
  if (!reply.isVersion3) reply.array(2)
  reply.bulk(found.bytes, found.start(place), found.end(place))
}

function after(id: StreamId, count: number) {
  return { first: id + 1n, last: idMax, limit: count === 0 ? Number.POSITIVE_INFINITY : count }
}

function replyAfter(call: Call, key: number, stream: Stream, id: StreamId, count: number): void {
  replyKey(call, key)
  replyEntries(call, stream, after(id, count))
}

/** Gives a consumer what the group was not given yet; returns what replies it. */
function giveNew(call: Call, options: ReadOptions, key: number, group: Group, count: number): () => void {
  const { stream } = group
  const range = after(group.lastId, count)
  const now = call.owner.now()
  const consumer = call.arguments.copy((options.groupPlace as number) + 1)
  seeConsumer(call, group, consumer)
  for (const id of Array.from(stream.entries(range), entryId)) {
    advance(group, id)
    if (!options.noAck) group.putPending({ id, consumer, deliveredAt: now, deliveries: 1n }, group.pending(id))
  }
  group.save()
  return () => {
    replyKey(call, key)
    replyEntries(call, stream, range)
  }
}

/** Gives a consumer once more what it has pending; returns what replies it: of what was deleted meanwhile the id alone. */
function giveHistory(call: Call, options: ReadOptions, key: number, group: Group, from: StreamId): () => void {
  const { stream } = group
  const limit = options.count === 0 ? Number.POSITIVE_INFINITY : options.count
  const deliveredAt = call.owner.now()
  const consumer = call.arguments.copy((options.groupPlace as number) + 1)
  seeConsumer(call, group, consumer)
  const given: { readonly id: StreamId; readonly isThere: boolean }[] = []
  for (const pending of group.owned(consumer, from + 1n)) {
    if (given.length === limit) break
    const { id, deliveries } = pending
    const isThere = stream.has(id)
    if (isThere) group.putPending({ ...pending, deliveredAt, deliveries: deliveries + 1n }, pending)
    given.push({ id, isThere })
  }
  return () => {
    replyKey(call, key)
    call.reply.array(given.length)
    for (const { id, isThere } of given) {
      if (isThere) replyEntryOf(call, stream, id)
      else replyDeleted(call, id)
    }
  }
}

function replyDeleted({ reply }: Call, id: StreamId): void {
  reply.array(2)
  reply.bulkText(formatId(id))
  reply.nullArray()
}

// ---- waiting

function wait(call: Call, options: ReadOptions, blockMs: number, froms: readonly From[]): void {
  const { arguments: found, server, session } = call
  const { first, streams } = options
  const keyPlaces = Array.from({ length: streams }, (_, i) => first + i)
  server.blocking.add({
    command: session.lastCommand as Command,
    arguments: keepArguments(found),
    session,
    keyPlaces,
    timeoutMs: Math.min(blockMs, timerMsMax),
    take: (later, name) => {
      const place = keyPlaces.find((key) => textAt(later, key) === name)
      if (place === undefined) throw new Error('a client is served from a key that it waits for')
      const count = options.count === 0 ? blockedCount : options.count
      return serveBlocked(later, { ...options, count }, place, froms[place - first] as From)
    },
    giveUp: ({ reply }) => reply.nullArray(),
  })
}

function textAt({ arguments: found }: Call, place: number): string {
  return latin1(found.bytes, found.start(place), found.end(place))
}

/** As for one that does not wait, but the last id that was ever given counts, and a group that is gone is an error. */
function serveBlocked(call: Call, options: ReadOptions, key: number, from: From): boolean {
  const { groupPlace, count } = options
  const isStream = lookUp(call, key)?.tag === streamTag
  const stream = isStream ? findStream(call, key) : undefined
  if (groupPlace === undefined) {
    if (stream === undefined || from === 'new' || stream.lastId <= from) return false
    replyStreams(call, [() => replyAfter(call, key, stream, from, count)])
    return true
  }
  if (stream === undefined) throw new CommandError('UNBLOCKED the stream key no longer exists')
  const group = findGroup(stream, call.arguments.copy(groupPlace))
  if (group === undefined) {
    throw new CommandError('NOGROUP the consumer group this client was blocked on no longer exists')
  }
  if (stream.lastId <= group.lastId) return false
  replyStreams(call, [giveNew(call, options, key, group, count)])
  return true
}
