/** Changes as a watch hands them out, made of the log's records: copied, since the log moves on. */

import { compareBytes } from '@orbitkv/bytes'
import type { Engine, RecordView } from '@orbitkv/engine'
import { evictedTag } from '../cache/types.ts'
import { copyOut, copySpan } from '../reader.ts'
import type { PreviousEntry, WatchedDelete, WatchedPut } from './types.ts'

/** A change whose batch is still being read: the rest of it may settle whether it is the last, and what was before it. */
export type Draft = (WatchedPut | WatchedDelete) & { last: boolean; previous: PreviousEntry | undefined }

/** What an event takes beside its bytes, about. */
const objectBytes = 200

/** The change that a put or delete of one key is. */
export function toDraft(record: RecordView, time: number, previous: PreviousEntry | undefined): Draft {
  const { kind, bytes, keyStart, keyBytes, revision } = record
  const key = copySpan(bytes, keyStart, keyBytes)
  if (kind !== 'put') return removal(removalKind(record), key, revision, time, previous, record.lease)
  return {
    kind: 'put',
    key,
    value: copyOut(record),
    revision,
    time,
    last: false,
    previous,
    createRevision: record.createRevision,
    version: record.version,
    expiresAt: record.expiresAt,
    lease: record.lease,
    tag: record.tag,
  }
}

function removalKind({ expired, tag }: RecordView): WatchedDelete['kind'] {
  if (expired) return 'expire'
  return tag === evictedTag ? 'evict' : 'delete'
}

export function removal(
  kind: WatchedDelete['kind'],
  key: Uint8Array,
  revision: number,
  time: number,
  previous: PreviousEntry | undefined,
  lease = 0,
): Draft {
  return { kind, key, value: undefined, revision, time, last: false, previous, lease }
}

export function toPrevious(record: RecordView): PreviousEntry {
  const { revision, createRevision, version, lease } = record
  return { value: copyOut(record), revision, createRevision, version, lease }
}

/** What the key of a record was before it: in its own batch, or in the state before that. */
export function previousOf(engine: Engine, record: RecordView, earlier: readonly Draft[]): PreviousEntry | undefined {
  const { keyspace, bytes, keyStart, keyBytes, revision, previousRevision } = record
  if (previousRevision === 0) return undefined
  const keyEnd = keyStart + keyBytes
  if (previousRevision === revision) {
    const before = earlier.findLast(({ key }) => compareBytes(key, 0, key.length, bytes, keyStart, keyEnd) === 0)
    return before === undefined ? undefined : asPrevious(before)
  }
  const before = engine.get(keyspace, bytes, keyStart, keyEnd, revision - 1)
  return before === undefined ? undefined : toPrevious(before)
}

/** A change of the same batch as what the next one found. */
export function asPrevious(draft: Draft): PreviousEntry | undefined {
  if (draft.kind !== 'put') return undefined
  const { value, revision, createRevision, version, lease } = draft
  return { value, revision, createRevision, version, lease }
}

/** Bytes that an event holds until it is taken, about. */
export function eventBytes({ key, value, previous }: Draft): number {
  return objectBytes + key.length + (value?.length ?? 0) + (previous?.value.length ?? 0)
}
