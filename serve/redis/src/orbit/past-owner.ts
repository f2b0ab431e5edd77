/** An owner's door to a state that was: what commands read there is as it was, by the time that it was then. They cannot write. */

import type { Change, Keyspace, Range, RecordView } from '@orbitkv/engine'
import type { Owner } from '@orbitkv/store'
import { CommandError } from '../commands/command.ts'

export class PastOwner implements Owner {
  readonly #base: Owner
  readonly #revision: number
  readonly #timeMs: number

  /** The state must be held for as long as the door is used. */
  constructor(base: Owner, { revision, time }: { readonly revision: number; readonly time: number }) {
    this.#base = base
    this.#revision = revision
    this.#timeMs = time
  }

  beginTurn(): void {
    this.#base.beginTurn()
  }

  now(): number {
    return this.#timeMs
  }

  get(keyspace: Keyspace, key: Uint8Array, start: number, end: number): RecordView | undefined {
    const bound = key.slice(start, end)
    for (const record of this.range(keyspace, { gte: bound, lte: bound, limit: 1 })) return record
    return undefined
  }

  /** Nothing to hasten: it is a hint for the newest state. */
  prefetch(): void {}

  range(keyspace: Keyspace, range: Range): Iterable<RecordView> {
    return this.#base.range(keyspace, { ...range, at: this.#revision })
  }

  count(keyspace: Keyspace, range: Range = {}): number {
    let count = 0
    for (const _ of this.range(keyspace, range)) count++
    return count
  }

  /** The first: none of a past state is more random than another. */
  random(keyspace: Keyspace): RecordView | undefined {
    for (const record of this.range(keyspace, { limit: 1 })) return record
    return undefined
  }

  write(_changes: readonly Change[]): void {
    throw new CommandError('ERR what was cannot be changed')
  }

  get settled(): boolean {
    return this.#base.settled
  }

  settle(done: (error?: Error) => void): void {
    this.#base.settle(done)
  }
}
