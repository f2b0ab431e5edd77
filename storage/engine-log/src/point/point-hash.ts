/**
 * The hash of (keyspace, key) that the point index is built on: MurmurHash3's 32-bit mixing by A. Appleby, over four bytes
 * a step, with random numbers of this process where the original has constants. Nobody outside can choose keys that
 * share a hash or crowd a part of the table. Only a checkpoint keeps its numbers, beside the entries that they placed.
 */

export class PointHash {
  readonly #seed: number
  /** The two multipliers of the mixing, odd. */
  readonly #spread: number
  readonly #stir: number

  constructor(randomUint32: () => number) {
    this.#seed = randomUint32() | 0
    this.#spread = randomUint32() | 1
    this.#stir = randomUint32() | 1
  }

  /** The numbers that make it what it is: given out one after the other, they make it again. */
  get numbers(): readonly number[] {
    return [this.#seed >>> 0, this.#spread >>> 0, this.#stir >>> 0]
  }

  /** A whole number below 2^32. */
  of(keyspace: number, key: Uint8Array, start: number, end: number): number {
    const spread = this.#spread
    const stir = this.#stir
    let hash = this.#seed ^ keyspace ^ (end - start)
    let at = start
    for (; at + 4 <= end; at += 4) {
      const block =
        (key[at] as number) |
        ((key[at + 1] as number) << 8) |
        ((key[at + 2] as number) << 16) |
        ((key[at + 3] as number) << 24)
      hash = mix(hash, block, spread, stir)
    }
    if (at < end) {
      let block = 0
      for (let shift = 0; at < end; at++, shift += 8) block |= (key[at] as number) << shift
      hash = mix(hash, block, spread, stir)
    }
    hash ^= hash >>> 16
    hash = Math.imul(hash, 0x85ebca6b)
    hash ^= hash >>> 13
    hash = Math.imul(hash, 0xc2b2ae35)
    return (hash ^ (hash >>> 16)) >>> 0
  }
}

function mix(hash: number, block: number, spread: number, stir: number): number {
  let mixed = Math.imul(block, spread)
  mixed = (mixed << 15) | (mixed >>> 17)
  const next = hash ^ Math.imul(mixed, stir)
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0
}
