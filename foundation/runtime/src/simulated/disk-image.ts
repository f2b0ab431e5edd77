/**
 * One simulated file: what its users see (the page cache), what is on the disk, and the changes in between.
 *
 * What must hold:
 *  1. The disk changes only by `commit` and `crash` (and by damage that a test does on purpose).
 *  2. `commit(order)` moves exactly the changes up to `order` to the disk; later ones stay in between.
 *  3. After a crash each sector has the contents it had on the disk, or after any one of the uncommitted writes to it,
 *     each sector chosen apart. So a write may be torn, lost, or survive an earlier one that is lost.
 *  4. The size is metadata and goes through the file system's journal: cutting is kept in order or not at all, and with
 *     it the zeros that it makes. Growth may be kept in part, in whole blocks.
 * Used by SimulatedDisk (disk.ts) alone.
 */

import type { Random } from '@orbitkv/base'
import { isZero, Pages } from './disk-pages.ts'

/** What a drive writes whole. */
export const sectorBytes = 512

/** What a file system allocates, and by which a page cache remembers what is unwritten. */
export const blockBytes = 4096

interface Change {
  readonly order: number
  readonly offset: number
  /** Bytes from `offset` on whose contents it sets; a cut sets everything behind. */
  readonly length: number
  /** Undefined: zeros. */
  readonly data: Uint8Array | undefined
  readonly sizeAfter: number
  readonly isCut: boolean
  /** A sync that covered it has failed: the page cache takes it for written, so that later ones leave it out. */
  abandoned: boolean
}

interface View {
  readonly offset: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

export class FileImage {
  #size = 0
  #diskSize = 0
  readonly #cache = new Pages()
  readonly #disk = new Pages()
  #changes: Change[] = []
  #abandonedCount = 0
  /** One byte a block: 1 if it takes room on the disk. */
  #blocks = new Uint8Array(16)
  #blockCount = 0
  readonly #views = new Set<View>()

  get size(): number {
    return this.#size
  }

  get allocatedBytes(): number {
    return this.#blockCount * blockBytes
  }

  get isDirty(): boolean {
    return this.#changes.length > 0
  }

  /** The orders of the uncommitted changes, ascending. */
  get orders(): number[] {
    return this.#changes.map((change) => change.order)
  }

  read(target: Uint8Array, start: number, length: number, offset: number): number {
    const count = Math.max(0, Math.min(length, this.#size - offset))
    this.#cache.read(target, start, count, offset)
    return count
  }

  write(order: number, source: Uint8Array, start: number, length: number, offset: number): void {
    if (length === 0) return
    this.#cache.write(source, start, length, offset)
    for (const view of this.#views) {
      const from = Math.max(offset, view.offset)
      const to = Math.min(offset + length, view.offset + view.bytes.length)
      if (from >= to) continue
      const at = start + from - offset
      view.bytes.set(source.subarray(at, at + to - from), from - view.offset)
    }
    this.#size = Math.max(this.#size, offset + length)
    this.#allocate(offset, length)
    this.#rewriteAbandoned(offset, length)
    const data = isZero(source, start, length) ? undefined : source.slice(start, start + length)
    this.#changes.push({ order, offset, length, data, sizeAfter: this.#size, isCut: false, abandoned: false })
  }

  resize(order: number, size: number): void {
    if (size === this.#size) return
    const isCut = size < this.#size
    if (isCut) {
      const length = this.#size - size
      this.#cache.zero(size, length)
      for (const view of this.#views) view.bytes.fill(0, Math.max(0, size - view.offset))
      this.#free(size)
    }
    this.#size = size
    const length = isCut ? Number.MAX_SAFE_INTEGER - size : 0
    this.#changes.push({ order, offset: size, length, data: undefined, sizeAfter: size, isCut, abandoned: false })
  }

  /** How many bytes of room a write there would take anew. */
  missingBytes(offset: number, length: number): number {
    let count = 0
    const last = Math.ceil((offset + length) / blockBytes)
    for (let block = Math.floor(offset / blockBytes); block < last; block++) if (this.#blocks[block] !== 1) count++
    return count * blockBytes
  }

  /** Makes durable what was changed up to `order`. */
  commit(order: number): void {
    const rest: Change[] = []
    for (const change of this.#changes) {
      if (change.order > order || change.abandoned) rest.push(change)
      else this.#toDisk(change, change.length)
    }
    this.#changes = rest
  }

  /** A sync failed: later ones leave out what it covered, until a write to the same block. */
  abandon(order: number): void {
    for (const change of this.#changes) {
      // Sizes are the journal's and are not forgotten.
      if (change.order > order || change.abandoned || change.isCut || change.length === 0) continue
      change.abandoned = true
      this.#abandonedCount++
    }
  }

  /** A range as a mapping sees it: a copy that follows later writes, so that stray writes into it reach nothing. */
  addView(offset: number, length: number): View {
    const view = { offset, bytes: new Uint8Array(length) }
    this.#cache.read(view.bytes, 0, length, offset)
    this.#views.add(view)
    return view
  }

  removeView(view: View): void {
    this.#views.delete(view)
  }

  /** Power cut, everything that was written survives. */
  crashKeepingAll(): void {
    for (const change of this.#changes) this.#toDisk(change, change.length)
    this.#afterCrash()
  }

  /** Power cut, nothing unsynced survives. */
  crashDroppingAll(): void {
    this.#afterCrash()
  }

  /** Power cut, changes before `order` survive, and of the one that bears it whole sectors from its beginning. */
  crashAt(order: number, random: Random): void {
    for (const change of this.#changes) {
      if (change.order < order) this.#toDisk(change, change.length)
      if (change.order !== order || change.length === 0 || change.isCut) continue
      const firstBytes = sectorBytes - (change.offset % sectorBytes)
      const boundaries = Math.ceil(Math.max(0, change.length - firstBytes) / sectorBytes)
      const kept = random.below(boundaries + 1)
      if (kept > 0) this.#toDisk(change, firstBytes + (kept - 1) * sectorBytes)
    }
    this.#afterCrash()
  }

  /** Power cut, each sector for itself. */
  crashAtRandom(random: Random): void {
    const cuts = this.#changes.filter((change) => change.isCut)
    const keptCount = random.below(cuts.length + 1)
    const kept = cuts.slice(0, keptCount)
    const lost = cuts.slice(keptCount)
    const size = this.#sizeAfterCrash(kept.at(-1), lost[0], random)
    for (const [sector, changes] of this.#changedSectors()) {
      // What a cut has to do with this sector comes with it: nothing older survives one that is kept, nothing newer
      // one that is lost.
      const bearsOnSector = (cut: Change): boolean => cut.offset < sector + sectorBytes
      const after = kept.findLast(bearsOnSector)?.order ?? 0
      const before = lost.find(bearsOnSector)?.order ?? Number.POSITIVE_INFINITY
      const least = changes.filter((change) => change.order <= after).length
      const most = changes.filter((change) => change.order < before).length
      for (const change of changes.slice(0, random.between(least, most))) this.#sectorToDisk(change, sector)
    }
    this.#diskSize = size
    this.#disk.zero(size, Number.MAX_SAFE_INTEGER - size)
    this.#afterCrash()
  }

  /** Damage: everything is on the disk, and then a bit is another. */
  flipBit(offset: number, bit: number): void {
    this.#settle()
    for (const pages of [this.#cache, this.#disk]) pages.flip(offset, 1 << bit)
    for (const view of this.#views) {
      const at = offset - view.offset
      if (at >= 0 && at < view.bytes.length) view.bytes[at] = (view.bytes[at] as number) ^ (1 << bit)
    }
  }

  /** Damage: everything is on the disk, and then a range of it is zeros. */
  zeroRange(offset: number, length: number): void {
    this.#settle()
    const end = Math.min(offset + length, this.#size)
    for (const pages of [this.#cache, this.#disk]) pages.zero(offset, end - offset)
    for (const view of this.#views)
      view.bytes.fill(0, Math.max(0, offset - view.offset), Math.max(0, end - view.offset))
  }

  /** Damage: everything is on the disk, and then the file is cut there. */
  cut(size: number): void {
    this.#settle()
    this.resize(0, Math.min(size, this.#size))
    this.#settle()
  }

  #settle(): void {
    for (const change of this.#changes) this.#toDisk(change, change.length)
    this.#changes = []
    this.#abandonedCount = 0
  }

  #toDisk(change: Change, length: number): void {
    if (change.isCut) {
      this.#diskSize = Math.min(this.#diskSize, change.sizeAfter)
      this.#disk.zero(change.offset, change.length)
      return
    }
    this.#diskSize = Math.max(this.#diskSize, change.length === 0 ? change.sizeAfter : change.offset + length)
    if (change.data === undefined) this.#disk.zero(change.offset, length)
    else this.#disk.write(change.data, 0, length, change.offset)
  }

  #sectorToDisk(change: Change, sector: number): void {
    const from = Math.max(sector, change.offset)
    const to = Math.min(sector + sectorBytes, change.offset + change.length)
    if (change.data === undefined) this.#disk.zero(from, to - from)
    else this.#disk.write(change.data, from - change.offset, to - from, from)
  }

  /** By sector, the changes that bear on it. Zeros over what holds nothing change nothing and are left out. */
  #changedSectors(): Map<number, Change[]> {
    const sectors = new Map<number, Change[]>()
    const add = (sector: number, change: Change): void => {
      const changes = sectors.get(sector)
      if (changes === undefined) sectors.set(sector, [change])
      else changes.push(change)
    }
    for (const change of this.#changes) {
      const first = Math.floor(change.offset / sectorBytes) * sectorBytes
      const end = change.offset + change.length
      if (change.data !== undefined) {
        for (let sector = first; sector < end; sector += sectorBytes) add(sector, change)
        continue
      }
      const touched = new Set(this.#disk.units(change.offset, change.length, sectorBytes))
      for (const sector of sectors.keys()) if (sector >= first && sector < end) touched.add(sector)
      for (const sector of touched) add(sector, change)
    }
    return sectors
  }

  /** The size on the disk, or after one of the uncommitted changes, or at a block in between. */
  #sizeAfterCrash(lastKept: Change | undefined, firstLost: Change | undefined, random: Random): number {
    const sizes = [lastKept === undefined ? this.#diskSize : lastKept.sizeAfter]
    const from = lastKept?.order ?? 0
    const to = firstLost?.order ?? Number.POSITIVE_INFINITY
    for (const { order, sizeAfter } of this.#changes) if (order > from && order < to) sizes.push(sizeAfter)
    const index = random.below(sizes.length)
    const size = sizes[index] as number
    const next = sizes[index + 1] ?? size
    if (random.chance(2)) return size
    return Math.max(size, Math.floor(random.between(size, next) / blockBytes) * blockBytes)
  }

  #afterCrash(): void {
    this.#changes = []
    this.#abandonedCount = 0
    this.#views.clear()
    this.#size = this.#diskSize
    this.#cache.copyFrom(this.#disk)
    this.#free(this.#size)
  }

  #rewriteAbandoned(offset: number, length: number): void {
    if (this.#abandonedCount === 0) return
    const from = Math.floor(offset / blockBytes) * blockBytes
    const to = Math.ceil((offset + length) / blockBytes) * blockBytes
    for (const change of this.#changes) {
      if (!change.abandoned || change.offset >= to || change.offset + change.length <= from) continue
      change.abandoned = false
      this.#abandonedCount--
    }
  }

  #allocate(offset: number, length: number): void {
    const first = Math.floor(offset / blockBytes)
    const last = Math.ceil((offset + length) / blockBytes)
    if (last > this.#blocks.length) {
      const larger = new Uint8Array(Math.max(last, this.#blocks.length * 2))
      larger.set(this.#blocks)
      this.#blocks = larger
    }
    for (let block = first; block < last; block++) {
      if (this.#blocks[block] === 1) continue
      this.#blocks[block] = 1
      this.#blockCount++
    }
  }

  /** Gives back the blocks that lie wholly behind `size`. */
  #free(size: number): void {
    for (let block = Math.ceil(size / blockBytes); block < this.#blocks.length; block++) {
      if (this.#blocks[block] !== 1) continue
      this.#blocks[block] = 0
      this.#blockCount--
    }
  }
}
