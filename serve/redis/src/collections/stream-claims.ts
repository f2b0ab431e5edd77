/** XCLAIM and XAUTOCLAIM, which give pending entries to another consumer; their rows are in commands/stream-groups.ts. */

import { type Call, CommandError, syntaxError } from '../commands/command.ts'
import { integerAt, numberAt } from '../commands/options.ts'
import { replyEntryOf } from './stream.ts'
import { existingGroup, seeConsumer } from './stream-group-commands.ts'
import type { Group, Pending } from './stream-groups.ts'
import { formatId, idAt, parseId, rangeStartAt, type StreamId } from './stream-ids.ts'

/** Entries that XAUTOCLAIM looks at, for each that it is to claim. */
const looksPerClaim = 10
const autoCountDefault = 100
/** What one XAUTOCLAIM claims at most, whatever its COUNT: others wait for it, and its cursor leads on. */
const claimsMax = 10_000
/** As in Redis, where it bounds what is taken of memory. */
const autoCountMax = 2 ** 63 / 16

interface ClaimOptions {
  deliveredAt: number | undefined
  deliveries: bigint | undefined
  lastId: StreamId
  isForced: boolean
  justIds: boolean
}

export function xclaim(call: Call): void {
  const { arguments: found, owner } = call
  const group = existingGroup(call)
  const idleMsMin = Math.max(0, numberAt(call, 4, 'ERR Invalid min-idle-time argument for XCLAIM'))
  const ids: StreamId[] = []
  let place = 5
  for (; place < found.count; place++) {
    const id = parseId(found.text(place), 0n)
    if (id === undefined) break
    ids.push(id)
  }
  const options = claimOptions(call, place)
  const now = owner.now()
  if (options.lastId > group.lastId) {
    group.lastId = options.lastId
    group.save()
  }
  const claimed = ids.filter((id) => claim(call, group, id, idleMsMin, now, options))
  replyClaimed(call, group, claimed, options.justIds)
}

function claimOptions(call: Call, first: number): ClaimOptions {
  const { arguments: found, owner } = call
  const options: ClaimOptions = {
    deliveredAt: undefined,
    deliveries: undefined,
    lastId: 0n,
    isForced: false,
    justIds: false,
  }
  for (let place = first; place < found.count; place++) {
    const hasMore = place + 1 < found.count
    if (found.is(place, 'FORCE')) options.isForced = true
    else if (found.is(place, 'JUSTID')) options.justIds = true
    else if (hasMore && found.is(place, 'IDLE')) options.deliveredAt = owner.now() - optionAt(call, ++place, 'IDLE')
    else if (hasMore && found.is(place, 'TIME')) options.deliveredAt = optionAt(call, ++place, 'TIME')
    else if (hasMore && found.is(place, 'RETRYCOUNT')) {
      const deliveries = BigInt(integerAt(call, ++place, 'ERR Invalid RETRYCOUNT option argument for XCLAIM'))
      options.deliveries = deliveries < 0n ? undefined : deliveries
    } else if (hasMore && found.is(place, 'LASTID')) options.lastId = idAt(call, ++place)
    else throw new CommandError(`ERR Unrecognized XCLAIM option '${found.text(place)}'`)
  }
  return options
}

function optionAt(call: Call, place: number, name: string): number {
  return numberAt(call, place, `ERR Invalid ${name} option argument for XCLAIM`)
}

/** Whether the consumer at argument 3 has the entry now. */
function claim(
  call: Call,
  group: Group,
  id: StreamId,
  idleMsMin: number,
  now: number,
  { deliveredAt = now, deliveries, isForced, justIds }: ClaimOptions,
): boolean {
  const pending = group.pending(id)
  if (!group.stream.has(id)) {
    if (pending !== undefined) group.deletePending(pending)
    return false
  }
  if (pending === undefined && !isForced) return false
  if (pending !== undefined && now - pending.deliveredAt < idleMsMin) return false
  // A time that lies ahead, or before all times, is one of a client whose clock is wrong.
  const at = deliveredAt < 0 || deliveredAt > now ? now : deliveredAt
  // One that is made here counts as delivered once.
  const before = pending?.deliveries ?? 1n
  give(call, group, { id, deliveredAt: at, deliveries: deliveries ?? (justIds ? before : before + 1n) }, pending)
  return true
}

function give(call: Call, group: Group, given: Omit<Pending, 'consumer'>, old: Pending | undefined): void {
  const consumer = call.arguments.copy(3)
  seeConsumer(call, group, consumer)
  group.putPending({ ...given, consumer }, old)
}

function replyClaimed(call: Call, { stream }: Group, ids: readonly StreamId[], justIds: boolean): void {
  const { reply } = call
  reply.array(ids.length)
  for (const id of ids) {
    if (justIds) reply.bulkText(formatId(id))
    else replyEntryOf(call, stream, id)
  }
}

export function xautoclaim(call: Call): void {
  const { arguments: found, owner, reply } = call
  const idleMsMin = Math.max(0, numberAt(call, 4, 'ERR Invalid min-idle-time argument for XAUTOCLAIM'))
  const first = rangeStartAt(call, 5)
  let count = autoCountDefault
  let justIds = false
  for (let place = 6; place < found.count; place++) {
    if (found.is(place, 'COUNT') && place + 1 < found.count) count = autoCountAt(call, ++place)
    else if (found.is(place, 'JUSTID')) justIds = true
    else throw new CommandError(syntaxError)
  }
  const group = existingGroup(call)
  const now = owner.now()
  const claimed: StreamId[] = []
  const deleted: StreamId[] = []
  const most = Math.min(count, claimsMax)
  let looked = 0
  let next = 0n
  for (const pending of group.pendings(first)) {
    if (looked++ >= most * looksPerClaim || claimed.length + deleted.length >= most) {
      next = pending.id
      break
    }
    const { id, deliveries } = pending
    if (!group.stream.has(id)) {
      group.deletePending(pending)
      deleted.push(id)
    } else if (now - pending.deliveredAt >= idleMsMin) {
      give(call, group, { id, deliveredAt: now, deliveries: justIds ? deliveries : deliveries + 1n }, pending)
      claimed.push(id)
    }
  }
  reply.array(3)
  reply.bulkText(formatId(next))
  replyClaimed(call, group, claimed, justIds)
  reply.array(deleted.length)
  for (const id of deleted) reply.bulkText(formatId(id))
}

function autoCountAt(call: Call, place: number): number {
  const problem = 'ERR COUNT must be > 0'
  const count = numberAt(call, place, problem)
  if (count < 1 || count > autoCountMax) throw new CommandError(problem)
  return count
}
