/**
 * Sorted segments: what compaction makes of others. Records in the order of (keyspace, key), each with its revision and a
 * checksum, between a header and a footer. Spec: docs/formats/sorted-v1.md
 *
 * What must hold: a sorted segment is written once and whole, and counts only once the contents (contents.ts) name it.
 * Of two records of one key that stand in different sorted segments, the one with the higher revision is the newer; at one
 * revision, the one in the segment with the higher number.
 */

import { assert } from '@orbitkv/base'
import { align8, crc32c, crc32cMany, readUint64, writeUint64 } from '@orbitkv/bytes'
import type { Disk } from '@orbitkv/runtime'
import {
  recordHeaderBytes,
  segmentHeaderBytes,
  sortedFooter,
  sortedFooterBytes,
  sortedFooterMagic,
} from '../log/format.ts'
import { LogRecord } from '../log/record.ts'
import { encodeHeader, Segment, type SegmentHeader } from '../log/segment.ts'

/** Checksums are made, and bytes handed to the system, in steps of about this. */
const stepBytes = 1024 * 1024

export interface SortedBounds {
  readonly recordCount: number
  readonly minRevision: number
  readonly maxRevision: number
}

export interface SortedWriterOptions {
  readonly disk: Disk
  readonly path: string
  readonly header: SegmentHeader
  /** Takes the whole segment. */
  readonly image: Uint8Array
  /** Runs what takes room on the disk; may make some and run it again. */
  readonly withSpace: <Result>(allocate: () => Result) => Result
}

/** Writes one sorted segment, from records that its caller brings in order. */
export class SortedWriter {
  readonly segment: Segment
  #end = segmentHeaderBytes
  #checkedEnd = segmentHeaderBytes
  #recordCount = 0
  #minRevision = Number.MAX_SAFE_INTEGER
  #maxRevision = 0
  #spans = new Uint32Array(1024)
  #spanCount = 0

  readonly #withSpace: SortedWriterOptions['withSpace']

  constructor({ disk, path, header, image, withSpace }: SortedWriterOptions) {
    assert(header.kind === 'sorted', 'a sorted segment says so')
    this.#withSpace = withSpace
    const file = disk.open(path, 'create')
    encodeHeader(image, header)
    this.segment = new Segment(header, file, image, segmentHeaderBytes)
    this.segment.writtenEnd = 0
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** Whether a record of so many bytes still fits. */
  hasRoom(recordBytes: number): boolean {
    return this.#end + recordBytes + sortedFooterBytes <= this.segment.bytes.length
  }

  /** Adds a copy of a record; returns where it stands. */
  add(record: LogRecord): number {
    const { bytes, words } = this.segment
    const start = this.#end
    const valueEnd = start + record.valueStart + record.valueBytes - record.start
    const end = align8(valueEnd)
    copyWords(record.words, record.start >>> 2, words, start >>> 2, (end - start) >>> 2)
    for (let i = valueEnd; i < end; i++) bytes[i] = 0
    if (2 * this.#spanCount + 2 > this.#spans.length) this.#growSpans()
    this.#spans[2 * this.#spanCount] = start
    this.#spans[2 * this.#spanCount + 1] = valueEnd
    this.#spanCount++
    const { revision } = record
    this.#minRevision = Math.min(this.#minRevision, revision)
    this.#maxRevision = Math.max(this.#maxRevision, revision)
    this.#recordCount++
    this.#end = end
    if (end - this.#checkedEnd >= stepBytes) this.#write()
    return start
  }

  /** Ends the segment and makes it durable, but for its name. */
  async finish(): Promise<SortedBounds> {
    const { segment } = this
    this.#write()
    const end = this.#end
    const { bytes, words, seed } = segment
    bytes.fill(0, end, end + sortedFooterBytes)
    for (let i = 0; i < sortedFooterMagic.length; i++) bytes[end + i] = sortedFooterMagic.charCodeAt(i)
    const bounds = { recordCount: this.#recordCount, minRevision: this.#minRevision, maxRevision: this.#maxRevision }
    writeUint64(words, (end + sortedFooter.recordsEnd) >>> 2, end)
    writeUint64(words, (end + sortedFooter.recordCount) >>> 2, bounds.recordCount)
    writeUint64(words, (end + sortedFooter.minRevision) >>> 2, bounds.minRevision)
    writeUint64(words, (end + sortedFooter.maxRevision) >>> 2, bounds.maxRevision)
    words[(end + sortedFooter.checksum) >>> 2] = crc32c(seed, bytes, end, end + sortedFooter.checksum)
    const fileEnd = end + sortedFooterBytes
    const { writtenEnd } = segment
    this.#withSpace(() => segment.file.write(bytes, writtenEnd, fileEnd - writtenEnd, writtenEnd))
    await segment.file.sync()
    segment.end = end
    segment.writtenEnd = segment.zeroedEnd = segment.durableEnd = end
    segment.maxRevision = bounds.maxRevision
    return bounds
  }

  /** Closes and removes what was written. */
  discard(disk: Disk): void {
    this.segment.file.close()
    disk.remove(this.segment.file.path)
  }

  #write(): void {
    const { bytes, seed, file, writtenEnd } = this.segment
    crc32cMany(seed, bytes, this.#spans, this.#spanCount)
    this.#spanCount = 0
    this.#withSpace(() => file.write(bytes, writtenEnd, this.#end - writtenEnd, writtenEnd))
    this.segment.writtenEnd = this.#checkedEnd = this.#end
  }

  #growSpans(): void {
    const larger = new Uint32Array(this.#spans.length * 2)
    larger.set(this.#spans)
    this.#spans = larger
  }
}

/** A loop of words beats `set` on a view for what records mostly are; a long one is worth the view. */
function copyWords(from: Uint32Array, fromWord: number, to: Uint32Array, toWord: number, count: number): void {
  if (count > 64) {
    to.set(from.subarray(fromWord, fromWord + count), toWord)
    return
  }
  for (let i = 0; i < count; i++) to[toWord + i] = from[fromWord + i] as number
}

/** What a sorted segment's footer says, or what is wrong with it. `fileBytes` is the size of the file; from `from` on it is in `bytes`. */
export function readFooter(
  bytes: Uint8Array,
  words: Uint32Array,
  seed: number,
  fileBytes: number,
  from = 0,
): (SortedBounds & { readonly recordsEnd: number }) | { readonly problem: string } {
  const end = fileBytes - sortedFooterBytes
  if (end < segmentHeaderBytes || end % 8 !== 0) return { problem: `it ends after ${fileBytes} bytes, within a record` }
  const at = end - from
  for (let i = 0; i < sortedFooterMagic.length; i++) {
    if (bytes[at + i] !== sortedFooterMagic.charCodeAt(i)) return { problem: 'it has no footer' }
  }
  if (words[(at + sortedFooter.checksum) >>> 2] !== crc32c(seed, bytes, at, at + sortedFooter.checksum)) {
    return { problem: 'the checksum of its footer does not match' }
  }
  const recordsEnd = readUint64(words, (at + sortedFooter.recordsEnd) >>> 2)
  if (recordsEnd !== end) return { problem: `its footer stands at ${end} and says ${recordsEnd}` }
  return {
    recordsEnd,
    recordCount: readUint64(words, (at + sortedFooter.recordCount) >>> 2),
    minRevision: readUint64(words, (at + sortedFooter.minRevision) >>> 2),
    maxRevision: readUint64(words, (at + sortedFooter.maxRevision) >>> 2),
  }
}

/** Where the first sound record stands at or after a multiple of 8; `end` where there is none. */
export function findSortedRecord(image: SortedImage, start: number, end: number): number {
  let at = start
  while (at + recordHeaderBytes <= end && !isSound(image, at, end)) at += 8
  return Math.min(at + recordHeaderBytes <= end ? at : end, end)
}

function isSound({ bytes, words, seed }: SortedImage, at: number, end: number): boolean {
  probe.moveTo(bytes, words, at)
  const valueEnd = probe.valueStart + probe.valueBytes
  return valueEnd <= end && words[at >>> 2] === crc32c(seed, bytes, at + 4, valueEnd)
}

const probe = new LogRecord()

interface SortedImage {
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  readonly seed: number
}

/**
 * Visits the sound records between two places; returns where it stopped: at `end`, or at a record that is not sound, or
 * not there whole. The record is reused.
 */
export function forEachSortedRecord(
  image: SortedImage,
  start: number,
  end: number,
  visit: (record: LogRecord) => void,
): number {
  const record = new LogRecord()
  let at = start
  while (at + recordHeaderBytes <= end && isSound(image, at, end)) {
    visit(record.moveTo(image.bytes, image.words, at))
    at += record.recordBytes
  }
  return at
}
