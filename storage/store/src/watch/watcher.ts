/**
 * One watch: what waits to be taken, and where more comes from.
 *
 * A watcher *reads* the log from its revision on until it has caught up, and from then on is *live*: the hub gives it each batch
 * as it is published. While it reads, it reads no more than its consumer takes; while it is live, what waits is bounded, and
 * past that the watch ends and says from where another goes on.
 *
 * What must hold: each change from `from` on is put in once, in order, the batches of the hub following on those that were read.
 */

import type { Engine } from '@orbitkv/engine'
import type { Clock, Timer } from '@orbitkv/runtime'
import { storeErrors } from '../errors.ts'
import type { History, Pin } from '../history.ts'
import { type Draft, eventBytes } from './changes.ts'
import type { Interest } from './interest.ts'
import { readChanges } from './reading.ts'
import type { WatchChange, WatchEvent, Watcher } from './types.ts'

/** Batches that one slice of reading passes at most, and bytes of changes after which it waits for its consumer. */
const sliceBatches = 1024
const sliceBytes = 64 * 1024

/** What a watcher needs of its hub. */
export interface WatcherHub {
  readonly engine: Engine
  readonly clock: Clock
  readonly history: History
  /** From here on, every batch that is published is the hub's to give. */
  goLive(watcher: StoreWatcher): void
  /** It reads for itself again. */
  leaveLive(watcher: StoreWatcher): void
  /** It has ended. */
  forget(watcher: StoreWatcher): void
}

export interface WatcherOptions {
  readonly interest: Interest
  readonly from: number
  readonly previous: boolean
  /** Milliseconds; undefined for no marks. */
  readonly progressMs: number | undefined
  readonly bufferBytes: number
  readonly ready: () => void
}

export class StoreWatcher implements Watcher {
  readonly interest: Interest
  readonly previous: boolean
  readonly #hub: WatcherHub
  readonly #options: WatcherOptions
  /** What waits, from `#head` on. */
  #queue: WatchEvent[] = []
  #head = 0
  #queuedBytes = 0
  /** Of the batch that the hub is giving. */
  readonly batch: Draft[] = []
  #nextRevision: number
  #resumeFrom: number
  /** What it reads; undefined while it is live, and once it has ended. */
  #reading: Iterator<WatchChange | number> | undefined
  #pin: Pin | undefined
  /** It has said that there is nothing, and owes a call of `ready`. */
  #isAwaited = true
  #isReadQueued = false
  #failure: Error | undefined
  #isEnded = false
  #progressTimer: Timer | undefined
  #lastEventMs: number
  #ignoreSignal: (() => void) | undefined

  constructor(hub: WatcherHub, options: WatcherOptions) {
    this.#hub = hub
    this.#options = options
    this.interest = options.interest
    this.previous = options.previous
    this.#nextRevision = this.#resumeFrom = options.from
    this.#lastEventMs = hub.clock.monotonic()
    if (options.from > hub.engine.publishedRevision) this.#goLive()
    else this.read(options.from)
  }

  get resumeFrom(): number {
    return this.#resumeFrom
  }

  get isEnded(): boolean {
    return this.#isEnded && this.#failure === undefined && this.#head === this.#queue.length
  }

  take(): WatchEvent | undefined {
    if (this.#head === this.#queue.length && this.#reading !== undefined) this.#readSlice()
    if (this.#head === this.#queue.length) {
      this.#isAwaited = true
      if (this.#failure !== undefined) {
        const failure = this.#failure
        this.#failure = undefined
        throw failure
      }
      return undefined
    }
    this.#isAwaited = false
    const event = this.#queue[this.#head++] as WatchEvent
    if (event.kind === 'progress') this.#resumeFrom = event.revision + 1
    else {
      this.#queuedBytes -= eventBytes(event)
      this.#resumeFrom = event.last ? event.revision + 1 : event.revision
    }
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0
      this.#head = 0
    } else if (this.#head >= 1024 && 2 * this.#head > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return event
  }

  close(): void {
    this.#end(undefined)
    this.#queue = []
    this.#head = this.#queuedBytes = 0
    this.#failure = undefined
    this.tell()
  }

  /** Nothing more is put in; what waits can still be taken, and then a failure shows. */
  end(failure: Error | undefined): void {
    this.#end(failure)
    this.tell()
  }

  /** Ends with the reason of a signal, once that is aborted. */
  endWith(signal: AbortSignal): void {
    const abort = (): void => this.end(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    this.#ignoreSignal = () => signal.removeEventListener('abort', abort)
  }

  #end(failure: Error | undefined): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#failure = failure
    this.#stopReading()
    this.#progressTimer?.cancel()
    this.#ignoreSignal?.()
    this.#hub.forget(this)
  }

  // ---- live

  /** Whether the hub's batch of a revision is news to it. */
  wants(revision: number): boolean {
    return revision >= this.#nextRevision
  }

  /** So much waits that its consumer should have a turn. */
  get isCrowded(): boolean {
    return this.#queuedBytes > this.#options.bufferBytes / 2
  }

  /** Puts in the batch that the hub has given; its consumer is told later (`tell`). */
  putBatch(): void {
    const { batch } = this
    const last = batch.at(-1) as Draft
    let bytes = 0
    for (let i = 0; i < batch.length; i++) bytes += eventBytes(batch[i] as Draft)
    const { bufferBytes } = this.#options
    // A batch is put in whole, whatever its size, where nothing waits: or no watch would ever get past it.
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > bufferBytes) {
      batch.length = 0
      this.#end(storeErrors.watch_slow({ bufferBytes, resumeFrom: last.revision }))
      return
    }
    last.last = true
    for (let i = 0; i < batch.length; i++) this.#queue.push(batch[i] as WatchChange)
    batch.length = 0
    this.#queuedBytes += bytes
    this.#nextRevision = last.revision + 1
    if (this.#options.progressMs !== undefined) this.#lastEventMs = this.#hub.clock.monotonic()
  }

  /** Tells whoever waits that something has come, or the end; what it throws is the end of this watch and of nothing else. */
  tell(): void {
    if (!this.#isAwaited || (this.#head === this.#queue.length && !this.#isEnded)) return
    this.#isAwaited = false
    try {
      this.#options.ready()
    } catch (error) {
      this.#end(storeErrors.watch_threw({ reason: String(error) }, error))
    }
  }

  #goLive(): void {
    this.#stopReading()
    this.#hub.goLive(this)
    if (this.#options.progressMs !== undefined) this.#startProgress(this.#options.progressMs)
  }

  // ---- marks

  #startProgress(progressMs: number): void {
    const { clock } = this.#hub
    if (this.#progressTimer === undefined && this.#options.from <= this.#hub.engine.publishedRevision) this.#mark()
    const waitMs = this.#lastEventMs + progressMs - clock.monotonic()
    this.#progressTimer?.cancel()
    this.#progressTimer = clock.after(Math.max(waitMs, 1), () => {
      // What waits says more than a mark would.
      const isIdle = this.#reading === undefined && this.#head === this.#queue.length
      if (isIdle && clock.monotonic() - this.#lastEventMs >= progressMs) this.#mark()
      this.tell()
      if (!this.#isEnded) this.#startProgress(progressMs)
    })
  }

  /** Says how far it is. */
  #mark(): void {
    this.#lastEventMs = this.#hub.clock.monotonic()
    const revision = Math.max(this.#hub.engine.publishedRevision, this.#options.from - 1)
    this.#queue.push({ kind: 'progress', revision })
  }

  // ---- reading

  /** Leaves it to the watcher itself to read from a revision on, until it has caught up. */
  read(from: number): void {
    const { engine, history } = this.#hub
    const { interest, previous } = this
    this.#hub.leaveLive(this)
    this.batch.length = 0
    this.#nextRevision = Math.max(this.#nextRevision, from)
    this.#pin = history.pin(this.#nextRevision - 1, 'watch')
    const changes = engine.changes(engine.placeAt(this.#nextRevision - 1).position)
    this.#reading = readChanges({ engine, interest, previous, from: this.#nextRevision, changes })
    this.#readLater()
  }

  /** Reads on in a later turn, for a consumer that waits. */
  #readLater(): void {
    if (this.#isReadQueued) return
    this.#isReadQueued = true
    void this.#hub.clock.turn().then(() => {
      this.#isReadQueued = false
      if (this.#reading === undefined || !this.#isAwaited) return
      this.#readSlice()
      this.tell()
    })
  }

  /** Reads some more; after a slice without anything for the consumer another is due. */
  #readSlice(): void {
    try {
      this.#readSome()
    } catch (error) {
      this.#end(error as Error)
      return
    }
    if (this.#reading !== undefined && this.#head === this.#queue.length) this.#readLater()
  }

  #readSome(): void {
    const pin = this.#pin as Pin
    if (pin.failure !== undefined) throw pin.failure
    const reading = this.#reading as Iterator<WatchChange | number>
    const bytesMax = Math.min(sliceBytes, this.#options.bufferBytes / 2)
    for (let batches = 0; batches < sliceBatches && this.#queuedBytes < bytesMax; ) {
      const { done, value } = reading.next()
      if (done === true) {
        this.#goLive()
        return
      }
      if (typeof value !== 'number') {
        this.#queue.push(value)
        this.#queuedBytes += eventBytes(value)
        if (!value.last) continue
      }
      const revision = typeof value === 'number' ? value : value.revision
      batches++
      this.#nextRevision = Math.max(this.#nextRevision, revision + 1)
      pin.move(this.#nextRevision - 1)
    }
  }

  #stopReading(): void {
    this.#reading?.return?.()
    this.#reading = undefined
    this.#pin?.release()
    this.#pin = undefined
  }
}
