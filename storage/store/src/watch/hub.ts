/**
 * Where watches meet the log: follows it as batches are published, finds whom each record concerns, and hands it on.
 *
 * What must hold: with no live watcher nothing runs on the write path; a batch is given to live watchers in the moment it is
 * published, so that none is published between a watcher's last reading and its going live; only a batch of which all changes were
 * seen to concern nobody is passed over.
 */

import { hasCode } from '@orbitkv/base'
import type { Change, CommittedBatch, Engine, Keyspace } from '@orbitkv/engine'
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
/** Batches that were passed over, past which the log is looked up again instead of being walked through. */
const walkedMax = 64
/** Where every batch concerns somebody, one in so many is asked about. */
const unaskedMax = 63

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
  /** The position that it stands at, and the one up to which all is given or passed over. */
  #followed = 0
  #passed = 0
  /** From `#passed` on to here nothing that was appended concerns a live watcher: it need not be read. */
  #quietUpTo = 0
  /** Batches that are still read without asking whether they concern anybody, since those before them did, one after another. */
  #readUnasked = 0
  #concernedInARow = 0
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

  /**
   * Changes have just been appended, as all of one batch or else in part to the batch before. Mostly they concern nobody, and here
   * their keys are at hand, while reading them back costs a writer several times as much (bench store, watch). A batch that nobody tells
   * of here is read.
   */
  noteAppended(changes: readonly Change[], isBatch: boolean): void {
    if (this.#changes === undefined) return
    const position = this.engine.appendedPosition
    if (this.#quietUpTo < position - 1) return
    if (this.#readUnasked > 0) {
      this.#readUnasked--
      this.#quietUpTo = this.#passed
      return
    }
    for (let i = 0; i < changes.length; i++) {
      const { kind, keyspace, key, keyStart, keyEnd } = changes[i] as Change
      if (kind !== 'delete-range' && !this.#live.concerns(keyspace, key, keyStart, keyEnd)) continue
      this.#quietUpTo = this.#passed
      this.#concernedInARow = Math.min(2 * this.#concernedInARow + 1, unaskedMax)
      this.#readUnasked = this.#concernedInARow
      return
    }
    this.#concernedInARow = 0
    if (isBatch) this.#quietUpTo = Math.max(this.#quietUpTo, position)
  }

  /** Every watch ends: quietly where there is no failure. */
  end(failure: Error | undefined): void {
    for (const watcher of this.#watchers) watcher.end(failure)
  }

  // ---- for watchers

  goLive(watcher: StoreWatcher): void {
    this.#live.add(watcher)
    // What concerned nobody so far may concern this one.
    this.#quietUpTo = this.#passed
    if (this.#changes !== undefined) return
    this.#follow(this.engine.publishedPosition)
    this.#committer.onPublished = () => this.#published()
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

  #follow(position: number): void {
    this.#changes = this.engine.changes(position)
    this.#followed = this.#passed = this.#quietUpTo = position
  }

  #published(): void {
    const position = this.engine.publishedPosition
    if (this.#quietUpTo >= position) this.#passed = position
    else this.#pump(position)
  }

  #pump(position: number): void {
    try {
      this.#walkPast()
      while (this.#changes !== undefined) {
        const step = this.#changes.next()
        if (step.done === true) break
        this.#give(step.value)
        if (step.value.position === position) break
      }
      this.#followed = this.#passed = position
      this.#quietUpTo = Math.max(this.#quietUpTo, position)
    } catch (error) {
      // The log can no longer be followed: who watches must hear of it, and the write that was published stands.
      this.end(error as Error)
    }
    if (this.#told.length === 0 || this.#isTelling) return
    this.#isTelling = true
    // Not from here: whoever publishes is in the middle of it, and those who are told may write.
    void Promise.resolve().then(this.#tellAll)
  }

  /** Leaves what was passed over behind. */
  #walkPast(): void {
    const batches = this.#passed - this.#followed
    if (batches <= walkedMax) {
      try {
        for (let i = 0; i < batches; i++) this.#changes?.next()
        return
      } catch (error) {
        // Compaction may have taken what nobody had to read any more.
        if (!hasCode(error, 'engine.compacted')) throw error
      }
    }
    this.#follow(this.#passed)
  }

  /** Half of what `queueMicrotask` costs, which a writer with a busy watch pays for each put. */
  readonly #tellAll = (): void => {
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
      const { keyspace, bytes, keyStart, keyBytes } = record
      for (const watcher of this.#live.match(keyspace, bytes, keyStart, keyStart + keyBytes)) {
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
