/**
 * One record of a segment: encoding it in place, and reading it where it lies.
 *
 * `LogRecord` is the RecordView of this engine. It is moved from record to record and allocates nothing; numbers are
 * read when asked for. Layout: format.ts.
 */

import { align8, copyBytes, readUint64, writeUint64 } from '@orbitkv/bytes'
import type { Change, RecordView } from '@orbitkv/engine'
import { bytesBeforeKey, knownFlags, lineageBytes, recordFlag, recordHeaderBytes } from './format.ts'

const noBytes = new Uint8Array(0)
const noWords = new Uint32Array(0)

export class LogRecord implements RecordView {
  bytes: Uint8Array = noBytes
  words: Uint32Array = noWords
  /** Where the record begins, in bytes. */
  start = 0
  flags = 0
  keyStart = 0
  keyBytes = 0
  valueStart = 0
  valueBytes = 0

  /** Moves to the record at `start` of an image. */
  moveTo(bytes: Uint8Array, words: Uint32Array, start: number): this {
    const word = start >>> 2
    const lengths = words[word + 2] as number
    const flags = (lengths >>> 16) & knownFlags
    const keyStart = start + (bytesBeforeKey[flags] as number)
    const keyBytes = lengths & 0xffff
    this.bytes = bytes
    this.words = words
    this.start = start
    this.flags = flags
    this.keyStart = keyStart
    this.keyBytes = keyBytes
    this.valueStart = keyStart + keyBytes
    this.valueBytes = words[word + 1] as number
    return this
  }

  get kind(): 'put' | 'delete' | 'delete-range' {
    if (this.flags & recordFlag.delete) return 'delete'
    return this.flags & recordFlag.deleteRange ? 'delete-range' : 'put'
  }

  get isPut(): boolean {
    return (this.flags & (recordFlag.delete | recordFlag.deleteRange)) === 0
  }

  get keyspace(): number {
    return this.words[(this.start >>> 2) + 3] as number
  }

  get tag(): number {
    return this.bytes[this.start + 11] as number
  }

  get revision(): number {
    return readUint64(this.words, (this.start >>> 2) + 4)
  }

  get createRevision(): number {
    if (this.flags & recordFlag.lineage) return readUint64(this.words, this.#lineageWord)
    return this.revision
  }

  get previousRevision(): number {
    return this.flags & recordFlag.lineage ? readUint64(this.words, this.#lineageWord + 2) : 0
  }

  get version(): number {
    if (this.flags & recordFlag.lineage) return this.words[this.#lineageWord + 4] as number
    return this.isPut ? 1 : 0
  }

  get expiresAt(): number {
    if ((this.flags & recordFlag.expiry) === 0) return 0
    const skipped = this.flags & recordFlag.lineage ? lineageBytes : 0
    return readUint64(this.words, (this.start + recordHeaderBytes + skipped) >>> 2)
  }

  get lease(): number {
    if ((this.flags & recordFlag.lease) === 0) return 0
    // The lease is the last of the optional parts, right before the key.
    return readUint64(this.words, (this.keyStart - 8) >>> 2)
  }

  get expired(): boolean {
    return (this.flags & recordFlag.expired) !== 0
  }

  /** Bytes from its start to where the next record may begin. */
  get recordBytes(): number {
    return align8(this.valueStart + this.valueBytes - this.start)
  }

  get #lineageWord(): number {
    return (this.start + recordHeaderBytes) >>> 2
  }
}

/** What a record says about the records of its key before it. */
export interface Lineage {
  /** Whether there was one; where not, the rest is left out of the record. */
  exists: boolean
  createRevision: number
  previousRevision: number
  version: number
}

/** The most bytes that a change can take in the log, whatever its lineage turns out to be. */
export function recordBytesMax(change: Change): number {
  const optional = lineageBytes + (change.expiresAt > 0 ? 8 : 0) + (change.lease > 0 ? 8 : 0)
  return align8(
    recordHeaderBytes + optional + (change.keyEnd - change.keyStart) + (change.valueEnd - change.valueStart),
  )
}

/**
 * Encodes a change as a record at `start` (a multiple of 8), all but its checksum; returns where its value ends. Writes
 * every byte up to the next multiple of 8.
 */
export function encodeRecord(
  bytes: Uint8Array,
  words: Uint32Array,
  start: number,
  change: Change,
  revision: number,
  before: Lineage,
): number {
  const keyBytes = change.keyEnd - change.keyStart
  const valueBytes = change.valueEnd - change.valueStart
  const flags = flagsOf(change, before)
  let word = start >>> 2
  words[word + 1] = valueBytes
  words[word + 2] = keyBytes | (flags << 16) | (change.tag << 24)
  words[word + 3] = change.keyspace
  writeUint64(words, word + 4, revision)
  word += recordHeaderBytes >>> 2
  if (flags & recordFlag.lineage) {
    writeUint64(words, word, before.createRevision)
    writeUint64(words, word + 2, before.previousRevision)
    words[word + 4] = before.version
    words[word + 5] = 0
    word += lineageBytes >>> 2
  }
  if (flags & recordFlag.expiry) {
    writeUint64(words, word, change.expiresAt)
    word += 2
  }
  if (flags & recordFlag.lease) {
    writeUint64(words, word, change.lease)
    word += 2
  }
  const keyStart = word << 2
  const end = keyStart + keyBytes + valueBytes
  copyBytes(bytes, keyStart, change.key, change.keyStart, change.keyEnd)
  copyBytes(bytes, keyStart + keyBytes, change.value, change.valueStart, change.valueEnd)
  for (let i = end; i & 7; i++) bytes[i] = 0
  return end
}

function flagsOf(change: Change, before: Lineage): number {
  let flags = before.exists ? recordFlag.lineage : 0
  if (change.expiresAt > 0) flags |= recordFlag.expiry
  if (change.lease > 0) flags |= recordFlag.lease
  if (change.kind === 'put') return flags
  if (change.kind === 'delete-range') return flags | recordFlag.deleteRange
  return flags | recordFlag.delete | (change.expired ? recordFlag.expired : 0)
}
