/** The part of a repair (repair.ts) that saves the log: what recovery takes, and the sound records in what it passes over. */

import { assert } from '@orbitkv/base'
import { align8, crc32c, writeUint64 } from '@orbitkv/bytes'
import type { Fault } from '@orbitkv/engine'
import type { DiskFile } from '@orbitkv/runtime'
import type { LogConfig } from '../config.ts'
import {
  batchHeader,
  batchHeaderBytes,
  batchMagic,
  segmentFileName,
  segmentHeader,
  segmentHeaderBytes,
  segmentNumberOf,
} from '../log/format.ts'
import type { Log } from '../log/log.ts'
import { LogRecord } from '../log/record.ts'
import type { BatchHead } from '../log/scan.ts'
import { encodeHeader, type Segment } from '../log/segment.ts'
import type { LogBase } from '../sorted/contents.ts'
import { findSortedRecord, forEachSortedRecord } from '../sorted/sorted-segment.ts'
import { readWhole } from './find-contents.ts'
import { recoverLog } from './recovery.ts'
import type { Lost, Salvage } from './repair.ts'

export interface LogSalvaged {
  readonly faults: Fault[]
  readonly base: LogBase
  readonly revision: number
  readonly batchesKept: number
  readonly recordsKept: number
}

/** A record that was saved out of a damaged batch, in bytes of its own. */
interface Saved {
  readonly bytes: Uint8Array
  readonly revision: number
}

/** Saves the batches of a log, which has its contents and no segments yet; it has none again when this ends. */
export async function salvageLog(parts: Salvage, log: Log, { segmentBytes }: LogConfig): Promise<LogSalvaged> {
  const { disk, storeId } = parts
  const salvage = new LogSalvage(parts, log)
  const recovered = recoverLog({ disk, log, storeId, segmentBytes, done: () => {} }, (segment, head) =>
    salvage.keep(segment, head),
  )
  // Behind a cut nothing was promised, so nothing is lost.
  if (recovered.cut === undefined && recovered.orphans.length === 0) salvage.keepTail()
  for (const segment of [...log.inOrder()]) {
    segment.close()
    log.segments[segment.number] = undefined
  }
  await salvage.finish()
  return {
    faults: recovered.faults,
    base: log.contents.base,
    revision: salvage.revision,
    batchesKept: salvage.batchesKept,
    recordsKept: salvage.recordsKept,
  }
}

class LogSalvage {
  readonly #parts: Salvage
  readonly #log: Log
  readonly #numbers: readonly number[]
  #position: number
  revision: number
  #time: number
  batchesKept = 0
  recordsKept = 0
  /** Where the last batch that was kept ends. */
  #segment = 0
  #end = segmentHeaderBytes
  #output: { number: number; seed: number; end: number; file: DiskFile } | undefined
  readonly #files: DiskFile[] = []

  constructor(parts: Salvage, log: Log) {
    this.#parts = parts
    this.#log = log
    const { position, revision, time } = log.contents.base
    this.#position = position
    this.revision = revision
    this.#time = time
    this.#numbers = parts.disk
      .list(log.directory)
      .map((name) => segmentNumberOf(name))
      .filter((number) => number !== undefined && number >= log.contents.logStart) as number[]
  }

  keep(segment: Segment, head: BatchHead): void {
    if (segment.number !== this.#output?.number) this.#begin(segment)
    const missing = head.position - this.#position - 1
    if (missing > 0) this.#fill(missing, segment.number, head.offset)
    this.#write(segment.bytes, head.offset, head.batchBytes)
    this.#position = head.position
    this.revision = head.revision
    this.#time = head.time
    this.#segment = segment.number
    this.#end = head.offset + head.batchBytes
    this.batchesKept++
    this.recordsKept += head.recordCount
  }

  /** Saves what stands behind the last sound batch of all. */
  keepTail(): void {
    const last = this.#numbers.at(-1)
    if (last === undefined) return
    const saved = this.#salvageBetween(last, Number.POSITIVE_INFINITY, (stretch) => stretch)
    if (saved.length === 0) return
    if (this.#output === undefined) this.#begin({ number: last, seed: 0 })
    this.#appendSaved(saved, Number.POSITIVE_INFINITY)
  }

  async finish(): Promise<void> {
    for (const file of this.#files) {
      await file.sync()
      file.close()
    }
  }

  /** Puts something at each of the positions that are missing before a place. */
  #fill(missing: number, segment: number, offset: number): void {
    const positions = { first: this.#position + 1, last: this.#position + missing }
    const saved = this.#salvageBetween(segment, offset, (stretch) => ({ ...stretch, positions }))
    this.#appendSaved(saved, missing)
    while (this.#position < positions.last) this.#appendBatch([])
  }

  /** The sound records between the last batch that was kept and a place; what stands between is listed as lost. */
  #salvageBetween(toSegment: number, toOffset: number, describe: (stretch: Lost) => Lost): Saved[] {
    const { disk, lost } = this.#parts
    const saved: Saved[] = []
    const lostBefore = lost.length
    for (const number of this.#numbers) {
      if (number < this.#segment || number > toSegment) continue
      const path = `${this.#log.directory}/${segmentFileName(number)}`
      const { bytes, size } = readWhole(disk, path)
      const start = number === this.#segment ? this.#end : segmentHeaderBytes
      const end = number === toSegment ? Math.min(size, toOffset) : size
      const before = saved.length
      // Zeros to the end of the file are room, not records.
      let dataEnd = end
      while (dataEnd > start && bytes[dataEnd - 1] === 0) dataEnd--
      if (dataEnd <= start) continue
      saveRecords(bytes, start, end, saved)
      lost.push(describe({ file: path, offset: start, bytes: dataEnd - start, recordsSaved: saved.length - before }))
    }
    if (lost.length === lostBefore && toOffset !== Number.POSITIVE_INFINITY) {
      // The files that had them are gone.
      lost.push(describe({ file: `${this.#log.directory}/${segmentFileName(toSegment)}`, offset: toOffset, bytes: 0 }))
    }
    return saved
  }

  /** At most so many batches: the records of one revision stand together. */
  #appendSaved(saved: readonly Saved[], batchesMax: number): void {
    const batches: Saved[][] = []
    for (const record of saved) {
      const last = batches.at(-1)
      if (last !== undefined && (last[0]?.revision === record.revision || batches.length >= batchesMax))
        last.push(record)
      else batches.push([record])
    }
    for (const batch of batches) this.#appendBatch(batch)
  }

  #appendBatch(records: readonly Saved[]): void {
    assert(this.#output !== undefined, 'a segment was begun')
    const { seed } = this.#output
    const batchBytes = records.reduce((sum, { bytes }) => sum + bytes.length, batchHeaderBytes)
    const bytes = new Uint8Array(batchBytes)
    const words = new Uint32Array(bytes.buffer)
    this.#position++
    this.revision = Math.max(this.revision, ...records.map(({ revision }) => revision))
    words[batchHeader.magic / 4] = batchMagic
    words[batchHeader.batchBytes / 4] = batchBytes
    words[batchHeader.recordCount / 4] = records.length
    writeUint64(words, batchHeader.position / 4, this.#position)
    writeUint64(words, batchHeader.revision / 4, this.revision)
    writeUint64(words, batchHeader.time / 4, this.#time)
    let at = batchHeaderBytes
    const record = new LogRecord()
    for (const { bytes: recordBytes } of records) {
      bytes.set(recordBytes, at)
      record.moveTo(bytes, words, at)
      words[at >>> 2] = crc32c(seed, bytes, at + 4, record.valueStart + record.valueBytes)
      at += recordBytes.length
    }
    words[batchHeader.checksum / 4] = crc32c(seed, bytes, 8, batchBytes)
    this.#write(bytes, 0, batchBytes)
    this.recordsKept += records.length
  }

  /** Goes on in the segment of the same number in the new store. */
  #begin({ number, seed }: Pick<Segment, 'number' | 'seed'>): void {
    const { disk, storeId, target } = this.#parts
    const image = new Uint8Array(segmentHeaderBytes)
    encodeHeader(image, { kind: 'log', number, seed, createdAt: 0, storeId })
    if (target === undefined) {
      this.#output = { number, seed, end: segmentHeaderBytes, file: undefined as never }
      return
    }
    const file = disk.open(`${target}/log-00/${segmentFileName(number)}`, 'create')
    this.#files.push(file)
    this.#output = { number, seed, end: 0, file }
    this.#write(image, 0, segmentHeaderBytes)
  }

  #write(bytes: Uint8Array, start: number, length: number): void {
    const output = this.#output
    if (output === undefined || this.#parts.target === undefined) return
    output.file.write(bytes, start, length, output.end)
    output.end += length
  }
}

/** Adds the sound records of a stretch of a segment. Its seed is taken as it stands: the checksums tell. */
function saveRecords(bytes: Uint8Array, start: number, end: number, saved: Saved[]): void {
  const words = new Uint32Array(bytes.buffer)
  const image = { bytes, words, seed: words[segmentHeader.seed / 4] as number }
  for (let at = align8(start); at < end; ) {
    at = forEachSortedRecord(image, at, end, (record) => {
      saved.push({ bytes: bytes.slice(record.start, record.start + record.recordBytes), revision: record.revision })
    })
    at = findSortedRecord(image, at + 8, end)
  }
}
