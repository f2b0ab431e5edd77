/**
 * Format v1 of segments: where every byte stands. Spec: docs/formats/log-v1.md, docs/formats/sorted-v1.md
 *
 * A log segment is a header and then batches without a gap; a batch is a header and then records. Zeros follow the last one.
 * A sorted segment is a header, then records without a gap, then a footer. Everything begins at a multiple of 8, numbers
 * are little-endian, and u64 means a whole number below 2^53.
 *
 * Every checksum of a segment is a CRC-32C that starts from the segment's random seed, so that bytes which another file
 * left in a recycled block are never taken for ours.
 */

import { MiB } from '@orbitkv/base'
import { layout, raw, u8, u16, u32, u64 } from '@orbitkv/bytes'

export const formatVersion = 1

export const segmentMagic = 'ORBITSEG'
export const segmentKind = { log: 1, sorted: 2 } as const

export const segmentHeaderBytes = 64
/** These 64 bytes keep their shape in every version, so that a newer one is recognised and not taken for damage. */
export const segmentHeader = layout('segment header', segmentHeaderBytes, {
  magic: raw(0, 8),
  version: u16(8),
  kind: u16(10),
  /** 1, 2, 3 …: the order of the segments, and their names. */
  number: u32(12),
  seed: u32(16),
  zero: u32(20),
  /** Milliseconds since 1970. */
  createdAt: u64(24),
  storeId: raw(32, 16),
  zeros: raw(48, 12),
  /** CRC-32C of bytes 0 to 60, from seed 0. */
  checksum: u32(60),
})

/** `OBt1` in the order of the file: where a batch may begin. */
export const batchMagic = 0x3174424f

export const batchHeaderBytes = 64
export const batchHeader = layout('batch header', batchHeaderBytes, {
  magic: u32(0),
  /** CRC-32C of bytes 8 to the end of the batch. */
  checksum: u32(4),
  /** The whole batch, this header included; a multiple of 8. */
  batchBytes: u32(8),
  recordCount: u32(12),
  position: u64(16),
  revision: u64(24),
  /** Milliseconds since 1970; never less than in the batch before. */
  time: u64(32),
  epoch: u64(40),
  shard: u32(48),
  /**
   * How far the log was durable when this batch was appended: segment number, and bytes in it. A damaged batch below
   * that line was promised, so it is corruption; one above it is what a crash may leave (recovery.ts).
   */
  durableSegment: u32(52),
  durableBytes: u32(56),
  zero: u32(60),
})

/** What every record begins with; optional parts follow in the order of their flags, then key, value, zeros up to 8. */
export const recordHeaderBytes = 24
export const recordHeader = layout('record header', recordHeaderBytes, {
  /** CRC-32C of bytes 4 to the end of the value. */
  checksum: u32(0),
  valueBytes: u32(4),
  keyBytes: u16(8),
  flags: u8(10),
  tag: u8(11),
  keyspace: u32(12),
  revision: u64(16),
})

export const recordFlag = {
  /** The key is gone from this revision on. */
  delete: 1,
  /** The keys from `key` to before `value` are gone; an empty value means to the end of the keyspace. */
  deleteRange: 2,
  /** The key had a record before: 24 bytes of lineage follow. Without it the record created the key. */
  lineage: 4,
  /** 8 bytes of expiry follow: milliseconds since 1970. */
  expiry: 8,
  /** 8 bytes of lease follow. */
  lease: 16,
  /** With `delete`: the reason is expiry. */
  expired: 32,
} as const

/** The flags that this version knows; a record with another one is from a newer version. */
export const knownFlags = 63

export const lineageBytes = 24
/** Offsets within the lineage: createRevision u64, previousRevision u64, version u32, zero u32. */
export const lineage = layout('lineage', lineageBytes, {
  createRevision: u64(0),
  previousRevision: u64(8),
  version: u32(16),
  zero: u32(20),
})

/** Bytes before the key, by flags. */
export const bytesBeforeKey: Uint8Array = Uint8Array.from({ length: 64 }, (_, flags) => {
  let bytes = recordHeaderBytes
  if (flags & recordFlag.lineage) bytes += lineageBytes
  if (flags & recordFlag.expiry) bytes += 8
  if (flags & recordFlag.lease) bytes += 8
  return bytes
})

export const sortedFooterMagic = 'ORBITEND'

export const sortedFooterBytes = 64
/** Behind the last record of a sorted segment: with it the segment is whole. */
export const sortedFooter = layout('sorted footer', sortedFooterBytes, {
  magic: raw(0, 8),
  /** Where the footer begins. */
  recordsEnd: u64(8),
  recordCount: u64(16),
  minRevision: u64(24),
  maxRevision: u64(32),
  zeros: raw(40, 20),
  /** CRC-32C of its bytes 0 to 60. */
  checksum: u32(60),
})

/** A segment's offsets are kept in 8-byte units below 2^29, and no segment is larger than this. */
export const segmentBytesMax = 1024 * MiB

/** The folder of the one shard that there is. */
export const shardName = 'shard-000'

export type SegmentKind = 'log' | 'sorted'

/** Log and sorted segments are numbered together, so that a number names one file. */
export function segmentFileName(number: number, kind: SegmentKind = 'log'): string {
  return `${String(number).padStart(10, '0')}.${kind}`
}

/** The number in the file name of a segment of a kind; undefined for any other name. */
export function segmentNumberOf(fileName: string, kind: SegmentKind = 'log'): number | undefined {
  const match = /^(\d{10})\.(log|sorted)$/.exec(fileName)
  return match === null || match[2] !== kind ? undefined : Number(match[1])
}
