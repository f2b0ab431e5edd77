/**
 * A disk in memory that loses, tears and reorders whatever was not synced, reproducibly from a seed.
 *
 * Tests hand it to production code as its Disk, cut the power with `crash`, and open the same disk again. What may
 * survive is written in disk-image.ts (contents, sizes) and disk-names.ts (names: also of folders, so that whoever
 * makes a folder must sync the one above). It shows faults that a test orders (disk-faults.ts), damage (`flipBit`,
 * `zeroRange`, `cut`), a `sync` that lies, and one that takes as long as the test wants. It is what a native disk is to
 * its user: mappings show later writes, stray writes into them go nowhere, an open file outlives its name.
 *
 * Used by tests only; nothing in it waits for real time.
 */

import { assert, Random } from '@orbitkv/base'
import type { Disk, DiskFile, DiskLock, OpenMode } from '../disk.ts'
import { diskErrors } from '../errors.ts'
import { type DiskOperation, type Fault, FaultPlan, faultError } from './disk-faults.ts'
import { type FileContext, SimulatedFile } from './disk-file.ts'
import { blockBytes, FileImage } from './disk-image.ts'
import { Folder, Names, split } from './disk-names.ts'

/**
 * What of the unsynced survives a power cut: `random`: each sector and each name for itself; `prefix`: what came before
 * some moment, over all files, and a torn part of the write at that moment; `drop-all`, `keep-all`.
 */
export type CrashMode = 'random' | 'prefix' | 'drop-all' | 'keep-all'

export interface SimulatedDiskOptions {
  /** Decides crashes; default 1. */
  readonly seed?: number
  /** Room for contents, in whole blocks of 4 KiB; default 1 TiB. */
  readonly capacityBytes?: number
  /** Runs `run` when an asynchronous operation is to end, never within the call; default: as a microtask. */
  readonly schedule?: (run: () => void, operation: DiskOperation, path: string) => void
}

export interface SyncHold {
  /** Syncs that have begun and wait for `release`. */
  readonly waiting: number
  /** Lets them end, in the order of their beginning, and holds no more. */
  release(): void
}

const defaultCapacityBytes = 2 ** 40

/** As ext4 with blocks of 4 KiB. */
const fileBytesMax = 2 ** 44

interface PendingOperation {
  readonly path: string
  readonly operation: DiskOperation
  readonly run: () => void
  readonly fail: (error: Error) => void
}

export class SimulatedDisk implements Disk {
  readonly kind = 'simulated'
  /** True: `sync` of a file reports success and makes nothing durable, as if fdatasync had been taken out. */
  syncLies = false
  /** True: `trySync` works, unless syncs are held. */
  syncsInline = false
  /** False: `readResident` always answers -1, as if nothing were in memory. */
  readsAreResident = true
  /** What was done so far; a test may set them back to 0. */
  readonly counts = { opens: 0, reads: 0, readBytes: 0, writes: 0, writtenBytes: 0, syncs: 0, directorySyncs: 0 }
  readonly #random: Random
  readonly #capacityBytes: number
  readonly #schedule: (run: () => void, operation: DiskOperation, path: string) => void
  readonly #names = new Names()
  readonly #faults = new FaultPlan()
  /** Files that have uncommitted changes, named or not. */
  readonly #dirty = new Set<FileImage>()
  /** How often each file is open; files without a name keep their room as long. */
  readonly #openCounts = new Map<FileImage, number>()
  readonly #locked = new Set<FileImage>()
  readonly #pending = new Set<PendingOperation>()
  #held: PendingOperation[] | undefined
  #order = 0
  /** Which stretch between power cuts this is: files and locks of earlier ones are dead. */
  #life = 0
  #usedBytes = 0

  constructor(options: SimulatedDiskOptions = {}) {
    this.#random = new Random(options.seed ?? 1)
    this.#capacityBytes = options.capacityBytes ?? defaultCapacityBytes
    // A microtask: the call returns first, as it would on a real disk, and no time passes.
    this.#schedule = options.schedule ?? ((run) => queueMicrotask(run))
  }

  open(path: string, mode: OpenMode): DiskFile {
    this.#step('open', path)
    this.counts.opens++
    if (mode !== 'create') return this.#openImage(path, mode, this.#names.file(path))
    if (this.#names.find(path) !== undefined) throw diskErrors.exists({ path })
    const image = new FileImage()
    this.#names.set(++this.#order, path, image)
    return this.#openImage(path, mode, image)
  }

  exists(path: string): boolean {
    let folder: Folder | FileImage | undefined = this.#names.find('/')
    for (const name of split(path)) folder = folder instanceof Folder ? folder.names.get(name) : undefined
    return folder !== undefined
  }

  list(directory: string): string[] {
    return [...this.#names.folder(directory).names.keys()].sort()
  }

  makeDirectory(path: string): void {
    this.#step('makeDirectory', path)
    let parent = ''
    for (const name of split(path)) {
      const here = `${parent}/${name}`
      const entry = this.#names.find(here)
      if (entry === undefined) this.#names.set(++this.#order, here, new Folder())
      else if (!(entry instanceof Folder)) throw diskErrors.not_a_directory({ path: here })
      parent = here
    }
  }

  remove(path: string): void {
    this.#step('remove', path)
    const image = this.#names.file(path)
    this.#names.set(++this.#order, path, undefined)
    this.#freeIfUnused(image)
  }

  async discard(path: string): Promise<void> {
    this.remove(path)
  }

  rename(from: string, to: string): void {
    this.#step('rename', from)
    const entry = this.#names.find(from)
    if (entry === undefined) throw diskErrors.not_found({ path: from })
    const target = this.#names.find(to)
    if (target === entry) return
    if (target !== undefined && (target instanceof Folder || entry instanceof Folder)) {
      throw diskErrors.failed({ operation: 'renaming', path: from, reason: `${to} is in the way` })
    }
    this.#names.move(++this.#order, from, to, entry)
    if (target !== undefined) this.#freeIfUnused(target)
  }

  async syncDirectory(path: string): Promise<void> {
    this.counts.directorySyncs++
    const fault = this.#faults.next('syncDirectory', path)
    const folder = this.#names.folder(path)
    const order = this.#order
    await this.#later('syncDirectory', path, () => {
      if (fault !== undefined) throw faultError(fault, path)
      this.#names.commit(folder, order)
    })
  }

  freeBytes(path: string): number {
    if (!this.exists(path)) throw diskErrors.not_found({ path })
    return Math.max(0, Math.floor((this.#capacityBytes - this.#usedBytes) / blockBytes) * blockBytes)
  }

  lock(path: string): DiskLock {
    this.#step('lock', path)
    let entry = this.#names.find(path)
    if (entry instanceof Folder) throw diskErrors.failed({ operation: 'opening', path, reason: 'it is a folder' })
    if (entry === undefined) {
      entry = new FileImage()
      this.#names.set(++this.#order, path, entry)
    }
    const image = entry
    if (this.#locked.has(image)) throw diskErrors.locked({ path })
    this.#locked.add(image)
    const life = this.#life
    let released = false
    return {
      release: () => {
        this.#checkLife(life, 'unlocking', path)
        if (released) return
        released = true
        this.#locked.delete(image)
      },
    }
  }

  /**
   * Cuts the power: what survives is decided, every open file, mapping and lock is dead (its use is `disk.failed`, but
   * for closing and releasing files and mappings, which do nothing), and whatever was under way is rejected. Ordered
   * faults and `syncLies` stay; a hold ends. The disk can be opened again at once.
   */
  crash(options: { mode?: CrashMode; random?: Random } = {}): void {
    const { mode = 'random', random = this.#random } = options
    this.#life++
    const interrupted = [...this.#pending]
    this.#pending.clear()
    this.#held = undefined
    this.#locked.clear()
    this.#openCounts.clear()
    this.#decide(mode, random)
    this.#dirty.clear()
    this.#usedBytes = 0
    for (const image of this.#names.files()) this.#usedBytes += image.allocatedBytes
    for (const { operation, path, fail } of interrupted) fail(powerCut(operation, path))
  }

  /** Orders a fault. */
  fail(fault: Fault): void {
    this.#faults.add(fault)
  }

  clearFaults(): void {
    this.#faults.clear()
  }

  /** From now on syncs of files begin but do not end, until the hold is released or the power cut. */
  holdSyncs(): SyncHold {
    assert(this.#held === undefined, 'syncs are held once at a time')
    const held: PendingOperation[] = []
    this.#held = held
    return {
      get waiting() {
        return held.length
      },
      release: () => {
        if (this.#held === held) this.#held = undefined
        for (const pending of held.splice(0)) this.#end(pending)
      },
    }
  }

  /** Damage: writes the file out, then flips one bit (0 to 7) of the byte at `offset`, in memory and on the disk. */
  flipBit(path: string, offset: number, bit: number): void {
    const image = this.#names.file(path)
    assert(offset < image.size, 'the byte is within the file')
    image.flipBit(offset, bit)
  }

  /** Damage: writes the file out, then makes a range of it zeros, in memory and on the disk. */
  zeroRange(path: string, offset: number, length: number): void {
    this.#names.file(path).zeroRange(offset, length)
  }

  /** Damage: writes the file out, then cuts it to `size`, behind the back of whoever has it open. */
  cut(path: string, size: number): void {
    const image = this.#names.file(path)
    const before = image.allocatedBytes
    image.cut(size)
    this.#usedBytes += image.allocatedBytes - before
  }

  #decide(mode: CrashMode, random: Random): void {
    if (mode === 'prefix') {
      const orders = [...this.#names.orders, ...[...this.#dirty].flatMap((image) => image.orders)].sort((a, b) => a - b)
      const moment = orders[random.below(orders.length + 1)] ?? Number.POSITIVE_INFINITY
      this.#names.crash((order) => order < moment)
      for (const image of this.#dirty) image.crashAt(moment, random)
      return
    }
    this.#names.crash(() => mode === 'keep-all' || (mode === 'random' && random.chance(2)))
    for (const image of this.#dirty) {
      if (mode === 'random') image.crashAtRandom(random)
      else if (mode === 'keep-all') image.crashKeepingAll()
      else image.crashDroppingAll()
    }
  }

  #openImage(path: string, mode: OpenMode, image: FileImage): DiskFile {
    this.#openCounts.set(image, (this.#openCounts.get(image) ?? 0) + 1)
    const life = this.#life
    const context: FileContext = {
      check: (operation) => this.#checkLife(life, operation, path),
      step: (operation) => this.#step(operation, path),
      isDead: () => this.#life !== life,
      read: (target, start, length, offset) => this.#read(image, target, start, length, offset),
      readsAreResident: () => this.readsAreResident,
      write: (source, start, length, offset) => this.#write(path, image, source, start, length, offset),
      resize: (size) => this.#resize(path, image, size),
      sync: () => this.#sync(path, image),
      trySync: () => this.#trySync(path, image),
      later: (operation, run) => this.#later(operation, path, run),
      close: () => this.#close(image),
    }
    return new SimulatedFile(path, mode, image, context)
  }

  #read(image: FileImage, target: Uint8Array, start: number, length: number, offset: number): number {
    const count = image.read(target, start, length, offset)
    this.counts.reads++
    this.counts.readBytes += count
    return count
  }

  #write(path: string, image: FileImage, source: Uint8Array, start: number, length: number, offset: number): void {
    this.counts.writes++
    const fault = this.#faults.next('write', path)
    if (fault !== undefined) {
      this.#store(image, source, start, Math.min(fault.partialBytes ?? 0, length), offset)
      throw faultError(fault, path)
    }
    checkFileBytes(path, offset + length)
    if (image.missingBytes(offset, length) > this.#capacityBytes - this.#usedBytes) {
      this.#store(image, source, start, this.#fittingBytes(image, length, offset), offset)
      throw diskErrors.full({ path })
    }
    this.#store(image, source, start, length, offset)
  }

  /** As a kernel does on a full disk: block by block, until there is no room for the next. */
  #fittingBytes(image: FileImage, length: number, offset: number): number {
    let fitting = 0
    while (fitting < length) {
      const end = Math.min((Math.floor((offset + fitting) / blockBytes) + 1) * blockBytes, offset + length)
      if (image.missingBytes(offset, end - offset) > this.#capacityBytes - this.#usedBytes) break
      fitting = end - offset
    }
    return fitting
  }

  #store(image: FileImage, source: Uint8Array, start: number, length: number, offset: number): void {
    const before = image.allocatedBytes
    image.write(++this.#order, source, start, length, offset)
    this.#usedBytes += image.allocatedBytes - before
    this.counts.writtenBytes += length
    if (image.isDirty) this.#dirty.add(image)
  }

  #resize(path: string, image: FileImage, size: number): void {
    this.#step('truncate', path)
    checkFileBytes(path, size)
    const before = image.allocatedBytes
    image.resize(++this.#order, size)
    this.#usedBytes += image.allocatedBytes - before
    if (image.isDirty) this.#dirty.add(image)
  }

  async #sync(path: string, image: FileImage): Promise<void> {
    this.counts.syncs++
    const fault = this.#faults.next('sync', path)
    const order = this.#order
    await this.#later('sync', path, () => this.#commit(path, image, order, fault))
  }

  #trySync(path: string, image: FileImage): boolean {
    if (!this.syncsInline || this.#held !== undefined) return false
    this.counts.syncs++
    this.#commit(path, image, this.#order, this.#faults.next('sync', path))
    return true
  }

  #commit(path: string, image: FileImage, order: number, fault: Fault | undefined): void {
    if (fault !== undefined) {
      image.abandon(order)
      throw faultError(fault, path)
    }
    if (this.syncLies) return
    image.commit(order)
    if (!image.isDirty) this.#dirty.delete(image)
  }

  #close(image: FileImage): void {
    const count = (this.#openCounts.get(image) ?? 0) - 1
    if (count > 0) {
      this.#openCounts.set(image, count)
      return
    }
    this.#openCounts.delete(image)
    this.#freeIfUnused(image)
  }

  /** Room is given back when a file has neither a name nor a user. */
  #freeIfUnused(image: FileImage | Folder): void {
    if (image instanceof Folder || this.#openCounts.has(image)) return
    for (const named of this.#names.files()) if (named === image) return
    this.#usedBytes -= image.allocatedBytes
  }

  #step(operation: DiskOperation, path: string): void {
    const fault = this.#faults.next(operation, path)
    if (fault !== undefined) throw faultError(fault, path)
  }

  #checkLife(life: number, operation: string, path: string): void {
    if (this.#life !== life) throw powerCut(operation, path)
  }

  #later<Result>(operation: DiskOperation, path: string, run: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        try {
          resolve(run())
        } catch (error) {
          reject(error)
        }
      }
      const pending: PendingOperation = { path, operation, run: finish, fail: reject }
      this.#pending.add(pending)
      if (operation === 'sync' && this.#held !== undefined) this.#held.push(pending)
      else this.#end(pending)
    })
  }

  #end(pending: PendingOperation): void {
    this.#schedule(
      () => {
        if (this.#pending.delete(pending)) pending.run()
      },
      pending.operation,
      pending.path,
    )
  }
}

function powerCut(operation: string, path: string): Error {
  return diskErrors.failed({ operation, path, reason: 'the power was cut, simulated' })
}

function checkFileBytes(path: string, size: number): void {
  if (size > fileBytesMax) {
    throw diskErrors.failed({ operation: 'write', path, reason: 'EFBIG: file too large, simulated' })
  }
}
