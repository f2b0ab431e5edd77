/**
 * When to compact: the store watches how much of it is garbage, and has the engine rewrite it while it goes on.
 *
 * A writer who never lets the event loop turn would outrun both this and the end of history, so writes count too: every few
 * thousand records they look, and while the store is behind they let the loop go on before they are acknowledged (`wait`).
 */

import type { Engine } from '@orbitkv/engine'
import type { Clock, Timer } from '@orbitkv/runtime'
import type { StoreConfig } from './config.ts'
import type { History } from './history.ts'

const tickMs = 1000
/** Records written between two looks. */
const recordsPerLook = 4096
/** Over its limit by this factor the store holds its writers back: the more, the more it is over. */
const behindFactor = 1.25
const turnsPerFactor = 16
const turnsMax = 32
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

  /** Turns of the loop that writers wait for; 0 while garbage is within its limit. */
  #turns = 0
  #recordsSinceWait = 0

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
    return this.#turns > 0 && this.#recordsSinceWait >= recordsPerWait
  }

  /** What it awaits: the loop goes on, and compaction with it. */
  async wait(): Promise<void> {
    this.#recordsSinceWait = 0
    for (let turn = 0; turn < this.#turns; turn++) await this.#options.clock.turn()
  }

  stop(): void {
    this.#stopped = true
    this.#turns = 0
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
    this.#turns = this.#failure !== undefined || over <= 0 ? 0 : Math.min(Math.ceil(over * turnsPerFactor), turnsMax)
    if (garbageBytes <= limitBytes || this.#running !== undefined) return
    if (this.#failure !== undefined && garbageBytes < this.#failedAtBytes + config.garbageBytesMin) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
    })
  }

  async #run(): Promise<void> {
    const { engine } = this.#options
    try {
      const freedBytes = await engine.compact('garbage')
      this.#failure = undefined
      if (freedBytes === 0) {
        // What there is lies too thinly to be worth rewriting. More writes or the next tick look again: at once would spin.
        this.#turns = 0
        return
      }
    } catch (error) {
      // A full disk, or damage: the store goes on with its garbage, and says so (`stats`).
      this.#failure = error instanceof Error ? error : new Error(String(error))
      this.#failedAtBytes = engine.reclaimableBytes
      this.#turns = 0
      return
    }
    if (!this.#stopped) queueLook(this.#options.clock, () => this.#look())
  }
}

/** Looks again once the run that ends now has ended. */
function queueLook(clock: Clock, look: () => void): void {
  void clock.turn().then(look)
}
