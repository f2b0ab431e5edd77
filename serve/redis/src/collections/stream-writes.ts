/** Commands that change the entries of streams; their rows are in commands/streams.ts. */

import { defaultLimits } from '@orbitkv/engine'
import { type Call, CommandError, noSuchKey, syntaxError } from '../commands/command.ts'
import { integerAt, numberAt } from '../commands/options.ts'
import { entryId, findStream, newStream, packFields, type Stream } from './stream.ts'
import { formatId, idAt, idMax, makeId, msOf, partMax, type StreamId, type WantedId, wantedIdAt } from './stream-ids.ts'

/** What is cut off at the beginning: all but so many entries, or those before an id. */
type Trim = ({ readonly keep: number } | { readonly before: StreamId }) & {
  /** As much as is cheap in Redis: whole nodes. */
  readonly isAbout: boolean
  /** Entries at most. */
  readonly limit: number
}

/** What `~` cuts off at most where no LIMIT is given: so many nodes, but no more entries than this. */
const nodesMax = 100
const limitDefaultMax = 1_000_000

interface AddOptions {
  readonly trim: Trim | undefined
  /** Nothing is added to a stream that is not there. */
  readonly onlyKnown: boolean
  /** Of XADD; undefined where there is none. */
  readonly wanted: WantedId | undefined
  /** The place after the last option, which is that of the id. */
  readonly end: number
}

export function xadd(call: Call): void {
  const { arguments: found, reply, scratch } = call
  const { trim, onlyKnown, wanted, end: idPlace } = readOptions(call, true)
  const strings = found.count - idPlace - 1
  if (wanted === undefined || strings < 2 || strings % 2 === 1) throw wrongArity(call)
  if (wanted !== 'any' && 'id' in wanted && wanted.id === 0n) {
    throw new CommandError('ERR The ID specified in XADD must be greater than 0-0')
  }
  const known = findStream(call, 1)
  if (known === undefined && onlyKnown) {
    reply.null()
    return
  }
  const stream = known ?? newStream(call, 1)
  const id = nextId(call, stream, wanted)
  const end = packFields(found, idPlace + 1, scratch)
  stream.add(id, scratch.bytes, end)
  reply.bulkText(formatId(id))
  const cut = trim === undefined ? 0 : trimStream(stream, trim, nodeEntries(call))
  if (cut > 0) call.server.notifications.note(call, 't', 'xtrim', stream.collection.key)
  stream.save()
  stream.collection.wake()
}

/** Redis keeps entries in nodes of so many, and `~` cuts off whole ones. */
export function nodeEntries({ server: { streamNodeEntries } }: Call): number {
  return streamNodeEntries === 0 ? Number.MAX_SAFE_INTEGER : streamNodeEntries
}

function wrongArity({ session }: Call): CommandError {
  return new CommandError(`ERR wrong number of arguments for '${session.lastCommand?.fullName}' command`)
}

function nextId(call: Call, { lastId }: Stream, wanted: WantedId): StreamId {
  if (lastId === idMax) {
    throw new CommandError('ERR The stream has exhausted the last possible ID, unable to add more items')
  }
  const id = idFor(call, lastId, wanted)
  if (id > lastId) return id
  throw new CommandError('ERR The ID specified in XADD is equal or smaller than the target stream top item')
}

function idFor(call: Call, lastId: StreamId, wanted: WantedId): StreamId {
  if (wanted === 'any') {
    const now = BigInt(call.owner.now())
    return now > msOf(lastId) ? makeId(now, 0n) : lastId + 1n
  }
  if ('id' in wanted) return wanted.id
  if (wanted.ms !== msOf(lastId)) return makeId(wanted.ms, 0n)
  // With the last number of its milliseconds given there is no next one.
  return BigInt.asUintN(64, lastId) === partMax ? lastId : lastId + 1n
}

/** The options of XADD, up to the id, and of XTRIM. */
function readOptions(call: Call, isAdding: boolean): AddOptions {
  const { arguments: found } = call
  let cut: { readonly keep: number } | { readonly before: StreamId } | undefined
  let isAbout = false
  let limit: number | undefined
  let onlyKnown = false
  let wanted: WantedId | undefined
  let place = 2
  for (; place < found.count; place++) {
    const hasMore = place + 1 < found.count
    const isLength = found.is(place, 'MAXLEN')
    if (hasMore && (isLength || found.is(place, 'MINID'))) {
      if (cut !== undefined) {
        throw new CommandError('ERR syntax error, MAXLEN and MINID options at the same time are not compatible')
      }
      const hasSign = place + 2 < found.count && (found.is(place + 1, '~') || found.is(place + 1, '='))
      isAbout = hasSign && found.is(place + 1, '~')
      place += hasSign ? 2 : 1
      cut = isLength ? { keep: atLeastZeroAt(call, place, 'MAXLEN') } : { before: idAt(call, place) }
    } else if (hasMore && found.is(place, 'LIMIT')) limit = atLeastZeroAt(call, ++place, 'LIMIT')
    else if (isAdding && found.is(place, 'NOMKSTREAM')) onlyKnown = true
    else if (isAdding) {
      wanted = wantedIdAt(call, place)
      break
    } else throw new CommandError(syntaxError)
  }
  assertFits(cut !== undefined, isAbout, limit, isAdding)
  const limitDefault = Math.min(nodesMax * (call.server.streamNodeEntries || nodesMax), limitDefaultMax)
  const limitMax = !isAbout || limit === 0 ? Number.POSITIVE_INFINITY : (limit ?? limitDefault)
  const trim = cut === undefined ? undefined : { ...cut, isAbout, limit: limitMax }
  return { trim, onlyKnown, wanted, end: place }
}

function atLeastZeroAt(call: Call, place: number, name: string): number {
  const value = numberAt(call, place)
  if (value < 0) throw new CommandError(`ERR The ${name} argument must be >= 0.`)
  return value
}

function assertFits(isCut: boolean, isAbout: boolean, limit: number | undefined, isAdding: boolean): void {
  if (limit !== undefined && limit > 0 && !isCut) {
    throw new CommandError('ERR syntax error, LIMIT cannot be used without specifying a trimming strategy')
  }
  if (!isAdding && !isCut) {
    throw new CommandError('ERR syntax error, XTRIM must be called with a trimming strategy')
  }
  if (limit !== undefined && !isAbout) {
    throw new CommandError('ERR syntax error, LIMIT cannot be used without the special ~ option')
  }
}

/** Returns how many entries it has cut off; the stream is to be saved. */
function trimStream(stream: Stream, trim: Trim, entriesPerNode: number): number {
  const range = 'before' in trim ? { first: 0n, last: trim.before - 1n } : { first: 0n, last: idMax }
  const over = 'before' in trim ? stream.count(range) : Math.max(0, stream.length - trim.keep)
  const most = Math.min(over, trim.limit)
  // The last node need not be full: it goes where all entries go.
  const count = trim.isAbout && most < stream.length ? most - (most % entriesPerNode) : most
  if (count === 0) return 0
  assertFitsBatch(count + 2)
  const ids = Array.from(stream.entries({ ...range, limit: count }), entryId)
  for (const id of ids) stream.remove(id)
  stream.settleFirst()
  return count
}

/** A batch takes so many changes and no more: whoever needs more is told before the work, not after it. */
export function assertFitsBatch(changes: number): void {
  const { batchRecordsMax } = defaultLimits
  if (changes <= batchRecordsMax) return
  throw new CommandError(`ERR ${changes} records would be written at once, the most is ${batchRecordsMax}`)
}

export function xtrim(call: Call): void {
  const { trim } = readOptions(call, false)
  const stream = findStream(call, 1)
  const count = stream === undefined || trim === undefined ? 0 : trimStream(stream, trim, nodeEntries(call))
  if (count > 0) stream?.save()
  call.reply.integer(count)
}

export function xdel(call: Call): void {
  const { arguments: found, reply } = call
  const stream = findStream(call, 1)
  if (stream === undefined) {
    reply.integer(0)
    return
  }
  let deleted = 0
  for (const id of idsFrom(call, 2, found.count)) {
    if (!stream.has(id)) continue
    stream.remove(id)
    if (id > stream.maxDeletedId) stream.maxDeletedId = id
    deleted++
  }
  reply.integer(deleted)
  if (deleted === 0) return
  stream.settleFirst()
  stream.save()
}

/** All ids between two places, read before any is used. */
export function idsFrom(call: Call, first: number, end: number): StreamId[] {
  return Array.from({ length: end - first }, (_, i) => idAt(call, first + i))
}

export function xsetid(call: Call): void {
  const { arguments: found, reply } = call
  const id = idAt(call, 2)
  let entriesAdded: bigint | undefined
  let maxDeletedId = 0n
  for (let place = 3; place < found.count; place += 2) {
    if (place + 1 === found.count) throw new CommandError(syntaxError)
    if (found.is(place, 'ENTRIESADDED')) {
      entriesAdded = BigInt(integerAt(call, place + 1))
      if (entriesAdded < 0n) throw new CommandError('ERR entries_added must be positive')
    } else if (found.is(place, 'MAXDELETEDID')) {
      maxDeletedId = idAt(call, place + 1)
      if (id < maxDeletedId) {
        throw new CommandError('ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id')
      }
    } else throw new CommandError(syntaxError)
  }
  const stream = findStream(call, 1)
  if (stream === undefined) throw new CommandError(noSuchKey)
  assertAbove(stream, id, entriesAdded)
  stream.lastId = id
  if (entriesAdded !== undefined) stream.entriesAdded = entriesAdded
  if (maxDeletedId !== 0n) stream.maxDeletedId = maxDeletedId
  stream.save()
  reply.ok()
}

function assertAbove(stream: Stream, id: StreamId, entriesAdded: bigint | undefined): void {
  if (stream.length === 0) return
  if (stream.count({ first: id + 1n, last: idMax }) > 0) {
    throw new CommandError('ERR The ID specified in XSETID is smaller than the target stream top item')
  }
  if (entriesAdded !== undefined && BigInt(stream.length) > entriesAdded) {
    throw new CommandError('ERR The entries_added specified in XSETID is smaller than the target stream length')
  }
}
