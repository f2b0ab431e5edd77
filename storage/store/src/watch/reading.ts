/**
 * Reading the changes of a watch back from the log: for watches from an old revision, and where a range of keys was deleted,
 * which is one record in the log and as many changes as there were keys.
 *
 * What must hold: nothing of the log is held between two steps but copies, for its memory is used again; and the state
 * before the batch that is read stays kept (the watcher pins it).
 */

import { type CommittedBatch, copyKey, type Engine, type RecordView } from '@orbitkv/engine'
import { asPrevious, type Draft, previousOf, removal, toDraft, toPrevious } from './changes.ts'
import { covers, type Interest, shared } from './interest.ts'
import type { WatchChange } from './types.ts'

export interface Reading {
  readonly engine: Engine
  readonly interest: Interest
  /** Whether what a key was before is asked for. */
  readonly previous: boolean
  /** The first revision that counts. */
  readonly from: number
  /** From a position before it. */
  readonly changes: Iterable<CommittedBatch>
}

/** A stretch of keys that a batch deletes, and how many changes of single keys stand before it. */
interface RangeDelete {
  readonly start: Uint8Array
  readonly end: Uint8Array | undefined
  readonly after: number
}

/** The changes, in order; of each batch without any its revision, so that whoever reads can stop there. */
export function* readChanges(reading: Reading): Generator<WatchChange | number, void> {
  for (const batch of reading.changes) {
    let held: Draft | undefined
    if (batch.revision >= reading.from) {
      for (const change of changesOf(reading, batch)) {
        if (held !== undefined) yield held as WatchChange
        held = change
      }
    }
    if (held === undefined) yield batch.revision
    else {
      held.last = true
      yield held as WatchChange
    }
  }
}

function changesOf(reading: Reading, batch: CommittedBatch): Iterable<Draft> {
  const { engine, interest, previous } = reading
  const drafts: Draft[] = []
  const deletes: RangeDelete[] = []
  for (const record of batch.records) {
    const { kind, keyspace, bytes, keyStart, keyBytes } = record
    if (keyspace !== interest.keyspace) continue
    if (kind === 'delete-range') deletes.push({ ...rangeOf(record), after: drafts.length })
    else if (covers(interest, bytes, keyStart, keyStart + keyBytes)) {
      drafts.push(toDraft(record, batch.time, previous ? previousOf(engine, record, drafts) : undefined))
    }
  }
  return deletes.length === 0 ? drafts : withDeletes(reading, batch, drafts, deletes)
}

export function rangeOf(record: RecordView): { start: Uint8Array; end: Uint8Array | undefined } {
  const { bytes, valueStart, valueBytes } = record
  const end = valueBytes === 0 ? undefined : bytes.slice(valueStart, valueStart + valueBytes)
  return { start: copyKey(record), end }
}

/** The changes of a batch that deletes ranges: each key that was there, before it or through it, goes once. */
function* withDeletes(
  reading: Reading,
  { revision, time }: CommittedBatch,
  drafts: readonly Draft[],
  deletes: readonly RangeDelete[],
): Generator<Draft> {
  const { engine, interest, previous } = reading
  /** Keys that the batch itself has changed so far, and what it made of them. */
  const within = new Map<string, Draft>()
  let done = 0
  const next = (): Draft => {
    const draft = drafts[done++] as Draft
    const name = nameOf(draft.key)
    const before = within.get(name)
    if (before !== undefined && previous) draft.previous = asPrevious(before)
    within.set(name, draft)
    return draft
  }
  for (const [turn, { start, end, after }] of deletes.entries()) {
    while (done < after) yield next()
    const stretch = shared(interest, start, end)
    if (stretch === undefined) continue
    const gone = deletes.slice(0, turn).map((earlier) => ({ ...interest, ...earlier }))
    for (const record of engine.range(interest.keyspace, { ...stretch, at: revision - 1 })) {
      const key = copyKey(record)
      if (within.has(nameOf(key)) || gone.some((range) => covers(range, key, 0, key.length))) continue
      const { expiresAt } = record
      const kind = expiresAt !== 0 && expiresAt <= time ? 'expire' : 'delete'
      yield removal(kind, key, revision, time, previous ? toPrevious(record) : undefined)
    }
    const range = { ...interest, start, end }
    for (const [name, draft] of within) {
      if (draft.kind !== 'put' || !covers(range, draft.key, 0, draft.key.length)) continue
      const deleted = removal('delete', draft.key, revision, time, previous ? asPrevious(draft) : undefined)
      within.set(name, deleted)
      yield deleted
    }
  }
  while (done < drafts.length) yield next()
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}
