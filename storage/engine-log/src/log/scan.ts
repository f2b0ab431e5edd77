/**
 * Reading batches out of a segment's bytes, trusting nothing: for recovery, verify and following the log.
 *
 * A batch counts only when its magic, its length and its checksum are right. What stands between is damage or the
 * zeros behind the end.
 */

import { crc32c, readUint64 } from '@orbitkv/bytes'
import { batchHeader, batchHeaderBytes, batchMagic, knownFlags } from './format.ts'
import type { LogRecord } from './record.ts'

export interface BatchHead {
  /** Where it begins in the segment. */
  offset: number
  batchBytes: number
  recordCount: number
  position: number
  revision: number
  time: number
  epoch: number
  durableSegment: number
  durableBytes: number
}

export function newBatchHead(): BatchHead {
  return {
    offset: 0,
    batchBytes: 0,
    recordCount: 0,
    position: 0,
    revision: 0,
    time: 0,
    epoch: 0,
    durableSegment: 0,
    durableBytes: 0,
  }
}

/** Loads the head of the batch at `offset` without checking it: for batches known to be whole. */
export function loadBatchHead(words: Uint32Array, offset: number, into: BatchHead): void {
  const word = offset >>> 2
  into.offset = offset
  into.batchBytes = words[word + batchHeader.batchBytes / 4] as number
  into.recordCount = words[word + batchHeader.recordCount / 4] as number
  into.position = readUint64(words, word + batchHeader.position / 4)
  into.revision = readUint64(words, word + batchHeader.revision / 4)
  into.time = readUint64(words, word + batchHeader.time / 4)
  into.epoch = readUint64(words, word + batchHeader.epoch / 4)
  into.durableSegment = words[word + batchHeader.durableSegment / 4] as number
  into.durableBytes = words[word + batchHeader.durableBytes / 4] as number
}

/** Loads the head of the batch at `offset` if a whole and sound one stands there before `end`. */
export function readBatchHead(
  bytes: Uint8Array,
  words: Uint32Array,
  seed: number,
  offset: number,
  end: number,
  into: BatchHead,
): boolean {
  const word = offset >>> 2
  if (offset + batchHeaderBytes > end || words[word] !== batchMagic) return false
  const batchBytes = words[word + batchHeader.batchBytes / 4] as number
  if (batchBytes < batchHeaderBytes || batchBytes % 8 !== 0 || offset + batchBytes > end) return false
  if (words[word + batchHeader.checksum / 4] !== crc32c(seed, bytes, offset + 8, offset + batchBytes)) return false
  loadBatchHead(words, offset, into)
  return true
}

/** The first sound batch at or after `offset`; false where there is none before `end`. */
export function findBatch(
  bytes: Uint8Array,
  words: Uint32Array,
  seed: number,
  offset: number,
  end: number,
  into: BatchHead,
): boolean {
  for (let word = offset >>> 2; word << 2 < end; word += 2) {
    if (words[word] === batchMagic && readBatchHead(bytes, words, seed, word << 2, end, into)) return true
  }
  return false
}

/** Where the first byte that is not zero stands in `[offset, end)`; `end` where all are zero. Both are multiples of 4. */
export function skipZeros(words: Uint32Array, offset: number, end: number): number {
  let word = offset >>> 2
  while (word << 2 < end && words[word] === 0) word++
  return Math.min(word << 2, end)
}

/** Visits the records of a batch; throws a RangeError where they do not fit it, which its checksum rules out for our own. */
export function forEachRecord(
  bytes: Uint8Array,
  words: Uint32Array,
  batch: BatchHead,
  record: LogRecord,
  visit: (record: LogRecord) => void,
): void {
  const end = batch.offset + batch.batchBytes
  let at = batch.offset + batchHeaderBytes
  for (let i = 0; i < batch.recordCount; i++) {
    record.moveTo(bytes, words, at)
    if (record.valueStart + record.valueBytes > end)
      throw new RangeError(`record ${i} at byte ${at} runs past its batch`)
    if (((words[(at >>> 2) + 2] as number) >>> 16) & 0xff & ~knownFlags) {
      throw new RangeError(`record ${i} at byte ${at} has flags that this version does not know`)
    }
    visit(record)
    at += record.recordBytes
  }
  if (at !== end) throw new RangeError(`the batch at byte ${batch.offset} has bytes behind its last record`)
}
