/**
 * The due index: which key expires when, as ordered keys of the store's own keyspace, so that expiry survives restarts
 * and never needs a scan.
 *
 * An entry's key is the due time, the keyspace and the key; its value is empty. It is written in the batch that sets the
 * expiry, and deleted in the batch that changes it; the entries of leases (leases/lease-records.ts) are kept the same way.
 * What must hold: every live record with an expiry has its entry.
 * The reverse need not: an entry whose record has another expiry by now is dropped when it comes due.
 *
 *   0 u64 due time, ms since 1970 | 8 u32 keyspace | 12.. key      (big-endian, so that bytes sort as times)
 */

import {
  type Change,
  copyKey,
  deleteChange,
  type Engine,
  type Keyspace,
  latest,
  putChange,
  type RecordView,
} from '@orbitkv/engine'
import { dueKeyspace, leasedKeyspace } from './keyspaces.ts'
import { leasedKey } from './leases/lease-records.ts'

const headBytes = 12
const empty = new Uint8Array(0)

/** What ends a key: a time, or a lease; 0 for neither. */
interface Ends {
  readonly expiresAt: number
  readonly lease: number
}

const endless: Ends = { expiresAt: 0, lease: 0 }

interface Due {
  readonly at: number
  readonly keyspace: Keyspace
  readonly key: Uint8Array
}

export class DueIndex {
  readonly #engine: Engine

  /** False only where no key has an expiry or a lease: then writes need not look. */
  #hasEntries = true
  /**
   * No key is due before this time. Entries that were deleted stay in the index for as long as history keeps them, before all
   * that are left: whoever looks for the first must not walk past them again and again.
   */
  #dueFrom = 0

  constructor(engine: Engine) {
    this.#engine = engine
    this.next()
  }

  /**
   * The changes of a batch with what expiry adds to them: the due entries to write and delete, and the expiry of a key
   * that is due ahead of its first write. Most batches touch no expiry and are returned as they are.
   */
  complete(changes: readonly Change[], now: number): readonly Change[] {
    const anyEntries = this.#hasEntries
    if (!anyEntries && !anyEnds(changes)) return changes
    this.#hasEntries = true
    const completed: Change[] = []
    // What the batch itself has made of a key: the engine knows only what stood before it.
    const within = changes.length > 1 ? new Map<string, Ends>() : undefined
    for (const change of changes) {
      let written = change
      if (change.kind !== 'delete-range') {
        const name = within === undefined ? '' : nameOf(change)
        const before = within?.get(name) ?? (anyEntries ? this.#endsOf(change) : endless)
        const after = change.kind === 'put' ? { expiresAt: change.expiresAt, lease: change.lease } : endless
        if (after.expiresAt > 0 && after.expiresAt < this.#dueFrom) this.#dueFrom = after.expiresAt
        written = addEntries(completed, change, before, after, now)
        within?.set(name, after)
      }
      completed.push(written)
    }
    return completed
  }

  /** What ends the key of a change as things stand. */
  #endsOf({ keyspace, key, keyStart, keyEnd }: Change): Ends {
    return this.#engine.get(keyspace, key, keyStart, keyEnd, latest) ?? endless
  }

  /** When the next key is due; undefined where none is. */
  next(): number | undefined {
    const gte = dueKey(this.#dueFrom, 0, empty)
    for (const record of this.#engine.range(dueKeyspace, { gte, limit: 1, at: latest })) {
      this.#dueFrom = parseDue(record).at
      return this.#dueFrom
    }
    this.#dueFrom = Number.MAX_SAFE_INTEGER
    let hasLeased = false
    for (const _ of this.#engine.range(leasedKeyspace, { limit: 1, at: latest })) hasLeased = true
    this.#hasEntries = hasLeased
    return undefined
  }

  /** The changes that expire what is due, at most `most` keys; and how many keys of users among them expire. */
  expire(now: number, most: number): { changes: Change[]; expired: number } {
    const due: Due[] = []
    const gte = dueKey(this.#dueFrom, 0, empty)
    const lt = dueKey(now + 1, 0, empty)
    for (const record of this.#engine.range(dueKeyspace, { gte, lt, limit: most, at: latest }))
      due.push(parseDue(record))
    const changes: Change[] = []
    let expired = 0
    for (const { at, keyspace, key } of due) {
      changes.push(deleteChange(dueKeyspace, dueKey(at, keyspace, key)))
      const record = this.#engine.get(keyspace, key, 0, key.length, latest)
      if (record?.expiresAt !== at) continue
      const { lease } = record
      changes.push(deleteChange(keyspace, key, { expired: true }))
      if (lease > 0) changes.push(deleteChange(leasedKeyspace, leasedKey(lease, keyspace, key)))
      expired++
    }
    return { changes, expired }
  }
}

/** Adds ahead of a change what it does to the entries of its key; returns the change as it is to be written. */
function addEntries(completed: Change[], change: Change, before: Ends, after: Ends, now: number): Change {
  const { expiresAt: dueBefore, lease: leaseBefore } = before
  const { expiresAt: dueAfter, lease: leaseAfter } = after
  if (dueBefore === dueAfter && leaseBefore === leaseAfter) return change
  const { keyspace } = change
  const key = change.key.slice(change.keyStart, change.keyEnd)
  // A key that was due expires, and is then as if it had never been there.
  const isDue = dueBefore > 0 && dueBefore <= now
  if (isDue && change.kind === 'put') completed.push(deleteChange(keyspace, key, { expired: true }))
  if (dueBefore !== dueAfter) {
    if (dueBefore > 0) completed.push(deleteChange(dueKeyspace, dueKey(dueBefore, keyspace, key)))
    if (dueAfter > 0) completed.push(putChange(dueKeyspace, dueKey(dueAfter, keyspace, key), empty))
  }
  if (leaseBefore !== leaseAfter) {
    if (leaseBefore > 0) completed.push(deleteChange(leasedKeyspace, leasedKey(leaseBefore, keyspace, key)))
    if (leaseAfter > 0) completed.push(putChange(leasedKeyspace, leasedKey(leaseAfter, keyspace, key), empty))
  }
  return isDue && change.kind === 'delete' ? deleteChange(keyspace, key, { expired: true }) : change
}

function nameOf({ keyspace, key, keyStart, keyEnd }: Change): string {
  return `${keyspace}:${Buffer.from(key.buffer, key.byteOffset + keyStart, keyEnd - keyStart).toString('latin1')}`
}

function anyEnds(changes: readonly Change[]): boolean {
  for (let i = 0; i < changes.length; i++) {
    const { expiresAt, lease, kind } = changes[i] as Change
    if (expiresAt > 0 || (lease > 0 && kind === 'put')) return true
  }
  return false
}

function dueKey(at: number, keyspace: Keyspace, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headBytes + key.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(at / 2 ** 32))
  view.setUint32(4, at >>> 0)
  view.setUint32(8, keyspace)
  bytes.set(key, headBytes)
  return bytes
}

function parseDue(record: RecordView): Due {
  const bytes = copyKey(record)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return {
    at: view.getUint32(0) * 2 ** 32 + view.getUint32(4),
    keyspace: view.getUint32(8),
    key: bytes.subarray(headBytes),
  }
}
