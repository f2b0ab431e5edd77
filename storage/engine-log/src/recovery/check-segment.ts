/**
 * Checking every byte of one segment on the disk: batches and their order, or sorted records and the footer. Reads the
 * file, past any mapping, in steps between which the event loop goes on; a bad sector is an error and never a signal.
 */

import { KiB } from '@orbitkv/base'
import { align8, crc32c } from '@orbitkv/bytes'
import { segmentHeaderBytes, sortedFooterBytes } from '../log/format.ts'
import { LogRecord } from '../log/record.ts'
import { findBatch, forEachRecord, newBatchHead, readBatchHead, skipZeros } from '../log/scan.ts'
import { decodeHeader, type Segment } from '../log/segment.ts'
import { findSortedRecord, forEachSortedRecord, readFooter } from '../sorted/sorted-segment.ts'

const stepBytes = 256 * KiB

export interface Checked {
  batches: number
  records: number
  /** Of its first and last batch; 0 where it has none. */
  firstPosition: number
  lastPosition: number
}

/** A segment's bytes, as far as they have been read. */
interface Image {
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  readonly seed: number
}

type OnFault = (offset: number, problem: string) => void
type Visit = (record: LogRecord) => void

/**
 * Checks a segment up to `end`, where its batches or records end. Sound records are visited, `fault` is told what is not
 * sound, and `step` is called after each step with the bytes it read.
 */
export async function checkSegment(
  segment: Segment,
  end: number,
  visit: Visit,
  fault: OnFault,
  step: (bytes: number) => void | Promise<void>,
): Promise<Checked> {
  const fileEnd = segment.kind === 'sorted' ? end + sortedFooterBytes : end
  const bytes = new Uint8Array(align8(fileEnd))
  const image = { bytes, words: new Uint32Array(bytes.buffer), seed: segment.seed }
  const checker = segment.kind === 'sorted' ? new SortedChecker(image, visit) : new LogChecker(image, visit, fault)
  let filled = 0
  while (filled < fileEnd) {
    const read = await segment.file.readAsync(bytes, filled, Math.min(stepBytes, fileEnd - filled), filled)
    if (read === 0) {
      fault(filled, `the file ends here, ${fileEnd - filled} bytes early`)
      return checker.checked
    }
    if (filled === 0) {
      const header = decodeHeader(segment.file.path, bytes, read)
      if ('problem' in header) fault(0, header.problem)
    }
    filled += read
    checker.advance(Math.min(filled, end))
    await step(read)
  }
  checker.finish(end, fault)
  return checker.checked
}

interface Checker {
  readonly checked: Checked
  /** Takes what is sound, up to the bytes that are there. */
  advance(filled: number): void
  /** Names what is not. */
  finish(end: number, fault: OnFault): void
}

class LogChecker implements Checker {
  readonly checked: Checked = { batches: 0, records: 0, firstPosition: 0, lastPosition: 0 }
  readonly #image: Image
  readonly #visit: Visit
  readonly #fault: OnFault
  readonly #head = newBatchHead()
  readonly #record = new LogRecord()
  #at = segmentHeaderBytes

  constructor(image: Image, visit: Visit, fault: OnFault) {
    this.#image = image
    this.#visit = visit
    this.#fault = fault
  }

  advance(filled: number): void {
    const { bytes, words, seed } = this.#image
    while (this.#at < filled && readBatchHead(bytes, words, seed, this.#at, filled, this.#head)) this.#take()
  }

  #take(): void {
    const { bytes, words, seed } = this.#image
    const { checked } = this
    const head = this.#head
    if (checked.lastPosition !== 0 && head.position !== checked.lastPosition + 1) {
      this.#fault(head.offset, `position ${head.position} follows position ${checked.lastPosition}`)
    }
    if (checked.firstPosition === 0) checked.firstPosition = head.position
    forEachRecord(bytes, words, head, this.#record, (record) => {
      const valueEnd = record.valueStart + record.valueBytes
      if (words[record.start >>> 2] === crc32c(seed, bytes, record.start + 4, valueEnd)) this.#visit(record)
      else this.#fault(record.start, 'the checksum of a record does not match')
      checked.records++
    })
    checked.lastPosition = head.position
    checked.batches++
    this.#at = head.offset + head.batchBytes
  }

  finish(end: number, fault: OnFault): void {
    const { bytes, words, seed } = this.#image
    while (this.#at < end && skipZeros(words, this.#at, end & ~3) < (end & ~3)) {
      const from = this.#at
      const found = findBatch(bytes, words, seed, from, end, this.#head)
      fault(from, found ? `${this.#head.offset - from} bytes are damaged` : `damaged from here to byte ${end}`)
      if (!found) return
      // What was lost before it is known: its position is no news.
      this.checked.lastPosition = 0
      this.#take()
      this.advance(end)
    }
  }
}

class SortedChecker implements Checker {
  readonly checked: Checked = { batches: 0, records: 0, firstPosition: 0, lastPosition: 0 }
  readonly #image: Image
  readonly #visit: Visit
  #at = segmentHeaderBytes

  constructor(image: Image, visit: Visit) {
    this.#image = image
    this.#visit = visit
  }

  advance(filled: number): void {
    this.#at = forEachSortedRecord(this.#image, this.#at, filled, (record) => {
      this.checked.records++
      this.#visit(record)
    })
  }

  finish(end: number, fault: OnFault): void {
    const { bytes, words, seed } = this.#image
    while (this.#at < end) {
      const from = this.#at
      this.#at = findSortedRecord(this.#image, from + 8, end)
      fault(from, this.#at < end ? `${this.#at - from} bytes are damaged` : `damaged from here to byte ${end}`)
      this.advance(end)
    }
    const footer = readFooter(bytes, words, seed, end + sortedFooterBytes)
    if ('problem' in footer) fault(end, footer.problem)
    else if (footer.recordCount !== this.checked.records) {
      fault(end, `the footer says ${footer.recordCount} records, ${this.checked.records} are sound`)
    }
  }
}
