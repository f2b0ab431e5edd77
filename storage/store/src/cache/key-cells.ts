/**
 * Keys as chains of cells of 16 bytes: 12 bytes of the key, and the next cell.
 *
 * All cells are alike, so that what one key gives back fits any other: whatever lengths keys have, and have later, no memory is lost
 * between them. Cell 0 is none. For the entries of the cache.
 */

const cellWords = 4
const cellBytes: number = 4 * cellWords
const keyBytesPerCell = 12
const nextAt = 3
/** Cells come in blocks of 1 MiB, so that growing copies nothing. */
const blockShift = 16
const cellsPerBlock: number = 1 << blockShift
const cellMask: number = cellsPerBlock - 1

export class KeyCells {
  readonly #words: Uint32Array[] = []
  readonly #bytes: Uint8Array[] = []
  /** The first free cell; each leads to the next. */
  #free = 0
  /** Cells that were ever used, the one that is none included. */
  #made = 1

  /** Bytes of memory. */
  get bytes(): number {
    return this.#words.length * cellsPerBlock * cellBytes
  }

  /** Keeps `key[start, end)`; returns its first cell, 0 for a key of no bytes. */
  add(key: Uint8Array, start: number, end: number): number {
    let next = 0
    // From its end on, so that each cell knows the one behind it.
    for (let at = start + lastPartStart(end - start); at >= start; at -= keyBytesPerCell) {
      const cell = this.#take()
      const bytes = this.#bytes[cell >>> blockShift] as Uint8Array
      const to = (cell & cellMask) * cellBytes
      const stop = Math.min(at + keyBytesPerCell, end)
      for (let from = at; from < stop; from++) bytes[to + from - at] = key[from] as number
      this.#setNext(cell, next)
      next = cell
    }
    return next
  }

  /** Whether the key at a cell is `key[start, end)`; the two are equally long. */
  equals(first: number, key: Uint8Array, start: number, end: number): boolean {
    for (let at = start, cell = first; at < end; at += keyBytesPerCell, cell = this.#next(cell)) {
      const bytes = this.#bytes[cell >>> blockShift] as Uint8Array
      const from = (cell & cellMask) * cellBytes - at
      const stop = Math.min(at + keyBytesPerCell, end)
      for (let i = at; i < stop; i++) if (bytes[from + i] !== key[i]) return false
    }
    return true
  }

  /** The key at a cell, as bytes of the caller's own. */
  read(first: number, keyBytes: number): Uint8Array {
    const key = new Uint8Array(keyBytes)
    for (let at = 0, cell = first; at < keyBytes; at += keyBytesPerCell, cell = this.#next(cell)) {
      const bytes = this.#bytes[cell >>> blockShift] as Uint8Array
      const from = (cell & cellMask) * cellBytes - at
      const stop = Math.min(at + keyBytesPerCell, keyBytes)
      for (let i = at; i < stop; i++) key[i] = bytes[from + i] as number
    }
    return key
  }

  /** Gives the cells of a key back. */
  free(first: number, keyBytes: number): void {
    if (keyBytes === 0) return
    let last = first
    for (let left = keyBytes - keyBytesPerCell; left > 0; left -= keyBytesPerCell) last = this.#next(last)
    this.#setNext(last, this.#free)
    this.#free = first
  }

  #take(): number {
    const cell = this.#free
    if (cell !== 0) {
      this.#free = this.#next(cell)
      return cell
    }
    if (this.#made > this.#words.length * cellsPerBlock - 1) {
      const words = new Uint32Array(cellsPerBlock * cellWords)
      this.#words.push(words)
      this.#bytes.push(new Uint8Array(words.buffer))
    }
    return this.#made++
  }

  #next(cell: number): number {
    return (this.#words[cell >>> blockShift] as Uint32Array)[(cell & cellMask) * cellWords + nextAt] as number
  }

  #setNext(cell: number, next: number): void {
    ;(this.#words[cell >>> blockShift] as Uint32Array)[(cell & cellMask) * cellWords + nextAt] = next
  }
}

/** Where the last cell of a key begins, before its start where there is none. */
function lastPartStart(keyBytes: number): number {
  return (Math.ceil(keyBytes / keyBytesPerCell) - 1) * keyBytesPerCell
}
