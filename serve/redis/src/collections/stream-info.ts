/** XINFO; its rows are in commands/stream-groups.ts. Of every subcommand the key is argument 2. */

import { type Call, CommandError, noSuchKey } from '../commands/command.ts'
import { numberAt } from '../commands/options.ts'
import { allEntries, readStream, replyCounter, replyEntries, replyEntry, type Stream } from './stream.ts'
import { lagOf } from './stream-counters.ts'
import { groupOf, unknownOption } from './stream-group-commands.ts'
import { countGroups, type Group, groupsOf, unknownReads } from './stream-groups.ts'
import { formatId, type StreamId } from './stream-ids.ts'
import { nodeEntries } from './stream-writes.ts'

/** What FULL shows of each list where no COUNT is given. */
const fullCountDefault = 10

function streamOf(call: Call): Stream {
  const stream = readStream(call, 2)
  if (stream === undefined) throw new CommandError(noSuchKey)
  return stream
}

export function infoStream(call: Call): void {
  const { reply } = call
  const stream = streamOf(call)
  const count = fullCount(call)
  if (count !== undefined) {
    reply.map(9)
    replyState(call, stream)
    reply.bulkText('entries')
    replyEntries(call, stream, { ...allEntries, limit: count })
    replyGroupsInFull(call, stream, count)
    return
  }
  reply.map(10)
  replyState(call, stream)
  replyNumber(call, 'groups', countGroups(stream))
  for (const [name, isReverse] of [
    ['first-entry', false],
    ['last-entry', true],
  ] as const) {
    reply.bulkText(name)
    if (stream.length === 0) reply.null()
    for (const record of stream.entries({ ...allEntries, isReverse, limit: 1 })) replyEntry(call, record)
  }
}

/** How much FULL shows of each list; undefined where it is not asked for. */
function fullCount(call: Call): number | undefined {
  const { arguments: found } = call
  if (found.count === 3) return undefined
  const isWhole = found.count === 4 || (found.count === 6 && found.is(4, 'COUNT'))
  if (!isWhole || !found.is(3, 'FULL')) {
    throw unknownOption(call)
  }
  if (found.count === 4) return fullCountDefault
  const count = numberAt(call, 5)
  if (count === 0) return Number.POSITIVE_INFINITY
  return count < 0 ? fullCountDefault : count
}

function replyState(call: Call, stream: Stream): void {
  const { reply } = call
  const nodes = Math.ceil(stream.length / nodeEntries(call))
  replyNumber(call, 'length', stream.length)
  replyNumber(call, 'radix-tree-keys', nodes)
  replyNumber(call, 'radix-tree-nodes', nodes + 1)
  replyId(call, 'last-generated-id', stream.lastId)
  replyId(call, 'max-deleted-entry-id', stream.maxDeletedId)
  reply.bulkText('entries-added')
  replyCounter(call, stream.entriesAdded)
  replyId(call, 'recorded-first-entry-id', stream.firstId)
}

function replyNumber({ reply }: Call, name: string, value: number): void {
  reply.bulkText(name)
  reply.integer(value)
}

function replyId({ reply }: Call, name: string, id: StreamId): void {
  reply.bulkText(name)
  reply.bulkText(formatId(id))
}

function replyName({ reply }: Call, name: Uint8Array): void {
  reply.bulkText('name')
  reply.bulk(name, 0, name.length)
}

/** How far a group has read, and how far it is behind. */
function replyProgress(call: Call, group: Group): void {
  const { reply } = call
  replyId(call, 'last-delivered-id', group.lastId)
  const read = group.entriesRead === unknownReads ? undefined : group.entriesRead
  for (const [name, value] of [
    ['entries-read', read],
    ['lag', lagOf(group)],
  ] as const) {
    reply.bulkText(name)
    if (value === undefined) reply.null()
    else replyCounter(call, value)
  }
}

function replyGroupsInFull(call: Call, stream: Stream, count: number): void {
  const { reply } = call
  const groups = groupsOf(stream)
  reply.bulkText('groups')
  reply.array(groups.length)
  for (const group of groups) {
    reply.map(7)
    replyName(call, group.name)
    replyProgress(call, group)
    const pending = group.countPending()
    replyNumber(call, 'pel-count', pending)
    reply.bulkText('pending')
    reply.array(Math.min(pending, count))
    let left = count
    for (const { id, consumer, deliveredAt, deliveries } of group.pendings(0n)) {
      if (left-- <= 0) break
      reply.array(4)
      reply.bulkText(formatId(id))
      reply.bulk(consumer, 0, consumer.length)
      reply.integer(deliveredAt)
      replyCounter(call, deliveries)
    }
    replyConsumersInFull(call, group, count)
  }
}

function replyConsumersInFull(call: Call, group: Group, count: number): void {
  const { reply } = call
  const consumers = [...group.consumers()]
  reply.bulkText('consumers')
  reply.array(consumers.length)
  for (const { name, seenAt } of consumers) {
    reply.map(4)
    replyName(call, name)
    replyNumber(call, 'seen-time', seenAt)
    const owned = group.countOwned(name)
    replyNumber(call, 'pel-count', owned)
    reply.bulkText('pending')
    reply.array(Math.min(owned, count))
    let left = count
    for (const { id, deliveredAt, deliveries } of group.owned(name, 0n)) {
      if (left-- <= 0) break
      reply.array(3)
      reply.bulkText(formatId(id))
      reply.integer(deliveredAt)
      replyCounter(call, deliveries)
    }
  }
}

export function infoGroups(call: Call): void {
  const { reply } = call
  const groups = groupsOf(streamOf(call))
  reply.array(groups.length)
  for (const group of groups) {
    reply.map(6)
    replyName(call, group.name)
    replyNumber(call, 'consumers', group.countConsumers())
    replyNumber(call, 'pending', group.countPending())
    replyProgress(call, group)
  }
}

export function infoConsumers(call: Call): void {
  const { owner, reply } = call
  const group = groupOf(call, streamOf(call))
  const consumers = [...group.consumers()]
  const now = owner.now()
  reply.array(consumers.length)
  for (const { name, seenAt } of consumers) {
    reply.map(3)
    replyName(call, name)
    replyNumber(call, 'pending', group.countOwned(name))
    replyNumber(call, 'idle', Math.max(0, now - seenAt))
  }
}
