/**
 * OrbitKV as an abstract-level database: one OrbitLevel is one embedded store, its keys are those of the default keyspace.
 *
 * What must hold: every operation reads its keys and values before it returns; iterators and explicit snapshots are
 * snapshots of the store, so nothing written later is seen through them. Public: applications make one by its constructor.
 */

import { hasCode } from '@orbitkv/base'
import { deleteRangeChange } from '@orbitkv/engine'
import { type AbstractDatabaseOptions, AbstractLevel } from 'abstract-level'
import {
  type Bytes,
  type Durability,
  type OpenOptions,
  open,
  type RangeOptions,
  type Reader,
  type Store,
} from 'orbitkv'
import { levelErrors } from './errors.ts'
import { after, type Format, fromBytes, toBytes } from './formats.ts'
import { boundsOf, type IteratorOptions, OrbitIterator } from './iterator.ts'
import { OrbitSnapshot } from './snapshot.ts'

/** The keyspace that raw keys live in; see the package `orbitkv`. */
const defaultKeyspace = 0
/** Keys that `clear` deletes in one batch, where it cannot delete by range. */
const clearKeysPerBatch = 1000

export interface OrbitLevelOptions<Key = string, Value = string> extends AbstractDatabaseOptions<Key, Value> {
  /** Settings of the store: those of `open` in the package `orbitkv`. */
  readonly store?: Omit<OpenOptions, 'createIfMissing'>
}

/** Options of put, del, batch and clear. */
export interface OrbitWriteOptions {
  /** As in classic-level: true waits for the disk, false for the system alone. Absent: the durability of the store. */
  readonly sync?: boolean
}

interface OpeningOptions {
  readonly createIfMissing: boolean
  readonly errorIfExists: boolean
  readonly store?: Omit<OpenOptions, 'createIfMissing'>
}

interface ReadOptions {
  readonly valueEncoding: Format
  readonly snapshot?: OrbitSnapshot
}

type Operation = { readonly key: Bytes } & ({ readonly type: 'put'; readonly value: Bytes } | { readonly type: 'del' })

interface ClearOptions extends RangeOptions, OrbitWriteOptions {
  readonly snapshot?: OrbitSnapshot
}

export class OrbitLevel<Key = string, Value = string> extends AbstractLevel<Bytes, Key, Value> {
  readonly location: string
  #store: Store | undefined

  constructor(location: string, options?: OrbitLevelOptions<Key, Value>) {
    if (typeof location !== 'string' || location === '') {
      throw new TypeError("The first argument 'location' must be a non-empty string")
    }
    const manifest = {
      encodings: { buffer: true, utf8: true, view: true },
      seek: true,
      has: true,
      getSync: true,
      createIfMissing: true,
      errorIfExists: true,
      explicitSnapshots: true,
      implicitSnapshots: true,
      permanence: options?.store?.backend !== 'memory',
      streams: true,
    }
    super(manifest, options)
    this.location = location
  }

  /** The store beneath, for what Level has no word for: `stats`, `verify`, `compact`. */
  get store(): Store {
    if (this.#store === undefined) throw levelErrors.not_open({ location: this.location })
    return this.#store
  }

  async _open({ createIfMissing, errorIfExists, store = {} }: OpeningOptions): Promise<void> {
    if (errorIfExists && (await this.#exists(store))) throw levelErrors.exists({ location: this.location })
    this.#store = await open(this.location, { ...store, createIfMissing })
  }

  /** Opening is the only test that tells a store from another's folder, and from one that is damaged or in use. */
  async #exists(store: Omit<OpenOptions, 'createIfMissing'>): Promise<boolean> {
    try {
      const found = await open(this.location, { ...store, createIfMissing: false })
      await found.close()
      return true
    } catch (error) {
      if (hasCode(error, 'disk.not_found')) return false
      throw error
    }
  }

  async _close(): Promise<void> {
    const store = this.#store
    this.#store = undefined
    await store?.close()
  }

  // ---- reading

  async _get(key: Bytes, options: ReadOptions): Promise<unknown> {
    const value = await this.#reader(options).getAsync(key)
    return value && fromBytes(value, options.valueEncoding)
  }

  _getSync(key: Bytes, options: ReadOptions): unknown {
    const value = this.#reader(options).get(key)
    return value && fromBytes(value, options.valueEncoding)
  }

  async _getMany(keys: readonly Bytes[], options: ReadOptions): Promise<unknown[]> {
    const values = await this.#reader(options).getManyAsync(keys)
    return values.map((value) => value && fromBytes(value, options.valueEncoding))
  }

  _has(key: Bytes, options: ReadOptions): Promise<boolean> {
    return this.#reader(options).hasAsync(key)
  }

  async _hasMany(keys: readonly Bytes[], options: ReadOptions): Promise<boolean[]> {
    const values = await this.#reader(options).getManyAsync(keys)
    return values.map((value) => value !== undefined)
  }

  _iterator(options: IteratorOptions): OrbitIterator<Key, Value> {
    return new OrbitIterator(this, options)
  }

  _snapshot(options: object): OrbitSnapshot {
    return new OrbitSnapshot(this.store.snapshot(), options)
  }

  #reader({ snapshot }: { readonly snapshot?: OrbitSnapshot }): Reader {
    return snapshot?.reader ?? this.store
  }

  // ---- writing

  async _put(key: Bytes, value: Bytes, options: OrbitWriteOptions): Promise<void> {
    await this.store.put(key, value, durabilityOf(options))
  }

  async _del(key: Bytes, options: OrbitWriteOptions): Promise<void> {
    await this.store.delete(key, durabilityOf(options))
  }

  async _batch(operations: readonly Operation[], options: OrbitWriteOptions): Promise<void> {
    const batch = this.store.batch()
    for (const operation of operations) {
      if (operation.type === 'put') batch.put(operation.key, operation.value)
      else batch.delete(operation.key)
    }
    await batch.commit(durabilityOf(options))
  }

  async _clear(options: ClearOptions): Promise<void> {
    const { limit = -1, snapshot } = options
    if (limit < 0 && snapshot === undefined) await this.#clearRange(options)
    else await this.#clearKeys(options)
  }

  /** One record deletes the range. */
  #clearRange(options: ClearOptions): Promise<void> {
    const { gt, gte, lt, lte } = boundsOf(options)
    const first = gt === undefined ? toBytes(gte ?? '') : after(gt)
    const end = lte === undefined ? (lt === undefined ? undefined : toBytes(lt)) : after(lte)
    const { owner, mayHoldCollections } = this.store
    return new Promise((resolve, reject) => {
      owner.beginTurn()
      if (mayHoldCollections) this.#assertNoCollections(first, end)
      // To a delete of a range an empty end is none at all, while nothing sorts before the empty key.
      if (end === undefined || end.length > 0) owner.write([deleteRangeChange(defaultKeyspace, first, end)])
      owner.settle((error) => (error === undefined ? resolve() : reject(error)), durabilityOf(options).durability)
    })
  }

  /** One record would take the keys of collections and leave their elements, where nothing leads to them. */
  #assertNoCollections(gte: Uint8Array, end: Uint8Array | undefined): void {
    const range = end === undefined ? { gte } : { gte, lt: end }
    for (const { tag, bytes, keyStart, keyBytes } of this.store.owner.range(defaultKeyspace, range)) {
      if (tag === 0) continue
      const key = JSON.stringify(Buffer.from(bytes.subarray(keyStart, keyStart + keyBytes)).toString())
      throw levelErrors.collections({ key })
    }
  }

  async #clearKeys(options: ClearOptions): Promise<void> {
    const { limit = -1, reverse = false } = options
    const range = { ...boundsOf(options), reverse, ...(limit < 0 ? {} : { limit }) }
    let batch = this.store.batch()
    for (const { key } of this.#reader(options).range(range)) {
      batch.delete(key)
      if (batch.size < clearKeysPerBatch) continue
      await batch.commit(durabilityOf(options))
      batch = this.store.batch()
    }
    await batch.commit(durabilityOf(options))
  }
}

function durabilityOf({ sync }: { readonly sync?: boolean | undefined }): { readonly durability?: Durability } {
  if (sync === undefined) return {}
  return { durability: sync ? 'always' : 'none' }
}
