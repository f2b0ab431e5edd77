/**
 * Where watches meet the log: follows it as batches are published, finds whom each record concerns, and hands it on.
 *
 * What must hold: with no live watcher nothing runs on the write path; a batch is given to live watchers in the moment it is
 * published, so that none is published between a watcher's last reading and its going live.
 */

import type { CommittedBatch, Engine, Keyspace } from '@orbitkv/engine'
import { engineErrors } from '@orbitkv/engine'
import type { Clock } from '@orbitkv/runtime'
import type { Committer } from '../committer.ts'
import { storeErrors } from '../errors.ts'
import type { History } from '../history.ts'
import { previousOf, toDraft } from './changes.ts'
import { shared, toInterest } from './interest.ts'
import { Interests } from './interests.ts'
import { rangeOf } from './reading.ts'
import type { Watcher, WatchOptions } from './types.ts'
import { StoreWatcher, type WatcherHub } from './watcher.ts'

const bufferBytesMax = 1024 ** 3
const progressMsMax = 24 * 3_600_000

export interface WatchHubOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly history: History
  readonly committer: Committer
  /** How much waits for a slow consumer where its watch says nothing else. */
  readonly bufferBytes: number
}

export class WatchHub implements WatcherHub {
  readonly engine: Engine
  readonly clock: Clock
  readonly history: History
  readonly #committer: Committer
  readonly #bufferBytes: number
  readonly #watchers = new Set<StoreWatcher>()
  readonly #live = new Interests<StoreWatcher>()
  /** Stands at the newest published batch, while there is a live watcher. Nobody else's code runs while it is moved on. */
  #changes: Iterator<CommittedBatch> | undefined
  #isTelling = false
  /** A watch has come to hold half of what it may. */
  #isCrowded = false
  /** Those that the batch at hand concerns, and those that have to be told. */
  readonly #concerned: StoreWatcher[] = []
  #told: StoreWatcher[] = []

  constructor({ engine, clock, history, committer, bufferBytes }: WatchHubOptions) {
    this.engine = engine
    this.clock = clock
    this.history = history
    this.#committer = committer
    this.#bufferBytes = bufferBytes
    committer.onFailure = (failure) => this.end(failure)
  }

  get watchersOpen(): number {
    return this.#watchers.size
  }

  /**
   * Whether a writer is to wait before it is acknowledged: one that only awaits its writes would keep consumers from their turn,
   * and end their watches as slow.
   */
  get mustWait(): boolean {
    return this.#isCrowded
  }

  /** What it awaits: whoever consumes has a turn. */
  wait(): Promise<void> {
    this.#isCrowded = false
    return this.clock.turn()
  }

  watch(keyspace: Keyspace, options: WatchOptions, ready: () => void): Watcher {
    const interest = toInterest(keyspace, options)
    const { engine, history } = this
    const { from, previous = false, progress, bufferBytes = this.#bufferBytes, signal } = options
    if (from !== undefined) checkNumber('from', from, 0, Number.MAX_SAFE_INTEGER)
    if (progress !== undefined) checkNumber('progress', progress, 1, progressMsMax)
    checkNumber('bufferBytes', bufferBytes, 1, bufferBytesMax)
    signal?.throwIfAborted()
    const failure = this.#committer.failure
    if (failure !== undefined) throw failure
    const first = from === undefined ? engine.publishedRevision + 1 : Math.max(from, 1)
    if (first <= history.oldestRevision) {
      throw engineErrors.compacted({ what: 'the change of revision', asked: first, oldest: history.oldestRevision + 1 })
    }
    const watcher = new StoreWatcher(this, {
      interest,
      from: first,
      previous,
      progressMs: progress,
      bufferBytes,
      ready,
    })
    this.#watchers.add(watcher)
    if (signal !== undefined) watcher.endWith(signal)
    return watcher
  }

  /** Every watch ends: quietly where there is no failure. */
  end(failure: Error | undefined): void {
    for (const watcher of this.#watchers) watcher.end(failure)
  }

  // ---- for watchers

  goLive(watcher: StoreWatcher): void {
    this.#live.add(watcher)
    if (this.#changes !== undefined) return
    this.#changes = this.engine.changes(this.engine.publishedPosition)
    this.#committer.onPublished = () => this.#pump()
  }

  leaveLive(watcher: StoreWatcher): void {
    this.#live.remove(watcher)
    if (this.#live.size > 0) return
    this.#changes = undefined
    this.#committer.onPublished = undefined
  }

  forget(watcher: StoreWatcher): void {
    this.leaveLive(watcher)
    this.#watchers.delete(watcher)
  }

  // ---- what is published

  #pump(): void {
    try {
      while (this.#changes !== undefined) {
        const step = this.#changes.next()
        if (step.done === true) break
        this.#give(step.value)
      }
    } catch (error) {
      // The log can no longer be followed: who watches must hear of it, and the write that was published stands.
      this.end(error as Error)
    }
    if (this.#told.length === 0 || this.#isTelling) return
    this.#isTelling = true
    // Not from here: whoever publishes is in the middle of it, and those who are told may write.
    queueMicrotask(() => this.#tell())
  }

  #tell(): void {
    this.#isTelling = false
    const told = this.#told
    this.#told = []
    for (const watcher of told) watcher.tell()
  }

  #give(batch: CommittedBatch): void {
    const { revision, time } = batch
    const concerned = this.#concerned
    for (const record of batch.records) {
      if (record.kind === 'delete-range') {
        const { start, end } = rangeOf(record)
        for (const watcher of this.#live.of(record.keyspace)) {
          // As many changes as there were keys: it reads them as its consumer takes them.
          if (watcher.wants(revision) && shared(watcher.interest, start, end) !== undefined) watcher.read(revision)
        }
        continue
      }
      for (const watcher of this.#live.match(record)) {
        if (!watcher.wants(revision)) continue
        const { batch: drafts } = watcher
        if (drafts.length === 0) concerned.push(watcher)
        drafts.push(toDraft(record, time, watcher.previous ? previousOf(this.engine, record, drafts) : undefined))
      }
    }
    if (concerned.length === 0) return
    for (const watcher of concerned) {
      if (watcher.batch.length === 0) continue
      watcher.putBatch()
      if (watcher.isCrowded) this.#isCrowded = true
      this.#told.push(watcher)
    }
    concerned.length = 0
  }
}

function checkNumber(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw storeErrors.bad_argument({ name, expected: `a whole number from ${min} to ${max}`, found: String(value) })
}
