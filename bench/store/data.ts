/** The data of the bench of the store: random keys of 8 bytes and values of 100, the same for every part and every run. */

import { Random } from '@orbitkv/base'

export const keyBytes = 8
export const valueBytes = 100
export const seed = 42
/** Records that loading writes at once. */
export const loadBatch = 1000

/** A power of two, so that a value is found by a mask. */
const valueCount = 1024

export class Data {
  readonly count: number
  /** One behind the other. Their first bit is 0, so that whatever begins with 1 meets none of them. */
  readonly keys: Buffer
  readonly #values: readonly Buffer[]

  constructor(count: number) {
    const random = new Random(seed)
    this.count = count
    this.keys = Buffer.from(random.bytes(count * keyBytes))
    for (let at = 0; at < this.keys.length; at += keyBytes) this.keys[at] = (this.keys[at] as number) & 0x7f
    this.#values = Array.from({ length: valueCount }, () => Buffer.from(random.bytes(valueBytes)))
  }

  /** Copies a key into the buffer that a caller reuses. */
  fill(key: Buffer, index: number): Buffer {
    this.keys.copy(key, 0, index * keyBytes, (index + 1) * keyBytes)
    return key
  }

  /** A key as bytes that stay. */
  key(index: number): Uint8Array {
    return this.keys.subarray(index * keyBytes, (index + 1) * keyBytes)
  }

  value(index: number): Buffer {
    return this.#values[index & (valueCount - 1)] as Buffer
  }

  /** Numbers of keys, drawn at random. */
  draw(random: Random, count: number): Uint32Array {
    return Uint32Array.from({ length: count }, () => random.below(this.count))
  }
}
