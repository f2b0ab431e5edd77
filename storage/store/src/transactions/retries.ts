/**
 * When transactions that met a conflict try again. Those that lost over the same key go one after the other (a lane), in the
 * order in which they lost: had all of them run at once again, all but one would lose again. From the third attempt on
 * they wait some turns of the loop as well, at random, so that others come through.
 */

import type { Clock, RandomUint32, Timer } from '@orbitkv/runtime'

/** The one ahead may never end, or wait for the one behind it: after this, a transaction goes on regardless. */
const laneWaitMsMax = 100
const turnsMax = 64

export class Retries {
  readonly #clock: Clock
  readonly #randomUint32: RandomUint32
  /** The last in each lane that is in use. */
  readonly #lanes = new Map<number, Promise<void>>()

  constructor(clock: Clock, randomUint32: RandomUint32) {
    this.#clock = clock
    this.#randomUint32 = randomUint32
  }

  /** Resolves when it is the caller's turn in a lane, to what it calls when it leaves. */
  async enter(lane: number): Promise<() => void> {
    const before = this.#lanes.get(lane)
    let open: () => void = () => {}
    const mine = new Promise<void>((resolve) => {
      open = resolve
    })
    this.#lanes.set(lane, mine)
    if (before !== undefined) await this.#within(before)
    return () => {
      open()
      if (this.#lanes.get(lane) === mine) this.#lanes.delete(lane)
    }
  }

  async #within(before: Promise<void>): Promise<void> {
    let timer: Timer | undefined
    const late = new Promise<void>((resolve) => {
      timer = this.#clock.after(laneWaitMsMax, resolve)
    })
    await Promise.race([before, late])
    timer?.cancel()
  }

  /** What comes before an attempt, the first being 1. */
  async backOff(attempt: number): Promise<void> {
    if (attempt < 3) return
    const most = Math.min(turnsMax, 2 ** (attempt - 2))
    const turns = 1 + (this.#randomUint32() % most)
    for (let turn = 0; turn < turns; turn++) await this.#clock.turn()
  }
}
