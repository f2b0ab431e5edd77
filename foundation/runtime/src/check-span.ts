/** What every disk asserts of a read or write, real and simulated: a caller's slip must not reach past its bytes. */

import { assert } from '@orbitkv/base'

/** `bytes[start, start + length)`, to be read from or written to a file at `offset`. */
export function checkSpan(bytes: Uint8Array, start: number, length: number, offset: number): void {
  assert(start >= 0 && length >= 0 && start + length <= bytes.length, 'a span lies within its bytes')
  assert(Number.isSafeInteger(offset) && offset >= 0, 'a file offset is a whole number below 2^53')
}
