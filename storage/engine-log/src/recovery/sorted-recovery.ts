/**
 * Recovery of the sorted segments that the contents name: before the log, which is newer than all of them.
 *
 * They were durable before anybody named them, so whatever is missing or unsound in one is damage, never the end of a
 * crash: it is named, and every sound record is kept. Files that nobody names are what a crash left behind.
 */

import type { Fault } from '@orbitkv/engine'
import type { Disk } from '@orbitkv/runtime'
import { stagedCheckpointPath } from '../checkpoint/checkpoint-format.ts'
import { segmentFileName, segmentHeaderBytes, segmentNumberOf, sortedFooterBytes } from '../log/format.ts'
import type { Log } from '../log/log.ts'
import { LogRecord } from '../log/record.ts'
import { decodeHeader, Segment } from '../log/segment.ts'
import type { SortedEntry } from '../sorted/contents.ts'
import { findSortedRecord, forEachSortedRecord, readFooter } from '../sorted/sorted-segment.ts'
import type { SortedReplay } from './sorted-replay.ts'

export interface RecoverSortedOptions {
  readonly disk: Disk
  readonly log: Log
  readonly storeId: string
  /** The folder of the sorted segments. */
  readonly directory: string
  readonly replay: SortedReplay
  /** Called after each segment, with its bytes. */
  readonly done: (bytes: number) => void
}

interface Place {
  readonly segment: number
  readonly start: number
}

/** Reads every sorted segment; returns what is damaged, and the paths of files that nobody names. */
export function recoverSorted(options: RecoverSortedOptions): { faults: Fault[]; orphans: string[] } {
  const { log, replay } = options
  const faults: Fault[] = []
  const deletes: Place[] = []
  for (const entry of log.contents.sorted) {
    recoverSegment(options, entry, faults, deletes)
    options.done(entry.bytes)
  }
  const record = new LogRecord()
  for (const { segment, start } of deletes) {
    const { bytes, words } = log.segment(segment)
    replay.delete(record.moveTo(bytes, words, start), segment)
  }
  return { faults, orphans: findStrays(options, faults) }
}

function recoverSegment(
  { disk, log, storeId, directory, replay }: RecoverSortedOptions,
  entry: SortedEntry,
  faults: Fault[],
  deletes: Place[],
): void {
  const { number } = entry
  const file = `${directory}/${segmentFileName(number, 'sorted')}`
  const fault = (offset: number, problem: string): void => void faults.push({ file, offset, problem })
  if (!disk.exists(file)) {
    fault(0, 'it is missing')
    return
  }
  const image = log.takeImage(Math.max(entry.bytes, segmentHeaderBytes))
  const segment = readSegment(disk, file, entry, storeId, image, fault)
  if (segment === undefined) return
  log.adopt(segment)
  replay.begin(number, segment.end)
  let records = 0
  let at = segmentHeaderBytes
  const visit = (record: LogRecord): void => {
    records++
    if (record.isPut) replay.put(record, number)
    else deletes.push({ segment: number, start: record.start })
  }
  for (;;) {
    at = forEachSortedRecord(segment, at, segment.end, visit)
    if (at >= segment.end) break
    const from = at
    at = findSortedRecord(segment, from + 8, segment.end)
    fault(from, at < segment.end ? `${at - from} bytes are damaged` : `damaged from here to byte ${at}`)
  }
  if (faults.length === 0 && records !== entry.records) fault(0, `it has ${records} records, not ${entry.records}`)
  // What is not there cannot be mapped: a file that was cut is read from its image.
  if (segment.file.size() >= segment.end) log.seal(segment)
}

/** Reads a segment whole; undefined where it is not ours at all. */
function readSegment(
  disk: Disk,
  path: string,
  { number, bytes: expectedBytes, minRevision, maxRevision }: SortedEntry,
  storeId: string,
  image: Uint8Array,
  fault: (offset: number, problem: string) => void,
): Segment | undefined {
  const file = disk.open(path, 'read')
  const size = file.size()
  const read = file.read(image, 0, Math.min(size, expectedBytes), 0)
  const header = decodeHeader(path, image, read)
  if ('problem' in header || header.number !== number || header.storeId !== storeId || header.kind !== 'sorted') {
    fault(0, 'problem' in header ? header.problem : "its header says that it is another segment, or another store's")
    file.close()
    return undefined
  }
  const segment = new Segment(header, file, image, expectedBytes - sortedFooterBytes)
  segment.durableEnd = segment.end
  segment.minRevision = minRevision
  segment.maxRevision = maxRevision
  if (size !== expectedBytes) fault(Math.min(size, expectedBytes), `it has ${size} bytes, not ${expectedBytes}`)
  else {
    const footer = readFooter(segment.bytes, segment.words, segment.seed, size)
    if ('problem' in footer) fault(segment.end, footer.problem)
  }
  return segment
}

/** Sorted segments that the contents do not name, log segments that they have left behind, a checkpoint that was begun; what is another's is a fault. */
export function findStrays(
  { disk, log, storeId, directory }: Pick<RecoverSortedOptions, 'disk' | 'log' | 'storeId' | 'directory'>,
  faults: Fault[],
): string[] {
  const { sorted, logStart } = log.contents
  const named = new Set(sorted.map(({ number }) => number))
  const found: string[] = []
  const staged = stagedCheckpointPath(directory)
  if (disk.exists(staged)) found.push(staged)
  if (disk.exists(directory)) {
    for (const name of disk.list(directory)) {
      const number = segmentNumberOf(name, 'sorted')
      if (number === undefined || named.has(number)) continue
      const file = `${directory}/${name}`
      if (isStray(disk, file, number, storeId)) {
        faults.push({ file, offset: 0, problem: "its header says that it is another segment, or another store's" })
      } else found.push(file)
    }
  }
  for (const name of disk.list(log.directory)) {
    const number = segmentNumberOf(name)
    if (number !== undefined && number < logStart) found.push(`${log.directory}/${name}`)
  }
  return found
}

/** Whether a file that nobody names has a sound header of something else: no crash leaves that, and nobody asked to remove it. */
function isStray(disk: Disk, path: string, number: number, storeId: string): boolean {
  const file = disk.open(path, 'read')
  try {
    const image = new Uint8Array(segmentHeaderBytes)
    const header = decodeHeader(path, image, file.read(image, 0, segmentHeaderBytes, 0))
    return !('problem' in header) && (header.number !== number || header.storeId !== storeId)
  } finally {
    file.close()
  }
}
