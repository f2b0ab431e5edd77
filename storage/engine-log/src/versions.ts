/**
 * The links from each record to the version of its key before it, for states that are still kept.
 *
 * A link is made whenever a key's newest record is replaced, and goes when no kept state can see the older one. The index
 * holds only newest records, so reading an old state means following links. Two parts: a hash table from location to
 * the older location (open addressing, linear probing, backward-shift deletion), and a queue in the order of
 * revision, from whose head retention takes and from whose tail truncation takes back.
 */

import { assert } from '@orbitkv/base'

const slotWords = 4
const capacityMin = 1024

/** In the segment word of a location: the record there is a delete. */
export const deadBit = 0x40000000
export const segmentMask = deadBit - 1

export interface Superseded {
  keyspace: number
  /** The record that took over; its own location, deadBit left out. */
  segment: number
  offset8: number
  /** The revision from which on the older record is not seen. */
  revision: number
}

export class Versions {
  /** Slots of (segment + 1, offset8, older segment, older offset8); 0 in the first word is a free slot. */
  #table = new Uint32Array(capacityMin * slotWords)
  #mask = capacityMin - 1
  #count = 0
  readonly #queue = new SupersededQueue()

  /** What the last `find` or `unlink` came to: the older location, deadBit included. */
  olderSegment = 0
  olderOffset8 = 0

  /** Versions that are kept beside the newest of their key. */
  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#table.byteLength + this.#queue.bytes
  }

  /** Links the record at (segment, offset8) to the one that it replaces. */
  link(segment: number, offset8: number, olderSegment: number, olderOffset8: number): void {
    if ((this.#count + 1) * 4 > (this.#mask + 1) * 3) this.#resize((this.#mask + 1) * 2)
    const slot = this.#slotOf(segment, offset8)
    const table = this.#table
    assert(table[slot] === 0, 'a record replaces one other record')
    table[slot] = segment + 1
    table[slot + 1] = offset8
    table[slot + 2] = olderSegment
    table[slot + 3] = olderOffset8
    this.#count++
  }

  /** True with the older location where the record has a link. */
  find(segment: number, offset8: number): boolean {
    if (this.#count === 0) return false
    const slot = this.#slotOf(segment, offset8)
    if (this.#table[slot] === 0) return false
    this.olderSegment = this.#table[slot + 2] as number
    this.olderOffset8 = this.#table[slot + 3] as number
    return true
  }

  /** Takes a link away; true with the older location where there was one. */
  unlink(segment: number, offset8: number): boolean {
    if (!this.find(segment, offset8)) return false
    let hole = this.#slotOf(segment, offset8)
    const table = this.#table
    const words = table.length
    // Close the hole: move back each follower that does not sit at or after its own home slot.
    for (let at = (hole + slotWords) % words; table[at] !== 0; at = (at + slotWords) % words) {
      const home = this.#home((table[at] as number) - 1, table[at + 1] as number)
      const distance = (at - home + words) % words
      if (distance >= (at - hole + words) % words) {
        table.copyWithin(hole, at, at + slotWords)
        hole = at
      }
    }
    table.fill(0, hole, hole + slotWords)
    this.#count--
    if (this.#mask + 1 > capacityMin && this.#count * 8 < this.#mask + 1) this.#resize((this.#mask + 1) / 2)
    return true
  }

  /** Notes that a record took over, whether or not there was an older one: retention and truncation go by it. */
  push(entry: Superseded): void {
    this.#queue.push(entry)
  }

  /** Loads the oldest note, if there is one. */
  first(into: Superseded): boolean {
    return this.#queue.first(into)
  }

  shift(): void {
    this.#queue.shift()
  }

  last(into: Superseded): boolean {
    return this.#queue.last(into)
  }

  pop(): void {
    this.#queue.pop()
  }

  #home(segment: number, offset8: number): number {
    let mixed = Math.imul(segment ^ Math.imul(offset8, 0x9e3779b1), 0x85ebca6b)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0xc2b2ae35)
    mixed ^= mixed >>> 13
    return (mixed & this.#mask) * slotWords
  }

  #slotOf(segment: number, offset8: number): number {
    const table = this.#table
    const words = table.length
    let slot = this.#home(segment, offset8)
    while (table[slot] !== 0 && (table[slot] !== segment + 1 || table[slot + 1] !== offset8)) {
      slot += slotWords
      if (slot === words) slot = 0
    }
    return slot
  }

  #resize(capacity: number): void {
    const before = this.#table
    this.#table = new Uint32Array(capacity * slotWords)
    this.#mask = capacity - 1
    for (let at = 0; at < before.length; at += slotWords) {
      if (before[at] === 0) continue
      const slot = this.#slotOf((before[at] as number) - 1, before[at + 1] as number)
      for (let word = 0; word < slotWords; word++) this.#table[slot + word] = before[at + word] as number
    }
  }
}

const chunkEntries = 4096
const entryNumbers = 4

/** A double-ended queue of notes in chunks, so that growth never copies. */
class SupersededQueue {
  readonly #chunks: Float64Array[] = []
  /** Index of the first entry within the first chunk, and of one past the last, counted from the first chunk's start. */
  #head = 0
  #tail = 0

  get bytes(): number {
    return this.#chunks.length * chunkEntries * entryNumbers * 8
  }

  push(entry: Superseded): void {
    if (this.#tail === this.#chunks.length * chunkEntries)
      this.#chunks.push(new Float64Array(chunkEntries * entryNumbers))
    const chunk = this.#chunks[this.#chunks.length - 1] as Float64Array
    const at = (this.#tail % chunkEntries) * entryNumbers
    chunk[at] = entry.keyspace
    chunk[at + 1] = entry.segment
    chunk[at + 2] = entry.offset8
    chunk[at + 3] = entry.revision
    this.#tail++
  }

  first(into: Superseded): boolean {
    return this.#load(this.#head, into)
  }

  last(into: Superseded): boolean {
    return this.#load(this.#tail - 1, into)
  }

  shift(): void {
    assert(this.#head < this.#tail, 'the queue has a first entry')
    this.#head++
    if (this.#head === chunkEntries) {
      this.#chunks.shift()
      this.#head = 0
      this.#tail -= chunkEntries
    }
  }

  pop(): void {
    assert(this.#head < this.#tail, 'the queue has a last entry')
    this.#tail--
    if (this.#tail <= (this.#chunks.length - 1) * chunkEntries) this.#chunks.pop()
    if (this.#chunks.length === 0) this.#head = this.#tail = 0
  }

  #load(index: number, into: Superseded): boolean {
    if (index < this.#head || index >= this.#tail) return false
    const chunk = this.#chunks[Math.floor(index / chunkEntries)] as Float64Array
    const at = (index % chunkEntries) * entryNumbers
    into.keyspace = chunk[at] as number
    into.segment = chunk[at + 1] as number
    into.offset8 = chunk[at + 2] as number
    into.revision = chunk[at + 3] as number
    return true
  }
}
