/**
 * Group commit: from appended to published and acknowledged.
 *
 * Every batch that arrived while the last sync ran goes with the next one. Writes are published in the order of their
 * position, each once its level is met, so a write of a lower level waits for those ahead of it. After a failure
 * nothing more is published: what waits is refused, and what was not published is taken back.
 */

import { AssertionError, hasCode } from '@orbitkv/base'
import { type Engine, engineErrors } from '@orbitkv/engine'
import type { Clock, Timer } from '@orbitkv/runtime'
import type { StoreConfig } from './config.ts'
import type { Durability } from './types.ts'

/**
 * A turn that waits for the disk syncs at its end, on the loop, while the disk answers within this time: what arrives
 * meanwhile is the next turn's, so a sync covers more of it, and no thread is woken, which takes longer than a quick disk
 * does (bench first, durable).
 */
const inlineSyncMsMax = 2
/** A new store's first syncs go through a thread, and so many after a slow one: the loop waits for a disk only once it has shown that it is quick. */
const syncsAtFirst = 8
const syncsAfterSlow = 200

export type Done = (error?: Error) => void

interface Waiting {
  readonly position: number
  readonly onDisk: boolean
  readonly done: Done
}

export class Committer {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #config: StoreConfig
  /** In order of position. Its length is bounded by the writes that callers await. */
  #queue: Waiting[] = []
  #scheduled = false
  #syncing: Promise<void> | undefined
  #written = 0
  #durable = 0
  #unsyncedWrites = 0
  /** Quick syncs through a thread that are still wanted before the loop waits for one itself. */
  #syncsOffLoop = syncsAtFirst
  /** A sync at the end of this turn is due. */
  #turnEnds = false
  #timer: Timer | undefined
  #failure: Error | undefined
  /** Called when something was published, before those who wait for it hear of it; must not write. Absent while nobody follows. */
  onPublished: (() => void) | undefined
  /** Called once when nothing can be written any more. */
  onFailure: ((failure: Error) => void) | undefined

  constructor(engine: Engine, clock: Clock, config: StoreConfig) {
    this.#engine = engine
    this.#clock = clock
    this.#config = config
    this.#written = this.#durable = engine.appendedPosition
  }

  get waiting(): number {
    return this.#queue.length
  }

  /** Why nothing can be written any more. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /**
   * Calls `done` once everything appended so far is published at a level. With `now` the bytes are handed to the system
   * before this returns, and a quick disk is waited for, so that `done` may run at once; otherwise that happens at the end
   * of the running task, together with what else arrives until then.
   */
  settle(durability: Durability, done: Done, now: boolean): void {
    if (this.#failure !== undefined) {
      done(this.#failure)
      return
    }
    this.#queue.push({ position: this.#engine.appendedPosition, onDisk: durability === 'always', done })
    if (durability === 'interval') this.#unsyncedWrites++
    if (now) this.#run(true)
    else if (!this.#scheduled) {
      this.#scheduled = true
      // At the end of the running task, so that what it writes goes to the system together.
      queueMicrotask(() => {
        this.#scheduled = false
        this.#run(false)
      })
    }
  }

  /** Resolves once everything appended so far is on the disk, and published. */
  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settle('always', (error) => (error === undefined ? resolve() : reject(error)), false)
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #run(mayWait: boolean): void {
    if (this.#failure !== undefined) return
    try {
      if (this.#engine.appendedPosition > this.#written) this.#written = this.#engine.write()
      if (mayWait) this.#syncInline()
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#advance()
    if (this.#queue.length > 0 || this.#unsyncedWrites >= this.#config.syncIntervalWrites) {
      if (!mayWait && this.#maySyncInline) this.#endTurn()
      else this.#startSync()
    } else if (this.#unsyncedWrites > 0) this.#startTimer()
  }

  /** Something waits for the disk, and the disk is quick. */
  get #maySyncInline(): boolean {
    return this.#syncsOffLoop === 0 && this.#syncing === undefined && this.#queue.at(-1)?.onDisk === true
  }

  /** Syncs once everything else of this turn has run, so that what it writes shares the sync. */
  #endTurn(): void {
    if (this.#turnEnds) return
    this.#turnEnds = true
    void this.#clock.turn().then(() => {
      this.#turnEnds = false
      this.#run(true)
    })
  }

  #syncInline(): void {
    if (!this.#maySyncInline) return
    const startedMs = this.#clock.monotonic()
    const durable = this.#engine.trySync()
    if (durable !== undefined) {
      this.#durable = durable
      this.#unsyncedWrites = 0
    }
    if (this.#clock.monotonic() - startedMs > inlineSyncMsMax) this.#syncsOffLoop = syncsAfterSlow
  }

  /** Publishes and acknowledges what has met its level, from the head of the queue. */
  #advance(): void {
    const queue = this.#queue
    let count = 0
    while (count < queue.length) {
      const { position, onDisk } = queue[count] as Waiting
      if (position > (onDisk ? this.#durable : this.#written)) break
      count++
    }
    if (count === 0) return
    this.#engine.publish((queue[count - 1] as Waiting).position)
    this.onPublished?.()
    const met = count === queue.length ? queue : queue.splice(0, count)
    if (met === queue) this.#queue = []
    for (const { done } of met) done()
  }

  #startSync(): void {
    if (this.#syncing !== undefined) return
    this.#unsyncedWrites = 0
    this.#timer?.cancel()
    this.#timer = undefined
    const startedMs = this.#clock.monotonic()
    this.#syncing = this.#engine.sync().then(
      (durable) => {
        this.#syncing = undefined
        const wasQuick = this.#clock.monotonic() - startedMs <= inlineSyncMsMax
        if (wasQuick && this.#syncsOffLoop > 0) this.#syncsOffLoop--
        this.#durable = durable
        this.#written = Math.max(this.#written, durable)
        this.#advance()
        // Writes of a lower level may have come meanwhile: they are due a sync, or a timer for one.
        if (this.#queue.length > 0 || this.#unsyncedWrites > 0) this.#run(false)
      },
      (error: unknown) => {
        this.#syncing = undefined
        this.#fail(error)
      },
    )
  }

  #startTimer(): void {
    this.#timer ??= this.#clock.after(this.#config.syncIntervalMs, () => {
      this.#timer = undefined
      if (this.#failure === undefined) this.#startSync()
    })
  }

  /** The engine refuses writes from now on. What nobody was promised must not be seen either. */
  #fail(error: unknown): void {
    // A write and the sync that was under way may both fail: the first has refused everything.
    if (this.#failure !== undefined) return
    const failure = hasCode(error, 'engine.poisoned')
      ? (error as Error)
      : engineErrors.poisoned({ path: this.#engine.name, reason: String(error) }, error)
    this.#failure = failure
    this.stop()
    const refused = this.#queue
    this.#queue = []
    const takenBack = this.#engine.truncateAfter(this.#engine.publishedPosition)
    const refuse = (): void => {
      for (const { done } of refused) done(failure)
      this.onFailure?.(failure)
    }
    takenBack.then(refuse, (problem: unknown) => {
      refuse()
      // What the failed disk refuses is part of this failure; a broken invariant is not, and must be seen.
      if (problem instanceof AssertionError) throw problem
    })
  }
}
