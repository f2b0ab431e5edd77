/**
 * The due index: which key expires when, as ordered keys of the store's own keyspace, so that expiry survives restarts
 * and never needs a scan.
 *
 * An entry's key is the due time, the keyspace and the key; its value is empty. It is written in the batch that sets the
 * expiry, and deleted in the batch that changes it. What must hold: every live record with an expiry has its entry.
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
import { dueKeyspace } from './keyspaces.ts'

const headBytes = 12
const empty = new Uint8Array(0)
const wholeLatest = { at: latest }

interface Due {
  readonly at: number
  readonly keyspace: Keyspace
  readonly key: Uint8Array
}

export class DueIndex {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Keys with an expiry. */
  get size(): number {
    return this.#engine.count(dueKeyspace, wholeLatest)
  }

  /**
   * The changes of a batch with what expiry adds to them: the due entries to write and delete, and the expiry of a key
   * that is due ahead of its first write. Most batches touch no expiry and are returned as they are.
   */
  complete(changes: readonly Change[], now: number): readonly Change[] {
    const anyDue = this.size > 0
    if (!anyDue && !hasExpiry(changes)) return changes
    const completed: Change[] = []
    // What the batch itself has made of a key's expiry: the engine knows only what stood before it.
    const within = changes.length > 1 ? new Map<string, number>() : undefined
    for (const change of changes) {
      if (change.kind !== 'delete-range') {
        const name = within === undefined ? '' : nameOf(change)
        const before = within?.get(name) ?? (anyDue ? this.#expiryOf(change) : 0)
        const after = change.kind === 'put' ? change.expiresAt : 0
        if (before !== after) addEntries(completed, change, before, after, now)
        within?.set(name, after)
      }
      completed.push(change)
    }
    return completed
  }

  /** When the key of a change is due as things stand, 0 for never. */
  #expiryOf({ keyspace, key, keyStart, keyEnd }: Change): number {
    return this.#engine.get(keyspace, key, keyStart, keyEnd, latest)?.expiresAt ?? 0
  }

  /** When the next key is due; undefined where none is. */
  next(): number | undefined {
    for (const record of this.#engine.range(dueKeyspace, { limit: 1, at: latest })) return parseDue(record).at
    return undefined
  }

  /** The changes that expire what is due, at most `most` keys; and how many keys of users among them expire. */
  expire(now: number, most: number): { changes: Change[]; expired: number } {
    const due: Due[] = []
    for (const record of this.#engine.range(dueKeyspace, { lt: dueKey(now + 1, 0, empty), limit: most, at: latest })) {
      due.push(parseDue(record))
    }
    const changes: Change[] = []
    let expired = 0
    for (const { at, keyspace, key } of due) {
      changes.push(deleteChange(dueKeyspace, dueKey(at, keyspace, key)))
      if (this.#engine.get(keyspace, key, 0, key.length, latest)?.expiresAt !== at) continue
      changes.push(deleteChange(keyspace, key, { expired: true }))
      expired++
    }
    return { changes, expired }
  }
}

/** What a change that moves its key's expiry adds ahead of itself. */
function addEntries(completed: Change[], change: Change, before: number, after: number, now: number): void {
  const { keyspace } = change
  const key = change.key.slice(change.keyStart, change.keyEnd)
  if (before > 0) {
    if (before <= now) completed.push(deleteChange(keyspace, key, { expired: true }))
    completed.push(deleteChange(dueKeyspace, dueKey(before, keyspace, key)))
  }
  if (after > 0) completed.push(putChange(dueKeyspace, dueKey(after, keyspace, key), empty))
}

function nameOf({ keyspace, key, keyStart, keyEnd }: Change): string {
  return `${keyspace}:${Buffer.from(key.buffer, key.byteOffset + keyStart, keyEnd - keyStart).toString('latin1')}`
}

function hasExpiry(changes: readonly Change[]): boolean {
  for (let i = 0; i < changes.length; i++) if ((changes[i] as Change).expiresAt > 0) return true
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
