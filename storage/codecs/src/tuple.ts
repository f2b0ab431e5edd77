/**
 * Tuples whose bytes sort as they do: element by element, a shorter tuple before those it begins. After the tuple layer of
 * FoundationDB (its `design/tuple.md`): a code for the type, then bytes that sort, text ended by a zero and its own zeros
 * escaped. Our codes differ in two points: all JavaScript numbers sort among one another, whole or not, and no code is
 * zero, so that what follows a tuple's end is never taken for a part of it.
 *
 *   00                      end of a tuple within another
 *   10 | 11 | 12            null, false, true
 *   20, 8 bytes             number (numbers.ts)
 *   30, ~n, n bytes ~       negative bigint, the bits of its absolute value turned over; n at most 255
 *   31, n, n bytes          bigint from 0 on, big-endian
 *   40, bytes, 00           text as UTF-8, each 00 in it as 00 ff
 *   50, bytes, 00           bytes, the same
 *   60, elements, 00        tuple
 *
 * What must hold: codes are above 00 and below ff, so that `[bytes, bytes ff)` are the tuples that begin with a tuple.
 */

import { copyBytes, encodeText } from '@orbitkv/bytes'
import { type Codec, cannotDecode, cannotEncode } from './codec.ts'
import { readFloat, writeFloat } from './numbers.ts'
import { assertWellFormed, textAt } from './text.ts'

export type TupleElement = null | boolean | number | bigint | string | Uint8Array | readonly TupleElement[]

const code = {
  end: 0x00,
  null: 0x10,
  false: 0x11,
  true: 0x12,
  number: 0x20,
  negative: 0x30,
  positive: 0x31,
  text: 0x40,
  bytes: 0x50,
  tuple: 0x60,
} as const

const escape = 0xff
const bigintBytesMax = 255
/** Tuples within tuples: deeper ones are a mistake, such as a circle. */
const depthMax = 64
const expected = 'null, booleans, numbers other than NaN, bigints, text, Uint8Arrays and arrays of these'

let target = new Uint8Array(1024)
let targetView = new DataView(target.buffer)
let targetEnd = 0

/** The elements of a tuple as bytes that sort as it does. */
export function encodeTuple(elements: readonly TupleElement[]): Uint8Array {
  targetEnd = 0
  for (const element of elements) writeElement(element, 1)
  return target.slice(0, targetEnd)
}

/** Tuples of one type, such as `tuple<[country: string, age: number]>()`. */
export function tuple<Elements extends readonly TupleElement[]>(): Codec<Elements> {
  return {
    name: 'tuple',
    encode: encodeTuple,
    decode: (source, offset, length) => decodeTuple(source, offset, length) as unknown as Elements,
    prefixEnd: (prefix) => tuplesEnd(prefix),
  }
}

/** The first bytes that sort after those of every tuple that begins with a tuple's. */
export function tuplesEnd(begin: Uint8Array): Uint8Array {
  const end = new Uint8Array(begin.length + 1)
  end.set(begin)
  end[begin.length] = 0xff
  return end
}

function reserve(bytes: number): void {
  if (targetEnd + bytes <= target.length) return
  const larger = new Uint8Array(2 ** Math.ceil(Math.log2(targetEnd + bytes)))
  larger.set(target)
  target = larger
  targetView = new DataView(larger.buffer)
}

function writeByte(byte: number): void {
  reserve(1)
  target[targetEnd++] = byte
}

function writeElement(element: TupleElement, depth: number): void {
  if (element === null) writeByte(code.null)
  else if (typeof element === 'boolean') writeByte(element ? code.true : code.false)
  else if (typeof element === 'number') writeNumber(element)
  else if (typeof element === 'bigint') writeBigint(element)
  else if (typeof element === 'string') {
    assertWellFormed('tuple', element)
    writeEscaped(code.text, encodeText(element))
  } else if (element instanceof Uint8Array) writeEscaped(code.bytes, element)
  else if (Array.isArray(element)) {
    if (depth === depthMax) throw cannotEncode('tuple', `at most ${depthMax} tuples within one another`, element)
    writeByte(code.tuple)
    for (const inner of element as readonly TupleElement[]) writeElement(inner, depth + 1)
    writeByte(code.end)
  } else throw cannotEncode('tuple', expected, element)
}

function writeNumber(value: number): void {
  if (Number.isNaN(value)) throw cannotEncode('tuple', expected, value)
  writeByte(code.number)
  reserve(8)
  writeFloat(targetView, targetEnd, value)
  targetEnd += 8
}

function writeBigint(value: bigint): void {
  const isNegative = value < 0n
  const digits = value === 0n ? '' : (isNegative ? -value : value).toString(16)
  const bytes = (digits.length + 1) >> 1
  if (bytes > bigintBytesMax) throw cannotEncode('tuple', `bigints of at most ${bigintBytesMax} bytes`, 'a larger one')
  const flip = isNegative ? 0xff : 0
  writeByte(isNegative ? code.negative : code.positive)
  writeByte(bytes ^ flip)
  reserve(bytes)
  const padded = digits.padStart(2 * bytes, '0')
  for (let i = 0; i < bytes; i++) {
    target[targetEnd++] = Number.parseInt(padded.slice(2 * i, 2 * i + 2), 16) ^ flip
  }
}

function writeEscaped(type: number, bytes: Uint8Array): void {
  reserve(2 * bytes.length + 2)
  target[targetEnd++] = type
  for (let from = 0; from < bytes.length; ) {
    const zero = bytes.indexOf(0, from)
    const to = zero < 0 ? bytes.length : zero + 1
    copyBytes(target, targetEnd, bytes, from, to)
    targetEnd += to - from
    if (zero >= 0) target[targetEnd++] = escape
    from = to
  }
  target[targetEnd++] = code.end
}

// ---- reading

/** Where the next element is read. */
let at = 0
let sourceStart = 0
let sourceEnd = 0

/** The elements of a tuple at `source[offset, offset + length)`. */
export function decodeTuple(source: Uint8Array, offset: number, length: number): TupleElement[] {
  at = sourceStart = offset
  sourceEnd = offset + length
  const elements: TupleElement[] = []
  while (at < sourceEnd) elements.push(readElement(source, 1))
  return elements
}

function damaged(problem: string): Error {
  return cannotDecode('tuple', sourceEnd - sourceStart, `${problem} at byte ${at - sourceStart}`)
}

function readElement(source: Uint8Array, depth: number): TupleElement {
  const type = source[at++] as number
  switch (type) {
    case code.null:
      return null
    case code.false:
      return false
    case code.true:
      return true
    case code.number:
      return readNumber(source)
    case code.negative:
      return -readBigint(source, 0xff)
    case code.positive:
      return readBigint(source, 0)
    case code.text: {
      const bytes = readEscaped(source)
      return textAt(bytes, 0, bytes.length)
    }
    case code.bytes:
      return readEscaped(source)
    case code.tuple:
      return readTuple(source, depth)
    default:
      at--
      throw damaged(`no element begins with ${type}`)
  }
}

function readTuple(source: Uint8Array, depth: number): TupleElement[] {
  if (depth === depthMax) throw damaged('too many tuples within one another')
  const elements: TupleElement[] = []
  while (at < sourceEnd) {
    if (source[at] === code.end) {
      at++
      return elements
    }
    elements.push(readElement(source, depth + 1))
  }
  throw damaged('a tuple does not end')
}

const floatScratch = new DataView(new ArrayBuffer(8))

function readNumber(source: Uint8Array): number {
  if (at + 8 > sourceEnd) throw damaged('a number does not end')
  for (let i = 0; i < 8; i++) floatScratch.setUint8(i, source[at + i] as number)
  at += 8
  return readFloat(floatScratch, 0)
}

function readBigint(source: Uint8Array, flip: number): bigint {
  const bytes = (source[at] as number) ^ flip
  const start = at + 1
  if (start + bytes > sourceEnd || start > sourceEnd) throw damaged('a bigint does not end')
  let digits = ''
  for (let i = start; i < start + bytes; i++) digits += ((source[i] as number) ^ flip).toString(16).padStart(2, '0')
  at = start + bytes
  return bytes === 0 ? 0n : BigInt(`0x${digits}`)
}

/** Bytes up to the zero that ends them, as the caller's own. */
function readEscaped(source: Uint8Array): Uint8Array {
  const start = at
  let end = start
  let escaped = 0
  for (;;) {
    end = source.indexOf(code.end, end)
    if (end < 0 || end >= sourceEnd) throw damaged('text or bytes do not end')
    if (end + 1 >= sourceEnd || source[end + 1] !== escape) break
    escaped++
    end += 2
  }
  at = end + 1
  const bytes = source.slice(start, end)
  if (escaped === 0) return bytes
  let to = 0
  for (let from = 0; from < bytes.length; from++) {
    const byte = bytes[from] as number
    bytes[to++] = byte
    if (byte === 0) from++
  }
  return bytes.slice(0, to)
}
