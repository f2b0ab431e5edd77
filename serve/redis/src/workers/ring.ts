/**
 * A ring of bytes in shared memory, from one thread to another.
 *
 *   control, 32-bit words: 0 bytes written, 1 bytes read (both modulo 2^32), 2 the reader was rung, 3 the writer waits
 *
 * What must hold: one thread writes and one reads. The counters only grow; their difference is what lies in the ring, so it
 * is at most its size, a power of two. Who sets a flag looks at the counters once more, so that no call is lost: the writer
 * rings unless it knows that the reader was rung and has not looked since; the reader rings back if the writer waits.
 */

import { assert } from '@orbitkv/base'

const writtenAt = 0
const readAt = 1
const rungAt = 2
const waitingAt = 3
const controlBytes = 64

export interface RingMemory {
  readonly buffer: SharedArrayBuffer
}

/** `bytes` is a power of two. */
export function newRing(bytes: number): RingMemory {
  assert(bytes > 0 && (bytes & (bytes - 1)) === 0, 'a ring has a power of two of bytes')
  return { buffer: new SharedArrayBuffer(controlBytes + bytes) }
}

export class RingWriter {
  readonly #control: Int32Array
  readonly #bytes: Uint8Array
  readonly #mask: number
  #written = 0

  constructor({ buffer }: RingMemory) {
    this.#control = new Int32Array(buffer, 0, controlBytes / 4)
    this.#bytes = new Uint8Array(buffer, controlBytes)
    this.#mask = this.#bytes.length - 1
  }

  get capacityBytes(): number {
    return this.#bytes.length
  }

  get freeBytes(): number {
    return this.#bytes.length - ((this.#written - Atomics.load(this.#control, readAt)) >>> 0)
  }

  /** Copies into the ring what the caller knows to fit. The reader sees it after `publish`. */
  write(bytes: Uint8Array, start: number, end: number): void {
    const at = this.#written & this.#mask
    const first = Math.min(end - start, this.#bytes.length - at)
    this.#bytes.set(bytes.subarray(start, start + first), at)
    if (start + first < end) this.#bytes.set(bytes.subarray(start + first, end), 0)
    this.#written = (this.#written + end - start) | 0
  }

  /** Shows the reader what was written; true if it has to be rung. */
  publish(): boolean {
    Atomics.store(this.#control, writtenAt, this.#written)
    return Atomics.exchange(this.#control, rungAt, 1) === 0
  }

  /** The reader is to ring when it has made room; false if there is room for so many bytes by now. */
  awaitRoom(bytes: number): boolean {
    Atomics.store(this.#control, waitingAt, 1)
    return this.freeBytes < bytes
  }
}

export class RingReader {
  readonly #control: Int32Array
  readonly #bytes: Uint8Array
  readonly #mask: number
  #read = 0

  constructor({ buffer }: RingMemory) {
    this.#control = new Int32Array(buffer, 0, controlBytes / 4)
    this.#bytes = new Uint8Array(buffer, controlBytes)
    this.#mask = this.#bytes.length - 1
  }

  /** To be called before looking for bytes: what is written from now on rings again. */
  answer(): void {
    Atomics.store(this.#control, rungAt, 0)
  }

  get availableBytes(): number {
    return (Atomics.load(this.#control, writtenAt) - this.#read) >>> 0
  }

  /** Copies so many bytes, which are there, out of the ring. */
  read(target: Uint8Array, offset: number, bytes: number): void {
    const at = this.#read & this.#mask
    const first = Math.min(bytes, this.#bytes.length - at)
    target.set(this.#bytes.subarray(at, at + first), offset)
    if (first < bytes) target.set(this.#bytes.subarray(0, bytes - first), offset + first)
    this.#read = (this.#read + bytes) | 0
  }

  /** Gives back the room of what was read; true if the writer waits for it and has to be rung. */
  release(): boolean {
    Atomics.store(this.#control, readAt, this.#read)
    return Atomics.exchange(this.#control, waitingAt, 0) === 1
  }
}
