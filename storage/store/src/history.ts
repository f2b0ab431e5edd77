/**
 * History: which old states stay readable. Pins hold theirs (snapshots, and watches that read the log); beyond them the store
 * keeps states by age, number and bytes, none before the one that was compacted to, and tells the engine what may go.
 */

import type { OrbitError } from '@orbitkv/base'
import { type Change, copyValue, type Engine, engineErrors, latest, putChange } from '@orbitkv/engine'
import type { Clock, Timer } from '@orbitkv/runtime'
import type { StoreConfig } from './config.ts'
import { storeErrors } from './errors.ts'
import { historyKeyspace } from './keyspaces.ts'

const tickMs = 1000
/** Calls of `retain` in one tick; each drops a bounded number of versions. */
const callsPerTick = 4
/** A tick that did not finish goes on this soon. */
const goOnMs = 5
const empty = new Uint8Array(0)
/** Pins that `pins` names at most, the oldest. */
const pinsNamed = 16

/** What may hold an old state: a snapshot, or a watch that reads the log. */
export type Holder = 'snapshot' | 'watch'

/** Who holds an old state, since when, and how much. */
export interface PinStats {
  readonly holder: Holder
  /** As its holder gave it; may be empty. */
  readonly name: string
  readonly revision: number
  /** Milliseconds since 1970. */
  readonly since: number
  /** Bytes of log that were written since that state, and so cannot be given back. */
  readonly heldBytes: number
}

/** A revision held readable. */
export interface Pin {
  readonly revision: number
  /** Why it holds nothing any more, where it held too much for too long. */
  readonly failure: OrbitError | undefined
  /** Holds a later revision from here on, and the ones before it no more. */
  move(revision: number): void
  release(): void
}

class HeldRevision implements Pin {
  readonly holder: Holder
  readonly name: string
  revision: number
  readonly sinceMs: number
  readonly startedMs: number
  failure: OrbitError | undefined
  readonly #pins: Set<HeldRevision>

  constructor(pins: Set<HeldRevision>, holder: Holder, name: string, revision: number, clock: Clock) {
    this.#pins = pins
    this.holder = holder
    this.name = name
    this.revision = revision
    this.sinceMs = clock.now()
    this.startedMs = clock.monotonic()
    pins.add(this)
  }

  move(revision: number): void {
    this.revision = Math.max(this.revision, revision)
  }

  release(): void {
    this.#pins.delete(this)
  }
}

export class History {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #config: StoreConfig
  readonly #pins = new Set<HeldRevision>()
  /** States before it were given up by name. */
  #compactedTo: number
  #timer: Timer | undefined
  #stopped = false

  constructor(engine: Engine, clock: Clock, config: StoreConfig) {
    this.#engine = engine
    this.#clock = clock
    this.#config = config
    const record = engine.get(historyKeyspace, empty, 0, 0, latest)
    this.#compactedTo = record === undefined ? 0 : new DataView(copyValue(record).buffer).getFloat64(0)
    this.#schedule(tickMs)
  }

  get snapshotsOpen(): number {
    let open = 0
    for (const { holder } of this.#pins) if (holder === 'snapshot') open++
    return open
  }

  /** The oldest revision that can be asked for. */
  get oldestRevision(): number {
    return Math.max(this.#compactedTo, this.#engine.oldestRevision)
  }

  /** Holds a state that is kept; fails with `engine.compacted` or `engine.not_yet`. */
  pin(revision: number, holder: Holder, name = ''): Pin {
    if (revision < this.oldestRevision) {
      throw engineErrors.compacted({ what: 'revision', asked: revision, oldest: this.oldestRevision })
    }
    const newest = this.#engine.publishedRevision
    if (revision > newest) throw engineErrors.not_yet({ asked: revision, newest })
    return new HeldRevision(this.#pins, holder, name, revision, this.#clock)
  }

  /** Who holds the oldest states. */
  pins(): PinStats[] {
    const oldest = [...this.#pins].sort((a, b) => a.revision - b.revision || a.startedMs - b.startedMs)
    return oldest.slice(0, pinsNamed).map(({ holder, name, revision, sinceMs }) => {
      return { holder, name, revision, since: sinceMs, heldBytes: this.#engine.placeAt(revision).bytesAfter }
    })
  }

  /** The newest revision at a time that is kept; fails with `engine.compacted` where states of that time are gone. */
  revisionAt(time: number): number {
    const { oldestRevision } = this
    if (this.#engine.timeAt(oldestRevision) > time) {
      throw engineErrors.compacted({ what: 'the state at', asked: time, oldest: this.#engine.timeAt(oldestRevision) })
    }
    return this.#newestWhere((revision) => this.#engine.timeAt(revision) <= time)
  }

  /** What is written so that a `compactTo` holds for good. */
  compactChange(revision: number): Change {
    const value = new Uint8Array(8)
    new DataView(value.buffer).setFloat64(0, revision)
    return putChange(historyKeyspace, empty, value)
  }

  /** From here on no state before a revision can be asked for; they go as soon as nobody holds them any more. */
  async compactTo(revision: number): Promise<void> {
    this.#compactedTo = Math.max(this.#compactedTo, revision)
    while (!this.#stopped && !this.tick()) await this.#clock.turn()
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
    this.#breakPins()
    if (engine.versionsRetained === 0 && engine.oldestRevision === engine.publishedRevision) return true
    const target = this.#heldFrom(this.#oldestKept())
    for (let call = 0; call < callsPerTick; call++) if (engine.retain(target)) return true
    return false
  }

  /** Lets go of every state but the newest and what is pinned. */
  async giveUp(): Promise<void> {
    const target = this.#heldFrom(this.#engine.publishedRevision)
    while (!this.#stopped && !this.#engine.retain(target)) await this.#clock.turn()
  }

  /** The oldest state to keep, where keeping from a revision on would be enough but for the pins. */
  #heldFrom(revision: number): number {
    let oldest = revision
    for (const pin of this.#pins) oldest = Math.min(oldest, pin.revision)
    return Math.max(oldest, this.#engine.oldestRevision)
  }

  #oldestKept(): number {
    const engine = this.#engine
    const { historyMs, historyVersionsMax, historyRevisionsMax, historyBytesMax } = this.#config
    const { publishedRevision } = engine
    let oldest = historyMs === 0 ? publishedRevision : this.#lastBefore(this.#clock.now() - historyMs)
    oldest = Math.max(oldest, this.oldestRevision, publishedRevision - historyRevisionsMax)
    if (engine.storedBytes > historyBytesMax && engine.placeAt(oldest).bytesAfter > historyBytesMax) {
      oldest = this.#newestWhere((revision) => engine.placeAt(revision).bytesAfter > historyBytesMax) + 1
    }
    const excess = engine.versionsRetained - historyVersionsMax
    if (excess > 0) {
      // Versions are about evenly spread over revisions; what this misses the next tick sees again.
      const share = excess / engine.versionsRetained
      oldest += Math.ceil((publishedRevision - oldest) * share)
    }
    return Math.min(oldest, publishedRevision)
  }

  /** The newest revision at a time, or the oldest there is. */
  #lastBefore(time: number): number {
    const engine = this.#engine
    if (engine.publishedTime <= time) return engine.publishedRevision
    return this.#newestWhere((revision) => engine.timeAt(revision) <= time)
  }

  /** The newest kept revision for which something holds that, once it does not, never holds again; else the oldest. */
  #newestWhere(holds: (revision: number) => boolean): number {
    let from = this.oldestRevision
    let to = this.#engine.publishedRevision
    while (from < to) {
      const middle = Math.ceil((from + to) / 2)
      if (holds(middle)) from = middle
      else to = middle - 1
    }
    return from
  }

  /** Takes the states of those who hold them for too long, or too much; they are told when they read on. */
  #breakPins(): void {
    const { pinMsMax, pinBytesMax } = this.#config
    if (pinMsMax === 0 && pinBytesMax === 0) return
    for (const pin of this.#pins) {
      const heldMs = this.#clock.monotonic() - pin.startedMs
      const isOld = pinMsMax > 0 && heldMs > pinMsMax
      if (!isOld && (pinBytesMax === 0 || this.#engine.placeAt(pin.revision).bytesAfter <= pinBytesMax)) continue
      const limit = isOld ? `pinMsMax ${pinMsMax}` : `pinBytesMax ${pinBytesMax}`
      pin.failure = storeErrors.pin_broken({
        holder: `${pin.holder} ${pin.name}`.trim(),
        revision: pin.revision,
        limit,
      })
      pin.release()
    }
  }
}
