/** A batch as its user builds it: changes collected in order, written as one. */

import { type Change, deleteChange, putChange } from '@orbitkv/engine'
import { storeErrors } from './errors.ts'
import { defaultKeyspace } from './keyspaces.ts'
import { toBytes } from './reader.ts'
import type { BatchBuilder, Bytes, WriteOptions } from './types.ts'

/** What a batch needs of its store. */
export interface BatchTarget {
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

  put(key: Bytes, value: Bytes, options: { readonly ttl?: number } = {}): this {
    this.#assertOpen()
    const expiresAt = this.#target.expiry(options.ttl)
    this.#changes.push(putChange(defaultKeyspace, toBytes(key, 'a key'), toBytes(value, 'a value'), { expiresAt }))
    return this
  }

  delete(key: Bytes): this {
    this.#assertOpen()
    this.#changes.push(deleteChange(defaultKeyspace, toBytes(key, 'a key')))
    return this
  }

  async commit(options: WriteOptions = {}): Promise<number> {
    this.#assertOpen()
    this.#committed = true
    return this.#target.commit(this.#changes, options)
  }

  #assertOpen(): void {
    if (this.#committed) throw storeErrors.committed()
  }
}
