/** Removes keys when they are due, a bounded number at a time, so that the loop is never held up. */

import type { Clock, Timer } from '@orbitkv/runtime'
import type { DueIndex } from './due-index.ts'

/** What came of a slice: written, or refused until there is space again, or for good. */
export type Expired = 'done' | 'later' | 'never'

const keysPerSlice = 500
/** Between slices, so that other work goes on. */
const sliceGapMs = 1
/** A timer is never set further ahead: the wall clock may be stepped. */
const sleepMsMax = 1000

export class Expirer {
  readonly #due: DueIndex
  readonly #clock: Clock
  readonly #expire: (most: number) => Expired
  #timer: Timer | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #stopped = false

  constructor(due: DueIndex, clock: Clock, expire: (most: number) => Expired) {
    this.#due = due
    this.#clock = clock
    this.#expire = expire
    this.#schedule()
  }

  /** Notes that a key is due at a time, perhaps earlier than any before. */
  note(at: number): void {
    if (at < this.#dueAt) this.#schedule()
  }

  /** Whether a key is due at a time. */
  isDue(now: number): boolean {
    return this.#dueAt <= now
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #schedule(delayMsMin = sliceGapMs): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const next = this.#due.next()
    if (this.#stopped || next === undefined) {
      this.#dueAt = Number.POSITIVE_INFINITY
      return
    }
    this.#dueAt = next
    const delayMs = Math.min(Math.max(next - this.#clock.now(), delayMsMin), sleepMsMax)
    this.#timer = this.#clock.after(delayMs, () => {
      const expired = this.#dueAt <= this.#clock.now() ? this.#expire(keysPerSlice) : 'done'
      if (expired !== 'never') this.#schedule(expired === 'later' ? sleepMsMax : sliceGapMs)
    })
  }
}
