/**
 * Encodes replies, RESP2 or RESP3, straight into the chunk that will be sent.
 *
 * One writer serves all connections of a server: `begin` says whose commands follow, `end` closes that part. A command
 * may be taken back (`mark`, `rewind`), so that one that fails half-way leaves its error alone.
 *
 * What must hold: between `begin` and `end` nothing is sent; a reply larger than a connection may hold throws
 * `OutputLimitReached` before it takes the memory.
 */

import { copyBytes, encodeText } from '@orbitkv/bytes'
import type { BufferPool } from './buffers.ts'
import { formatDouble } from './doubles.ts'
import { int64CharsMax, writeAscii, writeInteger } from './numbers.ts'
import { Chunk, type SliceOwner, type SliceSource, Slices } from './output.ts'

export type ProtocolVersion = 2 | 3

export interface ReplyOwner extends SliceOwner {
  protocol: ProtocolVersion
}

/** What `mark` remembers. */
export interface MarkPlace {
  readonly slices: number
  readonly end: number
}

/** The connection must be cut: what it asked for is more than it may have waiting. */
export class OutputLimitReached extends Error {
  override readonly name = 'OutputLimitReached'
}

/** What commands may do with a reply: encode it. */
export type Reply = Omit<ReplyWriter<ReplyOwner>, 'slices' | 'begin' | 'end' | 'copy' | 'place'>

/** A type byte, a length and its line's end; and the line's end after the bytes. */
const headerBytesMax = 1 + int64CharsMax + 2 + 2
const carriageReturn = 0x0d
const lineFeed = 0x0a

/** As they are when something is encoded. */
export interface OutputLimits {
  /** That wait for one owner. */
  readonly outputBytesMax: number
}

/** Error replies: how many, and by their first word. */
export interface ErrorStats {
  errorReplies: number
  readonly errors?: Map<string, number>
}

/** First words that are told apart: a script may make up any. */
const errorNamesMax = 128

function countError(stats: ErrorStats, text: string): void {
  stats.errorReplies++
  const { errors } = stats
  if (errors === undefined) return
  const name = text.split(' ', 1)[0] as string
  const known = errors.get(name)
  if (known !== undefined || errors.size < errorNamesMax) errors.set(name, (known ?? 0) + 1)
}

export class ReplyWriter<Owner extends ReplyOwner> {
  /** Where the parts of this turn are collected; the gate puts a new one here at the end of each. */
  slices = new Slices<Owner>()
  readonly #pool: BufferPool
  readonly #limits: OutputLimits
  readonly #stats: ErrorStats
  #chunk: Chunk
  #bytes: Uint8Array
  #position = 0
  #sliceStart = 0
  #owner: Owner | undefined
  #isVersion3 = false
  #markedSlices = 0
  #markedEnd = 0

  /** Counts the error replies in `stats`. */
  constructor(pool: BufferPool, limits: OutputLimits, stats: ErrorStats) {
    this.#stats = stats
    this.#pool = pool
    this.#limits = limits
    this.#chunk = new Chunk(pool, 0)
    this.#bytes = this.#chunk.bytes
  }

  begin(owner: Owner): void {
    this.#owner = owner
    this.#isVersion3 = owner.protocol === 3
    // Everything before is out: the chunk begins anew, while it is still in the processor's cache.
    if (this.#chunk.slices === 0) this.#position = 0
    this.#sliceStart = this.#position
    this.mark()
  }

  /** After HELLO. */
  useProtocol(version: ProtocolVersion): void {
    this.#isVersion3 = version === 3
  }

  end(): void {
    this.#closeSlice()
    this.#owner = undefined
  }

  /** What was encoded so far stays; what follows may be taken back. */
  mark(): void {
    this.#closeSlice()
    const { slices } = this
    this.#markedSlices = slices.count
    this.#markedEnd = slices.count === 0 ? 0 : (slices.ends[slices.count - 1] as number)
  }

  /** The place of the last `mark`, to return to it after further ones. */
  markPlace(): MarkPlace {
    return { slices: this.#markedSlices, end: this.#markedEnd }
  }

  /** What was encoded after that place may be taken back again. */
  restoreMark({ slices, end }: MarkPlace): void {
    this.#markedSlices = slices
    this.#markedEnd = end
  }

  /** Takes back everything since `mark`. */
  rewind(): void {
    this.#position = this.#sliceStart
    this.slices.cutBack(this.#markedSlices, this.#markedEnd)
  }

  ok(): void {
    this.raw(okReply)
  }

  /** `text` is one line of ASCII. */
  status(text: string): void {
    this.#ensure(text.length + 3)
    this.#bytes[this.#position] = 0x2b
    this.#position = writeAscii(this.#bytes, this.#position + 1, text)
    this.#endLine()
  }

  /** `text` begins with its prefix, such as `ERR`; line ends in it become blanks. */
  error(text: string): void {
    countError(this.#stats, text)
    const line = encodeText(`-${text.replace(/[\r\n]/g, ' ')}`)
    this.raw(line)
    this.#ensure(2)
    this.#endLine()
  }

  integer(value: number | bigint): void {
    this.#header(0x3a, value)
  }

  null(): void {
    this.raw(this.#isVersion3 ? null3Reply : nullBulkReply)
  }

  /** Copies `bytes[start, end)`. */
  bulk(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    // Room for all of it where it fits a chunk, so that a small value is not cut.
    this.#ensure(headerBytesMax + (length <= this.#bytes.length >> 2 ? length : 0))
    this.#bytes[this.#position] = 0x24
    this.#position = writeInteger(this.#bytes, this.#position + 1, length)
    this.#endLine()
    if (length <= this.#bytes.length - this.#position - 2) {
      copyBytes(this.#bytes, this.#position, bytes, start, end)
      this.#position += length
    } else {
      this.#pour(bytes, start, end)
      this.#ensure(2)
    }
    this.#endLine()
  }

  bulkText(text: string): void {
    const bytes = encodeText(text)
    this.bulk(bytes, 0, bytes.length)
  }

  /** An integer in the form of a string. */
  bulkInteger(value: number | bigint): void {
    this.bulkText(value.toString())
  }

  /** Text for people; `txt` in RESP3. */
  verbatim(text: string): void {
    if (!this.#isVersion3) {
      this.bulkText(text)
      return
    }
    const bytes = encodeText(`txt:${text}`)
    this.#header(0x3d, bytes.length)
    this.#pour(bytes, 0, bytes.length)
    this.#ensure(2)
    this.#endLine()
  }

  /** Where an array would be: for a blocked command whose time is over, and the like. */
  nullArray(): void {
    this.raw(this.#isVersion3 ? null3Reply : nullArrayReply)
  }

  /** A number with a fraction; text in RESP2. */
  double(value: number): void {
    this.doubleText(formatDouble(value))
  }

  /** As `double`, with the digits that the command wants. */
  doubleText(text: string): void {
    if (!this.#isVersion3) {
      this.bulkText(text)
      return
    }
    this.#ensure(text.length + 3)
    this.#bytes[this.#position] = 0x2c
    this.#position = writeAscii(this.#bytes, this.#position + 1, text)
    this.#endLine()
  }

  boolean(value: boolean): void {
    if (this.#isVersion3) this.raw(value ? trueReply : falseReply)
    else this.integer(value ? 1 : 0)
  }

  /** An integer of any length, as text; line ends in it become blanks. */
  bigNumber(text: string): void {
    const line = text.replace(/[\r\n]/g, ' ')
    if (this.#isVersion3) this.raw(encodeText(`(${line}\r\n`))
    else this.bulkText(line)
  }

  /** What the client did not ask for with a command: a message. In RESP2 an array. */
  push(count: number): void {
    this.#header(this.#isVersion3 ? 0x3e : 0x2a, count)
  }

  get isVersion3(): boolean {
    return this.#isVersion3
  }

  array(count: number): void {
    this.#header(0x2a, count)
  }

  /** Names and values alternate; in RESP2 an array of twice as many. */
  map(count: number): void {
    if (this.#isVersion3) this.#header(0x25, count)
    else this.#header(0x2a, count * 2)
  }

  set(count: number): void {
    this.#header(this.#isVersion3 ? 0x7e : 0x2a, count)
  }

  /** Bytes that are a reply already. */
  raw(bytes: Uint8Array): void {
    this.copy(bytes, 0, bytes.length)
  }

  /** As `raw`, of `bytes[start, end)`. */
  copy(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > this.#bytes.length - this.#position) {
      this.#pour(bytes, start, end)
      return
    }
    copyBytes(this.#bytes, this.#position, bytes, start, end)
    this.#position += end - start
  }

  /** Keeps a place for a reply that comes from elsewhere. */
  place(source: SliceSource): void {
    this.#closeSlice()
    this.slices.add(this.#owner as Owner, source, 0, 0)
  }

  #header(type: number, value: number | bigint): void {
    this.#ensure(headerBytesMax)
    this.#bytes[this.#position] = type
    this.#position = writeInteger(this.#bytes, this.#position + 1, value)
    this.#endLine()
  }

  #endLine(): void {
    this.#bytes[this.#position] = carriageReturn
    this.#bytes[this.#position + 1] = lineFeed
    this.#position += 2
  }

  /** Copies over as many chunks as it takes. */
  #pour(bytes: Uint8Array, start: number, end: number): void {
    let from = start
    while (from < end) {
      const room = this.#bytes.length - this.#position
      if (room === 0) {
        this.#roll(end - from)
        continue
      }
      const until = Math.min(end, from + room)
      copyBytes(this.#bytes, this.#position, bytes, from, until)
      this.#position += until - from
      from = until
    }
  }

  #ensure(bytes: number): void {
    if (bytes > this.#bytes.length - this.#position) this.#roll(bytes)
  }

  /** Goes on in a new chunk. */
  #roll(bytesMin: number): void {
    const owner = this.#owner as Owner
    const openBytes = this.#position - this.#sliceStart
    if (owner.outputBytes + openBytes + bytesMin > this.#limits.outputBytesMax) throw new OutputLimitReached()
    this.#closeSlice()
    const previous = this.#chunk
    this.#chunk = new Chunk(this.#pool, bytesMin)
    this.#bytes = this.#chunk.bytes
    this.#position = 0
    this.#sliceStart = 0
    previous.isFull = true
    previous.reclaim()
  }

  #closeSlice(): void {
    if (this.#position > this.#sliceStart) {
      this.slices.add(this.#owner as Owner, this.#chunk, this.#sliceStart, this.#position)
    }
    this.#sliceStart = this.#position
  }
}

const trueReply = encodeText('#t\r\n')
const falseReply = encodeText('#f\r\n')
const okReply = encodeText('+OK\r\n')
const nullBulkReply = encodeText('$-1\r\n')
const nullArrayReply = encodeText('*-1\r\n')
const null3Reply = encodeText('_\r\n')
