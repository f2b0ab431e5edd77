/**
 * The contents of a shard: which sorted segments count, and from where on the log does. Spec: docs/formats/sorted-v1.md
 *
 * The file is replaced by a rename whenever compaction has made new segments, so a crash leaves the old list or the new
 * one, never a mixture. Files that it does not name, and log segments before its line, are what a crash left behind.
 * A store that was never compacted has none.
 */

import { crc32c, decodeText, encodeText } from '@orbitkv/bytes'
import { engineErrors } from '@orbitkv/engine'
import type { Disk } from '@orbitkv/runtime'
import { formatVersion } from '../log/format.ts'

export interface SortedEntry {
  readonly number: number
  /** Bytes of the file. */
  readonly bytes: number
  readonly records: number
  readonly minRevision: number
  readonly maxRevision: number
}

/** The newest batch that is no longer in the log; all zeros where all are. */
export interface LogBase {
  readonly position: number
  readonly revision: number
  readonly time: number
}

export interface Contents {
  /** Grows by one with each change. */
  readonly generation: number
  /** States below this one are gone. */
  readonly oldestRevision: number
  /** The first log segment that counts. */
  readonly logStart: number
  readonly base: LogBase
  readonly sorted: readonly SortedEntry[]
}

export const noContents: Contents = {
  generation: 0,
  oldestRevision: 0,
  logStart: 1,
  base: { position: 0, revision: 0, time: 0 },
  sorted: [],
}

const fileName = 'contents'
const contentsBytesMax = 64 * 1024 * 1024

/** Writes the next contents beside the present ones: nothing has changed yet. */
export async function stageContents(disk: Disk, directory: string, storeId: string, contents: Contents): Promise<void> {
  const text = encodeText(`${JSON.stringify({ format: formatVersion, storeId, ...contents })}\n`)
  const bytes = new Uint8Array(checkBytes + text.length)
  bytes.set(encodeText(checkLine(text)))
  bytes.set(text, checkBytes)
  const staged = `${directory}/${fileName}.new`
  if (disk.exists(staged)) disk.remove(staged)
  const file = disk.open(staged, 'create')
  try {
    file.write(bytes, 0, bytes.length, 0)
    await file.sync()
  } finally {
    file.close()
  }
}

/** Puts the staged contents in place of the present ones; after a failure nobody knows which of the two the disk has. */
export async function commitContents(disk: Disk, directory: string): Promise<void> {
  disk.rename(`${directory}/${fileName}.new`, `${directory}/${fileName}`)
  await disk.syncDirectory(directory)
}

/** Where the contents of a shard are. */
export function contentsPath(directory: string): string {
  return `${directory}/${fileName}`
}

/** The contents, or those of a store that was never compacted; throws `engine.corrupt` for what is damaged. */
export function readContents(disk: Disk, directory: string, storeId: string): Contents {
  const path = `${directory}/${fileName}`
  if (!disk.exists(path)) return noContents
  const file = disk.open(path, 'read')
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(Math.min(file.size(), contentsBytesMax))
    file.read(bytes, 0, bytes.length, 0)
  } finally {
    file.close()
  }
  const text = bytes.subarray(checkBytes)
  if (decodeText(bytes.subarray(0, checkBytes)) !== checkLine(text)) {
    throw engineErrors.corrupt({ file: path, offset: 0, problem: 'its checksum does not match' })
  }
  const {
    format,
    storeId: owner,
    ...contents
  } = JSON.parse(decodeText(text)) as Contents & {
    format: number
    storeId: string
  }
  if (format > formatVersion) throw engineErrors.newer_format({ path, found: format, known: formatVersion })
  if (owner !== storeId) {
    throw engineErrors.corrupt({ file: path, offset: 0, problem: `it belongs to another store, ${owner}` })
  }
  return contents
}

/** The first line of the file: the CRC-32C of the rest, in eight hexadecimal digits. */
function checkLine(text: Uint8Array): string {
  return `crc32c ${crc32c(0, text, 0, text.length).toString(16).padStart(8, '0')}\n`
}

const checkBytes = 'crc32c 01234567\n'.length
