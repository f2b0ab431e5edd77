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
  type FilesHold,
  type Keyspace,
  latest,
  published,
  putChange,
  userKeyBytesMax,
} from '@orbitkv/engine'
import { type Clock, type RandomUint32, realRandomUint32 } from '@orbitkv/runtime'
import { StoreBatch } from './batch.ts'
import { type Cache, newCache } from './cache/cache.ts'
import { Evictor } from './cache/evictor.ts'
import type { CacheSettings } from './cache/types.ts'
import { Committer } from './committer.ts'
import { Compactor } from './compactor.ts'
import { type StoreConfig, storeConfig } from './config.ts'
import { DueIndex } from './due-index.ts'
import { storeErrors } from './errors.ts'
import { type Expired, Expirer } from './expirer.ts'
import { History } from './history.ts'
import { StoreKeyspace } from './keyspaces/keyspace.ts'
import { Keyspaces } from './keyspaces/keyspaces.ts'
import { shown } from './keyspaces/schema.ts'
import type { KeyspaceOptions, TypedKeyspace } from './keyspaces/types.ts'
import { defaultKeyspace, directoryKeyspace, leasedKeyspace, namedKeyspaceMin } from './keyspaces.ts'
import { StoreLeases } from './leases/leases.ts'
import type { Leases } from './leases/types.ts'
import { checkOptions, leaseOf } from './options.ts'
import { StoreOwner } from './owner.ts'
import { ReadMeter } from './read-meter.ts'
import { StoreReader, toBytes } from './reader.ts'
import { StoreSnapshot } from './snapshot.ts'
import { conflictAt, expectedRevision } from './transactions/condition.ts'
import { Transactions } from './transactions/transactions.ts'
import type { Transaction, TransactOptions } from './transactions/types.ts'
import type {
  BatchBuilder,
  Bytes,
  DeleteOptions,
  Durability,
  PutOptions,
  ReadOptions,
  Snapshot,
  SnapshotOptions,
  Store,
  StoreStats,
  WriteOptions,
} from './types.ts'
import { WatchHub } from './watch/hub.ts'
import type { Watch, WatchChange, Watcher, WatchOptions } from './watch/types.ts'
import { StoreWatch } from './watch/watch.ts'

const durabilities: readonly Durability[] = ['always', 'interval', 'none']

/** A ttl above a hundred years is a mistake. */
const ttlMsMax = 100 * 365 * 86_400_000

export interface EngineStoreOptions {
  readonly path: string
  readonly clock: Clock
  readonly config: StoreConfig
  /** For random picks; unforeseeable if absent. */
  readonly randomUint32?: RandomUint32
  /** Transactions leave a part of what they read unchecked: for tests that must notice it. */
  readonly unsoundTransactions?: 'keys' | 'ranges'
}

export class EngineStore extends StoreReader implements Store {
  readonly path: string
  readonly owner: StoreOwner
  readonly #clock: Clock
  readonly #config: StoreConfig
  readonly #randomUint32: RandomUint32
  readonly #committer: Committer
  readonly #due: DueIndex
  readonly #expirer: Expirer
  readonly #history: History
  readonly #compactor: Compactor
  readonly #watches: WatchHub
  readonly #leases: StoreLeases
  readonly #transactions: Transactions
  readonly #keyspaces: Keyspaces
  /** Where the store is a cache. */
  #evictor: Evictor | undefined
  /** A server has, or may have, records with a tag: keys under which more lies than their value. */
  #hasTagged: boolean
  #keysExpired = 0
  #newestNow = 0
  #closing: Promise<void> | undefined

  constructor(engine: Engine, options: EngineStoreOptions) {
    super(engine, defaultKeyspace, published, new ReadMeter(options.clock), newCache(options))
    const { clock, config } = options
    this.path = options.path
    this.#clock = clock
    this.#config = config
    this.#committer = new Committer(engine, clock, config)
    this.#due = new DueIndex(engine)
    this.#hasTagged = engine.keyspaces().some((id) => id > directoryKeyspace && id < namedKeyspaceMin)
    this.#expirer = new Expirer(this.#due, clock, (most) => this.#expire(most))
    this.#history = new History(engine, clock, config)
    this.#compactor = new Compactor({ engine, clock, config, history: this.#history })
    const { watchBufferBytes: bufferBytes } = config
    this.#watches = new WatchHub({ engine, clock, bufferBytes, history: this.#history, committer: this.#committer })
    const randomUint32 = options.randomUint32 ?? realRandomUint32
    this.#randomUint32 = randomUint32
    this.#leases = new StoreLeases({
      engine,
      clock,
      randomUint32,
      checkTtl: (ttl) => void this.#expiry(ttl),
      append: (changes, kind) => this.#appendOwn(changes, kind),
      settle: (durability) => this.#settle(this.#durabilityOf(durability === undefined ? {} : { durability })),
      assertWritable: () => {
        this.assertReadable()
        this.#transactions.assertOutside()
      },
    })
    this.owner = new StoreOwner(
      {
        engine,
        now: () => this.now(),
        append: (changes, now) => this.#append(changes, now, true),
        settle: (durability, done) => this.#committer.settle(durability ?? config.durability, done, true),
        assertOpen: () => this.assertReadable(),
        randomUint32,
      },
      this.cache,
    )
    this.#keyspaces = new Keyspaces({
      engine,
      meter: this.meter,
      clock,
      now: () => this.now(),
      expiry: (ttl) => this.#expiry(ttl),
      assertReadable: () => this.assertReadable(),
      commit: (changes, settings, expected) => this.#commit(changes, settings, expected),
      append: (changes, kind) => this.#appendOwn(changes, kind),
      settle: (settings) => this.#settle(this.#durabilityOf(settings)),
    })
    this.#transactions = new Transactions({
      engine,
      meter: this.meter,
      clock,
      randomUint32,
      now: () => this.now(),
      expiry: (ttl) => this.#expiry(ttl),
      assertOpen: () => this.assertReadable(),
      durabilityOf: (settings) => this.#durabilityOf(settings),
      append: (changes) => this.#append(changes, this.now(), false),
      settle: (durability, done) => this.#settleWrite(durability, done),
      unsound: options.unsoundTransactions,
    })
    this.#evictor = this.cache && this.#newEvictor(this.cache)
  }

  changeCache(settings: CacheSettings): void {
    this.assertReadable()
    const { cacheBytesMax, cachePolicy, cacheKeys } = storeConfig.parse({
      cacheBytesMax: settings.bytesMax,
      cachePolicy: settings.policy,
      cacheKeys: settings.keys,
    })
    if (this.cache?.resize(settings)) {
      this.#evictor?.resized()
      return
    }
    this.#evictor?.stop()
    const config = { ...this.#config, cacheBytesMax, cachePolicy, cacheKeys }
    const cache = newCache({ clock: this.#clock, config, randomUint32: this.#randomUint32 }, this.cache?.totals)
    this.cache = this.owner.cache = cache
    this.#evictor = cache && this.#newEvictor(cache)
    // What the one before has deleted may not be on its way yet.
    this.#committer.settle(this.#config.durability, () => {}, false)
  }

  get isCacheFull(): boolean {
    return this.cache?.isFull === true
  }

  #newEvictor(cache: Cache): Evictor {
    return new Evictor({
      cache,
      engine: this.engine,
      clock: this.#clock,
      now: () => this.now(),
      expire: (now, most) => {
        if (!this.#expirer.isDue(now) || this.#expire(most) !== 'done') return false
        return (this.#due.next() ?? Number.POSITIVE_INFINITY) <= now
      },
      complete: (changes, now) => this.#keyspaces.complete(this.#due.complete(changes, now), now),
      appended: (changes) => this.#appended(changes, false),
      // Of a failure those hear who wait for a write, and every write that follows.
      settle: (done) => this.#committer.settle(this.#config.durability, () => done(), false),
    })
  }

  // ---- writing

  /** Not `async`, as `#commit` is not: the promises in between are a good part of what a put costs (bench store, layer). */
  put(key: Bytes, value: Bytes, options: PutOptions = {}): Promise<number> {
    try {
      checkOptions(options)
      const expiresAt = this.#expiry(options.ttl)
      const lease = leaseOf(options)
      const change = putChange(defaultKeyspace, toBytes(key, 'a key'), toBytes(value, 'a value'), { expiresAt, lease })
      return this.#commit([change], options, expectedRevision(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async delete(key: Bytes, options: DeleteOptions = {}): Promise<boolean> {
    this.assertReadable()
    checkOptions(options)
    const bytes = toBytes(key, 'a key')
    const durability = this.#durabilityOf(options)
    const expected = expectedRevision(options)
    const record = this.engine.get(defaultKeyspace, bytes, 0, bytes.length, latest)
    const isLive = record !== undefined && (record.expiresAt === 0 || record.expiresAt > this.now())
    if (record === undefined && (expected ?? 0) === 0) {
      // That it is gone may be news which is not published yet, and may still be taken back.
      if (!this.owner.settled) await this.#settle(durability)
      return false
    }
    await this.#commit([deleteChange(defaultKeyspace, bytes, { expired: !isLive })], options, expected)
    return isLive
  }

  batch(): BatchBuilder {
    this.assertReadable()
    return new StoreBatch({
      engine: this.engine,
      expiry: (ttl) => this.#expiry(ttl),
      commit: (changes, options) => this.#commit(changes, options),
    })
  }

  keyspace<Key, Value, IndexName extends string = never>(
    name: string,
    options: KeyspaceOptions<Key, Value, IndexName>,
  ): TypedKeyspace<Key, Value, IndexName> {
    return new StoreKeyspace(this.#keyspaces, name, options)
  }

  /**
   * Appends changes at once, and resolves to their revision once they are published; throws what is wrong with them. `expected`: the
   * revision that the key of the first change must be at.
   */
  #commit(changes: readonly Change[], options: WriteOptions, expected?: number): Promise<number> {
    this.assertReadable()
    const durability = this.#durabilityOf(options)
    if (expected !== undefined) {
      const conflict = conflictAt(this.engine, changes[0] as Change, expected, this.now())
      if (conflict !== undefined) return this.#refuse(conflict, durability)
    }
    if (changes.length === 0) return Promise.resolve(this.engine.publishedRevision)
    // Before anything is awaited: once the call has returned its caller may use the bytes of keys and values for something else.
    const revision = this.#append(changes, this.now(), false)
    return new Promise((resolve, reject) => {
      this.#settleWrite(durability, (error) => (error === undefined ? resolve(revision) : reject(error)))
    })
  }

  /** What a conflict was found in may not be published yet, and may still be taken back: it is told once it is. */
  async #refuse(conflict: Error, durability: Durability): Promise<never> {
    await this.#settle(durability)
    throw conflict
  }

  #durabilityOf({ durability = this.#config.durability }: WriteOptions): Durability {
    if (durabilities.includes(durability)) return durability
    throw storeErrors.bad_argument({
      name: 'durability',
      expected: durabilities.join(' or '),
      found: String(durability),
    })
  }

  get mayHoldCollections(): boolean {
    return this.#hasTagged
  }

  get leases(): Leases {
    return this.#leases
  }

  transact<Result>(run: (tx: Transaction) => Result | PromiseLike<Result>, options?: TransactOptions): Promise<Result> {
    return this.#transactions.transact(run, options)
  }

  /** Resolves once everything appended so far is published at a level. */
  #settle(durability: Durability): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#committer.settle(durability, (error) => (error === undefined ? resolve() : reject(error)), false)
    })
  }

  /** Whether a writer is to wait before it is acknowledged: compaction or eviction is behind, or those who watch want a turn. */
  get #mustWait(): boolean {
    return this.#compactor.mustWait || this.#watches.mustWait || this.#evictor?.mustWait === true
  }

  async #wait(): Promise<void> {
    if (this.#watches.mustWait) await this.#watches.wait()
    if (this.#compactor.mustWait) await this.#compactor.wait()
    await this.#evictor?.wait()
  }

  /** As `#settle`, and holds the writer back where it must wait. */
  #settleWrite(durability: Durability, done: (error?: Error) => void): void {
    const settled = (error?: Error): void => {
      if (error === undefined && this.#mustWait) void this.#wait().then(() => done())
      else done(error)
    }
    this.#committer.settle(durability, settled, false)
  }

  /**
   * Appends a batch of user data, with what expiry adds to it. `mayExtend`: one change may become part of the batch before it,
   * which saves most of what a batch costs. Only the owner's door says so, and only it may write over what has a tag. Returns the
   * revision of the changes.
   */
  #append(changes: readonly Change[], now: number, mayExtend: boolean): number {
    this.#transactions.assertOutside()
    if (this.#committer.failure !== undefined) throw this.#committer.failure
    let firstDue = Number.POSITIVE_INFINITY
    for (let i = 0; i < changes.length; i++) {
      const { keyStart, keyEnd, expiresAt, lease, kind, keyspace, tag } = changes[i] as Change
      if (keyEnd - keyStart > userKeyBytesMax && keyspace !== leasedKeyspace) {
        throw engineErrors.key_too_large({ bytes: keyEnd - keyStart, max: userKeyBytesMax })
      }
      if (lease !== 0 && kind === 'put') this.#leases.assertHeld(lease)
      if (tag !== 0) this.#hasTagged = true
      else if (this.#hasTagged && !mayExtend && keyspace === defaultKeyspace)
        this.#assertUntagged(changes[i] as Change, now)
      if (expiresAt > 0 && expiresAt < firstDue) firstDue = expiresAt
    }
    this.#evictor?.assertRoomFor(changes)
    const completed = this.#keyspaces.complete(this.#due.complete(changes, now), now)
    const heard = this.#evictor?.heard(completed)
    const isExtended = mayExtend && completed.length === 1 && this.engine.extend(completed[0] as Change, now)
    if (!isExtended) {
      this.engine.append({ changes: completed, revision: this.engine.appendedRevision + 1, time: now })
    }
    const revision = this.engine.appendedRevision
    this.#appended(completed, !isExtended, heard)
    if (firstDue !== Number.POSITIVE_INFINITY) this.#expirer.note(firstDue)
    this.#evictor?.run()
    return revision
  }

  /** Those who follow what is appended hear of it. `isBatch`: it is all of the newest batch. */
  #appended(changes: readonly Change[], isBatch: boolean, heard = changes): void {
    this.#keyspaces.appended()
    this.#watches.noteAppended(changes, isBatch)
    this.#compactor.noteWrites(changes.length)
    this.cache?.noteWritten(heard)
  }

  /** Of what a server keeps under a key, a write past it would leave the elements behind, where nothing leads to them. */
  #assertUntagged({ keyspace, key, keyStart, keyEnd }: Change, now: number): void {
    const record = this.engine.get(keyspace, key, keyStart, keyEnd, latest)
    if (record === undefined || record.tag === 0 || (record.expiresAt !== 0 && record.expiresAt <= now)) return
    throw storeErrors.key_of_server({ key: shown(key.slice(keyStart, keyEnd)), tag: record.tag })
  }

  /** Appends a batch of the store's own: as one of users, or as housekeeping, which changes no user data. */
  #appendOwn(changes: readonly Change[], kind: 'user' | 'housekeeping'): void {
    this.assertReadable()
    if (kind === 'user') this.#append(changes, this.now(), false)
    else {
      if (this.#committer.failure !== undefined) throw this.#committer.failure
      this.engine.append({ changes, revision: this.engine.appendedRevision, time: this.engine.appendedTime })
      this.#compactor.noteWrites(changes.length)
    }
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
      const completed = this.#keyspaces.complete(changes, now)
      this.engine.append({ changes: completed, revision, time: isHousekeeping ? this.engine.appendedTime : now })
      this.#keyspaces.appended()
      this.cache?.noteWritten(completed)
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

  snapshot(options: SnapshotOptions = {}): Snapshot {
    this.assertReadable()
    checkOptions(options)
    const pin = this.#history.pin(this.#revisionOf(options), 'snapshot', options.name)
    return new StoreSnapshot(this.engine, pin, this.meter, () => this.assertReadable())
  }

  /** The revision of a state as it is asked for. */
  #revisionOf({ revision, at = revision }: SnapshotOptions): number {
    if (at === undefined) return this.engine.publishedRevision
    if (revision !== undefined && at !== revision) {
      throw storeErrors.bad_argument({ name: 'a state', expected: 'given by revision or by at', found: 'both' })
    }
    if (at instanceof Date && !Number.isNaN(at.getTime())) return this.#history.revisionAt(at.getTime())
    if (typeof at === 'number' && Number.isInteger(at) && at >= 0) return at
    const name = revision === undefined ? 'at' : 'revision'
    throw storeErrors.bad_argument({ name, expected: 'a whole number from 0 on, or a Date', found: String(at) })
  }

  override get(key: Bytes, options?: ReadOptions): Uint8Array | undefined {
    if (options?.at === undefined) return super.get(key)
    const snapshot = this.snapshot({ at: options.at, name: 'get' })
    try {
      return snapshot.get(key)
    } finally {
      snapshot.close()
    }
  }

  watch(options: WatchOptions & { readonly progress: number }): Watch
  watch(options?: Omit<WatchOptions, 'progress'>): Watch<WatchChange>
  watch(options: WatchOptions = {}): Watch {
    return new StoreWatch((ready) => this.watcher(defaultKeyspace, options, ready))
  }

  watcher(keyspace: Keyspace, options: WatchOptions, ready: () => void): Watcher {
    this.assertReadable()
    checkOptions(options)
    return this.#watches.watch(keyspace, options, ready)
  }

  flush(): Promise<void> {
    this.assertReadable()
    return this.#committer.flush()
  }

  async compactTo(revision: number): Promise<void> {
    this.assertReadable()
    if (!Number.isInteger(revision) || revision < 0) {
      const expected = 'a whole number from 0 on'
      throw storeErrors.bad_argument({ name: 'revision', expected, found: String(revision) })
    }
    const newest = this.engine.publishedRevision
    if (revision > newest) throw engineErrors.not_yet({ asked: revision, newest })
    if (revision <= this.#history.oldestRevision) return
    this.#appendOwn([this.#history.compactChange(revision)], 'housekeeping')
    await this.#settle(this.#durabilityOf({}))
    await this.#history.compactTo(revision)
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
      longestReadMs: this.meter.longestMs,
      watchesOpen: this.#watches.watchersOpen,
      leasesHeld: this.#leases.size,
      oldestRevision: this.#history.oldestRevision,
      pins: this.#history.pins(),
      transactionsOpen: this.#transactions.open,
      transactionConflicts: this.#transactions.conflicts,
      writesWaiting: this.#committer.waiting,
      keysExpired: this.#keysExpired,
      syncs: Number(stats.details.syncs ?? 0),
      compactionFailure: this.#compactor.failure?.message ?? '',
      writeFailure: this.#committer.failure?.message ?? String(stats.details.poisoned ?? ''),
      ...(this.#evictor === undefined ? {} : { cache: this.#evictor.stats() }),
    }
  }

  async verify(progress?: (bytesDone: number, bytesTotal: number) => void): ReturnType<Store['verify']> {
    this.assertReadable()
    try {
      return await this.engine.verify(progress)
    } catch (error) {
      // Closing ends it, with an error of the engine's.
      this.assertReadable()
      throw error
    }
  }

  holdFiles(): Promise<FilesHold> {
    this.assertReadable()
    const held = this.engine.holdFiles?.()
    return held ?? Promise.reject(engineErrors.not_supported({ engine: this.engine.name, what: 'be copied by files' }))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#leases.stop()
    this.#expirer.stop()
    this.#evictor?.stop()
    this.#history.stop()
    this.#keyspaces.stop()
    this.#compactor.stop()
    try {
      if (this.#committer.waiting > 0) await this.#committer.flush()
    } finally {
      this.#watches.end(undefined)
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
