/**
 * Buffers that are used again: for requests that arrive in parts and for replies.
 *
 * What must hold: whoever takes a buffer gives it back once, and not while anything still refers to it.
 */

import { KiB, MiB } from '@orbitkv/base'

/** The size of most: a read, or the replies of a turn, fit. */
export const bufferBytes = 64 * KiB
/** Larger ones than this are left to the garbage collector. */
const keptBytesEach = 1 * MiB
/** All that lie here unused. */
const keptBytesMax = 16 * MiB

/** All buffers together would be more than the server may use: the connection that asks must go. */
export class BuffersExhausted extends Error {
  override readonly name = 'BuffersExhausted'
}

export class BufferPool {
  /** Bytes of the buffers that are in use. */
  takenBytes = 0
  readonly #takenBytesMax: number
  /** Ascending by size. */
  readonly #kept: Uint8Array[] = []
  #keptBytes = 0

  constructor(takenBytesMax: number) {
    this.#takenBytesMax = takenBytesMax
  }

  /** A buffer of at least this many bytes, with whatever it last held. */
  take(bytesMin: number): Uint8Array {
    const buffer = this.#takeKept(bytesMin) ?? new Uint8Array(Math.max(bufferBytes, bytesMin))
    this.takenBytes += buffer.length
    return buffer
  }

  give(buffer: Uint8Array): void {
    this.takenBytes -= buffer.length
    if (buffer.length > keptBytesEach || this.#keptBytes + buffer.length > keptBytesMax) return
    const place = this.#kept.findIndex((kept) => kept.length >= buffer.length)
    this.#kept.splice(place < 0 ? this.#kept.length : place, 0, buffer)
    this.#keptBytes += buffer.length
  }

  #takeKept(bytesMin: number): Uint8Array | undefined {
    if (this.takenBytes + bytesMin > this.#takenBytesMax) throw new BuffersExhausted()
    const place = this.#kept.findIndex((buffer) => buffer.length >= bytesMin)
    const found = this.#kept[place]
    // A small need does not take a large buffer, or large ones would hold little and be missing elsewhere.
    if (found === undefined || found.length > Math.max(bufferBytes, bytesMin * 4)) return undefined
    this.#kept.splice(place, 1)
    this.#keptBytes -= found.length
    return found
  }
}
