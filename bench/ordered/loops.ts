/**
 * What the ordered bench does with an index, over and over. Each contestant gets a copy of this module of its own, so that the
 * loops are compiled for it alone, as they are in the engine.
 */

/** Keys back to back: taking the next one is no trip to memory, and the collector has nothing to walk. */
export interface KeyList {
  readonly bytes: Uint8Array
  readonly ends: Uint32Array
}

export interface Contestant {
  readonly bytes: number
  find(key: Uint8Array, start: number, end: number): boolean
  insert(key: Uint8Array, start: number, end: number, segment: number, offset8: number): void
  sumFrom(count: number): number
}

export const scanEntries = 100

/** Looks `count` keys up, from number `from` on; returns how many are there. */
export function findAll(index: Contestant, { bytes, ends }: KeyList, from: number, count: number): number {
  let found = 0
  for (let i = from; i < from + count; i++) if (index.find(bytes, ends[i] as number, ends[i + 1] as number)) found++
  return found
}

export function scanAll(index: Contestant, { bytes, ends }: KeyList, from: number, count: number): number {
  let sum = 0
  for (let i = from; i < from + count; i++) {
    index.find(bytes, ends[i] as number, ends[i + 1] as number)
    sum += index.sumFrom(scanEntries)
  }
  return sum
}

/** `places` has the segment and the offset of each key's record. */
export function insertAll(
  index: Contestant,
  { bytes, ends }: KeyList,
  places: Uint32Array,
  from: number,
  to: number,
): number {
  for (let i = from; i < to; i++) {
    const start = ends[i] as number
    const end = ends[i + 1] as number
    if (!index.find(bytes, start, end)) {
      index.insert(bytes, start, end, places[2 * i] as number, places[2 * i + 1] as number)
    }
  }
  return to - from
}
