/**
 * Finds where a reply ends in a stream of replies, RESP2 or RESP3, without looking into what it says.
 *
 * What must hold: the stream may be cut anywhere; `scan` goes on where it stopped. It trusts the stream, which another
 * worker of this server wrote: what is no reply is a fault of ours, and an assertion.
 */

import { assert } from '@orbitkv/base'

const lineFeed = 0x0a
const minus = 0x2d

/** Types whose line says how many bytes follow, and a line's end behind them: strings, verbatim texts, long errors. */
const counted = new Set([0x24, 0x3d, 0x21])
/** Types whose line says how many replies follow: arrays, sets, pushes. */
const lists = new Set([0x2a, 0x7e, 0x3e])
const map = 0x25

export class ReplyScanner {
  /** Whether the last `scan` came to the end of a reply. */
  isDone = false
  /** Replies that are still to come, those inside others counted. */
  #missing = 1
  /** Bytes that are still to come of a string. */
  #skip = 0
  /** The type of the line that has begun; 0 between lines. */
  #type = 0
  #number = 0
  #isNegative = false

  /** Goes on from `start`; returns where it stopped: behind the reply, or at `end`. */
  scan(bytes: Uint8Array, start: number, end: number): number {
    if (this.isDone) this.#begin()
    let at = start
    while (at < end) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, end - at)
        at += skipped
        this.#skip -= skipped
        if (this.#skip > 0) return at
        if (this.#ended()) return at
        continue
      }
      at = this.#line(bytes, at, end)
      if (this.isDone) return at
    }
    return at
  }

  #begin(): void {
    this.isDone = false
    this.#missing = 1
  }

  /** One reply less is missing; true if it was the last. */
  #ended(): boolean {
    this.#missing--
    this.isDone = this.#missing === 0
    return this.isDone
  }

  #line(bytes: Uint8Array, start: number, end: number): number {
    let at = start
    if (this.#type === 0) {
      this.#type = bytes[at++] as number
      this.#number = 0
      this.#isNegative = false
    }
    while (at < end) {
      const byte = bytes[at++] as number
      if (byte === lineFeed) {
        this.#lineEnded()
        return at
      }
      if (byte >= 0x30 && byte <= 0x39) this.#number = this.#number * 10 + byte - 0x30
      else if (byte === minus) this.#isNegative = true
    }
    return at
  }

  #lineEnded(): void {
    const type = this.#type
    const number = this.#isNegative ? -1 : this.#number
    this.#type = 0
    if (counted.has(type) && number >= 0) this.#skip = number + 2
    else if (lists.has(type) && number > 0) this.#missing += number - 1
    else if (type === map && number > 0) this.#missing += 2 * number - 1
    else {
      assert(type >= 0x21 && type <= 0x7e, 'a reply begins with its type')
      this.#ended()
    }
  }
}
