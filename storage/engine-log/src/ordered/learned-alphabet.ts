/**
 * Reading heads as digits of an alphabet: hexadecimal or decimal text is no line over its bytes, since the alphabet has
 * holes, but it is one over what the text counts.
 *
 * An alphabet is the set of bytes that the heads of some node have, in order; a byte's digit is how many of them are below
 * it. An index has few alphabets, and its nodes share them.
 */

import { assert } from '@orbitkv/base'

const alphabetsMax = 12
/** Eight digits of so many values stay exact in a double. */
const lettersMax = 64
const flipTop = 0x80000000 | 0
const setWords = 256 / 32

export class Alphabets {
  /** The digit of each byte, 256 to an alphabet. */
  readonly digits = new Uint8Array(alphabetsMax << 8)
  readonly letters = new Int32Array(alphabetsMax)
  /** How many values half a head has. */
  readonly halves = new Float64Array(alphabetsMax)
  #count = 0
  /** The bytes of each, a bit a byte. */
  readonly #sets: Int32Array[] = []
  readonly #used = new Int32Array(setWords)

  /** A head as a number, its bytes being digits. */
  valueOf(alphabet: number, high: number, low: number): number {
    const { digits } = this
    const table = alphabet << 8
    const letters = this.letters[alphabet] as number
    const first = high ^ flipTop
    const second = low ^ flipTop
    // Halves in whole numbers, which do not wait for one another: letters to the fourth is below 2^24.
    let upper = digits[table + (first >>> 24)] as number
    let lower = digits[table + (second >>> 24)] as number
    upper = Math.imul(upper, letters) + (digits[table + ((first >>> 16) & 0xff)] as number)
    lower = Math.imul(lower, letters) + (digits[table + ((second >>> 16) & 0xff)] as number)
    upper = Math.imul(upper, letters) + (digits[table + ((first >>> 8) & 0xff)] as number)
    lower = Math.imul(lower, letters) + (digits[table + ((second >>> 8) & 0xff)] as number)
    upper = Math.imul(upper, letters) + (digits[table + (first & 0xff)] as number)
    lower = Math.imul(lower, letters) + (digits[table + (second & 0xff)] as number)
    return upper * (this.halves[alphabet] as number) + lower
  }

  /** The alphabet for heads [from, to), made where there is none yet; -1 where they use too many different bytes. */
  alphabetFor(high: Int32Array, low: Int32Array, from: number, to: number): number {
    if (!isText(high, low, from, to)) return -1
    const used = this.#used.fill(0)
    for (let i = from; i < to; i++) {
      const first = (high[i] as number) ^ flipTop
      const second = (low[i] as number) ^ flipTop
      for (let shift = 0; shift < 32; shift += 8) {
        const [a, b] = [(first >>> shift) & 0xff, (second >>> shift) & 0xff]
        used[a >>> 5] = (used[a >>> 5] as number) | (1 << (a & 31))
        used[b >>> 5] = (used[b >>> 5] as number) | (1 << (b & 31))
      }
    }
    let letters = 0
    for (let byte = 0; byte < 256; byte++) if (has(used, byte)) letters++
    if (letters > lettersMax) return -1
    for (let alphabet = 0; alphabet < this.#count; alphabet++) {
      // One with a few more letters serves as well.
      if ((this.letters[alphabet] as number) > letters + 2) continue
      const set = this.#sets[alphabet] as Int32Array
      let outside = 0
      for (let word = 0; word < setWords; word++) outside |= (used[word] as number) & ~(set[word] as number)
      if (outside === 0) return alphabet
    }
    return this.#count === alphabetsMax ? -1 : this.#add(used.slice(), letters)
  }

  #add(set: Int32Array, letters: number): number {
    assert(letters > 0, 'an alphabet has letters')
    const alphabet = this.#count++
    this.#sets.push(set)
    this.letters[alphabet] = letters
    this.halves[alphabet] = letters ** 4
    for (let byte = 0, digit = 0; byte < 256; byte++) {
      this.digits[(alphabet << 8) + byte] = Math.min(digit, letters - 1)
      if (has(set, byte)) digit++
    }
    return alphabet
  }
}

function has(set: Int32Array, byte: number): boolean {
  return (((set[byte >>> 5] as number) >>> (byte & 31)) & 1) !== 0
}

/** Whether heads look like text: a few of them tell. */
function isText(high: Int32Array, low: Int32Array, from: number, to: number): boolean {
  const step = Math.max(1, (to - from) >>> 3)
  for (let i = from; i < to; i += step) {
    const first = (high[i] as number) ^ flipTop
    const second = (low[i] as number) ^ flipTop
    // No byte of text has its top bit set, and bytes below 0x20 are not in names; zeros stand behind a short key.
    if (((first | second) & 0x80808080) !== 0 || (first & 0x60000000) === 0) return false
  }
  return true
}
