/**
 * The bytes of a file that are being parsed: blocks go in at the end, records come off at the start.
 *
 * Holds at most one record (`recordBytesMax`) and one block. Offsets are absolute in the file; `consume` may hash what
 * goes by, so that a later run can tell whether the file is still the same.
 */

import { createHash, type Hash } from 'node:crypto'
import { assert, MiB } from '@orbitkv/base'

/** A longer record is refused: a quote that is never closed would otherwise take the rest of the file into memory. */
export const recordBytesMax = 32 * MiB

export class Window {
  /** What is read and not yet consumed is `bytes[start, end)`. */
  bytes: Buffer = Buffer.allocUnsafe(0)
  start = 0
  end = 0
  /** No block will follow. */
  final = false
  #offset: number
  readonly #hash: Hash
  #hashedTo: number

  /** `offset` is where in the file the first block begins, `hash` that of all before it. */
  constructor(offset = 0, hash: Hash = createHash('sha256')) {
    this.#offset = offset
    this.#hash = hash
    this.#hashedTo = offset
  }

  /** The place in the file of `start`. */
  get offset(): number {
    return this.#offset
  }

  add(block: Uint8Array): void {
    assert(!this.final, 'no block follows the last one')
    this.#hashTo(this.#offset)
    const kept = this.end - this.start
    const joined =
      kept === 0
        ? Buffer.from(block.buffer, block.byteOffset, block.byteLength)
        : Buffer.concat([this.bytes.subarray(this.start, this.end), block])
    this.bytes = joined
    this.start = 0
    this.end = kept + block.byteLength
  }

  /** Moves the start to `to`, an index in `bytes`. */
  consume(to: number): void {
    assert(to >= this.start && to <= this.end, 'only what was read is consumed')
    this.#offset += to - this.start
    this.start = to
  }

  /** The hash (sha256) of the file up to `offset`: what is consumed, or a little less (nothing was added since). */
  digest(offset: number): string {
    this.#hashTo(offset)
    return this.#hash.copy().digest('hex')
  }

  #hashTo(offset: number): void {
    assert(offset >= this.#hashedTo && offset <= this.#offset, 'what is hashed is consumed and was not hashed before')
    const indexOf = (place: number) => this.start - (this.#offset - place)
    this.#hash.update(this.bytes.subarray(indexOf(this.#hashedTo), indexOf(offset)))
    this.#hashedTo = offset
  }
}

/** A record as its parser hands it out, or what is wrong with one that is passed over. */
export type Parsed<Record> = { readonly record: Record; readonly line: number; readonly raw: Uint8Array } | Problem

export interface Problem {
  readonly problem: string
  readonly line: number
  /** Characters from 1 on. */
  readonly column: number
  /** The bytes that were passed over; valid until the next block. */
  readonly raw: Uint8Array
}

export function isProblem<Record>(parsed: Parsed<Record>): parsed is Problem {
  return 'problem' in parsed
}

/** Takes records off a window. */
export interface Parser<Record> {
  /** The line that the next record begins on. */
  readonly line: number
  /** The next record or problem; undefined where the window must have more bytes first, or is final and empty. */
  next(window: Window): Parsed<Record> | undefined
}

/** Byte order marks at the start of a file: skips that of UTF-8; true for those of UTF-16. */
export function skipByteOrderMark(window: Window): boolean {
  const [first, second, third] = window.bytes.subarray(window.start, window.end)
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true
  if (first === 0xef && second === 0xbb && third === 0xbf) window.consume(window.start + 3)
  return false
}
