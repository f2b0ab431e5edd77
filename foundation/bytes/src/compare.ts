/** Comparing and copying bytes by offsets, without making views. Byte order is the only key order there is. */

/** Negative, 0 or positive as `a[aStart, aEnd)` sorts before, with or after `b[bStart, bEnd)`. A prefix sorts first. */
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const aBytes = aEnd - aStart
  const bBytes = bEnd - bStart
  const shared = aBytes < bBytes ? aBytes : bBytes
  for (let i = 0; i < shared; i++) {
    const difference = (a[aStart + i] as number) - (b[bStart + i] as number)
    if (difference !== 0) return difference
  }
  return aBytes - bBytes
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, 0, a.length, b, 0, b.length) === 0
}

/** How many leading bytes `a` and `b` share. */
export function sharedPrefixBytes(a: Uint8Array, b: Uint8Array): number {
  const most = Math.min(a.length, b.length)
  let shared = 0
  while (shared < most && a[shared] === b[shared]) shared++
  return shared
}

// Shorter than these a loop is faster than the call, and than making a view for it (bench/questions/copy.ts).
const callBytesMin = 16
const viewBytesMin = 48

/** Copies `source[start, end)` to `target` at `offset`. The two must not overlap. */
export function copyBytes(target: Uint8Array, offset: number, source: Uint8Array, start: number, end: number): void {
  const bytes = end - start
  if (bytes >= callBytesMin && bytes === source.length) {
    target.set(source, offset)
    return
  }
  if (bytes >= viewBytesMin) {
    target.set(new Uint8Array(source.buffer, source.byteOffset + start, bytes), offset)
    return
  }
  for (let from = start, to = offset; from < end; from++, to++) target[to] = source[from] as number
}

/** The smallest key that sorts after every key with this prefix; undefined where there is none (all bytes 0xff). */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  let last = prefix.length - 1
  while (last >= 0 && prefix[last] === 0xff) last--
  if (last < 0) return undefined
  const end = prefix.slice(0, last + 1)
  end[last] = (end[last] as number) + 1
  return end
}
