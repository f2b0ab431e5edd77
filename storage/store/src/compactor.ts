/**
 * When to compact: the store watches how much of it is garbage, and has the engine rewrite it while it goes on.
 *
 * Compaction works in slices. While it keeps pace it leaves most of the time between them to others. While the store is
 * behind, writers pay: each that has written so many records waits for some slices before it is acknowledged (`wait`), and
 * slices follow each other while one waits. Writes look at the garbage too, every few thousand records, since a writer who
 * never lets the event loop turn would outrun the timer.
 */

import type { Engine } from '@orbitkv/engine'
import type { Clock, Timer } from '@orbitkv/runtime'
import type { StoreConfig } from './config.ts'
import type { History } from './history.ts'

const tickMs = 1000
/** Records written between two looks. */
const recordsPerLook = 4096
/** Over its limit by this factor the store holds its writers back: the more, the more it is over. */
const behindFactor = 1.1
const slicesPerFactor = 16
const slicesMax = 32
/** While it keeps pace, compaction leaves others this many times the time that its slices take. */
const timesForOthers = 19
/** What a slice waited for, such as the disk, is no reason to sleep long. */
const sleepMsMax = 50
/** Slices may wait themselves, for a verification or the disk: after this a writer is acknowledged regardless. */
const waitMsMax = 1000
/** Records that are written between two waits. */
const recordsPerWait = 512

export interface CompactorOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly config: StoreConfig
  readonly history: History
}

export class Compactor {
  readonly #options: CompactorOptions
  #running: Promise<void> | undefined
  #recordsSinceLook = 0
  #timer: Timer | undefined
  #stopped = false
  /** Why the last try failed; it tries again when there is more garbage. */
  #failure: Error | undefined
  #failedAtBytes = 0

  /** Slices that writers wait for; 0 while garbage is within its limit. */
  #slicesOwed = 0
  #recordsSinceWait = 0
  #waiters = 0
  #slicesDone = 0
  /** Ends the sleep between two slices. */
  #wake: (() => void) | undefined
  /** When compaction last went on. */
  #resumedMs = 0

  constructor(options: CompactorOptions) {
    this.#options = options
    if (options.config.compaction && options.engine.capabilities.compaction) this.#schedule()
    else this.#stopped = true
  }

  /** Why compaction does not get on; undefined while it does. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Tells of records written. */
  noteWrites(records: number): void {
    this.#recordsSinceLook += records
    this.#recordsSinceWait += records
    if (this.#recordsSinceLook < recordsPerLook) return
    this.#recordsSinceLook = 0
    const { engine, config, history } = this.#options
    if (engine.versionsRetained > config.historyVersionsMax) history.tick()
    if (!this.#stopped) this.#look()
  }

  /** Whether a writer is to wait before it is acknowledged. */
  get mustWait(): boolean {
    return this.#slicesOwed > 0 && this.#recordsSinceWait >= recordsPerWait
  }

  /** What it awaits: compaction goes on. */
  async wait(): Promise<void> {
    this.#recordsSinceWait = 0
    const { clock } = this.#options
    const endsAtMs = clock.monotonic() + waitMsMax
    const until = this.#slicesDone + this.#slicesOwed
    this.#waiters++
    this.#wake?.()
    do await clock.turn()
    while (
      this.#running !== undefined &&
      this.#slicesDone < until &&
      this.#slicesOwed > 0 &&
      clock.monotonic() < endsAtMs
    )
    this.#waiters--
  }

  /** Between two slices of compaction. */
  readonly #pause = async (): Promise<void> => {
    const { clock } = this.#options
    this.#slicesDone++
    const workedMs = clock.monotonic() - this.#resumedMs
    if (this.#waiters > 0 || this.#stopped || workedMs <= 0) await clock.turn()
    else {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await Promise.race([clock.sleep(Math.min(workedMs * timesForOthers, sleepMsMax)), woken])
      this.#wake = undefined
    }
    this.#resumedMs = clock.monotonic()
  }

  stop(): void {
    this.#stopped = true
    this.#slicesOwed = 0
    this.#wake?.()
    this.#timer?.cancel()
  }

  #schedule(): void {
    this.#timer = this.#options.clock.after(tickMs, () => {
      this.#look()
      if (!this.#stopped) this.#schedule()
    })
  }

  #look(): void {
    const { engine, config } = this.#options
    const garbageBytes = engine.reclaimableBytes
    const limitBytes = Math.max(config.garbageBytesMin, (engine.storedBytes * config.garbagePercentMax) / 100)
    const over = garbageBytes / limitBytes - behindFactor
    this.#slicesOwed =
      this.#failure !== undefined || over <= 0 ? 0 : Math.min(Math.ceil(over * slicesPerFactor), slicesMax)
    if (garbageBytes <= limitBytes || this.#running !== undefined) return
    if (this.#failure !== undefined && garbageBytes < this.#failedAtBytes + config.garbageBytesMin) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
    })
  }

  async #run(): Promise<void> {
    const { engine, clock } = this.#options
    this.#resumedMs = clock.monotonic()
    try {
      const freedBytes = await engine.compact('garbage', this.#pause)
      this.#failure = undefined
      if (freedBytes === 0) {
        // What there is lies too thinly to be worth rewriting. More writes or the next tick look again: at once would spin.
        this.#slicesOwed = 0
        return
      }
    } catch (error) {
      // A full disk, or damage: the store goes on with its garbage, and says so (`stats`).
      this.#failure = error instanceof Error ? error : new Error(String(error))
      this.#failedAtBytes = engine.reclaimableBytes
      this.#slicesOwed = 0
      return
    }
    if (!this.#stopped) queueLook(this.#options.clock, () => this.#look())
  }
}

/** Looks again once the run that ends now has ended. */
function queueLook(clock: Clock, look: () => void): void {
  void clock.turn().then(look)
}
