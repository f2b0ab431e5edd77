/**
 * History: which old states stay readable. Snapshots pin theirs; beyond them the store keeps versions for a time and up to
 * a number, and tells the engine what may go.
 */

import type { Engine } from '@orbitkv/engine'
import type { Clock, Timer } from '@orbitkv/runtime'
import type { StoreConfig } from './config.ts'

const tickMs = 1000
/** Calls of `retain` in one tick; each drops a bounded number of versions. */
const callsPerTick = 4
/** A tick that did not finish goes on this soon. */
const goOnMs = 5

export class History {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #config: StoreConfig
  /** Pinned revisions, and by how many snapshots. */
  readonly #pinned = new Map<number, number>()
  #timer: Timer | undefined
  #stopped = false

  constructor(engine: Engine, clock: Clock, config: StoreConfig) {
    this.#engine = engine
    this.#clock = clock
    this.#config = config
    this.#schedule(tickMs)
  }

  get snapshotsOpen(): number {
    let open = 0
    for (const count of this.#pinned.values()) open += count
    return open
  }

  pin(revision: number): void {
    this.#pinned.set(revision, (this.#pinned.get(revision) ?? 0) + 1)
  }

  unpin(revision: number): void {
    const count = this.#pinned.get(revision) ?? 0
    if (count <= 1) this.#pinned.delete(revision)
    else this.#pinned.set(revision, count - 1)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return
    this.#timer = this.#clock.after(delayMs, () => this.#schedule(this.tick() ? tickMs : goOnMs))
  }

  /** Lets go of what need not be kept; true when nothing more can go now. */
  tick(): boolean {
    const engine = this.#engine
    if (engine.versionsRetained === 0 && engine.oldestRevision === engine.publishedRevision) return true
    const target = this.#oldestKept()
    for (let call = 0; call < callsPerTick; call++) if (engine.retain(target)) return true
    return false
  }

  /** Lets go of every state but the newest and what snapshots pin. */
  async giveUp(): Promise<void> {
    let target = this.#engine.publishedRevision
    for (const revision of this.#pinned.keys()) target = Math.min(target, revision)
    target = Math.max(target, this.#engine.oldestRevision)
    while (!this.#stopped && !this.#engine.retain(target)) await this.#clock.turn()
  }

  #oldestKept(): number {
    const { historyMs, historyVersionsMax } = this.#config
    let oldest = historyMs === 0 ? this.#engine.publishedRevision : this.#revisionAt(this.#clock.now() - historyMs)
    oldest = Math.max(oldest, this.#engine.oldestRevision)
    const excess = this.#engine.versionsRetained - historyVersionsMax
    if (excess > 0) {
      // Versions are about evenly spread over revisions; what this misses the next tick sees again.
      const share = excess / this.#engine.versionsRetained
      oldest += Math.ceil((this.#engine.publishedRevision - oldest) * share)
    }
    for (const revision of this.#pinned.keys()) oldest = Math.min(oldest, revision)
    return Math.max(oldest, this.#engine.oldestRevision)
  }

  /** The newest revision at a time: by bisection, since times never decrease with revisions. */
  #revisionAt(time: number): number {
    const engine = this.#engine
    if (engine.publishedTime <= time) return engine.publishedRevision
    let from = engine.oldestRevision
    let to = engine.publishedRevision
    while (from < to) {
      const middle = Math.ceil((from + to) / 2)
      if (engine.timeAt(middle) <= time) from = middle
      else to = middle - 1
    }
    return from
  }
}
