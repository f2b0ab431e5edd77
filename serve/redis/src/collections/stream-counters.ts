/**
 * How far a group is behind: of the entries that were ever added, how many it has read. Redis counts on while nothing ahead of
 * the group was deleted, and works the number out anew where that is possible; the same here.
 */

import type { Stream } from './stream.ts'
import { type Group, unknownReads } from './stream-groups.ts'
import type { StreamId } from './stream-ids.ts'

/** The entries that the group has not read; undefined where nobody knows. */
export function lagOf({ stream, lastId, entriesRead }: Group): bigint | undefined {
  const { entriesAdded } = stream
  if (entriesAdded === 0n) return 0n
  const read = entriesRead !== unknownReads && !hasGapsAfter(stream, lastId) ? entriesRead : readsUpTo(stream, lastId)
  return read === unknownReads ? undefined : entriesAdded - read
}

/** The group is given the entry behind its last one. */
export function advance(group: Group, id: StreamId): void {
  const { stream } = group
  if (group.entriesRead !== unknownReads && !hasGapsAfter(stream, id)) group.entriesRead++
  else if (stream.entriesAdded > 0n) group.entriesRead = readsUpTo(stream, id)
  group.lastId = id
}

/** Whether an entry at or behind an id was deleted while others before it stayed. */
function hasGapsAfter({ length, firstId, maxDeletedId }: Stream, id: StreamId): boolean {
  return length > 0 && maxDeletedId !== 0n && firstId <= maxDeletedId && id <= maxDeletedId
}

/** How many entries were added up to an id, where the counts of the stream tell. */
function readsUpTo(stream: Stream, id: StreamId): bigint {
  const { entriesAdded, firstId, lastId, length, maxDeletedId } = stream
  if (entriesAdded === 0n) return 0n
  if (id === lastId || (length === 0 && id < lastId)) return entriesAdded
  if (id > lastId) return unknownReads
  const hasGaps = maxDeletedId !== 0n && maxDeletedId >= firstId
  if (hasGaps || id > firstId) return unknownReads
  return entriesAdded - BigInt(length) + (id === firstId ? 1n : 0n)
}
