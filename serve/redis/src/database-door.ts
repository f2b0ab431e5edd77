/**
 * The owner's door to one database: what commands call the keys, elements, graves and generations of a database are its own
 * keyspaces behind it. databases.ts hands it out; the database at place 0 needs none.
 *
 * What must hold: `base` is the store, or the transaction that runs; the numbers of changes are as they were after `write`.
 */

import type { Change, Keyspace, Range, RecordView } from '@orbitkv/engine'
import type { Durability, Owner } from '@orbitkv/store'
import { keyspaceAt } from './collections/keyspaces.ts'

export class DatabaseDoor implements Owner {
  base: Owner
  readonly #place: number

  constructor(base: Owner, place: number) {
    this.base = base
    this.#place = place
  }

  beginTurn(): void {
    this.base.beginTurn()
  }

  now(): number {
    return this.base.now()
  }

  get(keyspace: Keyspace, key: Uint8Array, start: number, end: number): RecordView | undefined {
    return this.base.get(keyspaceAt(this.#place, keyspace), key, start, end)
  }

  prefetch(keyspace: Keyspace, bytes: Uint8Array, spans: Uint32Array, count: number): void {
    this.base.prefetch(keyspaceAt(this.#place, keyspace), bytes, spans, count)
  }

  range(keyspace: Keyspace, range: Range): Iterable<RecordView> {
    return this.base.range(keyspaceAt(this.#place, keyspace), range)
  }

  count(keyspace: Keyspace, range?: Range): number {
    return this.base.count(keyspaceAt(this.#place, keyspace), range)
  }

  random(keyspace: Keyspace): RecordView | undefined {
    return this.base.random(keyspaceAt(this.#place, keyspace))
  }

  write(changes: readonly Change[]): void {
    const asked = changes.map(({ keyspace }) => keyspace)
    for (const change of changes) change.keyspace = keyspaceAt(this.#place, change.keyspace)
    try {
      this.base.write(changes)
    } finally {
      changes.forEach((change, i) => {
        change.keyspace = asked[i] as Keyspace
      })
    }
  }

  get settled(): boolean {
    return this.base.settled
  }

  settle(done: (error?: Error) => void, durability?: Durability): void {
    this.base.settle(done, durability)
  }
}
