/** Counters of the front, and the rates of the last second. Of one server; its owner starts and stops the meter. */

import type { Clock, Timer } from '@orbitkv/runtime'
import type { RedisStats } from './view.ts'

export function newStats(): RedisStats {
  return {
    connectionsReceived: 0,
    connectionsRejected: 0,
    connectionsCut: 0,
    commandsProcessed: 0,
    writes: 0,
    errorReplies: 0,
    errors: new Map(),
    keyspaceHits: 0,
    keyspaceMisses: 0,
    inputBytes: 0,
    outputBytes: 0,
    commandsPerSecond: 0,
    inputBytesPerSecond: 0,
    outputBytesPerSecond: 0,
    turns: 0,
    turnsWithheld: 0,
  }
}

/** How much came in the last whole second, told in the counters themselves. */
export class RateMeter {
  readonly #clock: Clock
  readonly #stats: RedisStats
  #last: Rates
  #timer: Timer | undefined

  constructor(clock: Clock, stats: RedisStats) {
    this.#clock = clock
    this.#stats = stats
    this.#last = rateOf(stats)
  }

  start(): void {
    const stats = this.#stats
    const last = this.#last
    const now = rateOf(stats)
    stats.commandsPerSecond = Math.max(0, now.commands - last.commands)
    stats.inputBytesPerSecond = Math.max(0, now.inputBytes - last.inputBytes)
    stats.outputBytesPerSecond = Math.max(0, now.outputBytes - last.outputBytes)
    this.#last = now
    this.#timer = this.#clock.after(intervalMs, () => this.start())
  }

  /** The counters were set back. */
  restart(): void {
    this.#last = rateOf(this.#stats)
  }

  stop(): void {
    this.#timer?.cancel()
  }
}

const intervalMs = 1000

/** What is counted up to a moment. */
interface Rates {
  readonly commands: number
  readonly inputBytes: number
  readonly outputBytes: number
}

function rateOf({ commandsProcessed, inputBytes, outputBytes }: RedisStats): Rates {
  return { commands: commandsProcessed, inputBytes, outputBytes }
}
