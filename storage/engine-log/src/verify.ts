/**
 * Checking every byte of a log on the disk: batches, their records, their order. Reads the files, past any mapping, in
 * steps between which the event loop goes on.
 */

import { MiB } from '@orbitkv/base'
import { align8, crc32c } from '@orbitkv/bytes'
import type { Fault, VerifyReport } from '@orbitkv/engine'
import { segmentHeaderBytes } from './format.ts'
import type { Log } from './log.ts'
import { LogRecord } from './record.ts'
import { findBatch, forEachRecord, newBatchHead, readBatchHead, skipZeros } from './scan.ts'
import { decodeHeader, type Segment } from './segment.ts'

const stepBytes = 1 * MiB

interface Progress {
  batchesChecked: number
  recordsChecked: number
  bytesChecked: number
  position: number
  readonly faults: Fault[]
}

/** `known` are the faults that opening found: they are part of the report. */
export async function verifyLog(
  log: Log,
  known: readonly Fault[],
  progress: (bytesDone: number, bytesTotal: number) => void = () => {},
): Promise<VerifyReport> {
  // Only what was written when it began: the log may go on meanwhile.
  const targets = Array.from(log.inOrder(), (segment) => ({ segment, end: segment.writtenEnd }))
  const total = targets.reduce((sum, { end }) => sum + end, 0)
  const state: Progress = { batchesChecked: 0, recordsChecked: 0, bytesChecked: 0, position: 0, faults: [...known] }
  for (const { segment, end } of targets) {
    await verifySegment(segment, end, state, () => progress(state.bytesChecked, total))
  }
  const { faults, batchesChecked, recordsChecked, bytesChecked } = state
  return { faults, batchesChecked, recordsChecked, bytesChecked }
}

async function verifySegment(segment: Segment, end: number, state: Progress, step: () => void): Promise<void> {
  const { path } = segment.file
  const fault = (offset: number, problem: string): void => {
    const known = state.faults.some((other) => other.file === path && other.offset === offset)
    if (!known) state.faults.push({ file: path, offset, problem })
  }
  const bytes = new Uint8Array(align8(end))
  const words = new Uint32Array(bytes.buffer)
  const head = newBatchHead()
  const record = new LogRecord()
  let filled = 0
  let at = segmentHeaderBytes
  while (filled < end) {
    const read = await segment.file.readAsync(bytes, filled, Math.min(stepBytes, end - filled), filled)
    if (read === 0) {
      fault(filled, `the file ends here, ${end - filled} bytes early`)
      return
    }
    if (filled === 0) {
      const header = decodeHeader(path, bytes, read)
      if ('problem' in header) fault(0, header.problem)
    }
    filled += read
    state.bytesChecked += read
    while (at < filled && readBatchHead(bytes, words, segment.seed, at, filled, head)) {
      if (state.position !== 0 && head.position !== state.position + 1) {
        fault(at, `position ${head.position} follows position ${state.position}`)
      }
      forEachRecord(bytes, words, head, record, (found) => {
        const valueEnd = found.valueStart + found.valueBytes
        if (words[found.start >>> 2] !== crc32c(segment.seed, bytes, found.start + 4, valueEnd)) {
          fault(found.start, 'the checksum of a record does not match')
        }
        state.recordsChecked++
      })
      state.position = head.position
      state.batchesChecked++
      at = head.offset + head.batchBytes
    }
    step()
  }
  // What is left is a batch that is not sound: name it and look for the next sound one.
  while (at < end && skipZeros(words, at, end & ~3) < (end & ~3)) {
    const found = findBatch(bytes, words, segment.seed, at, end, head)
    fault(at, found ? `${head.offset - at} bytes are damaged` : `damaged from here to byte ${end}`)
    if (!found) return
    while (readBatchHead(bytes, words, segment.seed, head.offset, end, head)) {
      state.batchesChecked++
      state.recordsChecked += head.recordCount
      state.position = head.position
      at = head.offset + head.batchBytes
      head.offset = at
    }
  }
}
