/** Where an ordered index reads keys: in the log, by location. */

export interface KeySource {
  /** Moves to the key of the record at a location: `bytes[keyStart, keyStart + keyBytes)`. */
  keyAt(segment: number, offset8: number): { bytes: Uint8Array; keyStart: number; keyBytes: number }
  /** Compares the key at a location with `key[start, end)`. */
  compareKeyAt(segment: number, offset8: number, key: Uint8Array, start: number, end: number): number
}
