/**
 * Checks the bytes of a log or sorted segment as they come, from its start or from where a batch begins: for whoever copies files
 * and must not take a flipped bit for sound. verify and scrub read files themselves and name every fault (check-segment.ts);
 * this one stops at the first.
 *
 * What must hold: whatever was taken without a fault is whole, sound batches or records, but for a last one whose rest is still to
 * come. Of the caller's bytes nothing is kept but a copy of that one's beginning.
 */

import { assert } from '@orbitkv/base'
import { align8 } from '@orbitkv/bytes'
import { defaultLimits, type HeldFile } from '@orbitkv/engine'
import {
  batchHeader,
  batchHeaderBytes,
  batchMagic,
  recordHeaderBytes,
  segmentHeaderBytes,
  sortedFooterBytes,
} from '../log/format.ts'
import { LogRecord } from '../log/record.ts'
import { newBatchHead, readBatchHead, skipZeros } from '../log/scan.ts'
import { decodeHeader } from '../log/segment.ts'
import { forEachSortedRecord, readFooter } from '../sorted/sorted-segment.ts'

export interface FileFault {
  /** Of the file. */
  readonly offset: number
  readonly problem: string
}

/** Bytes in which whole items are looked for: batches, records, and what a segment begins and ends with. */
interface Image {
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  readonly seed: number
}

/** No batch is larger, its headers included, and no record. */
const itemBytesMax = 2 * defaultLimits.batchBytesMax
const damaged = 'its bytes are not those that were written'

export class FileCheck {
  readonly #file: HeldFile
  readonly #head = newBatchHead()
  readonly #record = new LogRecord()
  /** The offset in the file of the item that comes next. */
  #at: number
  /** The beginning of that item, in a buffer for what is known of its length. */
  #rest: Uint8Array | undefined
  #restBytes = 0
  #recordCount = 0
  #fault: FileFault | undefined

  /** `from` is 0 or where a batch of a log begins. */
  constructor(file: HeldFile, from: number) {
    this.#file = file
    this.#at = from
  }

  /** Takes the bytes that follow, a multiple of 8 of them; returns the first fault there was. */
  take(bytes: Uint8Array): FileFault | undefined {
    assert(bytes.length % 8 === 0, 'what a segment holds is a multiple of 8 bytes long')
    let taken = 0
    while (this.#rest !== undefined && this.#fault === undefined && taken < bytes.length) {
      taken += this.#completeRest(this.#rest, bytes.subarray(taken))
    }
    if (this.#fault === undefined && taken < bytes.length) this.#takeItems(bytes.subarray(taken))
    return this.#fault
  }

  /** All of the file has been taken; returns the first fault there was. */
  end(): FileFault | undefined {
    if (this.#fault === undefined && this.#at !== this.#file.bytes) this.#found('the file ends within it')
    return this.#fault
  }

  /** Adds to the beginning of an item; returns how many bytes. */
  #completeRest(rest: Uint8Array, bytes: Uint8Array): number {
    const added = Math.min(rest.length - this.#restBytes, bytes.length)
    rest.set(bytes.subarray(0, added), this.#restBytes)
    this.#restBytes += added
    if (this.#restBytes === rest.length) {
      this.#rest = undefined
      this.#takeItems(rest)
    }
    return added
  }

  /** Checks the whole items, and keeps the beginning of one that is not. */
  #takeItems(bytes: Uint8Array): void {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2)
    const image = { bytes, words, seed: this.#file.seed }
    for (let at = 0; at < bytes.length && this.#fault === undefined; ) {
      if (this.#file.kind === 'sorted' && this.#at !== 0) {
        const passed = this.#passRecords(image, at)
        at += passed
        this.#at += passed
        if (at === bytes.length) return
      }
      const itemBytes = this.#itemBytes(image, at)
      if (this.#fault !== undefined) return
      if (itemBytes > bytes.length - at) {
        this.#rest = new Uint8Array(itemBytes)
        this.#rest.set(bytes.subarray(at))
        this.#restBytes = bytes.length - at
        return
      }
      if (!this.#isSound(image, at, itemBytes)) this.#found(damaged)
      at += itemBytes
      this.#at += itemBytes
    }
  }

  /** Bytes of the sound records at a place of the image, as far as they are there. */
  #passRecords(image: Image, at: number): number {
    const recordsEnd = at + this.#file.bytes - sortedFooterBytes - this.#at
    const count = (): void => {
      this.#recordCount++
    }
    return forEachSortedRecord(image, at, Math.min(image.bytes.length, recordsEnd), count) - at
  }

  /** What is known of the length of the item at a place of the image. */
  #itemBytes(image: Image, at: number): number {
    const { kind, bytes: end } = this.#file
    const { words } = image
    const there = image.bytes.length - at
    const left = end - this.#at
    let itemBytes: number
    if (this.#at === 0) itemBytes = segmentHeaderBytes
    else if (kind === 'log') {
      // A segment may end in zeros, which were to be batches.
      if (words[at >>> 2] === 0) itemBytes = Math.min(there, left)
      else if (there < batchHeaderBytes) itemBytes = batchHeaderBytes
      else itemBytes = words[(at + batchHeader.batchBytes) >>> 2] as number
    } else if (left === sortedFooterBytes) itemBytes = sortedFooterBytes
    else if (there < recordHeaderBytes) itemBytes = recordHeaderBytes
    else {
      const { valueStart, valueBytes } = this.#record.moveTo(image.bytes, words, at)
      itemBytes = align8(valueStart - at + valueBytes)
    }
    const isPossible = itemBytes > 0 && itemBytes % 8 === 0 && itemBytes <= Math.min(left, itemBytesMax)
    if (!isPossible) this.#found(damaged)
    return itemBytes
  }

  #isSound(image: Image, at: number, itemBytes: number): boolean {
    const { kind, number, path, seed } = this.#file
    const { bytes, words } = image
    const end = at + itemBytes
    if (this.#at === 0) {
      const header = decodeHeader(path, bytes.slice(at, end), itemBytes)
      return !('problem' in header) && header.kind === kind && header.number === number && header.seed === seed
    }
    if (kind === 'log') {
      if (words[at >>> 2] !== batchMagic) return skipZeros(words, at, end) === end
      return readBatchHead(bytes, words, seed, at, end, this.#head)
    }
    if (this.#at + itemBytes === this.#file.bytes) {
      const footer = readFooter(bytes, words, seed, this.#file.bytes, this.#at - at)
      return !('problem' in footer) && footer.recordCount === this.#recordCount
    }
    // A sound record would have been passed.
    return false
  }

  #found(problem: string): void {
    this.#fault = { offset: this.#at, problem }
  }
}
