/**
 * Where in the log records are no longer the newest of their key: a bit for each 64 bytes of a segment. It is a hint: a
 * bit that is not set says that the records beginning there are the newest of their keys; one that is set, that one of
 * them may not be. 512 times denser than the log, so that asking costs no trip to memory where touching a record would.
 */

/** From units of 8 bytes to bits. */
const unitShift = 3

export class Superseded {
  /** By segment number, made when its first record is superseded. */
  readonly #bits: (Uint32Array | undefined)[] = []
  /** By segment number: bytes of the records that were superseded there, those included that old states still see. */
  readonly #deadBytes: number[] = []
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  has(segment: number, offset8: number): boolean {
    const bits = this.#bits[segment]
    if (bits === undefined) return false
    const bit = offset8 >>> unitShift
    return (((bits[bit >>> 5] as number) >>> (bit & 31)) & 1) === 1
  }

  /** Reads the mark, for the memory's sake. */
  touch(segment: number, offset8: number): number {
    const bits = this.#bits[segment]
    return bits === undefined ? 0 : (bits[offset8 >>> (unitShift + 5)] as number)
  }

  deadBytes(segment: number): number {
    return this.#deadBytes[segment] ?? 0
  }

  /** `capacityBytes` is that of the segment; it may have grown since the last call. */
  add(segment: number, offset8: number, recordBytes: number, capacityBytes: number): void {
    this.#deadBytes[segment] = this.deadBytes(segment) + recordBytes
    const bit = offset8 >>> unitShift
    let bits = this.#bits[segment]
    if (bits === undefined || bit >>> 5 >= bits.length) bits = this.#enlarge(segment, capacityBytes)
    bits[bit >>> 5] = (bits[bit >>> 5] as number) | (1 << (bit & 31))
  }

  /** The marks of a segment, if it has any. */
  marksOf(segment: number): Readonly<Uint32Array> | undefined {
    return this.#bits[segment]
  }

  /** Takes over how many bytes of a segment are dead. */
  restoreDeadBytes(segment: number, deadBytes: number): void {
    this.#deadBytes[segment] = deadBytes
  }

  /** Takes over marks from a word on, of so many words in all. */
  restoreMarks(segment: number, count: number, from: number, marks: Uint32Array): void {
    const bits = this.#bits[segment] ?? this.#enlarge(segment, (count - 1) << 11)
    bits.set(marks, from)
  }

  /** The segment is gone. */
  forget(segment: number): void {
    this.#bytes -= this.#bits[segment]?.byteLength ?? 0
    this.#bits[segment] = undefined
    this.#deadBytes[segment] = 0
  }

  #enlarge(segment: number, capacityBytes: number): Uint32Array {
    const before = this.#bits[segment]
    const bits = new Uint32Array((capacityBytes >>> 11) + 1)
    if (before !== undefined) bits.set(before)
    this.#bytes += bits.byteLength - (before?.byteLength ?? 0)
    this.#bits[segment] = bits
    return bits
  }
}
