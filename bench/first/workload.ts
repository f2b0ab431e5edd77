/**
 * The data of the first bench: random keys of 8 bytes, values of 100, and a shuffled order of access. The same for
 * every contestant and every run.
 */

import { Random } from '@orbitkv/base'

export const keyBytes = 8
export const valueBytes = 100
export const batchRecords = 1000
export const durableGroupRecords = 100
export const workloadSeed = 42
/** Of keys that the workload does not hold: of two random keys of 8 bytes none are the same. */
export const freshSeed = 43

export interface Workload {
  readonly keyCount: number
  /** Keys in the order of insertion, one behind the other. */
  readonly inserted: Uint8Array
  /** The same keys in the order in which they are read: shuffled, laid out so that fetching the next key costs no miss. */
  readonly accessed: Uint8Array
  /** The value of a key, by the key's first byte, which is also the value's. */
  readonly values: readonly Buffer[]
  /** What the first bytes of all values add up to: shows that every read came back, and with the right record. */
  readonly checkSum: number
}

export function makeWorkload(keyCount: number, seed = workloadSeed): Workload {
  const random = new Random(seed)
  const inserted = new Uint8Array(keyCount * keyBytes)
  const words = new Uint32Array(inserted.buffer)
  for (let i = 0; i < words.length; i++) words[i] = random.uint32()
  const order = shuffled(keyCount, random)
  const accessed = new Uint8Array(inserted.length)
  let checkSum = 0
  for (let place = 0; place < keyCount; place++) {
    const from = (order[place] as number) * keyBytes
    for (let i = 0; i < keyBytes; i++) accessed[place * keyBytes + i] = inserted[from + i] as number
    checkSum += inserted[from] as number
  }
  const values = Array.from({ length: 256 }, (_, byte) => Buffer.alloc(valueBytes, byte))
  return { keyCount, inserted, accessed, values, checkSum }
}

function shuffled(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, place) => place)
  for (let last = count - 1; last > 0; last--) {
    const other = random.below(last + 1)
    const moved = order[last] as number
    order[last] = order[other] as number
    order[other] = moved
  }
  return order
}

/** The value of the key at a place of `inserted`. */
export function valueAt({ inserted, values }: Workload, place: number): Buffer {
  return values[inserted[place * keyBytes] as number] as Buffer
}

/** Copies the key at a place of `keys` into the buffer that a caller reuses. */
export function fillKey(into: Uint8Array, keys: Uint8Array, place: number): void {
  const from = place * keyBytes
  for (let i = 0; i < keyBytes; i++) into[i] = keys[from + i] as number
}
