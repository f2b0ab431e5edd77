/** Commands on the bits of strings. Bit 0 is the highest of the first byte. */

import { copyValue } from '@orbitkv/engine'
import { latin1 } from '../protocol/text.ts'
import { fromEnd } from './collections.ts'
import { type Call, CommandError, lookUpString, readString, syntaxError } from './command.ts'
import { eitherAt, numberAt } from './options.ts'
import { assertValueFits, deleteKey, writeOne } from './writes.ts'

export const badOffset = 'ERR bit offset is not an integer or out of range'
/** As in Redis: bits of 512 MiB. Our values are smaller, and then that limit is named. */
const bitOffsetEnd = 2 ** 32

export function bitOffsetAt(call: Call, place: number): number {
  const offset = numberAt(call, place, badOffset)
  if (offset < 0 || offset >= bitOffsetEnd) throw new CommandError(badOffset)
  return offset
}

export function setbit(call: Call): void {
  const offset = bitOffsetAt(call, 2)
  const problem = 'ERR bit is not an integer or out of range'
  const bit = numberAt(call, 3, problem)
  if (bit !== 0 && bit !== 1) throw new CommandError(problem)
  const record = lookUpString(call, 1)
  const expiresAt = record?.expiresAt ?? 0
  const bytes = grown(record === undefined ? noBytes : copyValue(record), Math.floor(offset / 8) + 1)
  const place = Math.floor(offset / 8)
  const mask = 0x80 >> (offset % 8)
  const old = ((bytes[place] as number) & mask) === 0 ? 0 : 1
  const isChanged = old !== bit || bytes.length !== record?.valueBytes
  bytes[place] = bit === 1 ? (bytes[place] as number) | mask : (bytes[place] as number) & ~mask
  if (isChanged) writeOne(call, 1, bytes, 0, bytes.length, expiresAt)
  call.reply.integer(old)
}

const noBytes = new Uint8Array(0)

/** At least so many bytes, zeros added at the end. */
export function grown(bytes: Uint8Array, bytesMin: number): Uint8Array {
  if (bytes.length >= bytesMin) return bytes
  assertValueFits(bytesMin)
  const larger = new Uint8Array(bytesMin)
  larger.set(bytes)
  return larger
}

export function getbit(call: Call): void {
  const offset = bitOffsetAt(call, 2)
  const record = readString(call, 1)
  const place = Math.floor(offset / 8)
  const isWithin = record !== undefined && place < record.valueBytes
  const byte = isWithin ? (record.bytes[record.valueStart + place] as number) : 0
  call.reply.integer((byte >> (7 - (offset % 8))) & 1)
}

/** A range of bits: from `first` to before `end`. */
interface BitSpan {
  readonly first: number
  readonly end: number
}

/** Start and end as commands give them, in bytes or bits, within a value. */
function bitSpan(start: number, stop: number, isBits: boolean, valueBytes: number): BitSpan {
  const length = isBits ? valueBytes * 8 : valueBytes
  const first = Math.max(0, fromEnd(start, length))
  const end = Math.min(length - 1, Math.max(0, fromEnd(stop, length))) + 1
  return isBits ? { first, end } : { first: first * 8, end: end * 8 }
}

export function bitcount(call: Call): void {
  const { arguments: found, reply } = call
  // As in Redis: where there is nothing, the range is not looked at.
  const record = readString(call, 1)
  if (record === undefined) {
    reply.integer(0)
    return
  }
  const isWhole = found.count === 2
  if (!isWhole && found.count !== 4 && found.count !== 5) throw new CommandError(syntaxError)
  const start = isWhole ? 0 : numberAt(call, 2)
  const stop = isWhole ? -1 : numberAt(call, 3)
  if (start < 0 && stop < 0 && start > stop) {
    reply.integer(0)
    return
  }
  const isBits = found.count === 5 && eitherAt(call, 4, 'BIT', 'BYTE')
  const { first, end } = bitSpan(start, stop, isBits, record.valueBytes)
  reply.integer(countBits(record.bytes.subarray(record.valueStart, record.valueStart + record.valueBytes), first, end))
}

function countBits(bytes: Uint8Array, first: number, end: number): number {
  let count = 0
  for (let bit = first; bit < end; ) {
    const isByte = bit % 8 === 0 && end - bit >= 8
    if (isByte) {
      count += bitsOf[bytes[bit >>> 3] as number] as number
      bit += 8
    } else {
      count += bitAt(bytes, bit)
      bit++
    }
  }
  return count
}

const bitsOf = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1
  return count
})

function bitAt(bytes: Uint8Array, bit: number): number {
  return ((bytes[bit >>> 3] as number) >> (7 - (bit & 7))) & 1
}

export function bitpos(call: Call): void {
  const { arguments: found, reply } = call
  const wanted = numberAt(call, 2)
  if (wanted !== 0 && wanted !== 1) throw new CommandError('ERR The bit argument must be 1 or 0.')
  const record = readString(call, 1)
  if (record === undefined) {
    reply.integer(wanted === 1 ? -1 : 0)
    return
  }
  if (found.count > 6) throw new CommandError(syntaxError)
  const start = found.count > 3 ? numberAt(call, 3) : 0
  const isBits = found.count === 6 && eitherAt(call, 5, 'BIT', 'BYTE')
  const hasEnd = found.count > 4
  const stop = hasEnd ? numberAt(call, 4) : -1
  const bytes = record.bytes.subarray(record.valueStart, record.valueStart + record.valueBytes)
  const { first, end } = bitSpan(start, stop, isBits, bytes.length)
  const place = findBit(bytes, wanted, first, end)
  // Behind the value there are zeros, unless the caller has said where to end.
  if (place === undefined && wanted === 0 && !hasEnd && first < end) reply.integer(bytes.length * 8)
  else reply.integer(place ?? -1)
}

function findBit(bytes: Uint8Array, wanted: number, first: number, end: number): number | undefined {
  const skipped = wanted === 1 ? 0 : 0xff
  for (let bit = first; bit < end; ) {
    if (bit % 8 === 0 && bytes[bit >>> 3] === skipped) bit += 8
    else if (bitAt(bytes, bit) === wanted) return bit
    else bit++
  }
  return undefined
}

type Operation = 'AND' | 'OR' | 'XOR' | 'NOT'

export function bitop(call: Call): void {
  const { arguments: found, reply } = call
  const operation = (['AND', 'OR', 'XOR', 'NOT'] as const).find((name) => found.is(1, name))
  if (operation === undefined) throw new CommandError(syntaxError)
  if (operation === 'NOT' && found.count !== 4) {
    throw new CommandError('ERR BITOP NOT must be called with a single source key.')
  }
  const values: Uint8Array[] = []
  for (let place = 3; place < found.count; place++) {
    const record = lookUpString(call, place)
    values.push(record === undefined ? noBytes : copyValue(record))
  }
  const result = combined(operation, values)
  if (result.length > 0) writeOne(call, 2, result, 0, result.length, 0)
  else if (call.owner.get(0, found.bytes, found.start(2), found.end(2)) !== undefined) deleteKey(call, 2)
  reply.integer(result.length)
}

function combined(operation: Operation, values: readonly Uint8Array[]): Uint8Array {
  const length = values.reduce((most, value) => Math.max(most, value.length), 0)
  const result = new Uint8Array(length)
  for (let i = 0; i < length; i++) {
    let byte = values[0]?.[i] ?? 0
    if (operation === 'NOT') byte = ~byte
    for (let v = 1; v < values.length; v++) {
      const other = values[v]?.[i] ?? 0
      if (operation === 'AND') byte &= other
      else if (operation === 'OR') byte |= other
      else byte ^= other
    }
    result[i] = byte
  }
  return result
}

/** Cells that LCS fills at most: it takes the time and memory of the product of both lengths. */
const cellsMax = 16 * 1024 * 1024

interface Match {
  readonly a: readonly [first: number, last: number]
  readonly b: readonly [first: number, last: number]
}

export function lcs(call: Call): void {
  const { arguments: found, reply } = call
  let [wantsLength, wantsMatches, withLengths, lengthMin] = [false, false, false, 0]
  for (let place = 3; place < found.count; place++) {
    if (found.is(place, 'IDX')) wantsMatches = true
    else if (found.is(place, 'LEN')) wantsLength = true
    else if (found.is(place, 'WITHMATCHLEN')) withLengths = true
    else if (found.is(place, 'MINMATCHLEN') && place + 1 < found.count) lengthMin = Math.max(0, numberAt(call, ++place))
    else throw new CommandError(syntaxError)
  }
  if (wantsLength && wantsMatches) {
    throw new CommandError('ERR If you want both the length and indexes, please just use IDX.')
  }
  const [a, b] = [textAt(call, 1), textAt(call, 2)]
  const { text, matches } = longestCommon(a, b)
  if (wantsLength) reply.integer(text.length)
  else if (!wantsMatches) reply.bulk(Buffer.from(text, 'latin1'), 0, text.length)
  else {
    const shown = matches.filter(({ a: [first, last] }) => last - first + 1 >= lengthMin)
    reply.map(2)
    reply.bulkText('matches')
    reply.array(shown.length)
    for (const match of shown) {
      reply.array(withLengths ? 3 : 2)
      for (const [first, last] of [match.a, match.b]) {
        reply.array(2)
        reply.integer(first)
        reply.integer(last)
      }
      if (withLengths) reply.integer(match.a[1] - match.a[0] + 1)
    }
    reply.bulkText('len')
    reply.integer(text.length)
  }
}

function textAt(call: Call, place: number): string {
  const record = call.owner.get(0, call.arguments.bytes, call.arguments.start(place), call.arguments.end(place))
  if (record === undefined) return ''
  if (record.tag !== 0) throw new CommandError('ERR The specified keys must contain string values')
  return latin1(record.bytes, record.valueStart, record.valueStart + record.valueBytes)
}

/** The longest text that both have in this order, and where its runs lie, the last first. */
function longestCommon(a: string, b: string): { readonly text: string; readonly matches: readonly Match[] } {
  const width = b.length + 1
  if ((a.length + 1) * width > cellsMax) {
    throw new CommandError('ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len')
  }
  const lengths = new Uint32Array((a.length + 1) * width)
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const isSame = a.charCodeAt(i - 1) === b.charCodeAt(j - 1)
      const above = lengths[(i - 1) * width + j] as number
      const left = lengths[i * width + j - 1] as number
      lengths[i * width + j] = isSame ? (lengths[(i - 1) * width + j - 1] as number) + 1 : Math.max(above, left)
    }
  }
  let text = ''
  const matches: Match[] = []
  let run: { a: number; b: number; length: number } | undefined
  const endRun = (): void => {
    if (run === undefined) return
    matches.push({ a: [run.a, run.a + run.length - 1], b: [run.b, run.b + run.length - 1] })
    run = undefined
  }
  for (let i = a.length, j = b.length; i > 0 && j > 0; ) {
    if (a[i - 1] === b[j - 1]) {
      text = a[i - 1] + text
      if (run !== undefined && run.a === i && run.b === j) run = { a: i - 1, b: j - 1, length: run.length + 1 }
      else {
        endRun()
        run = { a: i - 1, b: j - 1, length: 1 }
      }
      i--
      j--
    } else if ((lengths[(i - 1) * width + j] as number) > (lengths[i * width + j - 1] as number)) i--
    else j--
  }
  endRun()
  return { text, matches }
}
