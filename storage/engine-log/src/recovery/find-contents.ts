/**
 * The contents of a shard as they are, or, where they are damaged or missing, as its files tell them: every sorted segment that
 * is there, and the log from its first segment on. That may be more than counted, never less: what a crash left
 * behind only repeats what is there too, and of two records of a key the newer wins. So it serves for reading and for repair.
 */

import { hasCode, type OrbitError } from '@orbitkv/base'
import { align8 } from '@orbitkv/bytes'
import type { Fault } from '@orbitkv/engine'
import type { Disk } from '@orbitkv/runtime'
import { segmentFileName, segmentHeaderBytes, segmentNumberOf, sortedFooterBytes } from '../log/format.ts'
import { findBatch, newBatchHead } from '../log/scan.ts'
import { decodeHeader } from '../log/segment.ts'
import { type Contents, contentsPath, type LogBase, readContents, type SortedEntry } from '../sorted/contents.ts'
import { readFooter } from '../sorted/sorted-segment.ts'

interface FindContentsOptions {
  readonly disk: Disk
  /** The folder of the sorted segments and the contents. */
  readonly directory: string
  readonly logDirectory: string
  readonly storeId: string
}

/** Throws nothing but `engine.newer_format` and what the disk throws. */
export function findContents(options: FindContentsOptions): { contents: Contents; faults: Fault[] } {
  const { disk, directory, logDirectory, storeId } = options
  const file = contentsPath(directory)
  let problem: string
  try {
    const contents = readContents(disk, directory, storeId)
    const isMissing =
      contents.generation === 0 && firstLog(disk, logDirectory) !== 1 && sortedNumbers(options).length > 0
    if (!isMissing) return { contents, faults: [] }
    // Where there are sorted segments and the log does not begin with its first, somebody had named them.
    problem = 'it is missing'
  } catch (error) {
    if (!hasCode(error, 'engine.corrupt')) throw error
    problem = String((error as OrbitError).details.problem)
  }
  return { contents: contentsOfFiles(options), faults: [{ file, offset: 0, problem }] }
}

function contentsOfFiles(options: FindContentsOptions): Contents {
  const { disk, logDirectory } = options
  const sorted = sortedNumbers(options)
    .map((number) => entryOf(options, number))
    .filter((entry) => entry !== undefined)
  const logStart = firstLog(disk, logDirectory)
  const revision = sorted.reduce((most, { maxRevision }) => Math.max(most, maxRevision), 0)
  const base = baseOf(disk, logDirectory, logStart, revision)
  return { generation: 1, oldestRevision: base.revision, logStart, base, sorted }
}

function sortedNumbers({ disk, directory }: FindContentsOptions): number[] {
  if (!disk.exists(directory)) return []
  return disk
    .list(directory)
    .map((name) => segmentNumberOf(name, 'sorted'))
    .filter((number) => number !== undefined)
}

/** The lowest number of a log segment; 1 where there is none. */
function firstLog(disk: Disk, logDirectory: string): number {
  const numbers = disk.list(logDirectory).map((name) => segmentNumberOf(name))
  return numbers.find((number) => number !== undefined) ?? 1
}

/** What a sorted segment says of itself; undefined where its header is another's. */
function entryOf({ disk, directory, storeId }: FindContentsOptions, number: number): SortedEntry | undefined {
  const path = `${directory}/${segmentFileName(number, 'sorted')}`
  const { bytes, size } = readWhole(disk, path)
  const header = decodeHeader(path, bytes, size)
  if (!('problem' in header) && (header.storeId !== storeId || header.number !== number)) return undefined
  const words = new Uint32Array(bytes.buffer)
  const footer = 'problem' in header ? header : readFooter(bytes, words, header.seed, size)
  if ('problem' in footer) {
    const bytesMin = segmentHeaderBytes + sortedFooterBytes
    return { number, bytes: Math.max(align8(size), bytesMin), records: 0, minRevision: 0, maxRevision: 0 }
  }
  const { recordCount: records, minRevision, maxRevision } = footer
  return { number, bytes: size, records, minRevision, maxRevision }
}

/** What came before the log's first sound batch. */
function baseOf(disk: Disk, logDirectory: string, logStart: number, revision: number): LogBase {
  const path = `${logDirectory}/${segmentFileName(logStart)}`
  if (!disk.exists(path)) return { position: 0, revision, time: 0 }
  const { bytes, size } = readWhole(disk, path)
  const header = decodeHeader(path, bytes, size)
  const head = newBatchHead()
  const found =
    !('problem' in header) &&
    findBatch(bytes, new Uint32Array(bytes.buffer), header.seed, segmentHeaderBytes, size, head)
  return found ? { position: head.position - 1, revision, time: head.time } : { position: 0, revision, time: 0 }
}

/** All of a file, in a buffer of whole words with room for a header at least. */
export function readWhole(disk: Disk, path: string): { bytes: Uint8Array; size: number } {
  const file = disk.open(path, 'read')
  try {
    const bytes = new Uint8Array(align8(Math.max(file.size(), segmentHeaderBytes)))
    return { bytes, size: file.read(bytes, 0, file.size(), 0) }
  } finally {
    file.close()
  }
}
