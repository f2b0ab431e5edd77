/**
 * The point index: a hash table from keys to the location of their newest record, beside the ordered index. A look-up
 * touches one slot and the record itself, where the tree would touch a node a level.
 *
 * It consists of 16 tables (point-table.ts), which double each at another time, a little with each insert: no insert takes
 * long, and from some thousands of keys on memory stands at 13 to 15 bytes a key. A slot has a part of the hash of (keyspace, key)
 * (point-hash.ts) and a location in 40 bits: a window of the log (point-windows.ts) and an offset in it, or an alias.
 * That the key is the right one is checked in the log (`PointKeys`).
 *
 * What must hold: it has exactly the entries of the ordered indexes, with the same locations (version-index.ts checks).
 */

import { assert } from '@orbitkv/base'
import { deadBit, segmentMask } from '../versions/versions.ts'
import { PointHash } from './point-hash.ts'
import { belowTag, hashBits, PointTable, type Slots, tagShift } from './point-table.ts'
import { PointWindows, windowMask, windowShift, windowsMax } from './point-windows.ts'

export interface PointKeys {
  /** Whether the record at a location has this keyspace and key. */
  equalsAt(segment: number, offset8: number, keyspace: number, key: Uint8Array, start: number, end: number): boolean
}

const tableBits = 32 - hashBits
export const tableCount: number = 1 << tableBits

/** What the location of a slot is, in the bits below its tag and above the high bits of the location. */
const kindShift = tagShift - 2
const put = 1 << kindShift
const dead = 2 << kindShift
const alias = 3 << kindShift
const highMask = (1 << kindShift) - 1
/** Bits of a window's number in the low word of a location. */
const windowLowBits = 32 - windowShift

export class PointIndex {
  readonly #keys: PointKeys
  #hashes: PointHash
  readonly #windows: PointWindows
  readonly #segmentOf: readonly number[]
  readonly #startOf: readonly number[]
  readonly #tables: PointTable[] = Array.from({ length: tableCount }, (_, i) => new PointTable(i / tableCount))
  #size = 0

  // The place of the last find.
  #hash = 0
  #slots: Slots = (this.#tables[0] as PointTable).current
  #slot = 0
  // What `#encode` made of a location.
  #low = 0
  #kindAndHigh = 0

  /** The location that the last find came to, with its deadBit. */
  segment = 0
  offset8 = 0

  constructor(keys: PointKeys, randomUint32: () => number, windows: number = windowsMax) {
    this.#keys = keys
    this.#hashes = new PointHash(randomUint32)
    this.#windows = new PointWindows(windows)
    this.#segmentOf = this.#windows.segments
    this.#startOf = this.#windows.starts
  }

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    let bytes = 0
    for (const table of this.#tables) bytes += table.bytes
    return bytes
  }

  /** The most bytes that so many more keys can take: keys spread over the tables, by chance a little unevenly. */
  growthBytesMax(keys: number): number {
    const share = Math.min(keys, Math.ceil(keys / tableCount + 6 * Math.sqrt(keys / tableCount)))
    let bytes = 0
    for (const table of this.#tables) bytes += table.growthBytesMax(share)
    return bytes
  }

  /** Makes sure that every place of a segment can be a location; throws `engine.log_too_large` with nothing changed. */
  admit(segment: number, capacityBytes: number): void {
    this.#windows.admit(segment, capacityBytes)
  }

  /** A segment is gone; no entry has a location in it any more. */
  release(segment: number): void {
    this.#windows.release(segment)
  }

  /** Looks a key up: true with its location in `segment` and `offset8`, or false. */
  find(keyspace: number, key: Uint8Array, start: number, end: number): boolean {
    const fullHash = this.#hashes.of(keyspace, key, start, end)
    const table = this.#tables[fullHash & (tableCount - 1)] as PointTable
    const hash = fullHash >>> tableBits
    const slots = hash >= table.boundary ? table.current : table.former
    const { words } = slots
    const tag = hash << tagShift
    this.#hash = fullHash
    this.#slots = slots
    for (let slot = slots.homeOf(hash); ; slot--) {
      const tagged = words[2 * slot + 1] as number
      const apart = (tagged - tag) | 0
      if (tagged === 0 || apart < 0) {
        this.#slot = slot
        return false
      }
      if (apart >>> tagShift !== 0) continue
      const low = words[2 * slot] as number
      let segment = deadBit
      let offset8 = low >>> 0
      const kind = tagged & alias
      if (kind !== alias) {
        const window = ((tagged & highMask) << windowLowBits) | (low >>> windowShift)
        segment = this.#segmentOf[window] as number
        if (kind === dead) segment |= deadBit
        offset8 = (this.#startOf[window] as number) + (low & windowMask)
      }
      if (!this.#keys.equalsAt(segment, offset8, keyspace, key, start, end)) continue
      this.#slot = slot
      this.segment = segment
      this.offset8 = offset8
      return true
    }
  }

  /**
   * Brings in the slots of keys that are looked up soon, and says where their records may be: for key `i` of `places` the
   * location that a slot with its tag has, or `deadBit`. Each round is a short loop of loads that do not wait for one another:
   * the processor then has many under way, where look-ups one after the other wait for each.
   */
  prefetch(keyspace: number, bytes: Uint8Array, spans: Uint32Array, count: number, places: Uint32Array): void {
    for (let i = 0; i < count; i++) {
      places[2 * i] = this.#hashes.of(keyspace, bytes, spans[2 * i] as number, spans[2 * i + 1] as number)
    }
    let sum = 0
    for (let i = 0; i < count; i++) {
      const fullHash = places[2 * i] as number
      const table = this.#tables[fullHash & (tableCount - 1)] as PointTable
      const hash = fullHash >>> tableBits
      const slots = hash >= table.boundary ? table.current : table.former
      const home = slots.homeOf(hash)
      places[2 * i + 1] = home
      sum ^= slots.words[2 * home] as number
    }
    this.prefetched = sum
    for (let i = 0; i < count; i++) {
      const fullHash = places[2 * i] as number
      const table = this.#tables[fullHash & (tableCount - 1)] as PointTable
      const hash = fullHash >>> tableBits
      const { words } = hash >= table.boundary ? table.current : table.former
      const tag = hash << tagShift
      places[2 * i] = deadBit
      for (let slot = places[2 * i + 1] as number; ; slot--) {
        const tagged = words[2 * slot + 1] as number
        const apart = (tagged - tag) | 0
        if (tagged === 0 || apart < 0) break
        if (apart >>> tagShift !== 0) continue
        if ((tagged & alias) === put) {
          const low = words[2 * slot] as number
          const window = ((tagged & highMask) << windowLowBits) | (low >>> windowShift)
          places[2 * i] = this.#segmentOf[window] as number
          places[2 * i + 1] = (this.#startOf[window] as number) + (low & windowMask)
        }
        break
      }
    }
  }

  /** What the last `prefetch` read, kept so that the reads are made. */
  prefetched = 0

  /** After a find that succeeded: another location. */
  replace(segment: number, offset8: number): void {
    this.#encode(segment, offset8)
    const { words } = this.#slots
    const at = 2 * this.#slot
    words[at] = this.#low
    words[at + 1] = ((words[at + 1] as number) & ~belowTag) | this.#kindAndHigh
  }

  /** After a find that failed: adds the key. */
  insert(segment: number, offset8: number): void {
    this.#encode(segment, offset8)
    const table = this.#tables[this.#hash & (tableCount - 1)] as PointTable
    table.insert(this.#slots, this.#slot, this.#hash >>> tableBits, this.#kindAndHigh, this.#low)
    this.#size++
  }

  /** After a find that succeeded: the key is gone. */
  remove(): void {
    const table = this.#tables[this.#hash & (tableCount - 1)] as PointTable
    table.remove(this.#slots, this.#slot)
    this.#size--
  }

  #encode(segmentWord: number, offset8: number): void {
    const segment = segmentWord & segmentMask
    const isDead = (segmentWord & deadBit) !== 0
    if (segment === 0) {
      assert(isDead, 'an alias is a delete')
      this.#low = offset8
      this.#kindAndHigh = alias
      return
    }
    const window = this.#windows.windowOf(segment, offset8)
    this.#low = (window << windowShift) | (offset8 & windowMask)
    this.#kindAndHigh = (isDead ? dead : put) | (window >>> windowLowBits)
  }

  // ---- for checkpoints: entries by table and hash, with their locations as slots have them

  get hash(): PointHash {
    return this.#hashes
  }

  get windows(): PointWindows {
    return this.#windows
  }

  usedOf(table: number): number {
    return (this.#tables[table] as PointTable).used
  }

  /**
   * Calls for the entries of a table with hashes in [from, to), from the highest on. `locate` makes of an entry's location the
   * one to tell, in `segment` and `offset8` of what it returns; undefined passes over the entry.
   */
  forEachDown(
    table: number,
    from: number,
    to: number,
    locate: (segment: number, offset8: number) => { readonly segment: number; readonly offset8: number } | undefined,
    visit: (hash: number, low: number, location: number) => void,
  ): void {
    ;(this.#tables[table] as PointTable).forEachDown(from, to, (hash, tagged, low) => {
      const kind = tagged & alias
      let segment = deadBit
      let offset8 = low >>> 0
      if (kind !== alias) {
        const window = ((tagged & highMask) << windowLowBits) | (low >>> windowShift)
        segment = this.#segmentOf[window] as number
        if (kind === dead) segment |= deadBit
        offset8 = (this.#startOf[window] as number) + (low & windowMask)
      }
      const told = locate(segment, offset8)
      if (told === undefined) return
      this.#encode(told.segment, told.offset8)
      visit(hash, this.#kindAndHigh, this.#low)
    })
  }

  /** Makes an empty index ready for what a checkpoint has: the hash, and the entries of each table. Windows are restored by then. */
  begin(hash: PointHash, used: readonly number[]): void {
    assert(this.#size === 0, 'only an empty index is restored')
    this.#hashes = hash
    for (const [table, entries] of used.entries()) (this.#tables[table] as PointTable).begin(entries)
  }

  /** Adds an entry, those of a table from the highest hash on; an alias has another number now. */
  restore(table: number, hash: number, low: number, location: number, aliasOf: (before: number) => number): void {
    const at = (low & alias) === alias ? aliasOf(location) : location
    ;(this.#tables[table] as PointTable).restore(hash, low, at)
    this.#size++
  }

  /** Throws where an invariant does not hold; visits every slot. */
  validate(): void {
    let used = 0
    for (const table of this.#tables) {
      table.validate()
      used += table.used
    }
    assert(used === this.#size, 'the tables have all entries')
  }
}
