/**
 * Seeded randomness (splitmix32): the same seed gives the same run on every machine.
 * For tests, simulation and workloads; never for secrets.
 */

import { assert } from './assert.ts'

export class Random {
  readonly seed: number
  #state: number

  constructor(seed: number) {
    this.seed = seed >>> 0
    this.#state = this.seed
  }

  /** A whole number in [0, 2^32). */
  uint32(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    let mixed = this.#state ^ (this.#state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    assert(bound > 0, 'the bound of a random number is positive')
    return Math.floor((this.uint32() / 2 ** 32) * bound)
  }

  /** A whole number in [min, max], both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  /** True once in `oneIn` times on average. */
  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    for (let i = 0; i < length; i++) out[i] = this.uint32() & 0xff
    return out
  }
}

/**
 * The seeds that a random test runs with: those kept because they failed once, and fresh ones, which change from day to
 * day. ORBIT_SEED runs one seed alone. A test names its seed, so that a failure can be run again.
 */
export function seedsFor(name: string, { kept, fresh }: { kept: readonly number[]; fresh: number }): number[] {
  const only = process.env.ORBIT_SEED
  if (only !== undefined) return [Number(only) >>> 0]
  let day = Math.floor(Date.now() / 86_400_000)
  for (const char of name) day = (Math.imul(day, 31) + char.charCodeAt(0)) >>> 0
  const random = new Random(day)
  return [...kept, ...Array.from({ length: fresh }, () => random.uint32())]
}
