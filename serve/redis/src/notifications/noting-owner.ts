/**
 * An owner's door that notes which keys are written through it: the facts that key events are made from. It lies directly
 * over the store, or over the transaction that runs.
 *
 * What must hold: what is noted was written; keys are copied, since the arguments of a command do not outlive it.
 */

import type { Change, Keyspace, Range, RecordView } from '@orbitkv/engine'
import type { Durability, Owner } from '@orbitkv/store'
import { placeOfKeys } from '../collections/keyspaces.ts'

export interface NotedChange {
  /** Of the database, as databases.ts has them. */
  readonly place: number
  readonly key: Uint8Array
  readonly isDelete: boolean
  readonly expiresAt: number
  /** There was no such key before. */
  readonly isNew: boolean
}

export class NotingOwner implements Owner {
  readonly base: Owner
  readonly #note: (change: NotedChange) => void

  constructor(base: Owner, note: (change: NotedChange) => void) {
    this.base = base
    this.#note = note
  }

  beginTurn(): void {
    this.base.beginTurn()
  }

  now(): number {
    return this.base.now()
  }

  get(keyspace: Keyspace, key: Uint8Array, start: number, end: number): RecordView | undefined {
    return this.base.get(keyspace, key, start, end)
  }

  prefetch(keyspace: Keyspace, bytes: Uint8Array, spans: Uint32Array, count: number): void {
    this.base.prefetch(keyspace, bytes, spans, count)
  }

  range(keyspace: Keyspace, range: Range): Iterable<RecordView> {
    return this.base.range(keyspace, range)
  }

  count(keyspace: Keyspace, range?: Range): number {
    return this.base.count(keyspace, range)
  }

  random(keyspace: Keyspace): RecordView | undefined {
    return this.base.random(keyspace)
  }

  write(changes: readonly Change[]): void {
    const noted: NotedChange[] = []
    for (const { kind, keyspace, key, keyStart, keyEnd, expiresAt } of changes) {
      const place = placeOfKeys(keyspace)
      if (place === undefined || kind === 'delete-range') continue
      const isNew = this.base.get(keyspace, key, keyStart, keyEnd) === undefined
      const isDelete = kind === 'delete'
      // To delete what is not there changes nothing.
      if (isDelete && isNew) continue
      noted.push({ place, key: key.slice(keyStart, keyEnd), isDelete, expiresAt, isNew })
    }
    this.base.write(changes)
    for (const change of noted) this.#note(change)
  }

  get settled(): boolean {
    return this.base.settled
  }

  settle(done: (error?: Error) => void, durability?: Durability): void {
    this.base.settle(done, durability)
  }
}
