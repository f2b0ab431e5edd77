/** The part of a repair (repair.ts) that saves sorted segments. */

import { largeBuffer } from '@orbitkv/bytes'
import { copyKey, type Fault } from '@orbitkv/engine'
import type { Disk } from '@orbitkv/runtime'
import { segmentFileName, segmentHeader, segmentHeaderBytes, shardName, sortedFooterBytes } from '../log/format.ts'
import type { LogRecord } from '../log/record.ts'
import { decodeHeader } from '../log/segment.ts'
import type { Contents, SortedEntry } from '../sorted/contents.ts'
import { findSortedRecord, forEachSortedRecord, readFooter, SortedWriter } from '../sorted/sorted-segment.ts'
import { readWhole } from './find-contents.ts'
import type { Salvage } from './repair.ts'

interface SortedSalvaged {
  readonly faults: Fault[]
  readonly entries: SortedEntry[]
  readonly recordsKept: number
}

/** Saves the records of every segment that the contents name; each keeps its number, and with it its rank. */
export async function salvageSorted(parts: Salvage, directory: string, contents: Contents): Promise<SortedSalvaged> {
  const salvaged: SortedSalvaged & { recordsKept: number } = { faults: [], entries: [], recordsKept: 0 }
  for (const entry of contents.sorted) {
    const path = `${directory}/${segmentFileName(entry.number, 'sorted')}`
    const kept = await salvageSegment(parts, path, entry, salvaged.faults)
    if (kept === undefined) continue
    salvaged.entries.push(kept)
    salvaged.recordsKept += kept.records
  }
  return salvaged
}

async function salvageSegment(
  parts: Salvage,
  path: string,
  entry: SortedEntry,
  faults: Fault[],
): Promise<SortedEntry | undefined> {
  const { disk, storeId, lost, target } = parts
  const faultsBefore = faults.length
  const fault = (offset: number, problem: string): void => void faults.push({ file: path, offset, problem })
  if (!disk.exists(path)) {
    fault(0, 'it is missing')
    lost.push({ file: path, offset: 0, bytes: entry.bytes, records: entry.records })
    return undefined
  }
  const { bytes, size } = readWhole(disk, path)
  const words = new Uint32Array(bytes.buffer)
  const header = decodeHeader(path, bytes, size)
  if ('problem' in header) fault(0, header.problem)
  else if (header.number !== entry.number || header.storeId !== storeId || header.kind !== 'sorted') {
    fault(0, "its header says that it is another segment, or another store's")
    lost.push({ file: path, offset: 0, bytes: entry.bytes, records: entry.records })
    return undefined
  }
  // Where the header is damaged its seed may be right all the same: the checksums of the records tell.
  const seed = words[segmentHeader.seed / 4] as number
  if (size !== entry.bytes) fault(Math.min(size, entry.bytes), `it has ${size} bytes, not ${entry.bytes}`)
  const footer = readFooter(bytes, words, seed, size)
  if ('problem' in footer) fault(Math.max(0, size - sortedFooterBytes), footer.problem)
  const recordsEnd = 'problem' in footer ? Math.min(size, entry.bytes - sortedFooterBytes) : footer.recordsEnd

  const records = recordsOf({ bytes, words, seed }, recordsEnd, (offset, end, after, before) => {
    fault(offset, `${end - offset} bytes are damaged`)
    lost.push({ file: path, offset, bytes: end - offset, keys: { after, before } })
  })
  if (recordsEnd < entry.bytes - sortedFooterBytes) {
    lost.push({ file: path, offset: recordsEnd, bytes: entry.bytes - sortedFooterBytes - recordsEnd })
  }
  if (faults.length === faultsBefore) {
    if (target !== undefined) await copyFile(disk, path, bytes, size, targetPath(target, entry.number))
    return entry
  }
  return rewrite(parts, entry, seed, records)
}

/** Visits the sound records; tells each stretch that is not, with the keys around it. Returns a way to visit them again. */
function recordsOf(
  image: { bytes: Uint8Array; words: Uint32Array; seed: number },
  end: number,
  damaged: (offset: number, end: number, after: Uint8Array | undefined, before: Uint8Array | undefined) => void,
): (visit: (record: LogRecord) => void) => void {
  let last: Uint8Array | undefined
  const noteLast = (record: LogRecord): void => {
    last = copyKey(record)
  }
  const stretches: [number, number][] = []
  for (let at = segmentHeaderBytes; at < end; ) {
    const stop = forEachSortedRecord(image, at, end, noteLast)
    if (stop > at) stretches.push([at, stop])
    if (stop >= end) break
    const next = findSortedRecord(image, stop + 8, end)
    const after = last
    let before: Uint8Array | undefined
    const noteFirst = (record: LogRecord): void => {
      before ??= copyKey(record)
    }
    if (next < end) forEachSortedRecord(image, next, end, noteFirst)
    damaged(stop, next, after, before)
    at = next
  }
  return (visit) => {
    for (const [from, to] of stretches) forEachSortedRecord(image, from, to, visit)
  }
}

/** Writes the sound records to a segment of the same number; undefined where there are none. */
async function rewrite(
  { disk, storeId, target }: Salvage,
  { number, bytes }: SortedEntry,
  seed: number,
  visitAll: (visit: (record: LogRecord) => void) => void,
): Promise<SortedEntry | undefined> {
  let records = 0
  visitAll(() => void records++)
  if (records === 0) return undefined
  if (target === undefined) return { number, bytes, records, minRevision: 0, maxRevision: 0 }
  const header = { kind: 'sorted', number, seed, createdAt: 0, storeId } as const
  const image = new Uint8Array(largeBuffer(bytes))
  const withSpace = <Result>(allocate: () => Result): Result => allocate()
  const writer = new SortedWriter({ disk, path: targetPath(target, number), header, image, withSpace })
  visitAll((record) => void writer.add(record))
  const { minRevision, maxRevision } = await writer.finish()
  writer.segment.file.close()
  return { number, bytes: writer.segment.end + sortedFooterBytes, records, minRevision, maxRevision }
}

function targetPath(target: string, number: number): string {
  return `${target}/${shardName}/${segmentFileName(number, 'sorted')}`
}

async function copyFile(disk: Disk, from: string, bytes: Uint8Array, size: number, to: string): Promise<void> {
  const file = disk.open(to, 'create')
  try {
    file.write(bytes, 0, size, 0)
    await file.sync()
  } catch (error) {
    throw new Error(`copying ${from}`, { cause: error })
  } finally {
    file.close()
  }
}
