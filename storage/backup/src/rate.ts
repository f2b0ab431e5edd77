/** A limit on bytes a second, through the clock: whoever would be ahead of it waits. */

import { second } from '@orbitkv/base'
import { pause } from '@orbitkv/objects'
import type { Clock } from '@orbitkv/runtime'

/** What was not used in this time is not made up for later. */
const burstMs = 100

export class RateLimit {
  readonly #clock: Clock
  readonly #bytesPerSecond: number
  /** When what was let through so far is over, by the monotonic clock. */
  #nextMs = Number.NEGATIVE_INFINITY

  /** 0 bytes a second is no limit. */
  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock
    this.#bytesPerSecond = bytesPerSecond
  }

  /** Resolves when so many bytes more may go. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    if (this.#bytesPerSecond === 0) return
    const now = this.#clock.monotonic()
    const waitMs = this.#nextMs - now
    this.#nextMs = Math.max(this.#nextMs, now - burstMs) + (bytes / this.#bytesPerSecond) * second
    if (waitMs > 0) await pause(this.#clock, waitMs, signal)
  }
}
