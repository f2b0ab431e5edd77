/**
 * Takes away the elements of collections that are gone, a bounded number at a time, so that the loop is never held up.
 *
 * What must hold: the elements of a generation that a live key leads to are never touched; a grave goes with the last
 * element of its generation, in one batch, so that a crash in between leaves nothing behind.
 */

import { OrbitError } from '@orbitkv/base'
import { prefixEnd } from '@orbitkv/bytes'
import { type Change, copyKey, deleteChange, deleteRangeChange } from '@orbitkv/engine'
import type { Clock, Timer } from '@orbitkv/runtime'
import type { Owner } from '@orbitkv/store'
import { redisKeyspace, stringTag } from '../commands/command.ts'
import { headerOf } from './collections.ts'
import { generationStart } from './element-keys.ts'
import { graveKey, readGrave } from './graves.ts'
import { elementKeyspace, graveKeyspace } from './keyspaces.ts'

/** Elements and graves at a time: about a millisecond's work. */
const elementsPerSlice = 500
const gravesPerSlice = 100
/** Between slices, so that other work goes on. */
const sliceGapMs = 1
/** A timer is never set further ahead: the wall clock may be stepped. After a refusal it is this long until the next try. */
const sleepMsMax = 1000

export class Reaper {
  /** Called with the key of a collection whose time is over, which no command tells of. */
  onOver: (key: Uint8Array) => void = () => {}
  readonly #owner: Owner
  readonly #clock: Clock
  #timer: Timer | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #isStopped = false

  constructor(owner: Owner, clock: Clock) {
    this.#owner = owner
    this.#clock = clock
    if (owner.count(graveKeyspace) > 0) this.note(0)
  }

  /** From this time on there is a grave to look at. */
  note(at: number): void {
    if (at >= this.#dueAt || this.#isStopped) return
    this.#schedule(at, sliceGapMs)
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #schedule(at: number, delayMsMin: number): void {
    this.#timer?.cancel()
    this.#dueAt = at
    const delayMs = Math.min(Math.max(at - this.#clock.now(), delayMsMin), sleepMsMax)
    this.#timer = this.#clock.after(delayMs, () => this.#wake())
  }

  #wake(): void {
    this.#dueAt = Number.POSITIVE_INFINITY
    try {
      this.#owner.beginTurn()
      const next = this.#reap()
      if (next !== undefined) this.#schedule(next, sliceGapMs)
    } catch (error) {
      if (!(error instanceof OrbitError)) throw error
      // A full disk has room again some day; a store that is closed or has failed has not.
      if (error.retry !== 'no') this.#schedule(0, sleepMsMax)
    }
  }

  /** Looks at graves and takes elements away, as much as a slice may; returns when there is more to do. */
  #reap(): number | undefined {
    const now = this.#owner.now()
    const changes: Change[] = []
    const over: Uint8Array[] = []
    let next: number | undefined
    let left = elementsPerSlice
    for (const record of this.#owner.range(graveKeyspace, { limit: gravesPerSlice + 1 })) {
      const grave = readGrave(record)
      next = grave.at
      if (grave.at > now || left <= 0 || changes.length >= gravesPerSlice) break
      const isLive = this.#isLive(grave)
      left -= isLive ? 0 : this.#take(grave.generation, left, changes)
      if (!isLive && grave.at > 0) over.push(grave.key)
      if (left >= 0) changes.push(deleteChange(graveKeyspace, graveKey(grave)))
      next = undefined
    }
    if (changes.length > 0) {
      this.#owner.write(changes)
      this.#owner.settle(() => {})
    }
    for (const key of over) this.onOver(key)
    return left < 0 ? 0 : next
  }

  #isLive({ generation, key }: { readonly generation: number; readonly key: Uint8Array }): boolean {
    const record = this.#owner.get(redisKeyspace, key, 0, key.length)
    return record !== undefined && record.tag !== stringTag && headerOf(record).generation === generation
  }

  /** Adds the change that takes away at most so many elements; returns how many, one more where others remain. */
  #take(generation: number, most: number, changes: Change[]): number {
    const first = generationStart(generation)
    const end = prefixEnd(first)
    const bounds = end === undefined ? { gte: first } : { gte: first, lt: end }
    let taken = 0
    let stop = end
    for (const record of this.#owner.range(elementKeyspace, { ...bounds, limit: most + 1 })) {
      if (++taken > most) stop = copyKey(record)
    }
    if (taken > 0) changes.push(deleteRangeChange(elementKeyspace, first, stop))
    return taken
  }
}
