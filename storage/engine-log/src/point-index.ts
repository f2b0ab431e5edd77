/**
 * The point index: a hash table from keys to the location of their newest record, beside the ordered index. A look-up
 * touches one slot and the record itself, where the tree would touch a node a level.
 *
 * It is made of sub-tables, each growing on its own, so that no growth holds the loop up for long. A slot holds the
 * hash of (keyspace, key) and a location; that the key is the right one is checked in the log (`PointKeys`).
 * What must hold: it has exactly the entries of the ordered indexes, with the same locations (version-index.ts checks).
 *
 * A slot is three words: hash, segment + 1 with its deadBit (0: a free slot), offset8. Linear probing; removal shifts the
 * followers back. The hash is MurmurHash3's 32-bit mixing by A. Appleby, over four bytes a step.
 */

export interface PointKeys {
  /** Whether the record at a location has this keyspace and key. */
  equalsAt(segment: number, offset8: number, keyspace: number, key: Uint8Array, start: number, end: number): boolean
}

const slotWords = 3
const tableBits = 10
const tableCount = 1 << tableBits
const tableMask = tableCount - 1
const slotsMin = 8

interface SubTable {
  words: Uint32Array
  mask: number
  used: number
}

export class PointIndex {
  readonly #keys: PointKeys
  readonly #tables: SubTable[] = Array.from({ length: tableCount }, () => ({
    words: new Uint32Array(0),
    mask: -1,
    used: 0,
  }))
  #bytes = 0
  #size = 0

  // The place of the last find.
  #table: SubTable = this.#tables[0] as SubTable
  #at = -1
  #hash = 0
  /** The location that the last find came to. */
  segment = 0
  offset8 = 0

  constructor(keys: PointKeys) {
    this.#keys = keys
  }

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Looks a key up: true with its location in `segment` and `offset8`, or false. */
  find(keyspace: number, key: Uint8Array, start: number, end: number): boolean {
    const hash = hashOf(keyspace, key, start, end)
    const table = this.#tables[hash & tableMask] as SubTable
    const { words, mask } = table
    this.#table = table
    this.#hash = hash
    if (mask < 0) return false
    for (let slot = (hash >>> tableBits) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * slotWords
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
    if ((table.used + 1) * 4 > (table.mask + 1) * 3) this.#grow(table)
    put(table, this.#hash, segment + 1, offset8)
    table.used++
    this.#size++
  }

  /** After a find that succeeded: the key is gone. */
  remove(): void {
    const { words, mask } = this.#table
    let hole = this.#at / slotWords
    for (let slot = (hole + 1) & mask; words[slot * slotWords + 1] !== 0; slot = (slot + 1) & mask) {
      const home = ((words[slot * slotWords] as number) >>> tableBits) & mask
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      words.copyWithin(hole * slotWords, slot * slotWords, slot * slotWords + slotWords)
      hole = slot
    }
    words[hole * slotWords + 1] = 0
    this.#table.used--
    this.#size--
  }

  #grow(table: SubTable): void {
    const before = table.words
    const slots = Math.max(slotsMin, (table.mask + 1) * 2)
    table.words = new Uint32Array(slots * slotWords)
    table.mask = slots - 1
    this.#bytes += table.words.byteLength - before.byteLength
    for (let at = 0; at < before.length; at += slotWords) {
      if (before[at + 1] !== 0) put(table, before[at] as number, before[at + 1] as number, before[at + 2] as number)
    }
  }
}

function put({ words, mask }: SubTable, hash: number, segmentWord: number, offset8: number): void {
  let slot = (hash >>> tableBits) & mask
  while (words[slot * slotWords + 1] !== 0) slot = (slot + 1) & mask
  const at = slot * slotWords
  words[at] = hash
  words[at + 1] = segmentWord
  words[at + 2] = offset8
}

function hashOf(keyspace: number, key: Uint8Array, start: number, end: number): number {
  let hash = keyspace ^ (end - start)
  let at = start
  for (; at + 4 <= end; at += 4) {
    const block =
      (key[at] as number) |
      ((key[at + 1] as number) << 8) |
      ((key[at + 2] as number) << 16) |
      ((key[at + 3] as number) << 24)
    hash = mix(hash, block)
  }
  if (at < end) {
    let block = 0
    for (let shift = 0; at < end; at++, shift += 8) block |= (key[at] as number) << shift
    hash = mix(hash, block)
  }
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function mix(hash: number, block: number): number {
  let mixed = Math.imul(block, 0xcc9e2d51)
  mixed = (mixed << 15) | (mixed >>> 17)
  const next = hash ^ Math.imul(mixed, 0x1b873593)
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0
}
