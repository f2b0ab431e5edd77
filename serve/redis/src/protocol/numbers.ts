/**
 * Numbers in text, as Redis reads and writes them.
 *
 * Integers are 64-bit and signed, without a plus sign, blanks or leading zeros. A JavaScript number holds them exactly
 * up to 2^53; beyond it a BigInt does, which costs more and is rare.
 */

export const int64Min = -(2n ** 63n)
export const int64Max = 2n ** 63n - 1n

/** The longest text of a 64-bit integer. */
export const int64CharsMax = 20
/** So many digits always fit a JavaScript number. */
const safeDigits = 15

/** The integer in `bytes[start, end)`: a number, a BigInt if a number cannot hold it, undefined if it is none. */
export function parseInteger(bytes: Uint8Array, start: number, end: number): number | bigint | undefined {
  let position = start
  const isNegative = end > start && bytes[start] === 0x2d
  if (isNegative) position++
  const digits = end - position
  if (digits < 1 || end - start > int64CharsMax) return undefined
  // A leading zero is the whole number, and there is no minus zero.
  if (bytes[position] === 0x30 && (digits > 1 || isNegative)) return undefined
  let value = 0
  for (let i = position; i < end; i++) {
    const digit = (bytes[i] as number) - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  if (digits <= safeDigits) return isNegative ? -value : value
  return narrow(BigInt(String.fromCharCode(...bytes.subarray(start, end))))
}

/** As a number where that is exact; undefined where it is no 64-bit integer. */
export function narrow(value: bigint): number | bigint | undefined {
  if (value < int64Min || value > int64Max) return undefined
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** The sum of two 64-bit integers, or undefined where it is none. */
export function addIntegers(a: number | bigint, b: number | bigint): number | bigint | undefined {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return narrow(BigInt(a) + BigInt(b))
}

/** Writes a whole number below 2^53, or a BigInt, as digits at `offset`; returns the place after it. */
export function writeInteger(target: Uint8Array, offset: number, value: number | bigint): number {
  if (typeof value === 'bigint') return writeAscii(target, offset, value.toString())
  let position = offset
  let rest = value
  if (rest < 0) {
    target[position++] = 0x2d
    rest = -rest
  }
  if (rest > 0x7fffffff) return writeAscii(target, position, rest.toString())
  const end = position + digitsOf(rest)
  for (let place = end - 1; place >= position; place--) {
    const tenth = (rest / 10) | 0
    target[place] = 0x30 + rest - tenth * 10
    rest = tenth
  }
  return end
}

export function writeAscii(target: Uint8Array, offset: number, text: string): number {
  for (let i = 0; i < text.length; i++) target[offset + i] = text.charCodeAt(i)
  return offset + text.length
}

/** Digits of a whole number below 2^31. */
function digitsOf(value: number): number {
  if (value < 10) return 1
  if (value < 100) return 2
  if (value < 1000) return 3
  let digits = 3
  for (let rest = (value / 1000) | 0; rest > 0; rest = (rest / 10) | 0) digits++
  return digits
}
