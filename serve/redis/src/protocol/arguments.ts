/**
 * The arguments of one command: places in a buffer, not copies.
 *
 * One object serves all commands that lie whole in what was just read; the parser fills it anew for each. `bytes` is the
 * buffer that was read into, so everything here is valid only while the command runs.
 */

import { decodeText } from '@orbitkv/bytes'

const capacityAtStart = 16

export class Arguments {
  bytes: Uint8Array = new Uint8Array(0)
  count = 0
  /** Argument `i` is `bytes[starts[i], ends[i])`. */
  starts = new Int32Array(capacityAtStart)
  ends = new Int32Array(capacityAtStart)

  add(start: number, end: number): void {
    if (this.count === this.starts.length) this.#grow()
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.count++
  }

  start(place: number): number {
    return this.starts[place] as number
  }

  end(place: number): number {
    return this.ends[place] as number
  }

  length(place: number): number {
    return (this.ends[place] as number) - (this.starts[place] as number)
  }

  /** As UTF-8, for messages and options; keys and values are bytes. */
  text(place: number): string {
    return decodeText(this.bytes.subarray(this.start(place), this.end(place)))
  }

  /** The bytes as the caller's own. */
  copy(place: number): Uint8Array {
    return new Uint8Array(this.bytes.subarray(this.start(place), this.end(place)))
  }

  /** Whether an argument is this word, which is given in capitals; case does not matter. */
  is(place: number, word: string): boolean {
    const start = this.start(place)
    if (this.end(place) - start !== word.length) return false
    for (let i = 0; i < word.length; i++) {
      let byte = this.bytes[start + i] as number
      if (byte >= 0x61 && byte <= 0x7a) byte -= 32
      if (byte !== word.charCodeAt(i)) return false
    }
    return true
  }

  /** Takes the places of another, or its own, in a buffer that holds the same bytes `shift` further on. */
  takeFrom(other: Arguments, shift: number): void {
    const { count } = other
    this.count = 0
    for (let i = 0; i < count; i++) this.add(other.start(i) + shift, other.end(i) + shift)
  }

  #grow(): void {
    const starts = new Int32Array(this.starts.length * 2)
    const ends = new Int32Array(this.ends.length * 2)
    starts.set(this.starts)
    ends.set(this.ends)
    this.starts = starts
    this.ends = ends
  }
}
