/**
 * Numbers in typed arrays. Our formats are little-endian and read through Uint32Array views, so the machine must be, too.
 */

import { assert } from '@orbitkv/base'

assert(new Uint8Array(new Uint32Array([1]).buffer)[0] === 1, 'OrbitKV runs on little-endian machines only')

const twoTo32 = 2 ** 32

/** The number below 2^53 in the two words at `index`. */
export function readUint64(words: Uint32Array, index: number): number {
  return (words[index] as number) + (words[index + 1] as number) * twoTo32
}

/** Writes a whole number in [0, 2^53) into the two words at `index`. */
export function writeUint64(words: Uint32Array, index: number, value: number): void {
  words[index] = value
  // Exact: the division only moves the exponent, and the store into a word drops the fraction.
  words[index + 1] = value / twoTo32
}

/** `value`, below 2^31 - 8, rounded up to a multiple of 8. */
export function align8(value: number): number {
  return (value + 7) & ~7
}
