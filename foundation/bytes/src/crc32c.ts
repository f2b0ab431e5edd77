/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78): by the processor's instruction through the native addon where it
 * is built, by tables otherwise. Both give the same numbers.
 *
 * `seed` is the checksum of what came before (0 at the start), so crc32c(crc32c(0, a), b) is that of a and b joined.
 * Source of the eight-table method: M. E. Kounavis, F. L. Berry, "A Systematic Approach to Building High Performance
 * Software-based CRC Generators", 2005.
 */

import { native } from '@orbitkv/native'

const tables = makeTables()

function makeTables(): Uint32Array[] {
  const first = new Uint32Array(256)
  for (let i = 0; i < 256; i++) {
    let crc = i
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
    first[i] = crc
  }
  const all = [first]
  for (let table = 1; table < 8; table++) {
    const before = all[table - 1] as Uint32Array
    all.push(before.map((crc) => (crc >>> 8) ^ (first[crc & 0xff] as number)))
  }
  return all
}

/** By tables, eight bytes a step. */
export function crc32cTables(seed: number, bytes: Uint8Array, start: number, end: number): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ]
  let crc = ~seed
  let i = start
  for (; i + 8 <= end; i += 8) {
    crc =
      (t7[(crc ^ (bytes[i] as number)) & 0xff] as number) ^
      (t6[((crc >>> 8) ^ (bytes[i + 1] as number)) & 0xff] as number) ^
      (t5[((crc >>> 16) ^ (bytes[i + 2] as number)) & 0xff] as number) ^
      (t4[((crc >>> 24) ^ (bytes[i + 3] as number)) & 0xff] as number) ^
      (t3[bytes[i + 4] as number] as number) ^
      (t2[bytes[i + 5] as number] as number) ^
      (t1[bytes[i + 6] as number] as number) ^
      (t0[bytes[i + 7] as number] as number)
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[i] as number)) & 0xff] as number)
  return ~crc >>> 0
}

/** The checksum of `bytes[start, end)`. */
export const crc32c: (seed: number, bytes: Uint8Array, start: number, end: number) => number =
  native?.crc32c ?? crc32cTables

/**
 * Checksums many spans in one crossing into C: `spans` holds `count` pairs (start, end); the checksum of
 * `bytes[start + 4, end)` is stored little-endian in the four bytes at `start`.
 */
export const crc32cMany: (seed: number, bytes: Uint8Array, spans: Uint32Array, count: number) => void =
  native?.crc32cMany ?? crc32cManyTables

/** As `crc32cMany`, by tables. */
export function crc32cManyTables(seed: number, bytes: Uint8Array, spans: Uint32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const start = spans[2 * i] as number
    const crc = crc32cTables(seed, bytes, start + 4, spans[2 * i + 1] as number)
    bytes[start] = crc
    bytes[start + 1] = crc >>> 8
    bytes[start + 2] = crc >>> 16
    bytes[start + 3] = crc >>> 24
  }
}
