/**
 * The checksums that an object carries: the CRC-32C of each MiB of it, so that a part can be checked without the rest.
 * They are made from the bytes that the writer has and checked on the bytes that the reader gets; what a service, a
 * proxy or a disk does to them in between shows.
 */

import { MiB } from '@orbitkv/base'
import { crc32c } from '@orbitkv/bytes'
import type { Clock } from '@orbitkv/runtime'

export const blockBytes = 1 * MiB
/** So that the checksums fit what S3 takes as metadata, 2 KB. */
export const objectBytesMax = 256 * MiB
/** Between two turns of the event loop. */
const blocksPerTurn = 4

export function blockCount(bytes: number): number {
  return Math.ceil(bytes / blockBytes)
}

export async function makeChecksums(body: Uint8Array, clock: Clock): Promise<Uint32Array> {
  const checksums = new Uint32Array(blockCount(body.length))
  for (let block = 0; block < checksums.length; block++) {
    if (block > 0 && block % blocksPerTurn === 0) await clock.turn()
    checksums[block] = crc32c(0, body, block * blockBytes, Math.min(body.length, (block + 1) * blockBytes))
  }
  return checksums
}

/** Where in the object the first wrong block of `bytes` begins; undefined where all are right. `bytes` begins with block `first`. */
export async function findDamage(
  bytes: Uint8Array,
  first: number,
  checksums: Uint32Array,
  clock: Clock,
): Promise<number | undefined> {
  for (let i = 0; i < blockCount(bytes.length); i++) {
    if (i > 0 && i % blocksPerTurn === 0) await clock.turn()
    const end = Math.min(bytes.length, (i + 1) * blockBytes)
    if (crc32c(0, bytes, i * blockBytes, end) !== checksums[first + i]) return (first + i) * blockBytes
  }
  return undefined
}

/** Little-endian and base64: for where only text can be kept. */
export function checksumsToText(checksums: Uint32Array): string {
  const bytes = new Uint8Array(checksums.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [i, checksum] of checksums.entries()) view.setUint32(4 * i, checksum, true)
  return Buffer.from(bytes).toString('base64')
}

/** Undefined where the text is none of ours. */
export function checksumsFromText(text: string, bytes: number): Uint32Array | undefined {
  const raw = Buffer.from(text, 'base64')
  if (raw.length !== 4 * blockCount(bytes)) return undefined
  return Uint32Array.from({ length: raw.length / 4 }, (_, i) => raw.readUInt32LE(4 * i))
}
