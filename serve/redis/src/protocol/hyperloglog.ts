/**
 * HyperLogLog as Redis counts it: 16,384 registers of 6 bits, each the longest run of zeros that a hash of its elements
 * began with. A value is a string in Redis's dense form:
 *
 *   0 "HYLL" | 4 u8 form, 0 dense | 8 u64 cached count, not used here: marked as stale | 16.. registers, 6 bits each, low bits first
 *
 * The estimate is Ertl's ("New cardinality estimation algorithms for HyperLogLog sketches", 2017), as in Redis.
 */

const registerCount = 16_384
const indexBits = 14n
const runBits = 50
const headBytes = 16
const registerBits = 6
const registerMask = 63
export const sketchBytes = headBytes + (registerCount * registerBits) / 8
const magic = [0x48, 0x59, 0x4c, 0x4c]
const alpha = 1 / (2 * Math.LN2)

export function newSketch(): Uint8Array {
  const sketch = new Uint8Array(sketchBytes)
  sketch.set(magic)
  sketch[headBytes - 1] = 0x80
  return sketch
}

export function isSketch(bytes: Uint8Array): boolean {
  return bytes.length === sketchBytes && magic.every((byte, i) => bytes[i] === byte) && bytes[4] === 0
}

function registerAt(sketch: Uint8Array, register: number): number {
  const bit = register * registerBits
  const place = headBytes + (bit >> 3)
  const pair = (sketch[place] as number) | ((sketch[place + 1] ?? 0) << 8)
  return (pair >> (bit & 7)) & registerMask
}

/** Raises a register; returns whether it was lower. */
export function raise(sketch: Uint8Array, register: number, run: number): boolean {
  if (registerAt(sketch, register) >= run) return false
  const bit = register * registerBits
  const place = headBytes + (bit >> 3)
  const shift = bit & 7
  const pair = (sketch[place] as number) | ((sketch[place + 1] ?? 0) << 8)
  const next = (pair & ~(registerMask << shift)) | (run << shift)
  sketch[place] = next & 0xff
  if (place + 1 < sketch.length) sketch[place + 1] = next >> 8
  return true
}

/** Adds an element; returns whether the sketch changed. */
export function addToSketch(sketch: Uint8Array, element: Uint8Array): boolean {
  const hash = murmur64(element)
  const register = Number(hash & BigInt(registerCount - 1))
  let rest = (hash >> indexBits) | (1n << BigInt(runBits))
  let run = 1
  for (; (rest & 1n) === 0n; rest >>= 1n) run++
  return raise(sketch, register, run)
}

/** Raises each register of one to that of the other. */
export function mergeSketch(into: Uint8Array, other: Uint8Array): void {
  for (let register = 0; register < registerCount; register++) raise(into, register, registerAt(other, register))
}

export function estimate(sketch: Uint8Array): number {
  const histogram = new Float64Array(runBits + 2)
  for (let register = 0; register < registerCount; register++) {
    const run = Math.min(registerAt(sketch, register), runBits + 1)
    histogram[run] = (histogram[run] as number) + 1
  }
  let sum = registerCount * tau((registerCount - (histogram[runBits + 1] as number)) / registerCount)
  for (let run = runBits; run >= 1; run--) sum = (sum + (histogram[run] as number)) * 0.5
  sum += registerCount * sigma((histogram[0] as number) / registerCount)
  return Math.round((alpha * registerCount * registerCount) / sum)
}

function tau(start: number): number {
  if (start === 0 || start === 1) return 0
  let x = start
  let y = 1
  let z = 1 - x
  for (let before = Number.NaN; before !== z; ) {
    before = z
    x = Math.sqrt(x)
    y *= 0.5
    z -= (1 - x) ** 2 * y
  }
  return z / 3
}

function sigma(start: number): number {
  if (start === 1) return Number.POSITIVE_INFINITY
  let x = start
  let y = 1
  let z = x
  for (let before = Number.NaN; before !== z; ) {
    before = z
    x *= x
    z += x * y
    y += y
  }
  return z
}

const mix = 0xc6a4a7935bd1e995n
const seed = 0xadc83b19n
const mixShift = 47n

/** MurmurHash64A, by Austin Appleby. */
function murmur64(bytes: Uint8Array): bigint {
  const { length } = bytes
  let hash = seed ^ multiply(BigInt(length), mix)
  const whole = length - (length % 8)
  for (let at = 0; at < whole; at += 8) {
    let word = multiply(littleEndian(bytes, at, 8), mix)
    word = multiply(word ^ (word >> mixShift), mix)
    hash = multiply(hash ^ word, mix)
  }
  if (whole < length) hash = multiply(hash ^ littleEndian(bytes, whole, length - whole), mix)
  hash = multiply(hash ^ (hash >> mixShift), mix)
  return hash ^ (hash >> mixShift)
}

function multiply(a: bigint, b: bigint): bigint {
  return BigInt.asUintN(64, a * b)
}

function littleEndian(bytes: Uint8Array, start: number, count: number): bigint {
  let value = 0n
  for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[start + i] as number)
  return value
}
