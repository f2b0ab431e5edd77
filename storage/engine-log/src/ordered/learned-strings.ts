/**
 * Byte strings that the ordered index keeps of its own: the separators between children, and the prefixes that the keys of
 * a node share. Copies, so that a record may move or go; in byte arrays, so that the collector has nothing to walk.
 *
 * An id is a chunk and an offset in it, in units of 8 bytes; id 0 is the empty string. A string is two bytes of length and
 * its bytes, in a place whose size is one of a few classes; a freed place serves its class again.
 */

import { KiB } from '@orbitkv/base'

export const noString = 0

const chunkBytesMin = 4 * KiB
const chunkBytesMax = 256 * KiB
const chunkShift = 15
const placeMask = (1 << chunkShift) - 1
const lengthBytes = 2

export class KeptStrings {
  readonly #chunks: Uint8Array[] = []
  /** Bytes given out of the newest chunk; place 0 of the first one is the empty string's. */
  #used = 8
  /** Freed places by their size in units of 8 bytes. */
  readonly #free = new Map<number, number[]>()
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** The array that has a string, which begins at `startOf`. */
  chunkOf(id: number): Uint8Array {
    return this.#chunks[id >>> chunkShift] as Uint8Array
  }

  startOf(id: number): number {
    return ((id & placeMask) << 3) + lengthBytes
  }

  lengthOf(id: number): number {
    if (id === noString) return 0
    const chunk = this.chunkOf(id)
    const at = (id & placeMask) << 3
    return (chunk[at] as number) | ((chunk[at + 1] as number) << 8)
  }

  /** Leading bytes that the two of the last `compare` share. */
  shared = 0

  /** Compares a string with `key[start, end)`, the first `skip` bytes of which are known to be equal, if it has as many. */
  compare(id: number, key: Uint8Array, start: number, end: number, skip: number): number {
    const length = this.lengthOf(id)
    const keyBytes = end - start
    const most = length < keyBytes ? length : keyBytes
    let i = skip < most ? skip : most
    if (i < most) {
      const bytes = this.chunkOf(id)
      const from = this.startOf(id)
      for (; i < most; i++) {
        const difference = (bytes[from + i] as number) - (key[start + i] as number)
        if (difference !== 0) {
          this.shared = i
          return difference
        }
      }
    }
    this.shared = i
    return length - keyBytes
  }

  /** Keeps a copy of `bytes[start, end)`. */
  keep(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length === 0) return noString
    const units = unitsOf(length)
    const id = this.#free.get(units)?.pop() ?? this.#take(units)
    const chunk = this.chunkOf(id)
    const at = (id & placeMask) << 3
    chunk[at] = length & 0xff
    chunk[at + 1] = length >>> 8
    for (let i = 0; i < length; i++) chunk[at + lengthBytes + i] = bytes[start + i] as number
    return id
  }

  drop(id: number): void {
    if (id === noString) return
    const units = unitsOf(this.lengthOf(id))
    const places = this.#free.get(units)
    if (places === undefined) this.#free.set(units, [id])
    else places.push(id)
  }

  #take(units: number): number {
    const bytes = units << 3
    const newest = this.#chunks.at(-1)
    if (newest === undefined || this.#used + bytes > newest.length) {
      let length = newest === undefined ? chunkBytesMin : Math.min(newest.length * 2, chunkBytesMax)
      while (length < bytes + 8) length *= 2
      this.#chunks.push(new Uint8Array(length))
      this.#bytes += length
      this.#used = newest === undefined ? 8 : 0
    }
    const place = this.#used >>> 3
    this.#used += bytes
    return ((this.#chunks.length - 1) << chunkShift) | place
  }
}

/** The size of a string's place: exact while it is short, then one of four sizes to each doubling. */
function unitsOf(length: number): number {
  const units = (length + lengthBytes + 7) >>> 3
  if (units <= 8) return units
  const step = 1 << (29 - Math.clz32(units - 1))
  return (units + step - 1) & ~(step - 1)
}
