/**
 * Short numbers for places of the log: the point index has 40 bits for a location, while segment numbers grow for ever.
 *
 * A *window* is 64 MiB of a segment; a larger segment has several. Windows are numbered densely, and those of a segment that
 * is gone are given out again, so 2^17 of them address 8 TiB of log. `admit` before a segment is appended to makes sure of
 * its windows, so that running out is an error before anything has changed.
 */

import { engineErrors } from '@orbitkv/engine'

/** A window has as many units of 8 bytes as this many bits count. */
export const windowShift = 23
export const windowMask: number = (1 << windowShift) - 1
export const windowsMax: number = 1 << 17

/** Bits for the windows of one segment: the largest has 1 GiB, and then the header of its batch. */
const partBits = 6

export class PointWindows {
  readonly #windowsMax: number
  /** By window: the segment, and the offset8 at which the window begins in it. */
  readonly segments: number[] = []
  readonly starts: number[] = []
  readonly #free: number[] = []
  /** From segment and part to window. */
  readonly #windows = new Map<number, number>()
  /** The last that was asked for: appending stays in one. */
  #lastPart = -1
  #lastWindow = 0

  constructor(most: number) {
    this.#windowsMax = most
  }

  /** Makes sure of the windows of a whole segment; throws `engine.log_too_large` with nothing changed. */
  admit(segment: number, capacityBytes: number): void {
    const first = segment * 2 ** partBits
    const last = first + ((capacityBytes - 1) >>> (windowShift + 3))
    let missing = 0
    for (let part = first; part <= last; part++) if (!this.#windows.has(part)) missing++
    if (missing > this.#windowsMax - this.#windows.size) throw this.#tooLarge()
    for (let part = first; part <= last; part++) if (!this.#windows.has(part)) this.#add(part)
  }

  /** The window of a place. */
  windowOf(segment: number, offset8: number): number {
    const part = segment * 2 ** partBits + (offset8 >>> windowShift)
    if (part !== this.#lastPart) {
      this.#lastWindow = this.#windows.get(part) ?? this.#add(part)
      this.#lastPart = part
    }
    return this.#lastWindow
  }

  /** The windows of a segment that is gone and that no entry names any more may be given out again. */
  release(segment: number): void {
    const first = segment * 2 ** partBits
    for (let part = first; part < first + 2 ** partBits; part++) {
      const window = this.#windows.get(part)
      if (window === undefined) continue
      this.#windows.delete(part)
      this.#free.push(window)
    }
    this.#lastPart = -1
  }

  /** Calls for each window in order, with segment 0 where it is free. */
  forEach(visit: (segment: number, start: number) => void): void {
    const free = new Set(this.#free)
    for (let window = 0; window < this.segments.length; window++) {
      if (free.has(window)) visit(0, 0)
      else visit(this.segments[window] as number, this.starts[window] as number)
    }
  }

  /** Adds the next window, as `forEach` told it. */
  restore(segment: number, start: number): void {
    const window = this.segments.length
    this.segments[window] = segment
    this.starts[window] = start
    if (segment === 0) this.#free.push(window)
    else this.#windows.set(segment * 2 ** partBits + (start >>> windowShift), window)
  }

  #add(part: number): number {
    const window = this.#free.pop() ?? this.segments.length
    if (window >= this.#windowsMax) throw this.#tooLarge()
    this.segments[window] = Math.floor(part / 2 ** partBits)
    this.starts[window] = (part % 2 ** partBits) * (windowMask + 1)
    this.#windows.set(part, window)
    return window
  }

  #tooLarge(): Error {
    return engineErrors.log_too_large({ pieces: this.#windowsMax })
  }
}
