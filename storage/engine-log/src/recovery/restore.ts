/**
 * Making a store of files that were copied from another one: what `@orbitkv/backup` does last when it restores.
 *
 * The log ends with the state that is asked for; the rest is cut off. The store gets an id of its own, so that it never meets its
 * original, and its first new batch: an empty one, with a revision above all that the original may have told anyone.
 * States before it are given up, so that who followed the original learns that history begins anew. The manifest comes last, by a
 * rename: until then the folder is no store, and nobody takes it for one.
 */

import { assert } from '@orbitkv/base'
import { crc32c, writeUint64 } from '@orbitkv/bytes'
import { engineErrors } from '@orbitkv/engine'
import type { Clock, Disk, RandomUint32 } from '@orbitkv/runtime'
import {
  batchHeader,
  batchHeaderBytes,
  batchMagic,
  formatVersion,
  segmentFileName,
  segmentHeaderBytes,
  segmentNumberOf,
  shardName,
} from '../log/format.ts'
import { writeManifest } from '../log/manifest.ts'
import { newBatchHead, readBatchHead, skipZeros } from '../log/scan.ts'
import { decodeHeader, encodeHeader, type SegmentHeader } from '../log/segment.ts'
import { type Contents, commitContents, type LogBase, stageContents } from '../sorted/contents.ts'
import { readWhole } from './find-contents.ts'

export interface RestoreStoreOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly randomUint32: RandomUint32
  /** The store that the files come from. */
  readonly storeId: string
  /** Those of the original, as `holdFiles` gave them. */
  readonly contents: Contents
  /** The newest state that is wanted; absent: all. */
  readonly revisionMax?: number
  /** The newest time that is wanted, milliseconds since 1970; absent: all. */
  readonly timeMax?: number
  /** The revision that the restored store goes on from. */
  readonly revisionNext: number
}

export interface RestoredState {
  /** Of the new store. */
  readonly storeId: string
  readonly position: number
  /** Of the state that was restored, and when it came about. */
  readonly revision: number
  readonly time: number
}

/** Where a file of a store goes. */
export function storeFilePath(folder: string, kind: 'log' | 'sorted', number: number): string {
  return `${folder}/${kind === 'log' ? 'log-00' : shardName}/${segmentFileName(number, kind)}`
}

/** Turns the files in a folder into a store. Errors: `engine.corrupt`, and what the disk throws. */
export async function restoreStore(path: string, options: RestoreStoreOptions): Promise<RestoredState> {
  const { disk, clock, randomUint32, contents, revisionNext } = options
  const storeId = Array.from({ length: 4 }, () => randomUint32().toString(16).padStart(8, '0')).join('')
  const logDirectory = `${path}/log-00`
  const shardDirectory = `${path}/${shardName}`
  const end = await cutLog(logDirectory, options)
  assert(revisionNext > end.revision, 'a restored store goes on above what it was restored to')
  const numbers = [...end.numbers, ...contents.sorted.map(({ number }) => number)]
  for (const number of end.numbers) await giveHeader(disk, storeFilePath(path, 'log', number), storeId)
  for (const { number } of contents.sorted) await giveHeader(disk, storeFilePath(path, 'sorted', number), storeId)
  const number = Math.max(contents.logStart - 1, ...numbers) + 1
  const header: SegmentHeader = { kind: 'log', number, seed: randomUint32(), createdAt: clock.now(), storeId }
  const first = firstBatch(header, {
    position: end.position + 1,
    revision: revisionNext,
    time: Math.max(end.time, clock.now()),
  })
  await writeFile(disk, storeFilePath(path, 'log', number), first)
  await disk.syncDirectory(logDirectory)
  await stageContents(disk, shardDirectory, storeId, {
    generation: contents.generation + 1,
    oldestRevision: revisionNext,
    logStart: contents.logStart,
    base: contents.base,
    sorted: contents.sorted,
  })
  await commitContents(disk, shardDirectory)
  await writeManifest(disk, path, { format: formatVersion, storeId, createdAt: clock.now(), shards: 1 })
  return { storeId, position: end.position, revision: end.revision, time: end.time }
}

interface LogEnd extends LogBase {
  /** Segments that are kept. */
  readonly numbers: readonly number[]
}

/** Cuts the log behind the last batch that is wanted, checking every batch before it. */
async function cutLog(directory: string, options: RestoreStoreOptions): Promise<LogEnd> {
  const { disk, storeId, contents, clock } = options
  const { revisionMax = Number.POSITIVE_INFINITY, timeMax = Number.POSITIVE_INFINITY } = options
  const numbers: number[] = []
  let { position, revision, time } = contents.base
  let isOver = false
  const head = newBatchHead()
  for (const name of disk.list(directory)) {
    const number = segmentNumberOf(name)
    if (number === undefined) continue
    const path = `${directory}/${name}`
    if (isOver) {
      disk.remove(path)
      continue
    }
    const corrupt = (offset: number, problem: string): Error => engineErrors.corrupt({ file: path, offset, problem })
    const { bytes, size } = readWhole(disk, path)
    const words = new Uint32Array(bytes.buffer)
    const header = decodeHeader(path, bytes, size)
    if ('problem' in header) throw corrupt(0, header.problem)
    if (header.storeId !== storeId || header.number !== number)
      throw corrupt(0, 'it is not the segment that was copied')
    let at = segmentHeaderBytes
    while (!isOver && readBatchHead(bytes, words, header.seed, at, size, head)) {
      if (head.position !== position + 1) {
        throw corrupt(at, `position ${head.position} follows position ${position}`)
      }
      isOver = head.revision > revisionMax || head.time > timeMax
      if (isOver) break
      position = head.position
      revision = head.revision
      time = head.time
      at += head.batchBytes
    }
    if (!isOver && skipZeros(words, at, size & ~3) < (size & ~3)) throw corrupt(at, 'damaged from here on')
    numbers.push(number)
    if (at < size) {
      const file = disk.open(path, 'write')
      try {
        file.truncate(at)
      } finally {
        file.close()
      }
    }
    await clock.turn()
  }
  return { numbers, position, revision, time }
}

/** Writes a file's header anew, with the id of another store; it is durable then, with all of the file. */
async function giveHeader(disk: Disk, path: string, storeId: string): Promise<void> {
  const file = disk.open(path, 'write')
  try {
    const image = new Uint8Array(segmentHeaderBytes)
    const header = decodeHeader(path, image, file.read(image, 0, segmentHeaderBytes, 0))
    if ('problem' in header) throw engineErrors.corrupt({ file: path, offset: 0, problem: header.problem })
    encodeHeader(image, { ...header, storeId })
    file.write(image, 0, segmentHeaderBytes, 0)
    await file.sync()
  } finally {
    file.close()
  }
}

/** A log segment with one batch of no records. */
function firstBatch(header: SegmentHeader, { position, revision, time }: LogBase): Uint8Array {
  const bytes = new Uint8Array(segmentHeaderBytes + batchHeaderBytes)
  const words = new Uint32Array(bytes.buffer)
  encodeHeader(bytes, header)
  const word = segmentHeaderBytes >>> 2
  words[word + batchHeader.magic / 4] = batchMagic
  words[word + batchHeader.batchBytes / 4] = batchHeaderBytes
  writeUint64(words, word + batchHeader.position / 4, position)
  writeUint64(words, word + batchHeader.revision / 4, revision)
  writeUint64(words, word + batchHeader.time / 4, time)
  const from = segmentHeaderBytes + batchHeader.batchBytes
  words[word + batchHeader.checksum / 4] = crc32c(header.seed, bytes, from, bytes.length)
  return bytes
}

async function writeFile(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = disk.open(path, 'create')
  try {
    file.write(bytes, 0, bytes.length, 0)
    await file.sync()
  } finally {
    file.close()
  }
}
