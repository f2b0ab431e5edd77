/**
 * What reads tell. Which segments are read, from a sample: about one read in 512 is noted, at distances that vary, so that no
 * pattern hides from it, and what a read pays is one subtraction. And where ranges go (read-ahead.ts).
 *
 * A segment's heat is the notes it had, each of which counts half after every `halving` calls of `cool`.
 */

import type { Log } from '../log/log.ts'
import { ReadAhead } from './read-ahead.ts'

/** Distances are this and up to as much more, less one. */
const distanceMin = 256
const halving = 60
const keptEachTime = 0.5 ** (1 / halving)
/** Less than this is nothing. */
const heatMin = 0.01

export class Accesses {
  readonly readAhead: ReadAhead
  readonly #heat = new Map<number, number>()
  /** Reads before the next one that is noted. */
  #left = 1
  #noted = 0
  /** Of a generator that only has to be irregular (xorshift); never 0. */
  #random = 0x9e3779b9

  constructor(log: Pick<Log, 'segments'>) {
    this.readAhead = new ReadAhead(log)
  }

  /** A record of a segment is read. */
  read(segment: number): void {
    if (--this.#left === 0) this.#left = this.note(segment)
  }

  /** Notes a read; returns after how many more reads to note the next one. */
  note(segment: number): number {
    this.#noted++
    this.#heat.set(segment, (this.#heat.get(segment) ?? 0) + 1)
    let random = this.#random
    random ^= random << 13
    random ^= random >>> 17
    random ^= random << 5
    this.#random = random
    return distanceMin + ((random >>> 8) & (2 * distanceMin - 1))
  }

  /** Reads noted since the store was opened. */
  get noted(): number {
    return this.#noted
  }

  heatOf(segment: number): number {
    return this.#heat.get(segment) ?? 0
  }

  /** Time has passed: what was noted counts a little less. */
  cool(): void {
    for (const [segment, heat] of this.#heat) {
      if (heat < heatMin) this.#heat.delete(segment)
      else this.#heat.set(segment, heat * keptEachTime)
    }
  }
}
