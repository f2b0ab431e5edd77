/**
 * How long reads held up the event loop. Asking the time twice costs as much as a read of what is in memory, so one read in 128 is
 * measured; and once one was slow, which mostly means that a page had to come from the disk, every one for a while.
 */

import type { Clock } from '@orbitkv/runtime'

const readsPerMeasure = 128
/** In memory a read takes microseconds at most. */
const slowMs = 0.2
const readsAfterSlow = 256

/** What `begin` gives for a read that is not measured. */
export const notMeasured = -1

export class ReadMeter {
  readonly #clock: Clock
  #readsUntilNext = 1
  #readsSinceSlow = readsAfterSlow
  /** The longest of those measured. */
  longestMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** When a read begins that is to be measured: then `end` must be told. */
  begin(): number {
    return --this.#readsUntilNext > 0 ? notMeasured : this.#clock.monotonic()
  }

  /** As `begin`, for what is long enough to be measured each time. */
  beginLong(): number {
    return this.#clock.monotonic()
  }

  end(startedMs: number): void {
    const ms = this.#clock.monotonic() - startedMs
    if (ms > this.longestMs) this.longestMs = ms
    this.#readsSinceSlow = ms >= slowMs ? 0 : this.#readsSinceSlow + 1
    this.#readsUntilNext = this.#readsSinceSlow < readsAfterSlow ? 1 : readsPerMeasure
  }
}
