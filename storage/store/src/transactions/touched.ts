/**
 * The keys that a transaction touched: what it saw of each, and what it writes to it.
 *
 * Every transaction has one while it runs, thousands may be open, and short ones must cost next to nothing: so keys and values lie
 * in one buffer, entries in one array of words, both are reused by the next transaction, and a key is looked up by walking
 * the entries until there are too many for that.
 *
 * An entry: hash | keyspace | key start | key end | state | value start | value end | expires at, lease (two words each).
 */

import { assert } from '@orbitkv/base'
import { compareBytes, copyBytes, readUint64, writeUint64 } from '@orbitkv/bytes'
import { Change, type Keyspace } from '@orbitkv/engine'
import { realRandomUint32 } from '@orbitkv/runtime'
import { storeErrors } from '../errors.ts'
import { OwnRecord } from './own-record.ts'
import { transactionLimits } from './types.ts'

const entryWords = 11
const hashAt = 0
const keyspaceAt = 1
const keyStartAt = 2
const keyEndAt = 3
const stateAt = 4
const valueStartAt = 5
const valueEndAt = 6
const expiresAtAt = 7
const leaseAt = 9

/** Bits of an entry's state. */
const seenPresent = 1
const seenAbsent = 2
const isPut = 4
const isDelete = 8
const isWritten: number = isPut | isDelete

const bytesAtFirst = 128
const entriesAtFirst = 4
const noTable = new Uint32Array(0)
/** With more entries a table of hashes finds them. */
const walkedMax = 8
/** What is larger is given back to the garbage collector instead of kept for the next transaction. */
const keptBytesMax = 16 * 1024
const keptChangesMax = 256

// Of this process, so that nobody outside can choose keys that crowd the table.
const hashSeed = realRandomUint32()
const hashFactor: number = realRandomUint32() | 1

/** Keys of one hash share a lane when their transactions try again (retries.ts). */
export function hashOf(keyspace: Keyspace, key: Uint8Array, start: number, end: number): number {
  let hash = hashSeed ^ keyspace ^ (end - start)
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ (key[at] as number), hashFactor)
    hash ^= hash >>> 15
  }
  return hash >>> 0
}

export class Touched {
  /** Keys and values. */
  bytes: Uint8Array = new Uint8Array(bytesAtFirst)
  #used = 0
  #words = new Uint32Array(entriesAtFirst * entryWords)
  #count = 0
  /** From hashes to entries, each by its number plus one; empty while entries are walked. */
  #table: Uint32Array = noTable
  #sorted: number[] | undefined
  /** The record that `written` hands out. */
  readonly #own = new OwnRecord()
  /** Filled by `changes`, and reused. */
  readonly #changes: Change[] = []
  readonly #batch: Change[] = []

  /** Keys whose state was looked at, and entries of ranges (`countReads`). */
  reads = 0
  /** Keys that are put or deleted. */
  writes = 0

  /** Whether it is small enough to be kept for another transaction; it is empty then. */
  reset(): boolean {
    this.#used = this.#count = this.reads = this.writes = 0
    this.#sorted = undefined
    this.#table = noTable
    this.#batch.length = 0
    return this.bytes.length <= keptBytesMax && this.#words.length * 4 <= keptBytesMax
  }

  // ---- finding

  /** The entry of a key, made if absent. */
  entry(keyspace: Keyspace, key: Uint8Array, start: number, end: number): number {
    if (this.#table.length > 0) return this.#entryByHash(keyspace, key, start, end)
    const found = this.#walk(keyspace, key, start, end)
    if (found >= 0) return found
    if (this.#count >= walkedMax) {
      this.#buildTable()
      return this.#entryByHash(keyspace, key, start, end)
    }
    return this.#add(0, keyspace, key, start, end)
  }

  /** The entry of a key, or -1. */
  find(keyspace: Keyspace, key: Uint8Array, start: number, end: number): number {
    if (this.#table.length === 0) return this.#walk(keyspace, key, start, end)
    const place = this.#placeOf(hashOf(keyspace, key, start, end), keyspace, key, start, end)
    return (this.#table[place] as number) - 1
  }

  #walk(keyspace: Keyspace, key: Uint8Array, start: number, end: number): number {
    for (let entry = 0; entry < this.#count; entry++) if (this.#isAt(entry, keyspace, key, start, end)) return entry
    return -1
  }

  #entryByHash(keyspace: Keyspace, key: Uint8Array, start: number, end: number): number {
    const hash = hashOf(keyspace, key, start, end)
    const place = this.#placeOf(hash, keyspace, key, start, end)
    const found = this.#table[place] as number
    if (found > 0) return found - 1
    const entry = this.#add(hash, keyspace, key, start, end)
    this.#table[place] = entry + 1
    if (this.#count * 2 > this.#table.length) this.#buildTable()
    return entry
  }

  /** Where the table has the key, or would have it. */
  #placeOf(hash: number, keyspace: Keyspace, key: Uint8Array, start: number, end: number): number {
    const table = this.#table
    const mask = table.length - 1
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const entry = (table[place] as number) - 1
      if (entry < 0) return place
      if (this.#words[entry * entryWords + hashAt] === hash && this.#isAt(entry, keyspace, key, start, end))
        return place
    }
  }

  #isAt(entry: number, keyspace: Keyspace, key: Uint8Array, start: number, end: number): boolean {
    const words = this.#words
    const word = entry * entryWords
    const keyStart = words[word + keyStartAt] as number
    const keyEnd = words[word + keyEndAt] as number
    if (keyEnd - keyStart !== end - start || words[word + keyspaceAt] !== keyspace) return false
    const { bytes } = this
    for (let at = keyStart, other = start; at < keyEnd; at++, other++) if (bytes[at] !== key[other]) return false
    return true
  }

  #buildTable(): void {
    const words = this.#words
    const table = new Uint32Array(2 ** Math.ceil(Math.log2(this.#count * 4)))
    const mask = table.length - 1
    for (let entry = 0; entry < this.#count; entry++) {
      const word = entry * entryWords
      const hash = hashOf(
        words[word + keyspaceAt] as number,
        this.bytes,
        words[word + keyStartAt] as number,
        words[word + keyEndAt] as number,
      )
      words[word + hashAt] = hash
      let place = hash & mask
      while (table[place] !== 0) place = (place + 1) & mask
      table[place] = entry + 1
    }
    this.#table = table
  }

  #add(hash: number, keyspace: Keyspace, key: Uint8Array, start: number, end: number): number {
    const keyStart = this.#store(key, start, end)
    if ((this.#count + 1) * entryWords > this.#words.length) {
      const words = new Uint32Array(this.#words.length * 2)
      words.set(this.#words)
      this.#words = words
    }
    const word = this.#count * entryWords
    const words = this.#words
    words[word + hashAt] = hash
    words[word + keyspaceAt] = keyspace
    words[word + keyStartAt] = keyStart
    words[word + keyEndAt] = this.#used
    words[word + stateAt] = 0
    return this.#count++
  }

  /** Keeps bytes; returns where they begin. */
  #store(source: Uint8Array, start: number, end: number): number {
    const at = this.#used
    const needed = at + end - start
    if (needed > this.bytes.length) this.#growTo(needed)
    copyBytes(this.bytes, at, source, start, end)
    this.#used = needed
    return at
  }

  #growTo(needed: number): void {
    const { bytesMax } = transactionLimits
    if (needed > bytesMax) throw storeErrors.transaction_too_large({ size: needed, unit: 'bytes', max: bytesMax })
    const bytes = new Uint8Array(Math.min(bytesMax, Math.max(needed, this.bytes.length * 2)))
    bytes.set(this.bytes.subarray(0, this.#used))
    this.bytes = bytes
  }

  // ---- reading

  /** The record that the transaction put, valid until the next call; 'deleted', or undefined where it wrote nothing to the key. */
  written(entry: number): OwnRecord | 'deleted' | undefined {
    const words = this.#words
    const word = entry * entryWords
    const state = words[word + stateAt] as number
    if ((state & isWritten) === 0) return undefined
    if ((state & isDelete) !== 0) return 'deleted'
    const own = this.#own
    own.bytes = this.bytes
    own.keyspace = words[word + keyspaceAt] as number
    own.keyStart = words[word + keyStartAt] as number
    own.keyBytes = (words[word + keyEndAt] as number) - own.keyStart
    own.valueStart = words[word + valueStartAt] as number
    own.valueBytes = (words[word + valueEndAt] as number) - own.valueStart
    own.expiresAt = readUint64(words, word + expiresAtAt)
    return own
  }

  /** Notes whether there was a value, where the key is looked at for the first time. */
  noteSeen(entry: number, isPresent: boolean): void {
    const word = entry * entryWords + stateAt
    const state = this.#words[word] as number
    if ((state & (seenPresent | seenAbsent)) !== 0) return
    this.#words[word] = state | (isPresent ? seenPresent : seenAbsent)
    this.countRead()
  }

  countRead(): void {
    const { readsMax } = transactionLimits
    if (++this.reads > readsMax) {
      throw storeErrors.transaction_too_large({ size: this.reads, unit: 'reads', max: readsMax })
    }
  }

  /** Calls `check` for every key that was looked at, until it says false; returns the entry that it said so of, or -1. */
  firstSeenNot(
    check: (keyspace: Keyspace, bytes: Uint8Array, start: number, end: number, wasPresent: boolean) => boolean,
  ): number {
    const words = this.#words
    for (let entry = 0; entry < this.#count; entry++) {
      const word = entry * entryWords
      const seen = (words[word + stateAt] as number) & (seenPresent | seenAbsent)
      if (seen === 0) continue
      const start = words[word + keyStartAt] as number
      const end = words[word + keyEndAt] as number
      if (!check(words[word + keyspaceAt] as number, this.bytes, start, end, seen === seenPresent)) return entry
    }
    return -1
  }

  laneOf(entry: number): number {
    const words = this.#words
    const word = entry * entryWords
    const start = words[word + keyStartAt] as number
    return hashOf(words[word + keyspaceAt] as number, this.bytes, start, words[word + keyEndAt] as number)
  }

  // ---- writing

  put(entry: number, value: Uint8Array, expiresAt: number, lease: number): void {
    const start = this.#store(value, 0, value.length)
    const word = entry * entryWords
    const words = this.#words
    words[word + valueStartAt] = start
    words[word + valueEndAt] = this.#used
    writeUint64(words, word + expiresAtAt, expiresAt)
    writeUint64(words, word + leaseAt, lease)
    this.#write(entry, isPut)
  }

  delete(entry: number): void {
    this.#write(entry, isDelete)
  }

  #write(entry: number, kind: number): void {
    const word = entry * entryWords + stateAt
    const state = this.#words[word] as number
    if ((state & isWritten) === 0) {
      this.writes++
      this.#sorted = undefined
    }
    this.#words[word] = (state & ~isWritten) | kind
  }

  /** What is written, as changes of a batch: valid until the next call. */
  changes(): readonly Change[] {
    const batch = this.#batch
    const words = this.#words
    batch.length = 0
    for (let entry = 0; entry < this.#count; entry++) {
      const word = entry * entryWords
      const state = words[word + stateAt] as number
      if ((state & isWritten) === 0) continue
      const change = this.#changes[batch.length] ?? new Change()
      if (batch.length < keptChangesMax) this.#changes[batch.length] = change
      const puts = (state & isPut) !== 0
      change.kind = puts ? 'put' : 'delete'
      change.keyspace = words[word + keyspaceAt] as number
      change.key = change.value = this.bytes
      change.keyStart = words[word + keyStartAt] as number
      change.keyEnd = words[word + keyEndAt] as number
      change.valueStart = puts ? (words[word + valueStartAt] as number) : 0
      change.valueEnd = puts ? (words[word + valueEndAt] as number) : 0
      change.expiresAt = puts ? readUint64(words, word + expiresAtAt) : 0
      change.lease = puts ? readUint64(words, word + leaseAt) : 0
      batch.push(change)
    }
    assert(batch.length === this.writes, 'every written key is one change')
    return batch
  }

  // ---- in order

  /** The entries written so far, in the order of their keyspaces and keys. */
  sortedWrites(): readonly number[] {
    if (this.#sorted !== undefined) return this.#sorted
    const entries: number[] = []
    for (let entry = 0; entry < this.#count; entry++) {
      if (((this.#words[entry * entryWords + stateAt] as number) & isWritten) !== 0) entries.push(entry)
    }
    this.#sorted = entries.sort((one, other) => this.#compare(one, other))
    return this.#sorted
  }

  #compare(one: number, other: number): number {
    const words = this.#words
    const difference =
      (words[one * entryWords + keyspaceAt] as number) - (words[other * entryWords + keyspaceAt] as number)
    return difference !== 0 ? difference : -this.compareKey(other, this.bytes, ...this.#spanOf(one))
  }

  /** Negative where the key of an entry comes before `key[start, end)`. */
  compareKey(entry: number, key: Uint8Array, start: number, end: number): number {
    return compareBytes(this.bytes, ...this.#spanOf(entry), key, start, end)
  }

  #spanOf(entry: number): [number, number] {
    const word = entry * entryWords
    return [this.#words[word + keyStartAt] as number, this.#words[word + keyEndAt] as number]
  }

  copyKey(entry: number): Uint8Array {
    return this.bytes.slice(...this.#spanOf(entry))
  }

  keyspaceOf(entry: number): Keyspace {
    return this.#words[entry * entryWords + keyspaceAt] as number
  }
}
