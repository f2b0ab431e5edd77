/**
 * One segment: a file, and its bytes in memory.
 *
 * A log segment is written batch by batch while it is the active one; a sorted segment is written whole (sorted-segment.ts).
 * The active segment is encoded into an anonymous image of its whole capacity and written from there, so the bytes that
 * readers see never depend on when a write reaches the page cache, and a stray write of a caller never reaches the file.
 * A sealed segment is read through a private mapping of its file. Either way `bytes` and `words` are one buffer.
 */

import { assert } from '@orbitkv/base'
import { crc32c, readUint64, writeUint64 } from '@orbitkv/bytes'
import { engineErrors } from '@orbitkv/engine'
import type { Disk, DiskFile, MapAdvice, Mapping } from '@orbitkv/runtime'
import {
  formatVersion,
  type SegmentKind,
  segmentHeader,
  segmentHeaderBytes,
  segmentKind,
  segmentMagic,
} from './format.ts'

export interface SegmentHeader {
  readonly kind: SegmentKind
  readonly number: number
  readonly seed: number
  readonly createdAt: number
  readonly storeId: string
}

export class Segment {
  readonly kind: SegmentKind
  readonly number: number
  readonly seed: number
  readonly file: DiskFile
  bytes: Uint8Array
  words: Uint32Array
  /** One past the last byte of its last batch, or record. */
  end: number
  /** No record of it has a higher revision; known once nothing is added to it any more. */
  maxRevision = 0
  /** Of a sorted segment: no record has a lower one. */
  minRevision = 0
  /** The last batch of a log segment; zeros where it has none. */
  readonly lastBatch = { position: 0, revision: 0, time: 0 }
  /** When all its bytes were last known to be right, milliseconds since 1970; 0 for the time at which it is asked for (scrub.ts). */
  checkedAt = 0
  /** Up to here the file holds what `bytes` holds. */
  writtenEnd: number
  /** Up to here the file's blocks exist; zeros between `writtenEnd` and here. */
  zeroedEnd: number
  /** Up to here the file is durable. */
  durableEnd: number
  mapping: Mapping | undefined

  constructor(header: SegmentHeader, file: DiskFile, image: Uint8Array, end: number) {
    assert(image.byteOffset === 0 && image.buffer.byteLength % 8 === 0, 'an image is a whole buffer of 8-byte words')
    this.kind = header.kind
    this.number = header.number
    this.seed = header.seed
    this.file = file
    this.bytes = image
    this.words = new Uint32Array(image.buffer)
    this.end = end
    this.writtenEnd = end
    this.zeroedEnd = end
    this.durableEnd = 0
  }

  get capacity(): number {
    return this.bytes.length
  }

  /** Replaces the image by a mapping of the file, which is no longer written. */
  mapFile(advice: MapAdvice): void {
    assert(this.writtenEnd === this.end, 'a segment is written before it is mapped')
    const mapping = this.file.map(0, this.end)
    mapping.advise(advice)
    this.mapping = mapping
    this.bytes = mapping.bytes
    this.words = new Uint32Array(mapping.bytes.buffer, 0, mapping.bytes.length >>> 2)
  }

  close(): void {
    this.mapping?.release()
    this.file.close()
  }
}

/** Makes a new segment file with its header, on an image that may hold an earlier segment's bytes; the name is durable once the folder is synced. */
export function createSegment(
  disk: Disk,
  path: string,
  options: SegmentHeader & { readonly image: Uint8Array },
): Segment {
  const file = disk.open(path, 'create')
  try {
    const { image } = options
    encodeHeader(image, options)
    file.write(image, 0, segmentHeaderBytes, 0)
    return new Segment(options, file, image, segmentHeaderBytes)
  } catch (error) {
    file.close()
    disk.remove(path)
    throw error
  }
}

/** Writes a segment's header to the start of an image. */
export function encodeHeader(image: Uint8Array, header: SegmentHeader): void {
  const words = new Uint32Array(image.buffer, 0, segmentHeaderBytes / 4)
  for (let i = 0; i < segmentMagic.length; i++) image[segmentHeader.magic + i] = segmentMagic.charCodeAt(i)
  image[segmentHeader.version] = formatVersion
  image[segmentHeader.kind] = segmentKind[header.kind]
  words[segmentHeader.number / 4] = header.number
  words[segmentHeader.seed / 4] = header.seed
  writeUint64(words, segmentHeader.createdAt / 4, header.createdAt)
  for (let i = 0; i < 16; i++) {
    image[segmentHeader.storeId + i] = Number.parseInt(header.storeId.slice(2 * i, 2 * i + 2), 16)
  }
  words[segmentHeader.checksum / 4] = crc32c(0, image, 0, segmentHeader.checksum)
}

/**
 * Reads a segment's header, or says what is wrong with it. Throws `engine.newer_format` for a version that is sound
 * and newer than this one.
 */
export function decodeHeader(path: string, image: Uint8Array, bytes: number): SegmentHeader | { problem: string } {
  if (bytes < segmentHeaderBytes) return { problem: `it ends within the header, after ${bytes} bytes` }
  const words = new Uint32Array(image.buffer, 0, segmentHeaderBytes / 4)
  for (let i = 0; i < segmentMagic.length; i++) {
    if (image[segmentHeader.magic + i] !== segmentMagic.charCodeAt(i))
      return { problem: 'it does not begin as a segment' }
  }
  if (words[segmentHeader.checksum / 4] !== crc32c(0, image, 0, segmentHeader.checksum)) {
    return { problem: 'the checksum of its header does not match' }
  }
  const version = (image[segmentHeader.version] as number) | ((image[segmentHeader.version + 1] as number) << 8)
  if (version > formatVersion) throw engineErrors.newer_format({ path, found: version, known: formatVersion })
  if (version !== formatVersion) return { problem: `its format version is ${version}` }
  const kind = image[segmentHeader.kind] as number
  if (kind !== segmentKind.log && kind !== segmentKind.sorted) return { problem: `it is of kind ${kind}` }
  let storeId = ''
  for (let i = 0; i < 16; i++) storeId += (image[segmentHeader.storeId + i] as number).toString(16).padStart(2, '0')
  return {
    kind: kind === segmentKind.log ? 'log' : 'sorted',
    number: words[segmentHeader.number / 4] as number,
    seed: words[segmentHeader.seed / 4] as number,
    createdAt: readUint64(words, segmentHeader.createdAt / 4),
    storeId,
  }
}
