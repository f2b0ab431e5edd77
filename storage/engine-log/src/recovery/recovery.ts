/**
 * Recovery: from the files of a log to its batches, telling what a crash left from what is damaged.
 *
 * Batches are taken in order of position. Where the next one is not there, whole and sound, the place is either
 *   - the end: nothing but zeros follows, or
 *   - a torn tail: what follows was never promised, so it is cut, or
 *   - corruption: some later batch says that the log was durable beyond the place. It is named, the rest is kept, and the
 *     log is opened for reading only.
 * A crash may keep a later write and lose an earlier one, so a sound batch behind the place does not by itself make it
 * corruption: what decides is the durable line that the later batches carry (format.ts, `durableSegment`).
 */

import { assert } from '@orbitkv/base'
import { align8 } from '@orbitkv/bytes'
import type { Fault } from '@orbitkv/engine'
import type { Disk, DiskFile } from '@orbitkv/runtime'
import { readDurableLine } from '../log/durable-line.ts'
import { segmentFileName, segmentHeaderBytes, segmentNumberOf } from '../log/format.ts'
import type { Log, LogAddress } from '../log/log.ts'
import { type BatchHead, findBatch, newBatchHead, readBatchHead, skipZeros } from '../log/scan.ts'
import { decodeHeader, Segment } from '../log/segment.ts'
import type { LogBase } from '../sorted/contents.ts'

export interface Recovered {
  readonly faults: Fault[]
  /** Where a torn tail was found, to be cut; undefined where the log ended cleanly. */
  readonly cut: LogAddress | undefined
  /** Segment files behind the cut, to be removed. */
  readonly orphans: readonly string[]
}

export interface RecoverOptions {
  readonly disk: Disk
  readonly log: Log
  readonly storeId: string
  /** Capacity of an image, so that the newest segment can be appended to. */
  readonly segmentBytes: number
  /** Called after each segment, with its bytes. */
  readonly done: (bytes: number) => void
  /** Where a checkpoint ends: what is before it has been taken in. Undefined without one. */
  readonly tail?: Tail | undefined
}

/** A place of the log behind a batch, and the last batch of that segment before it, zeros where it has none. */
export interface Tail extends LogAddress {
  readonly position: number
  readonly lastBatch: LogBase
}

interface Source {
  readonly path: string
  readonly number: number
  readonly segment: Segment | undefined
  /** What is wrong with its header. */
  readonly problem: string | undefined
  /** Its header is sound and another's: no crash leaves that. */
  readonly isForeign: boolean
  /** Bytes of the file. */
  readonly size: number
}

/**
 * Reads a log's folder. Each sound segment is adopted by the log before `visit` sees its batches, in order; no other file
 * stays open. Reads whole files past any mapping, so that a bad sector is an error and not a signal.
 */
export function recoverLog(options: RecoverOptions, visit: (segment: Segment, batch: BatchHead) => void): Recovered {
  const { disk, log, storeId, segmentBytes, done } = options
  const numbers = segmentNumbers(disk, log, options.tail)
  const pathOf = (number: number): string => segmentPath(log, number)
  const opened: DiskFile[] = []
  const imageFor = (size: number): Uint8Array => log.takeImage(align8(Math.max(size, segmentBytes)))
  const sourceOf = (number: number): Source => readSource(disk, pathOf(number), number, storeId, imageFor, opened)
  try {
    return recoverSegments(options, numbers, sourceOf, visit, done)
  } finally {
    const adopted = new Set(log.segments.map((segment) => segment?.file))
    for (const file of opened) if (!adopted.has(file)) file.close()
  }
}

function recoverSegments(
  { disk, log, tail }: RecoverOptions,
  numbers: readonly number[],
  sourceOf: (number: number) => Source,
  visit: (segment: Segment, batch: BatchHead) => void,
  done: (bytes: number) => void,
): Recovered {
  const closedAt = readDurableLine(disk, log.directory)
  const faults: Fault[] = []
  const head = newBatchHead()
  let { position } = tail ?? log.contents.base

  /** The end of the last sound batch: where the next one should be, in this segment or at the start of the next. */
  let lastGood: LogAddress = tail ?? { segment: log.contents.logStart - 1, bytes: Number.POSITIVE_INFINITY }
  for (const [index, number] of numbers.entries()) {
    const source = sourceOf(number)
    const { segment, size } = source
    const isFirst = number === (tail?.segment ?? log.contents.logStart)
    const rest = numbers.slice(index + 1)
    if (source.isForeign) {
      faults.push({ file: source.path, offset: 0, problem: source.problem ?? '' })
      continue
    }
    let at = segment === undefined ? 0 : segmentHeaderBytes
    if (segment !== undefined && number === tail?.segment) {
      at = segment.end = tail.bytes
      Object.assign(segment.lastBatch, tail.lastBatch)
    }
    for (;;) {
      if (segment !== undefined && readBatchHead(segment.bytes, segment.words, segment.seed, at, size, head)) {
        if (head.position === position + 1) {
          adoptOnce(log, segment)
          at = segment.end = head.offset + head.batchBytes
          visit(segment, head)
          position = head.position
          lastGood = { segment: number, bytes: at }
          continue
        }
      } else if (segment !== undefined && skipZeros(segment.words, at, size & ~3) === (size & ~3)) {
        // Zeros to the end of the file. An empty segment is adopted too, so that appending goes on in it.
        adoptOnce(log, segment)
        break
      }
      const atStart = at <= segmentHeaderBytes && !isFirst
      const place = atStart ? lastGood : { segment: number, bytes: at }
      const line = durableLine(closedAt, segment, at, size, rest, sourceOf)
      // A line at the end of a header promises no batch of that segment, nor of this one if it comes later.
      const isAtHeader = line.segment <= number && line.bytes <= segmentHeaderBytes
      if (!covers(line, place) || (atStart && isAtHeader)) {
        if (atStart || segment === undefined) {
          return { faults, cut: undefined, orphans: paths(log, [number, ...rest]) }
        }
        adoptOnce(log, segment)
        segment.end = segment.writtenEnd = segment.zeroedEnd = at
        return { faults, cut: place, orphans: paths(log, rest) }
      }
      const found = segment !== undefined && findBatch(segment.bytes, segment.words, segment.seed, at, size, head)
      faults.push({ file: source.path, offset: at, problem: source.problem ?? describe(head, found, at, position) })
      if (!found || segment === undefined) break
      adoptOnce(log, segment)
      at = head.offset
      if (head.position <= position) {
        // A batch that stood before: the first one counts.
        at += head.batchBytes
        continue
      }
      position = head.position - 1
    }
    if (segment !== undefined) {
      segment.writtenEnd = segment.zeroedEnd = segment.end
      if (rest.length > 0 && log.segments[number] === segment) log.seal(segment)
    }
    done(number === tail?.segment ? size - tail.bytes : size)
  }
  const ended = log.newestLog
  const isAtHeader = closedAt.bytes <= segmentHeaderBytes
  const end = ended === undefined || !isAtHeader ? lastGood : { segment: ended.number, bytes: ended.end }
  if (covers(closedAt, end)) {
    const problem = `the log ends here, and was whole up to byte ${closedAt.bytes} of segment ${closedAt.segment} when it was closed`
    faults.push({ file: ended?.file.path ?? log.directory, offset: ended?.end ?? 0, problem })
  }
  return { faults, cut: undefined, orphans: [] }
}

function describe(head: BatchHead, found: boolean, at: number, position: number): string {
  if (!found) return 'damaged from here to the end of the file'
  if (head.offset > at)
    return `${head.offset - at} bytes are damaged; the next sound batch has position ${head.position}`
  if (head.position <= position) return `position ${head.position} stands here again`
  return `positions ${position + 1} to ${head.position - 1} are missing`
}

function paths(log: Log, numbers: readonly number[]): string[] {
  return numbers.map((number) => segmentPath(log, number))
}

/** The log segments that are read, in order: those before are what compaction has left behind, or a checkpoint covers. */
function segmentNumbers(disk: Disk, log: Log, tail: Tail | undefined): number[] {
  const first = tail?.segment ?? log.contents.logStart
  return disk
    .list(log.directory)
    .map((name) => segmentNumberOf(name))
    .filter((number) => number !== undefined && number >= first) as number[]
}

/** Bytes of the log's files, those of the tail alone where there is one. */
export function logFileBytes(disk: Disk, log: Log, tail: Tail | undefined): number {
  const numbers = segmentNumbers(disk, log, tail)
  return numbers.reduce((sum, number) => sum + fileBytes(disk, segmentPath(log, number)), -(tail?.bytes ?? 0))
}

function fileBytes(disk: Disk, path: string): number {
  const file = disk.open(path, 'read')
  try {
    return file.size()
  } finally {
    file.close()
  }
}

function segmentPath(log: Log, number: number): string {
  return `${log.directory}/${segmentFileName(number)}`
}

function adoptOnce(log: Log, segment: Segment): void {
  if (log.segments[segment.number] !== segment) log.adopt(segment)
}

function covers(line: LogAddress, place: LogAddress): boolean {
  return line.segment > place.segment || (line.segment === place.segment && line.bytes > place.bytes)
}

/** The highest durable line that is known: that of the last close, or what a sound batch at or after a place tells. */
function durableLine(
  closedAt: LogAddress,
  segment: Segment | undefined,
  at: number,
  size: number,
  later: readonly number[],
  sourceOf: (number: number) => Source,
): LogAddress {
  let line = closedAt
  const scan = (from: Segment, start: number, end: number): void => {
    const head = newBatchHead()
    let offset = start
    while (findBatch(from.bytes, from.words, from.seed, offset, end, head)) {
      const told = { segment: head.durableSegment, bytes: head.durableBytes }
      if (covers(told, line)) line = told
      offset = head.offset + head.batchBytes
    }
  }
  if (segment !== undefined) scan(segment, at, size)
  // One at a time: each has an image of a whole segment.
  for (const number of later) {
    const source = sourceOf(number)
    if (source.segment !== undefined) scan(source.segment, segmentHeaderBytes, source.size)
    source.segment?.file.close()
  }
  return line
}

/** Reads a segment whole; its file goes to `opened`, for whoever ends recovery to close. */
function readSource(
  disk: Disk,
  path: string,
  number: number,
  storeId: string,
  imageFor: (size: number) => Uint8Array,
  opened: DiskFile[],
): Source {
  const file = disk.open(path, 'write')
  opened.push(file)
  const size = file.size()
  const image = imageFor(size)
  const read = file.read(image, 0, size, 0)
  assert(read <= size, 'a file gives no more than it has')
  const header = decodeHeader(path, image, read)
  const wrong =
    'problem' in header
      ? header.problem
      : header.number !== number
        ? `its header says that it is segment ${header.number}`
        : header.storeId !== storeId
          ? `it belongs to another store, ${header.storeId}`
          : undefined
  if (wrong !== undefined || 'problem' in header) {
    file.close()
    return { path, number, segment: undefined, problem: wrong, isForeign: !('problem' in header), size }
  }
  const segment = new Segment(header, file, image, segmentHeaderBytes)
  return { path, number, segment, problem: undefined, isForeign: false, size: read }
}
