/**
 * The reply of a command of a script: encoded for the Lua machine as it is made, so that commands need not know.
 *
 * What must hold: it takes the same calls as the replies of clients, in RESP2 unless the script asked for RESP3. One
 * command at a time: `begin`, the command, then `value`.
 */

import { encodeText } from '@orbitkv/bytes'
import { formatDouble } from '../protocol/doubles.ts'
import type { MarkPlace, ProtocolVersion, Reply } from '../protocol/reply.ts'
import { OutputLimitReached } from '../protocol/reply.ts'
import { nilStatus } from './lua-driver.ts'
import { Bytes, valueKinds } from './lua-values.ts'

export class LuaReply implements Reply {
  readonly value = new Bytes()
  isVersion3 = false
  readonly #bytesMax: number
  #marked = 0

  /** A larger reply does not fit the machine, and ends the script. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  begin(): void {
    this.value.clear()
    this.#marked = 0
  }

  useProtocol(version: ProtocolVersion): void {
    this.isVersion3 = version === 3
  }

  mark(): void {
    this.#marked = this.value.length
  }

  markPlace(): MarkPlace {
    return { slices: 0, end: this.#marked }
  }

  restoreMark({ end }: MarkPlace): void {
    this.#marked = end
  }

  rewind(): void {
    this.value.length = this.#marked
  }

  ok(): void {
    this.status('OK')
  }

  status(text: string): void {
    this.#text(valueKinds.status, text)
  }

  error(text: string): void {
    this.#text(valueKinds.error, text.replace(/[\r\n]/g, ' '))
  }

  integer(value: number | bigint): void {
    this.value.header(valueKinds.integer, 8)
    this.value.integer(BigInt(value))
  }

  /** The machine makes false of it. With RESP3 it is nil, unless it is within another value. */
  null(): void {
    if (this.isVersion3 && this.value.length === 0) this.status(nilStatus)
    else this.value.header(valueKinds.null, 0)
  }

  nullArray(): void {
    this.null()
  }

  bulk(bytes: Uint8Array, start: number, end: number): void {
    if (this.value.length + end - start > this.#bytesMax) throw new OutputLimitReached()
    this.value.header(valueKinds.bulk, end - start)
    this.value.copy(bytes, start, end)
  }

  bulkText(text: string): void {
    this.#text(valueKinds.bulk, text)
  }

  bulkInteger(value: number | bigint): void {
    this.bulkText(value.toString())
  }

  verbatim(text: string): void {
    if (!this.isVersion3) {
      this.bulkText(text)
      return
    }
    const bytes = encodeText(text)
    this.value.header(valueKinds.verbatim, 4 + 3 + bytes.length)
    this.value.unsigned(3)
    this.value.copy(encodeText('txt'))
    this.value.copy(bytes)
  }

  double(value: number): void {
    if (!this.isVersion3) {
      this.bulkText(formatDouble(value))
      return
    }
    this.value.header(valueKinds.double, 8)
    this.value.double(value)
  }

  doubleText(text: string): void {
    if (this.isVersion3) this.double(Number(text))
    else this.bulkText(text)
  }

  boolean(value: boolean): void {
    if (!this.isVersion3) {
      this.integer(value ? 1 : 0)
      return
    }
    this.value.header(valueKinds.boolean, 1)
    this.value.copy(Uint8Array.of(value ? 1 : 0))
  }

  bigNumber(text: string): void {
    this.#text(this.isVersion3 ? valueKinds.bigNumber : valueKinds.bulk, text)
  }

  array(count: number): void {
    this.value.header(valueKinds.array, count)
  }

  push(count: number): void {
    this.array(count)
  }

  map(count: number): void {
    if (this.isVersion3) this.value.header(valueKinds.map, count)
    else this.array(count * 2)
  }

  set(count: number): void {
    if (this.isVersion3) this.value.header(valueKinds.set, count)
    else this.array(count)
  }

  /** No command that a script may run replies with bytes of its own. */
  raw(): never {
    throw new TypeError('a reply in raw bytes cannot be given to a script')
  }

  #text(kind: number, text: string): void {
    const bytes = encodeText(text)
    this.value.header(kind, bytes.length)
    this.value.copy(bytes)
  }
}
