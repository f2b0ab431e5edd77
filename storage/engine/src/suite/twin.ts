/**
 * The dumb twin: what an engine must do, done by keeping every version of every key in a plain map and looking at all of
 * them. Model tests run the same operations on both and compare.
 */

import { compareBytes } from '@orbitkv/bytes'
import { type At, type Batch, type Change, latest, published, type Range } from '../contract.ts'

export interface TwinRecord {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly isPut: boolean
  readonly position: number
  readonly revision: number
  readonly createRevision: number
  readonly previousRevision: number
  readonly version: number
  readonly expiresAt: number
  readonly lease: number
  readonly tag: number
}

interface TwinKey {
  readonly keyspace: number
  readonly key: Uint8Array
  readonly versions: TwinRecord[]
}

export class Twin {
  readonly #keys = new Map<string, TwinKey>()
  appendedPosition = 0
  appendedRevision = 0
  publishedPosition = 0
  /** Revision after each position. */
  readonly #revisions = [0]
  /** A delete at or below this position has been forgotten: the next put of its key finds nothing before it. */
  #forgottenPosition = 0

  get publishedRevision(): number {
    return this.#revisions[this.publishedPosition] as number
  }

  append(batch: Batch): void {
    this.appendedPosition++
    this.appendedRevision = batch.revision
    this.#revisions.push(batch.revision)
    this.#apply(batch.changes, batch.revision)
  }

  /** The engine has taken a change into its newest batch. */
  extend(change: Change): void {
    this.#apply([change], this.appendedRevision)
  }

  #apply(changes: readonly Change[], revision: number): void {
    for (const change of changes) {
      const key = change.key.slice(change.keyStart, change.keyEnd)
      const value = change.value.slice(change.valueStart, change.valueEnd)
      if (change.kind === 'delete-range') {
        for (const entry of this.#keys.values()) {
          const within = compare(entry.key, key) >= 0 && (value.length === 0 || compare(entry.key, value) < 0)
          if (entry.keyspace === change.keyspace && within && entry.versions.at(-1)?.isPut) {
            this.#add(entry, revision, { isPut: false })
          }
        }
        continue
      }
      const id = `${change.keyspace}:${Buffer.from(key).toString('hex')}`
      const entry = this.#keys.get(id) ?? { keyspace: change.keyspace, key, versions: [] }
      this.#keys.set(id, entry)
      const { expiresAt, lease, tag } = change
      if (change.kind === 'put') this.#add(entry, revision, { isPut: true, value, expiresAt, lease, tag })
      else this.#add(entry, revision, { isPut: false })
    }
  }

  #add(entry: TwinKey, revision: number, given: Partial<TwinRecord> & { readonly isPut: boolean }): void {
    const newest = entry.versions.at(-1)
    const isForgotten = newest !== undefined && !newest.isPut && newest.position <= this.#forgottenPosition
    const before = isForgotten ? undefined : newest
    const goesOn = given.isPut && before?.isPut === true
    entry.versions.push({
      key: entry.key,
      value: new Uint8Array(0),
      expiresAt: 0,
      lease: 0,
      tag: 0,
      position: this.appendedPosition,
      revision,
      createRevision: goesOn ? before.createRevision : given.isPut ? revision : 0,
      previousRevision: before?.revision ?? 0,
      version: goesOn ? before.version + 1 : given.isPut ? 1 : 0,
      ...given,
    })
  }

  publish(position: number): void {
    this.publishedPosition = Math.max(this.publishedPosition, position)
  }

  /** States older than a published revision may go; what they alone could see is forgotten. */
  retain(revision: number): void {
    for (let position = this.#forgottenPosition + 1; position <= this.publishedPosition; position++) {
      if ((this.#revisions[position] as number) > revision) return
      this.#forgottenPosition = position
    }
  }

  /** The engine was closed and opened again: it has read its log anew, and kept states from a revision on. */
  reopen(oldestRevision: number): void {
    this.publish(this.appendedPosition)
    this.#forgottenPosition = 0
    this.retain(oldestRevision)
  }

  truncateAfter(position: number): void {
    for (const [id, entry] of this.#keys) {
      while ((entry.versions.at(-1)?.position ?? 0) > position) entry.versions.pop()
      if (entry.versions.length === 0) this.#keys.delete(id)
    }
    this.#revisions.length = position + 1
    this.appendedPosition = position
    this.appendedRevision = this.#revisions[position] as number
  }

  get(keyspace: number, key: Uint8Array, at: At = published): TwinRecord | undefined {
    return this.#see(this.#keys.get(`${keyspace}:${Buffer.from(key).toString('hex')}`), at)
  }

  range(keyspace: number, range: Range): TwinRecord[] {
    const { gt, gte, lt, lte, reverse, limit, at = published } = range
    const records: TwinRecord[] = []
    for (const entry of this.#keys.values()) {
      if (entry.keyspace !== keyspace) continue
      if (gt !== undefined && compare(entry.key, gt) <= 0) continue
      if (gte !== undefined && compare(entry.key, gte) < 0) continue
      if (lt !== undefined && compare(entry.key, lt) >= 0) continue
      if (lte !== undefined && compare(entry.key, lte) > 0) continue
      const record = this.#see(entry, at)
      if (record !== undefined) records.push(record)
    }
    records.sort((a, b) => compare(a.key, b.key) * (reverse ? -1 : 1))
    return records.slice(0, limit ?? records.length)
  }

  /** Every key ever written to a keyspace, for picking. */
  keys(): Uint8Array[] {
    return Array.from(this.#keys.values(), (entry) => entry.key)
  }

  #see(entry: TwinKey | undefined, at: At): TwinRecord | undefined {
    const seen = entry?.versions.findLast(({ position, revision }) => {
      if (at === latest) return true
      return at === published ? position <= this.publishedPosition : revision <= at
    })
    return seen?.isPut ? seen : undefined
  }
}

function compare(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(a, 0, a.length, b, 0, b.length)
}
