/**
 * Format v1 of checkpoints: where every byte stands. Spec: docs/formats/checkpoint-v1.md
 *
 * A header, then blocks without a gap up to the end of the file. A block is a head and words; the words of all blocks of
 * one kind, joined, are items. Numbers are little-endian, and u64 means a whole number below 2^53.
 *
 * Every checksum of a file is a CRC-32C that starts from the file's random seed and covers the block's place in the order,
 * so that neither another file's blocks nor its own in another place are taken for what they are not.
 */

import { KiB } from '@orbitkv/base'
import { crc32c, layout, raw, u16, u32, u64 } from '@orbitkv/bytes'
import { segmentHeaderBytes } from '../log/format.ts'

/** Another number for every change of what the items mean: a checkpoint of another version is not used. */
export const checkpointVersion = 1

export const checkpointMagic = 'ORBITCKP'

export const checkpointHeaderBytes = 128
/** Written last, over zeros: with it the file is whole. */
export const checkpointHeader = layout('checkpoint header', checkpointHeaderBytes, {
  magic: raw(0, 8),
  version: u16(8),
  zero: raw(10, 2),
  seed: u32(12),
  /** Milliseconds since 1970. */
  createdAt: u64(16),
  /** 1, 2, 3 …: how many checkpoints the store has had. */
  number: u64(24),
  storeId: raw(32, 16),
  /** The generation of the contents whose sorted segments it leads to. */
  generation: u64(48),
  /** States below this one are gone. */
  oldestRevision: u64(56),
  /** The newest batch that is in it. */
  position: u64(64),
  revision: u64(72),
  time: u64(80),
  /** Where that batch ends: what is behind is replayed. */
  tailSegment: u32(88),
  tailBytes: u32(92),
  fileBytes: u64(96),
  blocks: u32(104),
  /** Of the last bytes before the tail (`tailChecksum`): so it is known again for the log that it was made of. */
  tailChecksum: u32(108),
  zeros: raw(112, 12),
  /** CRC-32C of bytes 0 to 124, from seed 0. */
  checksum: u32(124),
})

export const blockHeadBytes = 16
export const blockHead = layout('checkpoint block', blockHeadBytes, {
  /** CRC-32C of the rest of the block. */
  checksum: u32(0),
  kind: u32(4),
  /** Of the words behind the head. */
  words: u32(8),
  /** 0, 1, 2 …: the block's place in the file. */
  ordinal: u32(12),
})

/** No block is larger: writing one is a small part of a slice. */
export const blockBytesMax: number = 256 * KiB

/** What the items of a block are. */
export const blockKind = {
  segments: 1,
  directory: 2,
  pointHash: 3,
  pointWindows: 4,
  pointTables: 5,
  pointEntries: 6,
  spaces: 7,
  leaves: 8,
  notes: 9,
  superseded: 10,
} as const

export type BlockKind = (typeof blockKind)[keyof typeof blockKind]

/** What a checkpoint says of itself. */
export interface CheckpointHead {
  readonly createdAt: number
  readonly number: number
  readonly generation: number
  readonly oldestRevision: number
  readonly position: number
  readonly revision: number
  readonly time: number
  readonly tailSegment: number
  readonly tailBytes: number
  readonly tailChecksum: number
}

/** Covers the newest batches, but for very large ones; their positions and checksums tell the whole log before them apart. */
const tailCheckedBytes = 64 * KiB

/** The checksum of what stands before a tail. */
export function tailChecksum(bytes: Uint8Array, tailBytes: number): number {
  return crc32c(0, bytes, Math.max(segmentHeaderBytes, tailBytes - tailCheckedBytes), tailBytes)
}

const fileName = 'checkpoint'

export function checkpointPath(directory: string): string {
  return `${directory}/${fileName}`
}

/** Where the next one is written before it takes the place of the present one. */
export function stagedCheckpointPath(directory: string): string {
  return `${directory}/${fileName}.new`
}
