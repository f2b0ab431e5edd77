/**
 * The file `durable` beside the segments: how far the log was durable when it was last closed.
 *
 * What it says stays true for ever, so a stale one does no harm: it only makes recovery sure that what is missing below
 * the line is damage and not what a crash left. Sixteen bytes: magic u32, segment u32, bytes u32, CRC-32C of the first
 * twelve. Spec: docs/formats/log-v1.md
 */

import { hasCode } from '@orbitkv/base'
import { crc32c, layout, u32 } from '@orbitkv/bytes'
import type { Disk } from '@orbitkv/runtime'
import type { LogAddress } from './log.ts'

const fileName = 'durable'
/** `OBd1` in the order of the file. */
const magic = 0x3164424f
const lineBytes = 16
const line = layout('durable line', lineBytes, { magic: u32(0), segment: u32(4), bytes: u32(8), checksum: u32(12) })

/** Replaces the line; it is durable once this resolves. On a full disk the old one stays, which is still true. */
export async function writeDurableLine(disk: Disk, directory: string, address: LogAddress): Promise<void> {
  const bytes = new Uint8Array(lineBytes)
  const words = new Uint32Array(bytes.buffer)
  words[line.magic / 4] = magic
  words[line.segment / 4] = address.segment
  words[line.bytes / 4] = address.bytes
  words[line.checksum / 4] = crc32c(0, bytes, 0, line.checksum)
  const path = `${directory}/${fileName}`
  const staged = `${path}.new`
  if (disk.exists(staged)) disk.remove(staged)
  try {
    const file = disk.open(staged, 'create')
    try {
      file.write(bytes, 0, lineBytes, 0)
      await file.sync()
    } finally {
      file.close()
    }
  } catch (error) {
    if (!hasCode(error, 'disk.full')) throw error
    if (disk.exists(staged)) disk.remove(staged)
    return
  }
  disk.rename(staged, path)
  await disk.syncDirectory(directory)
}

/** The line, or the start of the log where there is none that is sound. */
export function readDurableLine(disk: Disk, directory: string): LogAddress {
  const nothing: LogAddress = { segment: 0, bytes: 0 }
  const path = `${directory}/${fileName}`
  if (!disk.exists(path)) return nothing
  const bytes = new Uint8Array(lineBytes)
  const words = new Uint32Array(bytes.buffer)
  const file = disk.open(path, 'read')
  try {
    if (file.read(bytes, 0, lineBytes, 0) !== lineBytes) return nothing
  } finally {
    file.close()
  }
  if (words[line.magic / 4] !== magic || words[line.checksum / 4] !== crc32c(0, bytes, 0, line.checksum)) return nothing
  return { segment: words[line.segment / 4] as number, bytes: words[line.bytes / 4] as number }
}
