/**
 * Numbers of a fixed size whose bytes sort as they do: big-endian, the sign bit turned over for signed ones; for floats, all
 * bits of the negative ones.
 */

import { type Codec, cannotDecode, cannotEncode } from './codec.ts'

/** One number at a time is written or read here. */
const scratch = new DataView(new ArrayBuffer(8))
const scratchBytes = new Uint8Array(scratch.buffer)

interface Numbers<Value> {
  readonly name: string
  readonly bytes: number
  readonly expected: string
  readonly isTaken: (value: unknown) => boolean
  readonly write: (value: Value) => void
  readonly read: () => Value
}

function numbers<Value>({ name, bytes, expected, isTaken, write, read }: Numbers<Value>): Codec<Value> {
  return {
    name,
    encode(value) {
      if (!isTaken(value)) throw cannotEncode(name, expected, value)
      write(value)
      return scratchBytes.slice(0, bytes)
    },
    decode(source, offset, length) {
      if (length !== bytes) throw cannotDecode(name, length, `it has ${bytes}`)
      for (let i = 0; i < bytes; i++) scratchBytes[i] = source[offset + i] as number
      return read()
    },
  }
}

/** Whole numbers from 0 to 2^32 - 1, in 4 bytes. */
export const u32: Codec<number> = numbers({
  name: 'u32',
  bytes: 4,
  expected: 'a whole number from 0 to 2^32 - 1',
  isTaken: (value) => typeof value === 'number' && value >>> 0 === value,
  write: (value) => scratch.setUint32(0, value),
  read: () => scratch.getUint32(0),
})

/** Whole numbers from -2^31 to 2^31 - 1, in 4 bytes. */
export const i32: Codec<number> = numbers({
  name: 'i32',
  bytes: 4,
  expected: 'a whole number from -2^31 to 2^31 - 1',
  isTaken: (value) => typeof value === 'number' && (value | 0) === value,
  write: (value) => scratch.setInt32(0, value ^ 0x80000000),
  read: () => scratch.getInt32(0) ^ 0x80000000,
})

/** Whole numbers from 0 to 2^53 - 1, in 8 bytes; the same bytes as `u64Big`. */
export const u64: Codec<number> = numbers({
  name: 'u64',
  bytes: 8,
  expected: 'a whole number from 0 to 2^53 - 1',
  isTaken: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  write(value) {
    scratch.setUint32(0, Math.floor(value / 2 ** 32))
    scratch.setUint32(4, value >>> 0)
  },
  read() {
    const value = scratch.getUint32(0) * 2 ** 32 + scratch.getUint32(4)
    if (Number.isSafeInteger(value)) return value
    throw cannotDecode('u64', 8, 'the number is 2^53 or more: use u64Big')
  },
})

/** Whole numbers from 0 to 2^64 - 1 as bigint, in 8 bytes. */
export const u64Big: Codec<bigint> = numbers({
  name: 'u64Big',
  bytes: 8,
  expected: 'a bigint from 0 to 2^64 - 1',
  isTaken: (value) => typeof value === 'bigint' && value >= 0n && value < 1n << 64n,
  write: (value) => scratch.setBigUint64(0, value),
  read: () => scratch.getBigUint64(0),
})

/** Every number but NaN, which sorts nowhere, in 8 bytes. -0 is stored as 0: the two are equal, and so must be their bytes. */
export const float64: Codec<number> = numbers({
  name: 'float64',
  bytes: 8,
  expected: 'a number other than NaN',
  isTaken: (value) => typeof value === 'number' && !Number.isNaN(value),
  write: (value) => {
    writeFloat(scratch, 0, value)
  },
  read: () => readFloat(scratch, 0),
})

/** Writes 8 bytes that sort as the numbers do. */
export function writeFloat(view: DataView, offset: number, value: number): void {
  view.setFloat64(offset, value + 0)
  const high = view.getUint32(offset)
  // Of negative numbers every bit, of the others the sign alone.
  if (high >>> 31 === 1) {
    view.setUint32(offset, ~high >>> 0)
    view.setUint32(offset + 4, ~view.getUint32(offset + 4) >>> 0)
  } else {
    view.setUint32(offset, (high | 0x80000000) >>> 0)
  }
}

/** Turns the 8 bytes back, in place, and reads them. */
export function readFloat(view: DataView, offset: number): number {
  const high = view.getUint32(offset)
  if (high >>> 31 === 0) {
    view.setUint32(offset, ~high >>> 0)
    view.setUint32(offset + 4, ~view.getUint32(offset + 4) >>> 0)
  } else {
    view.setUint32(offset, high & 0x7fffffff)
  }
  return view.getFloat64(offset)
}
