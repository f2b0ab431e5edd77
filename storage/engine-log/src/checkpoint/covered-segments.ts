/**
 * Opening the segments that a checkpoint covers: they are mapped, and not read. Of each the header is checked, and that the
 * file is as long as it was; of a sorted one the footer too. The segment in which the tail begins is read up to there, since
 * opening reads the rest anyhow: so it is sure that the checkpoint belongs to this log, and where it ends.
 *
 * Whatever is not as expected makes the checkpoint `Unusable`: reading everything then says what is wrong.
 */

import { align8 } from '@orbitkv/bytes'
import type { Disk, DiskFile } from '@orbitkv/runtime'
import {
  type SegmentKind,
  segmentFileName,
  segmentHeaderBytes,
  segmentNumberOf,
  sortedFooterBytes,
} from '../log/format.ts'
import type { Log } from '../log/log.ts'
import { newBatchHead, readBatchHead } from '../log/scan.ts'
import { decodeHeader, Segment, type SegmentHeader } from '../log/segment.ts'
import type { LogBase, SortedEntry } from '../sorted/contents.ts'
import { readFooter } from '../sorted/sorted-segment.ts'
import { tailChecksum } from './checkpoint-format.ts'
import { Unusable } from './checkpoint-reader.ts'

/** What a checkpoint says of a segment. */
export interface CoveredSegment {
  readonly number: number
  readonly seed: number
  readonly kind: SegmentKind
  readonly end: number
  readonly lastBatch: LogBase
  readonly checkedAt: number
}

export interface CoveredOptions {
  readonly disk: Disk
  readonly log: Log
  readonly storeId: string
  /** The folder of the sorted segments. */
  readonly folder: string
  readonly covered: readonly CoveredSegment[]
  /** The newest batch of the checkpoint, and where it ends. */
  readonly position: number
  readonly tail: { readonly segment: number; readonly bytes: number; readonly checksum: number }
}

/** Checks the files, and opens all but the one of the tail. */
export function openCovered(options: CoveredOptions): Segment[] {
  const { disk, log, covered, tail } = options
  checkNumbers(options)
  const sorted = new Map(log.contents.sorted.map((entry) => [entry.number, entry]))
  const opened: Segment[] = []
  try {
    for (const segment of covered) {
      const path = pathOf(options, segment)
      if (!disk.exists(path)) throw new Unusable(`${path} is missing`)
      const file = disk.open(path, 'read')
      try {
        const header = checkHeader(options, segment, file)
        if (segment.kind === 'log' && segment.number === tail.segment) {
          checkTail(options, file, header)
          file.close()
        } else opened.push(openSegment(options, segment, file, header, sorted.get(segment.number)))
      } catch (error) {
        file.close()
        throw error
      }
    }
    return opened
  } catch (error) {
    for (const { file } of opened) file.close()
    throw error
  }
}

/** The checkpoint has the segments of the contents, and the log's up to its tail, and no others. */
function checkNumbers({ disk, log, covered, tail }: CoveredOptions): void {
  const { sorted, logStart } = log.contents
  const logNumbers = disk
    .list(log.directory)
    .map((name) => segmentNumberOf(name))
    .filter((number) => number !== undefined && number >= logStart && number <= tail.segment)
  const expected = (kind: SegmentKind): string =>
    covered
      .filter((segment) => segment.kind === kind)
      .map(({ number }) => number)
      .join()
  const sortedNumbers = sorted.map(({ number }) => number).toSorted((a, b) => a - b)
  if (expected('sorted') !== sortedNumbers.join()) throw new Unusable('it has other sorted segments')
  if (expected('log') !== logNumbers.join()) throw new Unusable('it has other segments of the log')
  if (!logNumbers.includes(tail.segment))
    throw new Unusable(`segment ${tail.segment}, where its tail begins, is missing`)
}

function pathOf({ log, folder }: CoveredOptions, { kind, number }: CoveredSegment): string {
  return `${kind === 'log' ? log.directory : folder}/${segmentFileName(number, kind)}`
}

function checkHeader(
  { storeId }: CoveredOptions,
  { number, kind, seed }: CoveredSegment,
  file: DiskFile,
): SegmentHeader {
  const image = new Uint8Array(segmentHeaderBytes)
  const header = decodeHeader(file.path, image, file.read(image, 0, segmentHeaderBytes, 0))
  if ('problem' in header) throw new Unusable(`${file.path}: ${header.problem}`)
  if (header.number !== number || header.kind !== kind || header.storeId !== storeId || header.seed !== seed) {
    throw new Unusable(`${file.path} has the header of another segment`)
  }
  return header
}

function openSegment(
  { disk }: CoveredOptions,
  { kind, end, lastBatch, checkedAt }: CoveredSegment,
  file: DiskFile,
  header: SegmentHeader,
  entry: SortedEntry | undefined,
): Segment {
  const size = file.size()
  if (size < end) throw new Unusable(`${file.path} has ${size} bytes, not ${end}`)
  // Where a mapping is a copy of the file, the image serves as well.
  const isMapped = disk.kind === 'native' || disk.kind === 'simulated'
  const image = new Uint8Array(isMapped ? segmentHeaderBytes : align8(end))
  const segment = new Segment(header, file, image, end)
  if (!isMapped && file.read(image, 0, end, 0) < end) throw new Unusable(`${file.path} cannot be read whole`)
  Object.assign(segment.lastBatch, lastBatch)
  segment.durableEnd = end
  segment.checkedAt = checkedAt
  if (kind === 'sorted') {
    if (entry === undefined || entry.bytes !== size || size !== end + sortedFooterBytes) {
      throw new Unusable(`${file.path} has ${size} bytes, not ${end + sortedFooterBytes}`)
    }
    checkFooter(segment, size, entry)
    segment.minRevision = entry.minRevision
    segment.maxRevision = entry.maxRevision
  }
  return segment
}

function checkFooter({ file, seed }: Segment, size: number, { records }: SortedEntry): void {
  const from = size - sortedFooterBytes
  const bytes = new Uint8Array(sortedFooterBytes)
  const read = file.read(bytes, 0, sortedFooterBytes, from)
  const footer =
    read < sortedFooterBytes
      ? { problem: 'it is cut' }
      : readFooter(bytes, new Uint32Array(bytes.buffer), seed, size, from)
  if ('problem' in footer) throw new Unusable(`${file.path}: ${footer.problem}`)
  if (footer.recordCount !== records)
    throw new Unusable(`${file.path} has ${footer.recordCount} records, not ${records}`)
}

/** The batches before the tail are whole and sound, and the last one of them is the checkpoint's newest. */
function checkTail({ position, tail }: CoveredOptions, file: DiskFile, { seed }: SegmentHeader): void {
  const bytes = new Uint8Array(align8(tail.bytes))
  const words = new Uint32Array(bytes.buffer)
  if (file.read(bytes, 0, tail.bytes, 0) < tail.bytes) throw new Unusable(`${file.path} ends before its tail`)
  const head = newBatchHead()
  let at = segmentHeaderBytes
  while (at < tail.bytes && readBatchHead(bytes, words, seed, at, tail.bytes, head)) at += head.batchBytes
  if (at !== tail.bytes) throw new Unusable(`${file.path} is damaged at byte ${at}`)
  if (tailChecksum(bytes, tail.bytes) !== tail.checksum) throw new Unusable(`${file.path} has other batches`)
  if (at > segmentHeaderBytes && head.position !== position) {
    throw new Unusable(`${file.path} has position ${head.position} before its tail, not ${position}`)
  }
}
