/**
 * What the cache knows of each key: an entry of 32 bytes, found by the hash of the key.
 *
 *   hash | next in its bucket | newer | older | bytes | first cell of the key | bytes of the key | mark
 *
 * `newer` and `older` link it into a list and `mark` is what its policy notes of it; all three belong to the policy. Entry 0 is none.
 * The table of buckets grows by one bucket with each entry (linear hashing, Litwin 1980) and memory by blocks, so that no write
 * waits for a rehash. For the cache only.
 */

import { assert } from '@orbitkv/base'
import { KeyCells } from './key-cells.ts'

export type EntryNumber = number
export const none: EntryNumber = 0

const entryWords = 8
const hashAt = 0
const chainAt = 1
export const newerAt = 2
export const olderAt = 3
const bytesAt = 4
const cellAt = 5
const keyBytesAt = 6
export const markAt = 7

/** Entries and buckets come in blocks of 1 MiB and 128 KiB. */
const blockShift = 15
const perBlock: number = 1 << blockShift
const blockMask: number = perBlock - 1
/** A power of two. */
const bucketsAtFirst = 64

export class Entries {
  readonly #keys = new KeyCells()
  readonly #blocks: Uint32Array[] = []
  /** The first free entry; each leads to the next as in a bucket. */
  #free: EntryNumber = none
  /** Entries that were ever used, the one that is none included. */
  #made = 1
  readonly #buckets: Uint32Array[] = [new Uint32Array(perBlock)]
  /** Buckets in use: more than half of `#round`'s double, and at most that. */
  #bucketCount = bucketsAtFirst
  /** Buckets below this were there before the present round of splits; a power of two. */
  #round = bucketsAtFirst
  count = 0
  /** What was read only to be brought in, so that the reads are not left out. */
  touched = 0

  /** Bytes of memory. */
  get memoryBytes(): number {
    const words = this.#blocks.length * perBlock * entryWords + this.#buckets.length * perBlock
    return 4 * words + this.#keys.bytes
  }

  /** The entry of `key[start, end)`, whose hash is given. */
  find(hash: number, key: Uint8Array, start: number, end: number): EntryNumber {
    let entry = this.#head(this.#bucketOf(hash))
    for (; entry !== none; entry = this.word(entry, chainAt)) {
      if (this.word(entry, hashAt) !== hash || this.word(entry, keyBytesAt) !== end - start) continue
      if (this.#keys.equals(this.word(entry, cellAt), key, start, end)) return entry
    }
    return none
  }

  /**
   * Entries with the first `count` of these hashes, in their place: mostly those of the keys, and one in millions another's, which only
   * matters to who changes what it says. Step by step for all of them, since look-ups that do not wait for each other overlap their
   * trips to memory; the last brings in what their lists touch when they move.
   */
  findMany(hashes: Uint32Array, count: number, found: Uint32Array): void {
    for (let i = 0; i < count; i++) found[i] = this.#head(this.#bucketOf(hashes[i] as number))
    for (let i = 0; i < count; i++) {
      let entry = found[i] as EntryNumber
      while (entry !== none && this.word(entry, hashAt) !== hashes[i]) entry = this.word(entry, chainAt)
      found[i] = entry
    }
    let touched = 0
    for (let i = 0; i < count; i++) {
      const entry = found[i] as EntryNumber
      if (entry !== none) touched ^= this.#touch(this.word(entry, newerAt)) ^ this.#touch(this.word(entry, olderAt))
    }
    this.touched = touched
  }

  /** Brings an entry in; of a number that is none (a policy may keep others there) nothing. */
  #touch(entry: number): number {
    return this.#blocks[entry >>> blockShift]?.[(entry & blockMask) * entryWords] ?? 0
  }

  /** Makes the entry of a key that has none. */
  add(hash: number, key: Uint8Array, start: number, end: number, bytes: number): EntryNumber {
    const entry = this.#take()
    this.setWord(entry, hashAt, hash)
    this.setWord(entry, bytesAt, bytes)
    this.setWord(entry, cellAt, this.#keys.add(key, start, end))
    this.setWord(entry, keyBytesAt, end - start)
    this.setWord(entry, markAt, 0)
    const bucket = this.#bucketOf(hash)
    this.setWord(entry, chainAt, this.#head(bucket))
    this.#setHead(bucket, entry)
    if (++this.count > this.#bucketCount) this.#split()
    return entry
  }

  remove(entry: EntryNumber): void {
    assert(this.word(entry, markAt) === 0, 'its policy has let go of an entry before it is removed')
    const bucket = this.#bucketOf(this.word(entry, hashAt))
    const next = this.word(entry, chainAt)
    let before = this.#head(bucket)
    if (before === entry) this.#setHead(bucket, next)
    else {
      while (this.word(before, chainAt) !== entry) before = this.word(before, chainAt)
      this.setWord(before, chainAt, next)
    }
    this.#keys.free(this.word(entry, cellAt), this.word(entry, keyBytesAt))
    this.setWord(entry, chainAt, this.#free)
    this.#free = entry
    this.count--
  }

  key(entry: EntryNumber): Uint8Array {
    return this.#keys.read(this.word(entry, cellAt), this.word(entry, keyBytesAt))
  }

  hash(entry: EntryNumber): number {
    return this.word(entry, hashAt)
  }

  bytes(entry: EntryNumber): number {
    return this.word(entry, bytesAt)
  }

  setBytes(entry: EntryNumber, bytes: number): void {
    this.setWord(entry, bytesAt, bytes)
  }

  word(entry: EntryNumber, at: number): number {
    return (this.#blocks[entry >>> blockShift] as Uint32Array)[(entry & blockMask) * entryWords + at] as number
  }

  setWord(entry: EntryNumber, at: number, value: number): void {
    ;(this.#blocks[entry >>> blockShift] as Uint32Array)[(entry & blockMask) * entryWords + at] = value
  }

  /** Every entry; none may be added or removed meanwhile but the one at hand. */
  *all(): Generator<EntryNumber> {
    for (let bucket = 0; bucket < this.#bucketCount; bucket++) {
      for (let entry = this.#head(bucket); entry !== none; ) {
        const next = this.word(entry, chainAt)
        yield entry
        entry = next
      }
    }
  }

  #take(): EntryNumber {
    const entry = this.#free
    if (entry !== none) {
      this.#free = this.word(entry, chainAt)
      return entry
    }
    if (this.#made > this.#blocks.length * perBlock - 1) this.#blocks.push(new Uint32Array(perBlock * entryWords))
    return this.#made++
  }

  // ---- buckets

  /** Those that this round has split, and those it made, go by one more bit of the hash. */
  #bucketOf(hash: number): number {
    const bucket = hash & (2 * this.#round - 1)
    return bucket < this.#bucketCount ? bucket : bucket - this.#round
  }

  #head(bucket: number): EntryNumber {
    return (this.#buckets[bucket >>> blockShift] as Uint32Array)[bucket & blockMask] as number
  }

  #setHead(bucket: number, entry: EntryNumber): void {
    ;(this.#buckets[bucket >>> blockShift] as Uint32Array)[bucket & blockMask] = entry
  }

  /** Adds a bucket, and gives it what belongs to it of the one that it splits. */
  #split(): void {
    const made = this.#bucketCount++
    const split = made - this.#round
    if (made >>> blockShift === this.#buckets.length) this.#buckets.push(new Uint32Array(perBlock))
    let entry = this.#head(split)
    this.#setHead(split, none)
    while (entry !== none) {
      const next = this.word(entry, chainAt)
      const bucket = this.#bucketOf(this.word(entry, hashAt))
      this.setWord(entry, chainAt, this.#head(bucket))
      this.#setHead(bucket, entry)
      entry = next
    }
    if (this.#bucketCount === 2 * this.#round) this.#round = this.#bucketCount
  }
}
