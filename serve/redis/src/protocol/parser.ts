/**
 * Reads commands out of a stream of bytes: RESP arrays of bulk strings, and inline commands.
 * Spec: https://redis.io/docs/latest/develop/reference/protocol-spec/
 *
 * One for each connection. The commands of a read are parsed in place, without a copy and without making an object;
 * only a frame that is not whole yet is kept, with what is known of it, so that no byte is looked at twice because
 * more arrived. Frames may be cut at any byte.
 *
 * What must hold: between `begin` and `finish` the bytes given to `begin` do not change; nothing kept exceeds the
 * limits; after a protocol error the connection is of no more use, since where the next frame begins is unknown.
 */

import { assert } from '@orbitkv/base'
import { Arguments } from './arguments.ts'
import type { BufferPool } from './buffers.ts'
import { splitWords } from './inline.ts'
import { findKeySpans } from './key-spans.ts'

export interface ParserLimits {
  /** Bytes of one argument. */
  readonly bulkBytesMax: number
  /** Arguments of one command. */
  readonly argumentsMax: number
  /** Bytes of an inline command, or of a line that announces a length. */
  readonly lineBytesMax: number
  /** Bytes of one command in all. */
  readonly frameBytesMax: number
  /** They are those of connections that have not logged in, which the error then says. */
  readonly isForStrangers?: boolean
}

export type ParseResult =
  /** `arguments` holds a command. */
  | 'command'
  /** No whole command is left. */
  | 'more'
  /** `error` says what is wrong with the stream. */
  | 'error'

const star = 0x2a
const dollar = 0x24
const carriageReturn = 0x0d
const lineFeed = 0x0a

/** What a line that announces a length may be; lengths themselves are 0 or more. */
const incompleteLine = -2
const notANumber = -3

export class RequestParser {
  /** The command that `next` found; valid until the next call of `next` or `finish`. */
  arguments: Arguments
  /** What is wrong, as Redis words it, without its prefix. */
  error = ''

  limits: ParserLimits
  readonly #pool: BufferPool
  readonly #shared: Arguments
  #bytes: Uint8Array = new Uint8Array(0)
  #position = 0
  #end = 0
  /** Where the frame that is being parsed begins. */
  #frameStart = 0
  /** Arguments that this frame still lacks; 0 at the start of a frame. */
  #missing = 0
  /** Length of the argument that comes next, or -1 if its length is still to be read. */
  #bulkBytes = -1
  /** The place after the line read last. */
  #lineEnd = 0
  /** What is left of the last read, in a buffer of our own: `held[position, end)` once `finish` has run. */
  #held: Uint8Array | undefined

  /** `shared` serves all connections of a server: it holds the arguments of commands that arrive whole. */
  constructor(limits: ParserLimits, pool: BufferPool, shared: Arguments) {
    this.limits = limits
    this.#pool = pool
    this.#shared = shared
    this.arguments = shared
  }

  /** Bytes kept for a frame that is not whole, or that was not asked for yet. */
  get heldBytes(): number {
    return this.#held === undefined ? 0 : this.#end - this.#frameStart
  }

  /** Takes the next bytes of the stream; without any, goes on with what was left. */
  begin(bytes: Uint8Array, start: number, end: number): void {
    if (this.#held !== undefined) {
      this.#hold(bytes, start, end)
      return
    }
    this.#bytes = bytes
    this.#position = start
    this.#frameStart = start
    this.#end = end
  }

  /** Where the keys of the next commands lie in `bytes`, for a hint to the store; returns how many. */
  peekKeys(spans: Uint32Array): number {
    return this.#missing > 0 ? 0 : findKeySpans(this.#bytes, this.#position, this.#end, spans)
  }

  /** The bytes that are being parsed. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** Finds the next command. */
  next(): ParseResult {
    if (this.#missing === 0) {
      const header = this.#readHeader()
      if (header !== undefined) return header
    }
    return this.#readArguments()
  }

  /** Keeps what was not parsed. Call it when `next` gave `more`, or when no more commands are wanted for now. */
  finish(): void {
    if (this.#missing === 0) this.#frameStart = this.#position
    if (this.#frameStart === this.#end) {
      this.release()
      return
    }
    const shift = this.#frameStart
    if (this.#missing > 0) this.#keepArguments(shift)
    if (this.#held === undefined) {
      this.#held = this.#pool.take(this.#end - shift)
      this.#held.set(this.#bytes.subarray(shift, this.#end))
    } else if (shift > 0) {
      this.#held.copyWithin(0, shift, this.#end)
    }
    this.#bytes = this.#held
    this.#position -= shift
    this.#end -= shift
    this.#frameStart = 0
  }

  /** Gives up all that is kept; the connection is closed, or nothing is left. */
  release(): void {
    if (this.#held !== undefined) this.#pool.give(this.#held)
    this.#held = undefined
    this.#position = 0
    this.#end = 0
    this.#frameStart = 0
    this.#missing = 0
    this.#bulkBytes = -1
    this.arguments = this.#shared
  }

  /** Reads `*<count>` or an inline command; undefined when arguments follow. */
  #readHeader(): ParseResult | undefined {
    for (;;) {
      this.#frameStart = this.#position
      if (this.#position >= this.#end) return 'more'
      if (this.#bytes[this.#position] !== star) {
        const result = this.#readInline()
        if (result !== undefined) return result
        continue
      }
      const count = this.#readLength(this.#position + 1)
      if (count === incompleteLine) return this.#incomplete('too big mbulk count string')
      if (count === notANumber || count > this.limits.argumentsMax) {
        return this.#fail(this.#tooMuch('multibulk length', count !== notANumber))
      }
      this.#position = this.#lineEnd
      // An array of nothing is skipped without a reply.
      if (count <= 0) continue
      this.#missing = count
      this.#bulkBytes = -1
      this.arguments = this.#shared
      this.arguments.count = 0
      return undefined
    }
  }

  #readArguments(): ParseResult {
    const found = this.arguments
    const bytes = this.#bytes
    const end = this.#end
    while (this.#missing > 0) {
      if (this.#bulkBytes < 0) {
        const problem = this.#readBulkLength()
        if (problem !== undefined) return problem
      }
      const start = this.#position
      const valueEnd = start + this.#bulkBytes
      // Two more for the line's end, which is not looked at, as in Redis.
      if (valueEnd + 2 > end) return 'more'
      found.add(start, valueEnd)
      this.#position = valueEnd + 2
      this.#bulkBytes = -1
      this.#missing--
    }
    found.bytes = bytes
    return 'command'
  }

  #readBulkLength(): ParseResult | undefined {
    if (this.#position >= this.#end) return 'more'
    const length = this.#readLength(this.#position + 1)
    if (length === incompleteLine) return this.#incomplete('too big bulk count string')
    const first = this.#bytes[this.#position] as number
    if (first !== dollar) return this.#fail(`expected '$', got '${printable(first)}'`)
    if (length < 0 || length > this.limits.bulkBytesMax) return this.#fail(this.#tooMuch('bulk length', length >= 0))
    if (this.#lineEnd - this.#frameStart + length > this.limits.frameBytesMax) return this.#fail(this.#tooBig())
    this.#position = this.#lineEnd
    this.#bulkBytes = length
    return undefined
  }

  /** A number and the end of its line from `start` on; sets `lineEnd`. May be negative: -1 or below, as text says. */
  #readLength(start: number): number {
    const bytes = this.#bytes
    const end = this.#end
    let position = start
    let value = 0
    // Nine digits cannot overflow, and no limit needs more.
    const digitsEnd = Math.min(end, start + 9)
    while (position < digitsEnd) {
      const digit = (bytes[position] as number) - 0x30
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
      position++
    }
    const hasDigits = position > start
    const hasLeadingZero = position > start + 1 && bytes[start] === 0x30
    if (hasDigits && !hasLeadingZero && position + 1 < end && bytes[position] === carriageReturn) {
      this.#lineEnd = position + 2
      return value
    }
    return this.#readOddLength(start)
  }

  /** The uncommon cases: not whole, negative, not a number, too long. */
  #readOddLength(start: number): number {
    const bytes = this.#bytes
    let lineEnd = start
    while (lineEnd < this.#end && bytes[lineEnd] !== carriageReturn) lineEnd++
    if (lineEnd + 1 >= this.#end) return incompleteLine
    this.#lineEnd = lineEnd + 2
    const text = String.fromCharCode(...bytes.subarray(start, Math.min(lineEnd, start + 24)))
    if (/^-[1-9]\d{0,17}$/.test(text)) return -1
    return /^[1-9]\d{0,17}$/.test(text) ? Number(text) : notANumber
  }

  /** Undefined after an empty line, which is skipped. */
  #readInline(): ParseResult | undefined {
    const bytes = this.#bytes
    const lineFeedAt = bytes.indexOf(lineFeed, this.#position)
    if (lineFeedAt < 0 || lineFeedAt >= this.#end) return this.#incomplete('too big inline request')
    if (lineFeedAt - this.#position > this.limits.lineBytesMax) return this.#fail('too big inline request')
    const hasReturn = lineFeedAt > this.#position && bytes[lineFeedAt - 1] === carriageReturn
    const words = splitWords(bytes, this.#position, hasReturn ? lineFeedAt - 1 : lineFeedAt)
    if (words === undefined) return this.#fail('unbalanced quotes in request')
    this.#position = lineFeedAt + 1
    this.#frameStart = this.#position
    if (words.length === 0) return undefined
    this.arguments = new Arguments()
    this.arguments.bytes = new Uint8Array(words.reduce((sum, word) => sum + word.length, 0))
    let offset = 0
    for (const word of words) {
      this.arguments.bytes.set(word, offset)
      this.arguments.add(offset, offset + word.length)
      offset += word.length
    }
    return 'command'
  }

  /** A line without its end is waited for, unless it is longer than any line may be. */
  #incomplete(problem: string): ParseResult {
    return this.#end - this.#position > this.limits.lineBytesMax ? this.#fail(problem) : 'more'
  }

  #tooMuch(what: string, isNumber: boolean): string {
    return `${isNumber && this.limits.isForStrangers === true ? 'unauthenticated' : 'invalid'} ${what}`
  }

  #fail(problem: string): ParseResult {
    this.error = `Protocol error: ${problem}`
    return 'error'
  }

  #tooBig(): string {
    return `a command of more than ${this.limits.frameBytesMax} bytes`
  }

  /** The arguments of a frame that is not whole move with it, into an object of our own. */
  #keepArguments(shift: number): void {
    const own = this.arguments === this.#shared ? new Arguments() : this.arguments
    own.takeFrom(this.arguments, -shift)
    this.arguments = own
  }

  /** Adds bytes to those held. */
  #hold(bytes: Uint8Array, start: number, end: number): void {
    let held = this.#held as Uint8Array
    const needed = this.#end + end - start
    if (needed > held.length) {
      // Doubling, but no further than the argument that is announced; to announce one takes no memory by itself.
      const announcedEnd = this.#position + this.#bulkBytes + 2
      const doubled = held.length * 2
      const larger = this.#pool.take(
        Math.max(needed, announcedEnd >= needed ? Math.min(doubled, announcedEnd) : doubled),
      )
      larger.set(held.subarray(0, this.#end))
      this.#pool.give(held)
      held = larger
      this.#held = held
    }
    assert(held.length >= needed, 'held bytes fit their buffer')
    held.set(bytes.subarray(start, end), this.#end)
    this.#end = needed
    this.#bytes = held
  }
}

function printable(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?'
}
