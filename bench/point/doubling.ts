/**
 * The yardstick of the point index: 1,024 sub-tables of 12-byte slots (hash, segment + 1, offset8) that double at three
 * quarters, with linear probing. All of one size lie side by side in one large buffer, a generation, which goes when the last has
 * moved to the next. Only bench/questions/point.ts uses it.
 */

import { largeBuffer } from '@orbitkv/bytes'
import type { PointKeys } from '@orbitkv/engine-log'

const slotWords = 3
const tableBits = 10
const tableCount = 1 << tableBits
const tableMask = tableCount - 1
const slotsMin = 8

interface Generation {
  readonly words: Uint32Array
  /** Slots of each sub-table in it. */
  readonly slots: number
  /** Sub-tables that are in it. */
  tables: number
}

interface SubTable {
  generation: Generation
  words: Uint32Array
  /** Where its slots begin in `words`. */
  base: number
  mask: number
  used: number
}

const nothing: Generation = { words: new Uint32Array(0), slots: 0, tables: 0 }

export class DoublingIndex {
  readonly #keys: PointKeys
  readonly #seed: number
  /** The two multipliers of the mixing, odd; secret where MurmurHash3 has constants. */
  readonly #spread: number
  readonly #stir: number
  readonly #tables: SubTable[] = Array.from({ length: tableCount }, () => ({
    generation: nothing,
    words: nothing.words,
    base: 0,
    mask: -1,
    used: 0,
  }))
  readonly #generations = new Set<Generation>()
  #size = 0

  // The place of the last find.
  #table: SubTable = this.#tables[0] as SubTable
  #at = -1
  #hash = 0
  /** The location that the last find came to. */
  segment = 0
  offset8 = 0

  /** The hash is made of random numbers, so that nobody can choose keys that crowd one sub-table or share a hash. */
  constructor(keys: PointKeys, randomUint32: () => number) {
    this.#keys = keys
    this.#seed = randomUint32() | 0
    this.#spread = randomUint32() | 1
    this.#stir = randomUint32() | 1
  }

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    let bytes = 0
    for (const { words } of this.#generations) bytes += words.byteLength
    return bytes
  }

  /** Looks a key up: true with its location in `segment` and `offset8`, or false. */
  find(keyspace: number, key: Uint8Array, start: number, end: number): boolean {
    const hash = this.#hashOf(keyspace, key, start, end)
    const table = this.#tables[hash & tableMask] as SubTable
    const { words, base, mask } = table
    this.#table = table
    this.#hash = hash
    if (mask < 0) return false
    for (let slot = (hash >>> tableBits) & mask; ; slot = (slot + 1) & mask) {
      const at = base + slot * slotWords
      const segment = words[at + 1] as number
      if (segment === 0) return false
      if ((words[at] as number) !== hash) continue
      const offset8 = words[at + 2] as number
      if (!this.#keys.equalsAt(segment - 1, offset8, keyspace, key, start, end)) continue
      this.#at = at
      this.segment = segment - 1
      this.offset8 = offset8
      return true
    }
  }

  /** After a find that succeeded: another location. */
  replace(segment: number, offset8: number): void {
    const { words } = this.#table
    words[this.#at + 1] = segment + 1
    words[this.#at + 2] = offset8
  }

  /** After a find that failed: adds the key. */
  insert(segment: number, offset8: number): void {
    const table = this.#table
    if ((table.used + 1) * 4 > (table.mask + 1) * 3) this.#grow(table, this.#hash & tableMask)
    put(table, this.#hash, segment + 1, offset8)
    table.used++
    this.#size++
  }

  /** After a find that succeeded: the key is gone. */
  remove(): void {
    const { words, base, mask } = this.#table
    let hole = (this.#at - base) / slotWords
    for (let slot = (hole + 1) & mask; words[base + slot * slotWords + 1] !== 0; slot = (slot + 1) & mask) {
      const at = base + slot * slotWords
      const home = ((words[at] as number) >>> tableBits) & mask
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      words.copyWithin(base + hole * slotWords, at, at + slotWords)
      hole = slot
    }
    words[base + hole * slotWords + 1] = 0
    this.#table.used--
    this.#size--
  }

  /** Moves a sub-table to its place in the generation of twice the size. */
  #grow(table: SubTable, index: number): void {
    const { generation, words, base, mask } = table
    const slots = Math.max(slotsMin, (mask + 1) * 2)
    const larger = this.#generation(slots)
    table.generation = larger
    table.words = larger.words
    table.base = index * slots * slotWords
    table.mask = slots - 1
    larger.tables++
    const end = base + (mask + 1) * slotWords
    for (let at = base; at < end; at += slotWords) {
      if (words[at + 1] !== 0) put(table, words[at] as number, words[at + 1] as number, words[at + 2] as number)
    }
    if (--generation.tables === 0) this.#generations.delete(generation)
  }

  #generation(slots: number): Generation {
    for (const generation of this.#generations) if (generation.slots === slots) return generation
    const words = new Uint32Array(largeBuffer(tableCount * slots * slotWords * 4))
    const made: Generation = { words, slots, tables: 0 }
    this.#generations.add(made)
    return made
  }

  #hashOf(keyspace: number, key: Uint8Array, start: number, end: number): number {
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

function put({ words, base, mask }: SubTable, hash: number, segmentWord: number, offset8: number): void {
  let slot = (hash >>> tableBits) & mask
  while (words[base + slot * slotWords + 1] !== 0) slot = (slot + 1) & mask
  const at = base + slot * slotWords
  words[at] = hash
  words[at + 1] = segmentWord
  words[at + 2] = offset8
}

function mix(hash: number, block: number, spread: number, stir: number): number {
  let mixed = Math.imul(block, spread)
  mixed = (mixed << 15) | (mixed >>> 17)
  const next = hash ^ Math.imul(mixed, stir)
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0
}
