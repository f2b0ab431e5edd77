/**
 * W-TinyLFU (Einziger, Friedman and Manes 2017): what is new passes through a small window of recent use, and stays beyond it only if
 * the sketch says that it is used more often than what would have to go for it.
 *
 * Three lists: the window, and the main part in two, of which `kept` has what was used again after it left the window. What leaves
 * the window becomes the newest of `tried`, and is a candidate: when something must go, it is the candidate or the oldest of
 * `tried`, whichever is used less often. What `kept` cannot hold goes back to `tried`.
 * How large the window is, climbing finds (Einziger, Eytan, Friedman and Manes 2018; climber.ts). No call moves more than a few entries.
 */

import type { RandomUint32 } from '@orbitkv/runtime'
import { WindowClimber } from './climber.ts'
import { type Entries, type EntryNumber, markAt, newerAt, none } from './entries.ts'
import { EntryList } from './entry-list.ts'
import { FrequencySketch } from './frequency-sketch.ts'
import type { Policy } from './policy.ts'

const inWindow = 1
const inTried = 2
const inKept = 3
/** Of the main part. */
const keptShare = 0.8
/** Entries that one call moves on at most: a window that shrinks does so over many. */
const movesMax = 16
/**
 * A candidate that is used more often than this is let in by chance although the other is used more, in one of 128 cases: else
 * whoever makes keys collide in the sketch could keep the cache as it is.
 */
const usesForLuck = 5
const luckOneIn = 128

export interface TinyLfuOptions {
  readonly entries: Entries
  /** It may change. */
  readonly bytesMax: () => number
  readonly randomUint32: RandomUint32
}

export class WindowTinyLfu implements Policy {
  readonly #entries: Entries
  readonly #randomUint32: RandomUint32
  readonly #bytesMax: () => number
  readonly #sketch = new FrequencySketch()
  readonly #climber = new WindowClimber()
  readonly #window: EntryList
  readonly #tried: EntryList
  readonly #kept: EntryList
  /** It and those newer than it left the window lately, and have not been held against another yet. */
  #candidate: EntryNumber = none

  constructor({ entries, bytesMax, randomUint32 }: TinyLfuOptions) {
    this.#entries = entries
    this.#randomUint32 = randomUint32
    this.#bytesMax = bytesMax
    this.#window = new EntryList(entries)
    this.#tried = new EntryList(entries)
    this.#kept = new EntryList(entries)
  }

  add(entry: EntryNumber): void {
    this.#count(entry, false)
    this.#put(entry, inWindow)
    this.#shrinkWindow()
  }

  used(entry: EntryNumber): void {
    this.#count(entry, true)
    const mark = this.#entries.word(entry, markAt)
    if (mark !== inTried) this.#listOf(mark).makeNewest(entry)
    else {
      this.#take(entry)
      this.#put(entry, inKept)
      this.#shrinkKept()
    }
  }

  rewritten(entry: EntryNumber, bytes: number): void {
    this.#listOf(this.#entries.word(entry, markAt)).setBytes(entry, bytes)
    this.used(entry)
    this.#shrinkWindow()
  }

  remove(entry: EntryNumber): void {
    this.#take(entry)
    this.#entries.setWord(entry, markAt, 0)
  }

  victim(): EntryNumber {
    const { oldest } = this.#tried
    const candidate = this.#candidate
    if (candidate !== none && candidate !== oldest) {
      if (!this.#admits(candidate, oldest)) return candidate
      this.#candidate = this.#entries.word(candidate, newerAt)
    }
    if (oldest !== none) return oldest
    return this.#kept.oldest === none ? this.#window.oldest : this.#kept.oldest
  }

  #count(entry: EntryNumber, isHit: boolean): void {
    const { count } = this.#entries
    this.#sketch.use(this.#entries.hash(entry), count)
    this.#climber.use(isHit, count)
  }

  /** Moves the oldest of the window on while it has more than its part, and more than one entry. */
  #shrinkWindow(): void {
    this.#candidate = none
    const bytesMax = this.#bytesMax() * this.#climber.share
    for (let moves = 0; moves < movesMax; moves++) {
      if (this.#window.bytes <= bytesMax || this.#window.count <= 1) return
      const { oldest } = this.#window
      this.#window.remove(oldest)
      this.#put(oldest, inTried)
      if (this.#candidate === none) this.#candidate = oldest
    }
  }

  /** Moves the oldest of `kept` back while it has more than its part. */
  #shrinkKept(): void {
    const bytesMax = this.#bytesMax() * (1 - this.#climber.share) * keptShare
    for (let moves = 0; moves < movesMax; moves++) {
      if (this.#kept.bytes <= bytesMax || this.#kept.count <= 1) return
      const { oldest } = this.#kept
      this.#kept.remove(oldest)
      this.#put(oldest, inTried)
    }
  }

  #admits(candidate: EntryNumber, other: EntryNumber): boolean {
    const uses = this.#sketch.estimate(this.#entries.hash(candidate))
    if (uses > this.#sketch.estimate(this.#entries.hash(other))) return true
    return uses > usesForLuck && this.#randomUint32() % luckOneIn === 0
  }

  #put(entry: EntryNumber, mark: number): void {
    this.#entries.setWord(entry, markAt, mark)
    this.#listOf(mark).addNewest(entry)
  }

  /** Takes an entry out of its list. */
  #take(entry: EntryNumber): void {
    if (entry === this.#candidate) this.#candidate = this.#entries.word(entry, newerAt)
    this.#listOf(this.#entries.word(entry, markAt)).remove(entry)
  }

  #listOf(mark: number): EntryList {
    return mark === inWindow ? this.#window : mark === inTried ? this.#tried : this.#kept
  }
}
