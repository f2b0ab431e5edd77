/**
 * Values as they cross the border of the Lua machine: `u8 kind | u32 length or count | content`, little-endian, content of
 * arrays, maps and sets being values; and lists of arguments, `u32 count`, then `u32 length | bytes` for each.
 */

import { copyBytes, encodeText } from '@orbitkv/bytes'
import type { Reply } from '../protocol/reply.ts'

export const valueKinds = {
  null: 0,
  integer: 1,
  bulk: 2,
  array: 3,
  status: 4,
  error: 5,
  /** An error that ended a script, behind a u32 for its line. */
  scriptError: 6,
  boolean: 7,
  double: 8,
  map: 9,
  set: 10,
  bigNumber: 11,
  verbatim: 12,
} as const

const headerBytes = 5
const bytesAtStart = 1024
/** Above this the memory is not kept. */
const keptBytesMax = 1024 * 1024

/** Bytes that grow at their end. */
export class Bytes {
  bytes = new Uint8Array(bytesAtStart)
  length = 0
  #view = new DataView(this.bytes.buffer)

  clear(): void {
    this.length = 0
    if (this.bytes.length > keptBytesMax) this.#replace(new Uint8Array(bytesAtStart))
  }

  header(kind: number, length: number): void {
    this.#reserve(headerBytes)
    this.bytes[this.length] = kind
    this.#view.setUint32(this.length + 1, length, true)
    this.length += headerBytes
  }

  unsigned(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.length, value, true)
    this.length += 4
  }

  integer(value: bigint): void {
    this.#reserve(8)
    this.#view.setBigInt64(this.length, value, true)
    this.length += 8
  }

  double(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.length, value, true)
    this.length += 8
  }

  copy(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.#reserve(end - start)
    copyBytes(this.bytes, this.length, bytes, start, end)
    this.length += end - start
  }

  #reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    larger.set(this.bytes.subarray(0, this.length))
    this.#replace(larger)
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}

/** Reads values one behind the other. */
export class ValueReader {
  readonly #memory: Uint8Array
  readonly #view: DataView
  readonly #end: number
  #at: number
  /** Whether booleans are what they are: otherwise true is 1 and false is null, as in Lua scripts since ever. */
  hasBooleans = false

  constructor(memory: Uint8Array, start: number, end: number) {
    this.#memory = memory
    this.#view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength)
    this.#at = start
    this.#end = end
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end
  }

  /** The kind of the next value and its length or count; what follows is its content. */
  header(): { kind: number; length: number } {
    const kind = this.#memory[this.#at] as number
    const length = this.#view.getUint32(this.#at + 1, true)
    this.#at += headerBytes
    return { kind, length }
  }

  integer(): bigint {
    const value = this.#view.getBigInt64(this.#at, true)
    this.#at += 8
    return value
  }

  text(length: number): string {
    const text = Buffer.from(this.#memory.buffer, this.#memory.byteOffset + this.#at, length).toString()
    this.#at += length
    return text
  }

  skip(bytes: number): void {
    this.#at += bytes
  }

  reply(reply: Reply): void {
    const { kind, length } = this.header()
    const start = this.#at
    switch (kind) {
      case valueKinds.null:
        reply.null()
        return
      case valueKinds.integer:
        reply.integer(this.integer())
        return
      case valueKinds.bulk:
        reply.bulk(this.#memory, start, start + length)
        break
      case valueKinds.status:
        status(reply, this.#memory, start, start + length)
        break
      case valueKinds.error:
        reply.error(this.text(length))
        return
      case valueKinds.boolean:
        this.#boolean(reply, this.#memory[start] !== 0)
        break
      case valueKinds.double:
        reply.double(this.#view.getFloat64(start, true))
        break
      case valueKinds.bigNumber:
        reply.bigNumber(this.text(length))
        return
      case valueKinds.verbatim:
        this.#verbatim(reply, start, length)
        break
      default:
        this.#group(reply, kind, length)
        return
    }
    this.#at = start + (kind === valueKinds.double ? 8 : length)
  }

  #boolean(reply: Reply, value: boolean): void {
    if (this.hasBooleans) reply.boolean(value)
    else if (value) reply.integer(1)
    else reply.null()
  }

  #group(reply: Reply, kind: number, count: number): void {
    if (kind === valueKinds.map) reply.map(count)
    else if (kind === valueKinds.set) reply.set(count)
    else reply.array(count)
    for (let left = kind === valueKinds.map ? count * 2 : count; left > 0; left--) this.reply(reply)
  }

  /** `u32 length | format`, then the text. */
  #verbatim(reply: Reply, start: number, length: number): void {
    const format = start + 4
    const text = format + this.#view.getUint32(start, true)
    if (!reply.isVersion3) {
      reply.bulk(this.#memory, text, start + length)
      return
    }
    reply.raw(encodeText(`=${length - 4 + 1}\r\n`))
    reply.raw(this.#memory.slice(format, text))
    reply.raw(encodeText(':'))
    reply.raw(this.#memory.slice(text, start + length))
    reply.raw(encodeText('\r\n'))
  }
}

/** A status of any bytes; line ends in it become blanks. */
function status(reply: Reply, bytes: Uint8Array, start: number, end: number): void {
  reply.raw(encodeText('+'))
  reply.raw(bytes.slice(start, end).map((byte) => (byte === 0x0d || byte === 0x0a ? 0x20 : byte)))
  reply.raw(encodeText('\r\n'))
}
