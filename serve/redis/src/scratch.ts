/**
 * Memory that commands use while they run: for values that are made out of others, and for lists of keys.
 *
 * A value that goes back into the store is copied here first, since a write may move what records point to.
 */

import { copyBytes } from '@orbitkv/bytes'

const bytesAtStart = 4096
/** Above this the memory is not kept. */
const keptBytesMax = 4 * 1024 * 1024

export class Scratch {
  /** Valid until the next `reserve`. */
  bytes = new Uint8Array(bytesAtStart)
  readonly keys = new KeyList()

  /** At least so many bytes, with whatever they held. */
  reserve(bytesMin: number): Uint8Array {
    if (this.bytes.length < bytesMin) this.bytes = new Uint8Array(Math.max(bytesMin, this.bytes.length * 2))
    return this.bytes
  }

  /** Gives back memory that only an unusual command needed. */
  trim(): void {
    if (this.bytes.length > keptBytesMax) this.bytes = new Uint8Array(bytesAtStart)
  }
}

/** Keys one behind the other, for replies whose length is known only at the end. */
export class KeyList {
  count = 0
  bytes = new Uint8Array(bytesAtStart)
  #ends = new Float64Array(64)
  #bytesUsed = 0

  clear(): void {
    this.count = 0
    this.#bytesUsed = 0
    if (this.bytes.length > keptBytesMax) {
      this.bytes = new Uint8Array(bytesAtStart)
      this.#ends = new Float64Array(64)
    }
  }

  get bytesUsed(): number {
    return this.#bytesUsed
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    const used = this.#bytesUsed
    const needed = used + end - start
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2))
      larger.set(this.bytes.subarray(0, used))
      this.bytes = larger
    }
    if (this.count === this.#ends.length) {
      const larger = new Float64Array(this.#ends.length * 2)
      larger.set(this.#ends)
      this.#ends = larger
    }
    copyBytes(this.bytes, used, bytes, start, end)
    this.#bytesUsed = needed
    this.#ends[this.count++] = needed
  }

  start(place: number): number {
    return place === 0 ? 0 : (this.#ends[place - 1] as number)
  }

  end(place: number): number {
    return this.#ends[place] as number
  }
}
