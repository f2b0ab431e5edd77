/**
 * The older versions of keys, for states that are still kept: a queue of notes, each saying that one record took over from
 * another.
 *
 * Notes are made in the order of the log, so they ascend by the location of the newer record: writing one is a push,
 * looking one up a binary search, retention takes from the head and truncation takes back from the tail. The index
 * holds only newest records; an old state is read by going from note to note.
 *
 * A note is eight words: keyspace | newer segment, noteDelete where it deletes | newer offset8 | older segment with
 * its deadBit | older offset8 | revision (two words) | alias. Without an older record both its words are 0; where the
 * older is an alias its segment is 0. `alias` is set where the newer record deletes a range.
 */

import { assert } from '@orbitkv/base'
import { readUint64, writeUint64 } from '@orbitkv/bytes'

/** In the segment word of a location: the record there is a delete. */
export const deadBit = 0x40000000
export const segmentMask: number = deadBit - 1

export interface Note {
  keyspace: number
  /** The record that took over. */
  segment: number
  offset8: number
  isDelete: boolean
  /** The record that it took over from, with deadBit; 0 and 0 where there was none, 0 and an alias for an alias. */
  olderSegment: number
  olderOffset8: number
  /** From this revision on the older record is not seen. */
  revision: number
  /** For the delete of a range: the alias that this key has for it; otherwise 0. */
  alias: number
}

export function newNote(): Note {
  return {
    keyspace: 0,
    segment: 0,
    offset8: 0,
    isDelete: false,
    olderSegment: 0,
    olderOffset8: 0,
    revision: 0,
    alias: 0,
  }
}

const chunkShift = 12
const chunkNotes = 1 << chunkShift
const noteWords = 8

export class Versions {
  readonly #chunks: Uint32Array[] = []
  /** Index of the first note, and of one past the last, counted from the start of the first chunk. */
  #head = 0
  #tail = 0
  /** Notes shifted out so far: what makes the number of a note stay its own. */
  #shifted = 0
  #spare: Uint32Array | undefined

  /** What the last `find` came to. */
  olderSegment = 0
  olderOffset8 = 0

  get count(): number {
    return this.#tail - this.#head
  }

  get bytes(): number {
    return this.#chunks.length * chunkNotes * noteWords * 4
  }

  push(note: Note): void {
    if (this.#tail === this.#chunks.length << chunkShift) {
      this.#chunks.push(this.#spare ?? new Uint32Array(chunkNotes * noteWords))
      this.#spare = undefined
    }
    const chunk = this.#chunks[this.#tail >>> chunkShift] as Uint32Array
    const at = (this.#tail & (chunkNotes - 1)) * noteWords
    chunk[at] = note.keyspace
    chunk[at + 1] = note.isDelete ? note.segment | deadBit : note.segment
    chunk[at + 2] = note.offset8
    chunk[at + 3] = note.olderSegment
    chunk[at + 4] = note.olderOffset8
    writeUint64(chunk, at + 5, note.revision)
    chunk[at + 7] = note.alias
    this.#tail++
  }

  /** True with the older location where the record at (segment, offset8) took over from one. Not for aliases. */
  find(segment: number, offset8: number): boolean {
    const index = this.#firstAt(segment, offset8)
    if (!this.#isAt(index, segment, offset8)) return false
    const chunk = this.#chunks[index >>> chunkShift] as Uint32Array
    const at = (index & (chunkNotes - 1)) * noteWords
    this.olderSegment = chunk[at + 3] as number
    this.olderOffset8 = chunk[at + 4] as number
    return this.olderSegment !== 0 || this.olderOffset8 !== 0
  }

  /** Whether the note of a record is still kept; `alias` tells the notes of one delete-range apart, 0 for other records. */
  holds(segment: number, offset8: number, alias: number): boolean {
    return this.numberOf(segment, offset8, alias) !== -1
  }

  /** The number of the first note, which it keeps as long as it is there; that of the next one to come is `nextNumber`. */
  get firstNumber(): number {
    return this.#shifted
  }

  get nextNumber(): number {
    return this.#shifted + this.count
  }

  /** Loads a note by its number. */
  load(number: number, into: Note): void {
    const isLoaded = this.#load(number - this.#shifted + this.#head, into)
    assert(isLoaded, 'the note is kept')
  }

  /** Loads the older location of a note by its number into `olderSegment` and `olderOffset8`. */
  loadOlder(number: number): void {
    const at = this.#wordOf(number)
    const chunk = this.#chunkOf(number)
    this.olderSegment = chunk[at + 3] as number
    this.olderOffset8 = chunk[at + 4] as number
  }

  /** The alias of a note by its number, 0 where it has none. */
  aliasOf(number: number): number {
    return this.#chunkOf(number)[this.#wordOf(number) + 7] as number
  }

  /** Gives a note another older location; both 0 for none. */
  storeOlder(number: number, segment: number, offset8: number): void {
    const at = this.#wordOf(number)
    const chunk = this.#chunkOf(number)
    chunk[at + 3] = segment
    chunk[at + 4] = offset8
  }

  /** The number of the note of a record; `alias` as for `holds`. -1 where it is not kept. */
  numberOf(segment: number, offset8: number, alias: number): number {
    for (let index = this.#firstAt(segment, offset8); this.#isAt(index, segment, offset8); index++) {
      const chunk = this.#chunks[index >>> chunkShift] as Uint32Array
      if (chunk[(index & (chunkNotes - 1)) * noteWords + 7] === alias) return index - this.#head + this.#shifted
    }
    return -1
  }

  #chunkOf(number: number): Uint32Array {
    return this.#chunks[(number - this.#shifted + this.#head) >>> chunkShift] as Uint32Array
  }

  #wordOf(number: number): number {
    return ((number - this.#shifted + this.#head) & (chunkNotes - 1)) * noteWords
  }

  /** The index of the first note that is not before a location. */
  #firstAt(segment: number, offset8: number): number {
    let from = this.#head
    let to = this.#tail
    while (from < to) {
      const middle = (from + to) >>> 1
      const chunk = this.#chunks[middle >>> chunkShift] as Uint32Array
      const at = (middle & (chunkNotes - 1)) * noteWords
      const noteSegment = (chunk[at + 1] as number) & segmentMask
      if (noteSegment < segment || (noteSegment === segment && (chunk[at + 2] as number) < offset8)) from = middle + 1
      else to = middle
    }
    return from
  }

  #isAt(index: number, segment: number, offset8: number): boolean {
    if (index >= this.#tail) return false
    const chunk = this.#chunks[index >>> chunkShift] as Uint32Array
    const at = (index & (chunkNotes - 1)) * noteWords
    return ((chunk[at + 1] as number) & segmentMask) === segment && chunk[at + 2] === offset8
  }

  /** Loads the oldest note, if there is one. */
  first(into: Note): boolean {
    return this.#load(this.#head, into)
  }

  shift(): void {
    assert(this.#head < this.#tail, 'there is a first note')
    this.#head++
    this.#shifted++
    if (this.#head === chunkNotes) {
      this.#spare = this.#chunks.shift()
      this.#head = 0
      this.#tail -= chunkNotes
    }
  }

  /** Loads the newest note, if there is one. */
  last(into: Note): boolean {
    return this.#load(this.#tail - 1, into)
  }

  pop(): void {
    assert(this.#head < this.#tail, 'there is a last note')
    this.#tail--
    if (this.#tail <= (this.#chunks.length - 1) << chunkShift) this.#spare = this.#chunks.pop()
    if (this.#chunks.length === 0) this.#head = this.#tail = 0
  }

  #load(index: number, into: Note): boolean {
    if (index < this.#head || index >= this.#tail) return false
    const chunk = this.#chunks[index >>> chunkShift] as Uint32Array
    const at = (index & (chunkNotes - 1)) * noteWords
    const segment = chunk[at + 1] as number
    into.keyspace = chunk[at] as number
    into.segment = segment & segmentMask
    into.isDelete = (segment & deadBit) !== 0
    into.offset8 = chunk[at + 2] as number
    into.olderSegment = chunk[at + 3] as number
    into.olderOffset8 = chunk[at + 4] as number
    into.revision = readUint64(chunk, at + 5)
    into.alias = chunk[at + 7] as number
    return true
  }
}
