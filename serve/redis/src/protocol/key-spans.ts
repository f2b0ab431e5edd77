/**
 * Looks ahead in a pipeline: where the first keys of its next commands lie, so that the store can bring their memory in
 * together instead of one after the other.
 *
 * Only a hint. It takes the argument after the name of each command for a key, which is wrong for a few and harmless,
 * and stops at whatever is not a plain, whole frame: errors are the parser's business.
 */

const star = 0x2a
const dollar = 0x24
const carriageReturn = 0x0d

/** Where the number read last ends, its line's end included. */
let lineEnd = 0

/** Writes pairs (start, end) to `spans` until it is full or the frames end; returns how many pairs. */
export function findKeySpans(bytes: Uint8Array, start: number, end: number, spans: Uint32Array): number {
  const most = spans.length >> 1
  let count = 0
  let position = start
  while (count < most && position < end && bytes[position] === star) {
    let left = readNumber(bytes, position + 1, end)
    if (left < 0) return count
    position = lineEnd
    const keyPlace = left - 1
    for (; left > 0; left--) {
      if (position >= end || bytes[position] !== dollar) return count
      const length = readNumber(bytes, position + 1, end)
      if (length < 0) return count
      const valueEnd = lineEnd + length
      if (valueEnd > end) return count
      if (left === keyPlace) {
        spans[count << 1] = lineEnd
        spans[(count << 1) + 1] = valueEnd
        count++
      }
      position = valueEnd + 2
    }
  }
  return count
}

/** A number of up to nine digits that ends with its line; -1 for anything else. */
function readNumber(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  let position = start
  const last = Math.min(end, start + 10)
  while (position < last) {
    const digit = (bytes[position] as number) - 0x30
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
    position++
  }
  if (position === start || position + 1 >= end || bytes[position] !== carriageReturn) return -1
  lineEnd = position + 2
  return value
}
