/**
 * How late the event loop is: a timer that should fire every 100 ms, and by how much it is over. What holds the loop up, for
 * whatever reason, is seen here.
 */

import type { Clock, Timer } from '@orbitkv/runtime'
import { Durations } from './durations.ts'

const intervalMs = 100

export class LoopLag {
  readonly durations = new Durations()
  /** Of the newest measurement. */
  lastMicroseconds = 0
  /** Called with each measurement. */
  onMeasured: (microseconds: number) => void = () => {}
  readonly #clock: Clock
  #dueMs = 0
  #timer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#schedule()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #schedule(): void {
    this.#dueMs = this.#clock.monotonic() + intervalMs
    this.#timer = this.#clock.after(intervalMs, () => {
      this.lastMicroseconds = Math.max(0, this.#clock.monotonic() - this.#dueMs) * 1000
      this.durations.add(this.lastMicroseconds)
      this.#schedule()
      this.onMeasured(this.lastMicroseconds)
    })
  }
}
