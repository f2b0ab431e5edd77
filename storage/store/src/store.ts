/**
 * The store: what a user of OrbitKV holds. An engine, and over it batches, expiry, snapshots, history and durability.
 *
 * What must hold: nothing is acknowledged before its level is met, nothing is seen before it is acknowledged (the owner's
 * door apart, owner.ts), and an expired key is never handed out.
 */

import { OrbitError } from '@orbitkv/base'
import {
  type Change,
  deleteChange,
  type Engine,
  engineErrors,
  latest,
  published,
  putChange,
  userKeyBytesMax,
} from '@orbitkv/engine'
import { type Clock, type RandomUint32, realRandomUint32 } from '@orbitkv/runtime'
import { StoreBatch } from './batch.ts'
import { Committer } from './committer.ts'
import { Compactor } from './compactor.ts'
import type { StoreConfig } from './config.ts'
import { DueIndex } from './due-index.ts'
import { storeErrors } from './errors.ts'
import { type Expired, Expirer } from './expirer.ts'
import { History } from './history.ts'
import { defaultKeyspace } from './keyspaces.ts'
import { StoreOwner } from './owner.ts'
import { StoreReader, toBytes } from './reader.ts'
import { StoreSnapshot } from './snapshot.ts'
import type {
  BatchBuilder,
  Bytes,
  Durability,
  Owner,
  PutOptions,
  Snapshot,
  Store,
  StoreStats,
  WriteOptions,
} from './types.ts'

const durabilities: readonly Durability[] = ['always', 'interval', 'none']

/** A ttl above a hundred years is a mistake. */
const ttlMsMax = 100 * 365 * 86_400_000

export interface EngineStoreOptions {
  readonly path: string
  readonly clock: Clock
  readonly config: StoreConfig
  /** For random picks; unforeseeable if absent. */
  readonly randomUint32?: RandomUint32
}

export class EngineStore extends StoreReader implements Store {
  readonly path: string
  readonly owner: Owner
  readonly #clock: Clock
  readonly #config: StoreConfig
  readonly #committer: Committer
  readonly #due: DueIndex
  readonly #expirer: Expirer
  readonly #history: History
  readonly #compactor: Compactor
  #keysExpired = 0
  #newestNow = 0
  #closing: Promise<void> | undefined

  constructor(engine: Engine, options: EngineStoreOptions) {
    super(engine, defaultKeyspace, published)
    const { clock, config } = options
    this.path = options.path
    this.#clock = clock
    this.#config = config
    this.#committer = new Committer(engine, clock, config)
    this.#due = new DueIndex(engine)
    this.#expirer = new Expirer(this.#due, clock, (most) => this.#expire(most))
    this.#history = new History(engine, clock, config)
    this.#compactor = new Compactor({ engine, clock, config, history: this.#history })
    this.owner = new StoreOwner({
      engine,
      now: () => this.now(),
      append: (changes, now) => this.#append(changes, now, true),
      settle: (durability, done) => this.#committer.settle(durability ?? config.durability, done, true),
      assertOpen: () => this.assertReadable(),
      randomUint32: options.randomUint32 ?? realRandomUint32,
    })
  }

  // ---- writing

  async put(key: Bytes, value: Bytes, options: PutOptions = {}): Promise<number> {
    const expiresAt = this.#expiry(options.ttl)
    const change = putChange(defaultKeyspace, toBytes(key, 'a key'), toBytes(value, 'a value'), { expiresAt })
    return this.#commit([change], options)
  }

  async delete(key: Bytes, options: WriteOptions = {}): Promise<boolean> {
    this.assertReadable()
    const bytes = toBytes(key, 'a key')
    const durability = this.#durabilityOf(options)
    const record = this.engine.get(defaultKeyspace, bytes, 0, bytes.length, latest)
    const isLive = record !== undefined && (record.expiresAt === 0 || record.expiresAt > this.now())
    if (record === undefined) {
      // That it is gone may be news which is not published yet, and may still be taken back.
      if (!this.owner.settled) await this.#settle(durability)
      return false
    }
    await this.#commit([deleteChange(defaultKeyspace, bytes, { expired: !isLive })], options)
    return isLive
  }

  batch(): BatchBuilder {
    this.assertReadable()
    return new StoreBatch({
      expiry: (ttl) => this.#expiry(ttl),
      commit: (changes, options) => this.#commit(changes, options),
    })
  }

  async #commit(changes: readonly Change[], options: WriteOptions): Promise<number> {
    this.assertReadable()
    const durability = this.#durabilityOf(options)
    if (changes.length === 0) return this.engine.publishedRevision
    // Before anything is awaited: once the call has returned its caller may use the bytes of keys and values for something else.
    this.#append(changes, this.now(), false)
    const revision = this.engine.appendedRevision
    await this.#settle(durability)
    if (this.#compactor.mustWait) await this.#compactor.wait()
    return revision
  }

  #durabilityOf({ durability = this.#config.durability }: WriteOptions): Durability {
    if (durabilities.includes(durability)) return durability
    throw storeErrors.bad_argument({
      name: 'durability',
      expected: durabilities.join(' or '),
      found: String(durability),
    })
  }

  /** Resolves once everything appended so far is published at a level. */
  #settle(durability: Durability): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#committer.settle(durability, (error) => (error === undefined ? resolve() : reject(error)), false)
    })
  }

  /**
   * Appends a batch of user data, with what expiry adds to it. `mayExtend`: one change may become part of the batch before it,
   * which saves most of what a batch costs.
   */
  #append(changes: readonly Change[], now: number, mayExtend: boolean): void {
    if (this.#committer.failure !== undefined) throw this.#committer.failure
    let firstDue = Number.POSITIVE_INFINITY
    for (let i = 0; i < changes.length; i++) {
      const { keyStart, keyEnd, expiresAt } = changes[i] as Change
      if (keyEnd - keyStart > userKeyBytesMax) {
        throw engineErrors.key_too_large({ bytes: keyEnd - keyStart, max: userKeyBytesMax })
      }
      if (expiresAt > 0 && expiresAt < firstDue) firstDue = expiresAt
    }
    const completed = this.#due.complete(changes, now)
    if (!mayExtend || completed.length !== 1 || !this.engine.extend(completed[0] as Change, now)) {
      this.engine.append({ changes: completed, revision: this.engine.appendedRevision + 1, time: now })
    }
    this.#compactor.noteWrites(completed.length)
    if (firstDue !== Number.POSITIVE_INFINITY) this.#expirer.note(firstDue)
  }

  /** Removes what is due. Its caller is a timer: what the store refuses, for want of space or for good, is an answer. */
  #expire(most: number): Expired {
    if (this.#committer.failure !== undefined || this.#closing !== undefined) return 'never'
    const now = this.now()
    const { changes, expired } = this.#due.expire(now, most)
    if (changes.length === 0) return 'done'
    // Dropping stale due entries alone is housekeeping: it takes no revision, nor may it move the time of the last one.
    const isHousekeeping = expired === 0
    const revision = this.engine.appendedRevision + (isHousekeeping ? 0 : 1)
    try {
      this.engine.append({ changes, revision, time: isHousekeeping ? this.engine.appendedTime : now })
    } catch (error) {
      if (!(error instanceof OrbitError)) throw error
      return error.retry === 'no' ? 'never' : 'later'
    }
    this.#keysExpired += expired
    this.#committer.settle(this.#config.durability, () => {}, false)
    return 'done'
  }

  #expiry(ttl: number | undefined): number {
    if (ttl === undefined) return 0
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > ttlMsMax) throw storeErrors.bad_ttl({ value: ttl, max: ttlMsMax })
    return this.now() + ttl
  }

  // ---- states

  snapshot(options: { readonly revision?: number } = {}): Snapshot {
    this.assertReadable()
    const revision = options.revision ?? this.engine.publishedRevision
    if (!Number.isInteger(revision) || revision < 0) {
      throw storeErrors.bad_argument({
        name: 'revision',
        expected: 'a whole number from 0 on',
        found: String(revision),
      })
    }
    const snapshot = new StoreSnapshot(
      this.engine,
      revision,
      () => this.assertReadable(),
      () => this.#history.unpin(revision),
    )
    this.#history.pin(revision)
    return snapshot
  }

  flush(): Promise<void> {
    this.assertReadable()
    return this.#committer.flush()
  }

  async compact(): Promise<number> {
    this.assertReadable()
    await this.#history.giveUp()
    // It may have been closed meanwhile.
    this.assertReadable()
    return this.engine.compact('all')
  }

  stats(): StoreStats {
    this.assertReadable()
    const stats = this.engine.stats()
    return {
      ...stats,
      path: this.path,
      backend: this.engine.name,
      durability: this.#config.durability as Durability,
      snapshotsOpen: this.#history.snapshotsOpen,
      writesWaiting: this.#committer.waiting,
      keysExpired: this.#keysExpired,
      syncs: Number(stats.details.syncs ?? 0),
      compactionFailure: this.#compactor.failure?.message ?? '',
    }
  }

  verify(progress?: (bytesDone: number, bytesTotal: number) => void): ReturnType<Store['verify']> {
    this.assertReadable()
    return this.engine.verify(progress)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#expirer.stop()
    this.#history.stop()
    this.#compactor.stop()
    try {
      if (this.#committer.waiting > 0) await this.#committer.flush()
    } finally {
      this.#committer.stop()
      await this.engine.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The wall clock, but never before the newest batch or an earlier answer: what was seen to expire stays expired. */
  protected now(): number {
    this.#newestNow = Math.max(this.#newestNow, this.#clock.now(), this.engine.appendedTime)
    return this.#newestNow
  }

  protected assertReadable(): void {
    if (this.#closing !== undefined) throw storeErrors.closed({ path: this.path })
  }
}
