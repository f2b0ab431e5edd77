/** A batch as its user builds it: changes collected in order, written as one. */

import { type Change, deleteChange, type Engine, putChange } from '@orbitkv/engine'
import { storeErrors } from './errors.ts'
import { defaultKeyspace } from './keyspaces.ts'
import { checkOptions, leaseOf } from './options.ts'
import { toBytes } from './reader.ts'
import type { BatchBuilder, Bytes, ExpiryOptions, WriteOptions } from './types.ts'

/** What a batch needs of its store. */
export interface BatchTarget {
  readonly engine: Engine
  /** The time at which a ttl given now ends; throws for a bad one. */
  expiry(ttl: number | undefined): number
  commit(changes: readonly Change[], options: WriteOptions): Promise<number>
}

export class StoreBatch implements BatchBuilder {
  readonly #target: BatchTarget
  readonly #changes: Change[] = []
  #committed = false

  constructor(target: BatchTarget) {
    this.#target = target
  }

  get size(): number {
    return this.#changes.length
  }

  put(key: Bytes, value: Bytes, options: ExpiryOptions = {}): this {
    this.#assertOpen()
    checkOptions(options)
    const expiresAt = this.#target.expiry(options.ttl)
    const lease = leaseOf(options)
    this.#changes.push(
      putChange(defaultKeyspace, toBytes(key, 'a key'), toBytes(value, 'a value'), { expiresAt, lease }),
    )
    return this
  }

  delete(key: Bytes): this {
    this.#assertOpen()
    this.#changes.push(deleteChange(defaultKeyspace, toBytes(key, 'a key')))
    return this
  }

  isOf(engine: Engine): boolean {
    return this.#target.engine === engine
  }

  /** Takes in a change that is made already. */
  add(change: Change): void {
    this.#assertOpen()
    this.#changes.push(change)
  }

  async commit(options: WriteOptions = {}): Promise<number> {
    this.#assertOpen()
    checkOptions(options)
    this.#committed = true
    return this.#target.commit(this.#changes, options)
  }

  #assertOpen(): void {
    if (this.#committed) throw storeErrors.committed()
  }
}
