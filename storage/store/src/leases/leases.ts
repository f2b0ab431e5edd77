/**
 * Leases: granted, renewed, and ended with all their keys.
 *
 * While the store is open a lease's end is a moment of the monotonic clock, so no step of the wall clock moves it. A renewal moves
 * that moment and writes nothing. In the log stands what a lease has left at most: all of its time after a grant, less once it was
 * not renewed for a while, or when the store was closed. What is left runs on from when the store is opened.
 *
 * What must hold: in the log a lease has at least as much left as a renewal that was acknowledged gave it, so it never ends early,
 * whatever happens to the store. It ends late by the interval of writing it down at most, and by the time the store was not open.
 * A lease that has begun to end is not renewed, and goes on ending when the store is opened again.
 */

import { OrbitError } from '@orbitkv/base'
import { type Change, deleteChange, type Engine, type Keyspace, latest, putChange } from '@orbitkv/engine'
import type { Clock, RandomUint32, Timer } from '@orbitkv/runtime'
import { storeErrors } from '../errors.ts'
import { defaultKeyspace, leasedKeyspace, leaseKeyspace } from '../keyspaces.ts'
import { checkOptions } from '../options.ts'
import type { Durability } from '../types.ts'
import { leasedKey, leaseKey, leaseValue, parseLease, parseLeased } from './lease-records.ts'
import type { GrantOptions, Leases } from './types.ts'
import { Wakes } from './wakes.ts'

/** Keys that go in one batch: some ten milliseconds of the loop. A lease with more goes in several. */
const keysPerBatch = 4096
/** How often what is left of a lease that is not renewed is written down. */
const writeDownEveryMs = 5 * 60_000
/** Leases that are looked at in one turn. */
const leasesPerTurn = 1000
/** What a full disk refused is tried again after this. */
const retryMs = 1000
const sleepMsMax = 3_600_000
const idTriesMax = 100

const empty = new Uint8Array(0)

interface Lease {
  readonly id: number
  readonly ttlMs: number
  /** Of the monotonic clock. */
  endsAtMs: number
  /** What the log says that it has left; 0 for all of it. */
  loggedMs: number
  isEnding: boolean
  /** What the log is to say before a renewal may be acknowledged, until it does. */
  writing: Promise<void> | undefined
  /** Its end, once that has begun. */
  ended: Promise<void> | undefined
}

/** What leases need of their store. */
export interface LeasesOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly randomUint32: RandomUint32
  /** Throws for a time to live that is none. */
  readonly checkTtl: (ttl: number) => void
  /** Throws where the store takes no writes now. */
  readonly assertWritable: () => void
  /** Appends a batch, with what follows from it where it changes keys of users. Throws with nothing changed. */
  readonly append: (changes: readonly Change[], kind: 'user' | 'housekeeping') => void
  /** Resolves once everything appended so far is published at a level; the store's own if absent. */
  readonly settle: (durability?: Durability) => Promise<void>
}

export class StoreLeases implements Leases {
  readonly #options: LeasesOptions
  readonly #leases = new Map<number, Lease>()
  readonly #wakes = new Wakes()
  #timer: Timer | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #stopped = false

  constructor(options: LeasesOptions) {
    this.#options = options
    const { engine, clock } = options
    const nowMs = clock.monotonic()
    for (const record of engine.range(leaseKeyspace, { at: latest })) {
      const { id, ttlMs, leftMs, isEnding } = parseLease(record)
      const endsAtMs = isEnding ? nowMs : nowMs + (leftMs === 0 ? ttlMs : leftMs)
      this.#add({ id, ttlMs, endsAtMs, loggedMs: leftMs, isEnding, writing: undefined, ended: undefined })
    }
  }

  get size(): number {
    return this.#leases.size
  }

  async grant(ttl: number, options: GrantOptions = {}): Promise<number> {
    const { clock, checkTtl, assertWritable } = this.#options
    assertWritable()
    checkOptions(options)
    const { id = this.#freeId(), durability } = options
    checkTtl(ttl)
    if (!Number.isSafeInteger(id) || id < 1) {
      throw storeErrors.bad_argument({ name: 'id', expected: 'a whole number from 1 to 2^53 - 1', found: String(id) })
    }
    if (this.#leases.has(id)) throw storeErrors.lease_exists({ id })
    const endsAtMs = clock.monotonic() + ttl
    const lease: Lease = {
      id,
      ttlMs: ttl,
      endsAtMs,
      loggedMs: 0,
      isEnding: false,
      writing: undefined,
      ended: undefined,
    }
    const written = this.#writeWhole(lease, durability)
    this.#add(lease)
    await written
    return id
  }

  keepAlive(id: number): Promise<number> {
    try {
      this.#options.assertWritable()
      const lease = this.assertHeld(id)
      const { ttlMs } = lease
      if (lease.loggedMs !== 0) void this.#writeWhole(lease)
      lease.endsAtMs = this.#options.clock.monotonic() + ttlMs
      return lease.writing === undefined ? Promise.resolve(ttlMs) : lease.writing.then(() => ttlMs)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async revoke(id: number): Promise<void> {
    this.#options.assertWritable()
    const lease = this.#leases.get(id)
    if (lease === undefined) throw storeErrors.no_such_lease({ id })
    await this.#end(lease, false)
  }

  timeLeft(id: number): number | undefined {
    const lease = this.#held(id)
    return lease === undefined ? undefined : Math.ceil(lease.endsAtMs - this.#options.clock.monotonic())
  }

  ttl(id: number): number | undefined {
    return this.#held(id)?.ttlMs
  }

  keys(id: number, keyspace: Keyspace = defaultKeyspace): Uint8Array[] {
    const { engine } = this.#options
    const bounds = { gte: leasedKey(id, keyspace, empty), lt: leasedKey(id, keyspace + 1, empty), at: latest }
    const keys = Array.from(engine.range(leasedKeyspace, bounds), (record) => parseLeased(record).key)
    return keys.filter((key) => this.#carries(id, keyspace, key))
  }

  ids(): number[] {
    return [...this.#leases.keys()].filter((id) => this.#held(id) !== undefined).sort((a, b) => a - b)
  }

  /** The lease, which has not ended; throws `store.no_such_lease`. */
  assertHeld(id: number): Lease {
    const lease = this.#held(id)
    if (lease === undefined) throw storeErrors.no_such_lease({ id })
    return lease
  }

  /** Writes down what each lease has left, so that it goes on from there when the store is opened again. */
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    const changes: Change[] = []
    for (const lease of this.#leases.values()) {
      const change = this.#leftPut(lease)
      if (change !== undefined) changes.push(change)
    }
    for (let i = 0; i < changes.length; i += leasesPerTurn) {
      if (!this.#tryAppend(changes.slice(i, i + leasesPerTurn))) return
    }
  }

  /** Has the log say that all of a lease is left; resolves once it does. */
  #writeWhole(lease: Lease, durability?: Durability): Promise<void> {
    const { id, ttlMs } = lease
    this.#options.append([leasePut(id, { ttlMs, leftMs: 0, isEnding: false })], 'housekeeping')
    lease.loggedMs = 0
    const written = this.#options.settle(durability)
    lease.writing = written
    const isWritten = (): void => {
      if (lease.writing === written) lease.writing = undefined
    }
    written.then(isWritten, isWritten)
    return written
  }

  #held(id: number): Lease | undefined {
    const lease = this.#leases.get(id)
    const isHeld = lease !== undefined && !lease.isEnding && lease.endsAtMs > this.#options.clock.monotonic()
    return isHeld ? lease : undefined
  }

  /** A random id: whoever holds the id of a lease that has ended must not meet another one. */
  #freeId(): number {
    const { randomUint32 } = this.#options
    for (let tries = 0; tries < idTriesMax; tries++) {
      const id = (randomUint32() >>> 11) * 2 ** 32 + randomUint32()
      if (id > 0 && !this.#leases.has(id)) return id
    }
    throw storeErrors.lease_exists({ id: 0 })
  }

  #carries(id: number, keyspace: Keyspace, key: Uint8Array): boolean {
    return this.#options.engine.get(keyspace, key, 0, key.length, latest)?.lease === id
  }

  // ---- time

  #add(lease: Lease): void {
    this.#leases.set(lease.id, lease)
    this.#wake(lease, lease.endsAtMs)
  }

  /** Looks at a lease at a time, or earlier where it is to be written down before. */
  #wake({ id, ttlMs }: Lease, atMs: number): void {
    const { clock } = this.#options
    const nowMs = clock.monotonic()
    const wakeMs = ttlMs > writeDownEveryMs ? Math.min(atMs, nowMs + writeDownEveryMs) : atMs
    this.#wakes.push({ id, atMs: wakeMs })
    if (wakeMs < this.#timerAtMs) this.#setTimer()
  }

  #setTimer(): void {
    const first = this.#wakes.first
    this.#timer?.cancel()
    this.#timerAtMs = first?.atMs ?? Number.POSITIVE_INFINITY
    if (first === undefined || this.#stopped) return
    const { clock } = this.#options
    const waitMs = Math.min(Math.max(first.atMs - clock.monotonic(), 0), sleepMsMax)
    this.#timer = clock.after(waitMs, () => this.#look())
  }

  /** Ends what is over, and writes down what has less left than the log says. */
  #look(): void {
    const nowMs = this.#options.clock.monotonic()
    const changes: Change[] = []
    for (let looked = 0; looked < leasesPerTurn; looked++) {
      const first = this.#wakes.first
      if (first === undefined || first.atMs > nowMs) break
      this.#wakes.shift()
      const lease = this.#leases.get(first.id)
      if (lease === undefined || lease.ended !== undefined) continue
      if (lease.endsAtMs <= nowMs) {
        this.#end(lease, true).catch((error: unknown) => this.#retry(lease, error))
        continue
      }
      if (lease.ttlMs - (lease.endsAtMs - nowMs) >= writeDownEveryMs) {
        const change = this.#leftPut(lease)
        if (change !== undefined) changes.push(change)
      }
      this.#wake(lease, lease.endsAtMs)
    }
    if (changes.length > 0) this.#tryAppend(changes)
    this.#timerAtMs = Number.POSITIVE_INFINITY
    this.#setTimer()
  }

  /** The change that writes down what a lease has left; undefined where the log says it already. */
  #leftPut(lease: Lease): Change | undefined {
    const { id, ttlMs, isEnding } = lease
    const leftMs = Math.max(1, Math.ceil(lease.endsAtMs - this.#options.clock.monotonic()))
    if (isEnding || leftMs === (lease.loggedMs === 0 ? ttlMs : lease.loggedMs)) return undefined
    lease.loggedMs = leftMs
    return leasePut(id, { ttlMs, leftMs, isEnding })
  }

  /** False where the store refused it: then the log still says more than is left, which does no harm. */
  #tryAppend(changes: readonly Change[]): boolean {
    try {
      this.#options.append(changes, 'housekeeping')
    } catch (error) {
      if (error instanceof OrbitError) return false
      throw error
    }
    this.#options.settle().catch((error: unknown) => {
      // A store that cannot write any more tells so to its writers; what leases have left is worth no word of its own.
      if (!(error instanceof OrbitError)) throw error
    })
    return true
  }

  // ---- the end

  /** A lease could not be ended. A full disk may have room again; a store that has failed has told its users. */
  #retry(lease: Lease, error: unknown): void {
    if (!(error instanceof OrbitError)) throw error
    if (error.retry === 'no' || this.#stopped) return
    this.#wake(lease, this.#options.clock.monotonic() + retryMs)
  }

  /** Ends a lease once, whoever asks; resolves once its keys are gone and that is published. */
  #end(lease: Lease, isExpiry: boolean): Promise<void> {
    lease.isEnding = true
    lease.ended ??= this.#removeAll(lease, isExpiry).catch((error: unknown) => {
      lease.ended = undefined
      throw error
    })
    return lease.ended
  }

  async #removeAll(lease: Lease, isExpiry: boolean): Promise<void> {
    const { clock, settle } = this.#options
    while (!this.#removeSome(lease, isExpiry)) {
      await settle()
      await clock.turn()
    }
    this.#leases.delete(lease.id)
    await settle()
  }

  /** Removes some of its keys, in one batch, and with the last of them the lease; true when all are gone. */
  #removeSome({ id, ttlMs }: Lease, isExpiry: boolean): boolean {
    const { engine, append } = this.#options
    const bounds = { gte: leaseKey(id), lt: leaseKey(id + 1), limit: keysPerBatch, at: latest }
    const entries = Array.from(engine.range(leasedKeyspace, bounds), parseLeased)
    const changes: Change[] = []
    for (const { keyspace, key } of entries) {
      if (this.#carries(id, keyspace, key)) {
        const change = deleteChange(keyspace, key, { expired: isExpiry })
        change.lease = id
        changes.push(change)
      } else changes.push(deleteChange(leasedKeyspace, leasedKey(id, keyspace, key)))
    }
    const isHousekeeping = changes.every(({ keyspace }) => keyspace === leasedKeyspace)
    const isLast = entries.length < keysPerBatch
    if (isLast) changes.push(deleteChange(leaseKeyspace, leaseKey(id)))
    else changes.push(leasePut(id, { ttlMs, leftMs: 0, isEnding: true }))
    append(changes, isHousekeeping ? 'housekeeping' : 'user')
    return isLast
  }
}

function leasePut(id: number, record: Parameters<typeof leaseValue>[0]): Change {
  return putChange(leaseKeyspace, leaseKey(id), leaseValue(record))
}
