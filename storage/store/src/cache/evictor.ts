/**
 * Keeps a store within what its cache may have: counts what is there when it is opened, and deletes what the cache names whenever that
 * is over its bytes, in the batch of the write that took it there where the engine can.
 *
 * What must hold: one call deletes a bounded number of keys; what is left goes in later turns, and writers wait for it. What is due
 * goes before what is not. An eviction is a write like any other: what it was told stays true after a crash, and a key that was
 * written again is judged by what it is now.
 */

import { OrbitError } from '@orbitkv/base'
import { compareBytes } from '@orbitkv/bytes'
import { type Change, copyKey, deleteChange, type Engine, latest } from '@orbitkv/engine'
import type { Clock, Timer } from '@orbitkv/runtime'
import { defaultKeyspace } from '../keyspaces.ts'
import { type Cache, isWhole } from './cache.ts'
import type { CacheStats } from './types.ts'

/** Keys that one call deletes at most, so that others have their turn. */
const evictionsAtOnce = 64
/** After a refusal, for want of space: deletes fit even then, unless the disk gave up its reserve already. */
const retryMs = 1000
/** Between slices that nobody waits for. */
const sliceGapMs = 1

export interface EvictorOptions {
  readonly cache: Cache
  readonly engine: Engine
  readonly clock: Clock
  readonly now: () => number
  /** Removes keys that are due, so many at most; whether more are. */
  readonly expire: (now: number, most: number) => boolean
  /** A batch's changes with what expiry and indexes add to them. */
  readonly complete: (changes: readonly Change[], now: number) => readonly Change[]
  /** Changes were appended. */
  readonly appended: (changes: readonly Change[]) => void
  /** Has everything appended so far published, and tells when that has come to an end. */
  readonly settle: (done: () => void) => void
}

export class Evictor {
  readonly #options: EvictorOptions
  readonly #cache: Cache
  #timer: Timer | undefined
  #isCounted = false
  #isStopped = false
  /** Nothing can be deleted any more. */
  #isGivenUp = false
  /** More keys are due than one call took. */
  #moreIsDue = false
  #waiting: Promise<void> | undefined
  #isSettling = false
  #mustSettle = false
  #failure: OrbitError | undefined
  #countFailure: OrbitError | undefined

  constructor(options: EvictorOptions) {
    this.#options = options
    this.#cache = options.cache
    void this.#count()
  }

  stats(): CacheStats {
    const failure = this.#failure ?? this.#countFailure
    return { ...this.#cache.stats(), isCounted: this.#isCounted, failure: failure?.message ?? '' }
  }

  /** Whether writers are to wait until more has gone. */
  get mustWait(): boolean {
    if (!this.#cache.isOver || this.#failure !== undefined || this.#isStopped) return false
    return this.#cache.hasEvictable || this.#moreIsDue
  }

  /** What they wait for: all for one and the same, so that a turn has as much to do for many as for one. */
  wait(): Promise<void> {
    this.#waiting ??= this.#runUntilDone().finally(() => {
      this.#waiting = undefined
    })
    return this.#waiting
  }

  async #runUntilDone(): Promise<void> {
    while (this.mustWait) {
      await this.#options.clock.turn()
      this.#runAlone()
    }
  }

  /** The cap has changed. */
  resized(): void {
    this.#runAlone()
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  /** Deletes what must go, up to a number of keys. The caller has it published. */
  run(): void {
    if (!this.#cache.isOver && !this.#isGivenUp) this.#failure = undefined
    if (!this.#cache.isOver || this.#isStopped || this.#isGivenUp) return
    const now = this.#options.now()
    try {
      this.#moreIsDue = this.#options.expire(now, evictionsAtOnce)
      if (!this.#moreIsDue) this.#evict(now)
      this.#failure = undefined
      const isBehind = this.#cache.isOver && (this.#moreIsDue || this.#cache.hasEvictable)
      if (isBehind && this.#waiting === undefined) this.#schedule(sliceGapMs)
    } catch (error) {
      if (!(error instanceof OrbitError)) throw error
      // The write that took the cache over its bytes stands. What is over them goes as soon as it can.
      this.#failure = error
      this.#isGivenUp = error.retry === 'no'
      if (!this.#isGivenUp) this.#schedule(retryMs)
    }
  }

  /** Throws where there is no room for what a batch adds, even without what is due and what may go. */
  assertRoomFor(changes: readonly Change[]): void {
    if (this.#cache.hasRoomFor(changes)) return
    this.#options.expire(this.#options.now(), evictionsAtOnce)
    this.#cache.assertRoomFor(changes)
  }

  /**
   * Changes that are about to be appended, as the cache is to hear of them: for a part of the keyspace that is deleted, its keys, so that
   * this takes as long as the part is large and not as the cache is.
   */
  heard(changes: readonly Change[]): readonly Change[] {
    if (!changes.some(isPart)) return changes
    const heard: Change[] = []
    for (const change of changes) {
      if (!isPart(change)) heard.push(change)
      else {
        const { key, keyStart, keyEnd, value, valueStart, valueEnd } = change
        const gte = key.subarray(keyStart, keyEnd)
        const lt = valueStart === valueEnd ? undefined : value.subarray(valueStart, valueEnd)
        // The engine does not know what this batch puts; those changes are few.
        for (const { kind, keyspace, key, keyStart, keyEnd } of heard.slice()) {
          const own = key.subarray(keyStart, keyEnd)
          const isIn = compareBytes(own, 0, own.length, gte, 0, gte.length) >= 0
          if (kind !== 'put' || keyspace !== defaultKeyspace || !isIn) continue
          if (lt === undefined || compareBytes(own, 0, own.length, lt, 0, lt.length) < 0)
            heard.push(deleteChange(keyspace, own))
        }
        const range = { gte, ...(lt === undefined ? {} : { lt }), at: latest }
        for (const record of this.#options.engine.range(defaultKeyspace, range))
          heard.push(deleteChange(defaultKeyspace, copyKey(record)))
      }
    }
    return heard
  }

  #evict(now: number): void {
    for (let evicted = 0; this.#cache.isOver && evicted < evictionsAtOnce; evicted++) {
      const change = this.#cache.nextEviction()
      if (change === undefined) return
      this.#append(this.#options.complete([change], now), now)
      this.#cache.noteEviction()
    }
  }

  #runAlone(): void {
    if (!this.#cache.isOver || this.#isStopped) return
    this.run()
    this.#settle()
  }

  /** One at a time: what comes meanwhile goes together with the next. */
  #settle(): void {
    this.#mustSettle = this.#isSettling
    if (this.#isSettling) return
    this.#isSettling = true
    this.#options.settle(() => {
      this.#isSettling = false
      if (this.#mustSettle && !this.#isStopped) this.#settle()
    })
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.after(delayMs, () => this.#runAlone())
  }

  /**
   * To the newest batch where that can be. The delete of the key comes first: without it, what was noted of the key must stay, while
   * a note that outlives its key is dropped when it comes due.
   */
  #append(completed: readonly Change[], now: number): void {
    const { engine, appended } = this.#options
    const changes = completed.toReversed()
    let extended = 0
    while (extended < changes.length && engine.extend(changes[extended] as Change, now)) extended++
    // Behind the key's delete there is nothing that users see: housekeeping, without a revision or a time of its own.
    const isHousekeeping = extended > 0
    const revision = engine.appendedRevision + (isHousekeeping ? 0 : 1)
    const time = isHousekeeping ? engine.appendedTime : now
    if (extended < changes.length) engine.append({ changes: changes.slice(extended), revision, time })
    appended(changes)
  }

  /** Takes in what was there before, while the store is used. */
  async #count(): Promise<void> {
    const { engine, clock } = this.#options
    try {
      await clock.turn()
      if (this.#isStopped) return
      for await (const { bytes, keyStart, keyBytes } of engine.rangeAsync(defaultKeyspace, { at: latest })) {
        if (this.#isStopped) return
        // What was read may have been written again meanwhile.
        const record = engine.get(defaultKeyspace, bytes, keyStart, keyStart + keyBytes, latest)
        if (record === undefined) continue
        this.#cache.noteStored(record)
        this.#runAlone()
      }
      this.#isCounted = true
    } catch (error) {
      // A damaged record, or a store that was closed meanwhile: what is counted by now is kept within its bytes.
      if (!(error instanceof OrbitError)) throw error
      this.#countFailure = error
    }
  }
}

function isPart(change: Change): boolean {
  return change.kind === 'delete-range' && change.keyspace === defaultKeyspace && !isWhole(change)
}
