/**
 * The record of a collection's own key: what it is, under which generation its elements lie, and how many there are.
 * Its type is the record's tag. It is written anew with every change of the collection, so that the revision of the key
 * tells when the collection changed.
 *
 *   0 u8 format, 1 | 1 u8 flags | 8 u64 generation | 16 u64 length | 24 u64 head | 32 u64 tail      (little-endian)
 *
 * `head` and `tail` are the positions of the first and last item of a list. A stream has what stream.ts says from 24 on; other
 * types end there.
 */

import { assert } from '@orbitkv/base'
import { readUint64, writeUint64 } from '@orbitkv/bytes'
import { engineErrors, type RecordView } from '@orbitkv/engine'

const headerFormat = 1
export const headerBytesShort = 24
/** Of a list. */
export const headerBytesList = 40
/** What a stream adds. */
export const streamStateBytes = 56
export const headerBytesMax = headerBytesShort + streamStateBytes

const noState = new Uint8Array(0)

export interface Header {
  flags: number
  generation: number
  length: number
  head: number
  tail: number
  /** Of a stream; empty for all other types. */
  state: Uint8Array
}

const words = new Uint32Array(headerBytesMax / 4)
const bytes = new Uint8Array(words.buffer)

export function readHeader(record: RecordView, header: Header): void {
  const { valueStart, valueBytes } = record
  if (valueBytes < headerBytesShort || valueBytes > headerBytesMax || record.bytes[valueStart] !== headerFormat) {
    throw engineErrors.corrupt({ file: 'a collection', offset: valueStart, problem: 'its header is none that we know' })
  }
  bytes.fill(0)
  bytes.set(record.bytes.subarray(valueStart, valueStart + valueBytes))
  header.flags = bytes[1] as number
  header.generation = readUint64(words, 2)
  header.length = readUint64(words, 4)
  const isStream = valueBytes === headerBytesMax
  header.head = isStream ? 0 : readUint64(words, 6)
  header.tail = isStream ? 0 : readUint64(words, 8)
  header.state = isStream ? bytes.slice(headerBytesShort) : noState
}

/** The bytes of a header, valid until the next call. */
export function writeHeader({ flags, generation, length, head, tail, state }: Header): Uint8Array {
  assert(length > 0 || state.length > 0, 'an empty collection has no key, unless it is a stream')
  bytes.fill(0)
  bytes[0] = headerFormat
  bytes[1] = flags
  writeUint64(words, 2, generation)
  writeUint64(words, 4, length)
  writeUint64(words, 6, head)
  writeUint64(words, 8, tail)
  if (state.length > 0) bytes.set(state, headerBytesShort)
  return bytes
}
