/**
 * Sparse bytes: what was never written, or only with zeros, takes no memory. For disk-image.ts.
 */

/** Small enough to allocate often, large enough that a test's file is a handful of them. */
const pageBytes = 16_384

const zeroPage = Buffer.alloc(pageBytes)

/** Calls `visit` for each page that `[offset, offset + length)` touches: its number, and the part within it. */
function eachPage(offset: number, length: number, visit: (page: number, from: number, to: number) => void): void {
  const end = offset + length
  for (let at = offset; at < end; ) {
    const page = Math.floor(at / pageBytes)
    const from = at - page * pageBytes
    const to = Math.min(pageBytes, end - page * pageBytes)
    visit(page, from, to)
    at = page * pageBytes + to
  }
}

/** True if `bytes[start, start + length)` is zeros. */
export function isZero(bytes: Uint8Array, start: number, length: number): boolean {
  for (let at = 0; at < length; at += pageBytes) {
    const part = Math.min(pageBytes, length - at)
    if (zeroPage.compare(bytes, start + at, start + at + part, 0, part) !== 0) return false
  }
  return true
}

export class Pages {
  readonly #pages = new Map<number, Uint8Array>()

  read(target: Uint8Array, start: number, length: number, offset: number): void {
    eachPage(offset, length, (page, from, to) => {
      const at = start + page * pageBytes + from - offset
      const bytes = this.#pages.get(page)
      if (bytes === undefined) target.fill(0, at, at + to - from)
      else target.set(bytes.subarray(from, to), at)
    })
  }

  write(source: Uint8Array, start: number, length: number, offset: number): void {
    eachPage(offset, length, (page, from, to) => {
      const at = start + page * pageBytes + from - offset
      if (!this.#pages.has(page) && isZero(source, at, to - from)) return
      this.#page(page).set(source.subarray(at, at + to - from), from)
    })
  }

  zero(offset: number, length: number): void {
    // By the pages that are there, since the range may be far larger than they are.
    for (const [page, bytes] of this.#pages) {
      const from = Math.max(0, offset - page * pageBytes)
      const to = Math.min(pageBytes, offset + length - page * pageBytes)
      if (from >= to) continue
      if (from === 0 && to === pageBytes) this.#pages.delete(page)
      else bytes.fill(0, from, to)
    }
  }

  /** Flips bits: the byte at `offset` is combined with `mask` by exclusive or. */
  flip(offset: number, mask: number): void {
    const bytes = this.#page(Math.floor(offset / pageBytes))
    const at = offset % pageBytes
    bytes[at] = (bytes[at] as number) ^ mask
  }

  /**
   * The starts of the parts of `[offset, offset + length)`, in steps of `unitBytes`, that may hold other than zeros.
   */
  *units(offset: number, length: number, unitBytes: number): Generator<number> {
    for (const page of this.#pages.keys()) {
      const from = Math.max(page * pageBytes, Math.floor(offset / unitBytes) * unitBytes)
      const to = Math.min((page + 1) * pageBytes, offset + length)
      for (let at = from; at < to; at += unitBytes) yield at
    }
  }

  /** Becomes a copy of `other`. */
  copyFrom(other: Pages): void {
    this.#pages.clear()
    for (const [page, bytes] of other.#pages) this.#pages.set(page, bytes.slice())
  }

  #page(page: number): Uint8Array {
    let bytes = this.#pages.get(page)
    if (bytes === undefined) {
      bytes = new Uint8Array(pageBytes)
      this.#pages.set(page, bytes)
    }
    return bytes
  }
}
