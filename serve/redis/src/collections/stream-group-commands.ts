/**
 * XGROUP, XACK and XPENDING; their rows are in commands/stream-groups.ts.
 *
 * XGROUP writes the header with what it changes, so that the key is seen to have changed; what is pending changes too often.
 */

import { type Call, CommandError, syntaxError } from '../commands/command.ts'
import { integerAt, numberAt } from '../commands/options.ts'
import { findStream, newStream, readStream, replyCounter, type Stream } from './stream.ts'
import { findGroup, Group, type Pending, unknownReads } from './stream-groups.ts'
import { boundAt, formatId, idAt, rangeEndAt, rangeStartAt, type StreamId } from './stream-ids.ts'
import { assertFitsBatch, idsFrom } from './stream-writes.ts'

const noStream =
  'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.'

/** Of every subcommand of XGROUP, the key is argument 2 and the group argument 3. */
function streamOf(call: Call): Stream {
  const stream = findStream(call, 2)
  if (stream === undefined) throw new CommandError(noStream)
  return stream
}

/** The group at argument 3 of a subcommand. */
export function groupOf(call: Call, stream: Stream): Group {
  const { arguments: found } = call
  const group = findGroup(stream, found.copy(3))
  if (group !== undefined) return group
  throw new CommandError(`NOGROUP No such consumer group '${found.text(3)}' for key name '${found.text(2)}'`)
}

/** A consumer was here; where it is new, it is made, and an event tells so. */
export function seeConsumer(call: Call, group: Group, name: Uint8Array): void {
  const { owner, server } = call
  if (server.notifications.isOn && !group.hasConsumer(name)) {
    server.notifications.note(call, 't', 'xgroup-createconsumer', group.stream.collection.key)
  }
  group.seeConsumer(name, owner.now())
}

interface GroupOptions {
  readonly makesStream: boolean
  readonly entriesRead: bigint
}

function groupOptions(call: Call, isNew: boolean): GroupOptions {
  const { arguments: found } = call
  let makesStream = false
  let entriesRead = unknownReads
  for (let place = 5; place < found.count; place++) {
    if (isNew && found.is(place, 'MKSTREAM')) makesStream = true
    else if (found.is(place, 'ENTRIESREAD') && place + 1 < found.count) {
      entriesRead = BigInt(integerAt(call, ++place))
      if (entriesRead < unknownReads) throw new CommandError('ERR value for ENTRIESREAD must be positive or -1')
    } else throw unknownOption(call)
  }
  return { makesStream, entriesRead }
}

/** For options that a subcommand does not have. */
export function unknownOption({ arguments: found }: Call): CommandError {
  return new CommandError(
    `ERR unknown subcommand or wrong number of arguments for '${found.text(1).slice(0, 128)}'. Try ${found.text(0).toUpperCase()} HELP.`,
  )
}

export function createGroup(call: Call): void {
  const { arguments: found, reply } = call
  const { makesStream, entriesRead } = groupOptions(call, true)
  const known = findStream(call, 2)
  if (known === undefined && !makesStream) throw new CommandError(noStream)
  if (found.count > 8) throw unknownOption(call)
  const id = found.is(4, '$') ? (known?.lastId ?? 0n) : idAt(call, 4)
  const stream = known ?? newStream(call, 2)
  const name = found.copy(3)
  if (findGroup(stream, name) !== undefined) {
    throw new CommandError('BUSYGROUP Consumer Group name already exists')
  }
  new Group(stream, name, id, entriesRead).save()
  stream.save()
  reply.ok()
}

export function setGroupId(call: Call): void {
  const { arguments: found, reply } = call
  const { entriesRead } = groupOptions(call, false)
  const stream = streamOf(call)
  const group = groupOf(call, stream)
  if (found.count > 7) throw unknownOption(call)
  group.lastId = found.is(4, '$') ? stream.lastId : boundAt(call, 4, 0n)
  group.entriesRead = entriesRead
  group.save()
  stream.save()
  reply.ok()
}

export function destroyGroup(call: Call): void {
  const { arguments: found, reply } = call
  const stream = streamOf(call)
  const group = findGroup(stream, found.copy(3))
  reply.integer(group === undefined ? 0 : 1)
  if (group === undefined) return
  assertFitsBatch(group.countRecords() + 1)
  group.delete()
  stream.save()
  // Who waits for entries of the group is told that it is gone.
  stream.collection.wake()
}

export function createConsumer(call: Call): void {
  const { arguments: found, owner, reply } = call
  const stream = streamOf(call)
  const group = groupOf(call, stream)
  const name = found.copy(4)
  const isNew = !group.hasConsumer(name)
  reply.integer(isNew ? 1 : 0)
  if (!isNew) return
  group.seeConsumer(name, owner.now())
  stream.save()
}

export function deleteConsumer(call: Call): void {
  const { arguments: found, reply } = call
  const stream = streamOf(call)
  const group = groupOf(call, stream)
  const name = found.copy(4)
  const isThere = group.hasConsumer(name)
  assertFitsBatch(2 * group.countOwned(name) + 2)
  reply.integer(isThere ? group.deleteConsumer(name) : 0)
  if (isThere) stream.save()
}

export function xack(call: Call): void {
  const { arguments: found, reply } = call
  const stream = findStream(call, 1)
  const group = stream === undefined ? undefined : findGroup(stream, found.copy(2))
  if (group === undefined) {
    reply.integer(0)
    return
  }
  let acknowledged = 0
  for (const id of idsFrom(call, 3, found.count)) {
    const pending = group.pending(id)
    if (pending === undefined) continue
    group.deletePending(pending)
    acknowledged++
  }
  reply.integer(acknowledged)
}

/** The stream at argument 1 and its group at argument 2, which must be there. */
export function existingGroup(call: Call, find: typeof findStream = findStream): Group {
  const { arguments: found } = call
  const stream = find(call, 1)
  const group = stream === undefined ? undefined : findGroup(stream, found.copy(2))
  if (group !== undefined) return group
  throw new CommandError(`NOGROUP No such key '${found.text(1)}' or consumer group '${found.text(2)}'`)
}

export function xpending(call: Call): void {
  const { arguments: found } = call
  if (found.count === 3) {
    replySummary(call, existingGroup(call, readStream))
    return
  }
  if (found.count < 6 || found.count > 9) throw new CommandError(syntaxError)
  const hasIdle = found.is(3, 'IDLE')
  const idleMsMin = hasIdle ? numberAt(call, 4) : 0
  if (hasIdle && found.count < 8) throw new CommandError(syntaxError)
  const place = hasIdle ? 5 : 3
  const limit = Math.max(0, numberAt(call, place + 2))
  const first = rangeStartAt(call, place)
  const last = rangeEndAt(call, place + 1)
  const group = existingGroup(call, readStream)
  const consumer = place + 3 < found.count ? found.copy(place + 3) : undefined
  const pendings = consumer === undefined ? group.pendings(first, last) : group.owned(consumer, first, last)
  replyPendings(call, pendings, limit, idleMsMin)
}

function replySummary({ reply }: Call, group: Group): void {
  const count = group.countPending()
  reply.array(4)
  reply.integer(count)
  const [first, last] = [group.pendingEdge(false), group.pendingEdge(true)]
  if (first === undefined || last === undefined) {
    reply.null()
    reply.null()
    reply.nullArray()
    return
  }
  replyId(reply, first)
  replyId(reply, last)
  const consumers = [...group.consumers()].map(({ name }) => ({ name, owned: group.countOwned(name) }))
  const busy = consumers.filter(({ owned }) => owned > 0)
  reply.array(busy.length)
  for (const { name, owned } of busy) {
    reply.array(2)
    reply.bulk(name, 0, name.length)
    reply.bulkInteger(owned)
  }
}

function replyId(reply: Call['reply'], id: StreamId): void {
  reply.bulkText(formatId(id))
}

function replyPendings(call: Call, pendings: Iterable<Pending>, limit: number, idleMsMin: number): void {
  const { owner, reply } = call
  const now = owner.now()
  const shown: Pending[] = []
  for (const pending of pendings) {
    if (shown.length >= limit) break
    if (idleMsMin === 0 || now - pending.deliveredAt >= idleMsMin) shown.push(pending)
  }
  reply.array(shown.length)
  for (const { id, consumer, deliveredAt, deliveries } of shown) {
    reply.array(4)
    replyId(reply, id)
    reply.bulk(consumer, 0, consumer.length)
    reply.integer(Math.max(0, now - deliveredAt))
    replyCounter(call, deliveries)
  }
}
