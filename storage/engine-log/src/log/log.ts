/**
 * The log: segments in order, one of them active. Space, writing, syncing and cutting; what batches mean is the engine's.
 *
 * What must hold:
 * 1. Bytes are appended only where `reserve` has made sure of blocks, so a full disk is an error before anything changed.
 * 2. `durable` never names a byte that a completed sync did not cover.
 * 3. After a failed write or sync nothing is written any more (`poisoned`): the kernel may have dropped the bytes.
 */

import { assert, hasCode } from '@orbitkv/base'
import { align8, largeBuffer } from '@orbitkv/bytes'
import { engineErrors } from '@orbitkv/engine'
import { type Clock, type Disk, writeZeros } from '@orbitkv/runtime'
import type { LogConfig } from '../config.ts'
import { type Contents, noContents } from '../sorted/contents.ts'
import { writeDurableLine } from './durable-line.ts'
import { segmentFileName, segmentHeaderBytes } from './format.ts'
import { createSegment, type Segment } from './segment.ts'

export interface LogOptions {
  readonly disk: Disk
  readonly clock: Clock
  /** The folder of the segments. */
  readonly directory: string
  readonly config: LogConfig
  readonly storeId: string
  /** A random whole number below 2^32, for the seeds of checksums. */
  readonly randomUint32: () => number
}

/** A place in the log: everything before `bytes` in segment `segment`, and every earlier segment. */
export interface LogAddress {
  readonly segment: number
  readonly bytes: number
}

const noBytes = new Uint8Array(0)
const noWords = new Uint32Array(0)

export class Log {
  readonly directory: string
  readonly #options: LogOptions
  /** By segment number; the holes are segments that are gone. */
  readonly segments: (Segment | undefined)[] = []
  /** The bytes and words of each segment, by number: what readers index. */
  readonly bytesOf: Uint8Array[] = []
  readonly wordsOf: Uint32Array[] = []
  #active: Segment | undefined
  /** Which sorted segments count, and from where on the log does. Compaction sets it, once it is durable. */
  contents: Contents = noContents
  #durable: LogAddress = { segment: 0, bytes: 0 }
  #directoryDirty = false
  #poison: string | undefined
  #reserveHeld = false
  #nextNumber = 1
  /** Of the segment sealed last; used again at the next seal, when no reader can hold a view of it any more. */
  #spareImage: Uint8Array | undefined
  #syncs = 0
  #cuts = 0

  constructor(options: LogOptions) {
    this.#options = options
    this.directory = options.directory
  }

  /** A random whole number below 2^32. */
  randomUint32(): number {
    return this.#options.randomUint32()
  }

  get active(): Segment {
    assert(this.#active !== undefined, 'an open log has an active segment')
    return this.#active
  }

  get durable(): LogAddress {
    return this.#durable
  }

  /** Why nothing can be written any more; undefined while all is well. */
  get poison(): string | undefined {
    return this.#poison
  }

  /** Syncs of segment files since it was opened. */
  get syncs(): number {
    return this.#syncs
  }

  /** How often it was cut since it was opened. */
  get cuts(): number {
    return this.#cuts
  }

  segment(number: number): Segment {
    const segment = this.segments[number]
    assert(segment !== undefined, `segment ${number} is open`)
    return segment
  }

  /** The newest log segment, if there is one. */
  get newestLog(): Segment | undefined {
    return this.segments.findLast((segment) => segment?.kind === 'log')
  }

  /** The log segment that follows another. */
  logAfter(number: number): Segment {
    const next = this.segments.find((segment, i) => i > number && segment?.kind === 'log')
    assert(next !== undefined, 'a log segment that is not the active one is followed by another')
    return next
  }

  /** A number for the next file. */
  takeNumber(): number {
    const number = Math.max(this.contents.logStart, this.#nextNumber, this.segments.length)
    this.#nextNumber = number + 1
    return number
  }

  /**
   * Gives up a segment that nothing leads to any more; its file is the caller's to remove. `releases`: nobody can still hold a
   * view of it, so its memory goes at once.
   */
  drop(segment: Segment, releases: boolean): void {
    this.segments[segment.number] = undefined
    this.bytesOf[segment.number] = noBytes
    this.wordsOf[segment.number] = noWords
    if (releases) segment.mapping?.release()
    segment.file.close()
  }

  /** Bytes of batches and sorted records. */
  get storedBytes(): number {
    let bytes = 0
    for (const segment of this.inOrder()) bytes += segment.end
    return bytes
  }

  /** Segments that exist, in order. */
  *inOrder(): Iterable<Segment> {
    for (const segment of this.segments) if (segment !== undefined) yield segment
  }

  /** Takes a segment in, as recovery finds it. The last one may become active. */
  adopt(segment: Segment): void {
    this.segments[segment.number] = segment
    this.#publishImage(segment)
  }

  /** Ends recovery: cuts a torn tail, and goes on in the newest segment if it can be appended to, else in a new one. */
  async start(tornAt: LogAddress | undefined): Promise<void> {
    this.#takeReserve()
    this.#active = this.newestLog
    if (tornAt !== undefined) await this.cut(tornAt)
    const newest = this.#active
    if (newest === undefined || newest.mapping !== undefined || newest.end + segmentHeaderBytes > newest.capacity) {
      this.#startSegment(0, true)
    }
    await this.sync()
  }

  /** Makes sure that `bytes` can be appended to the active segment; throws `engine.full` with nothing changed. */
  reserve(bytes: number, deletesOnly: boolean): void {
    this.#assertHealthy()
    if (!deletesOnly && !this.#reserveHeld) {
      this.#takeReserve()
      if (!this.#reserveHeld) throw engineErrors.full({ path: this.directory })
    }
    const segment = this.active
    if (segment.end + bytes <= segment.zeroedEnd) return
    if (!deletesOnly) this.#assertRoom(bytes)
    if (segment.end + bytes > segment.capacity) this.#startSegment(bytes, deletesOnly)
    this.#zeroAhead(this.active, this.active.end + bytes, deletesOnly)
  }

  /** Looked at where the log takes more of the disk: what was taken ahead is the log's. */
  #assertRoom(bytes: number): void {
    const { storedBytesMax } = this.#options.config
    if (storedBytesMax === 0) return
    const { storedBytes } = this
    if (storedBytes + bytes > storedBytesMax) throw engineErrors.store_full({ bytes: storedBytes, max: storedBytesMax })
  }

  /** Whether `bytes` more can be appended as things stand, without making room first. */
  hasRoom(bytes: number): boolean {
    return this.#reserveHeld && this.active.end + bytes <= this.active.zeroedEnd
  }

  /** Hands every appended byte to the system. */
  write(): void {
    const segment = this.active
    if (segment.writtenEnd === segment.end) return
    this.#assertHealthy()
    try {
      segment.file.write(segment.bytes, segment.writtenEnd, segment.end - segment.writtenEnd, segment.writtenEnd)
      segment.writtenEnd = segment.end
    } catch (error) {
      throw this.poisonWith(error)
    }
  }

  /** Makes every byte appended before the call durable. One at a time. */
  async sync(): Promise<void> {
    this.write()
    this.#assertHealthy()
    const target = this.#writtenTo
    const last = this.active.number
    try {
      if (this.#directoryDirty) {
        this.#directoryDirty = false
        await this.#options.disk.syncDirectory(this.directory)
      }
      for (let number = Math.max(1, this.#durable.segment); number <= last; number++) {
        const segment = this.segments[number]
        if (segment === undefined || segment.durableEnd >= segment.writtenEnd) continue
        const upTo = segment.writtenEnd
        await segment.file.sync()
        this.#syncs++
        segment.durableEnd = upTo
      }
    } catch (error) {
      throw this.poisonWith(error)
    }
    this.#durable = target
  }

  /** The end of the newest batch that is written: that of an earlier segment while the active one has none. */
  get #writtenTo(): LogAddress {
    const segment = this.segments.findLast(
      (candidate) => candidate?.kind === 'log' && candidate.writtenEnd > segmentHeaderBytes,
    )
    const { number, writtenEnd } = segment ?? this.active
    return { segment: number, bytes: writtenEnd }
  }

  /** As `sync`, but before it returns; false, with nothing more durable, where that cannot be. */
  trySync(): boolean {
    this.write()
    if (this.#directoryDirty) return false
    const target = this.#writtenTo
    const last = this.active.number
    try {
      for (let number = Math.max(1, this.#durable.segment); number <= last; number++) {
        const segment = this.segments[number]
        if (segment === undefined || segment.durableEnd >= segment.writtenEnd) continue
        if (!segment.file.trySync()) return false
        this.#syncs++
        segment.durableEnd = segment.writtenEnd
      }
    } catch (error) {
      throw this.poisonWith(error)
    }
    this.#durable = target
    return true
  }

  /** Cuts everything at and after an address, on the disk too; resolves once that is durable. */
  async cut(address: LogAddress): Promise<void> {
    const { disk, config } = this.#options
    const segment = this.segment(address.segment)
    assert(address.bytes <= segment.end, 'only what is there is cut')
    this.#cuts++
    for (let number = this.segments.length - 1; number > address.segment; number--) {
      const later = this.segments[number]
      if (later === undefined || later.kind === 'sorted') continue
      later.close()
      if (this.#poison === undefined) disk.remove(later.file.path)
      this.segments[number] = undefined
      this.bytesOf[number] = noBytes
      this.wordsOf[number] = noWords
    }
    if (segment.mapping !== undefined) {
      const image = new Uint8Array(Math.max(config.segmentBytes, segment.end))
      segment.file.read(image, 0, address.bytes, 0)
      // Not released: a range that was begun may hold a view of what is kept. It goes with the last view.
      segment.mapping = undefined
      segment.bytes = image
      segment.words = new Uint32Array(image.buffer)
      this.#publishImage(segment)
    }
    segment.end = address.bytes
    this.#active = segment
    if (this.#poison !== undefined) return
    segment.file.truncate(address.bytes)
    segment.writtenEnd = Math.min(segment.writtenEnd, address.bytes)
    segment.zeroedEnd = address.bytes
    segment.durableEnd = 0
    if (this.#durable.segment >= address.segment) this.#durable = { segment: address.segment, bytes: 0 }
    this.#directoryDirty = true
    await this.sync()
  }

  /** Ends the active segment, if it holds anything, so that what it holds can be compacted. */
  sealActive(): void {
    if (this.active.end > segmentHeaderBytes) this.#startSegment(0, true)
  }

  /** Ends writing: everything is durable, and the durable line says so. */
  async finish(): Promise<void> {
    await this.sync()
    await writeDurableLine(this.#options.disk, this.directory, this.#durable)
  }

  close(): void {
    for (const segment of this.inOrder()) segment.close()
  }

  /** Seals the active segment and goes on in a new one with room for `bytes`. */
  #startSegment(bytes: number, deletesOnly: boolean): void {
    const { disk, clock, config, storeId, randomUint32 } = this.#options
    const sealed = this.#active
    if (sealed !== undefined && sealed.mapping === undefined) this.write()
    const number = this.takeNumber()
    // A batch larger than a segment gets one of its own size.
    const capacity = Math.max(config.segmentBytes, align8(segmentHeaderBytes + bytes))
    const path = `${this.directory}/${segmentFileName(number)}`
    const image = this.takeImage(capacity)
    const segment = this.withSpace(deletesOnly, () =>
      createSegment(disk, path, { kind: 'log', number, image, createdAt: clock.now(), storeId, seed: randomUint32() }),
    )
    this.segments[number] = segment
    this.#publishImage(segment)
    this.#active = segment
    this.#directoryDirty = true
    if (sealed !== undefined && sealed.mapping === undefined) {
      // Give back the zeros behind the last batch.
      sealed.file.truncate(sealed.end)
      sealed.zeroedEnd = sealed.end
      this.seal(sealed)
    }
  }

  /** Reads a segment that is no longer written through a mapping of its file from now on, where there are mappings. */
  seal(segment: Segment): void {
    const { kind } = this.#options.disk
    if (kind === 'javascript' || kind === 'memory') return
    if (segment.capacity === this.#options.config.segmentBytes) this.#spareImage = segment.bytes
    segment.mapFile(this.#options.config.adviseRandom ? 'random' : 'normal')
    this.#publishImage(segment)
  }

  /**
   * An image of at least so many bytes for a segment: that of the one sealed last, if nobody took it yet, since its pages are
   * there already; it holds what it held. Recovery thus reads a store of any size through one image.
   */
  takeImage(capacity: number): Uint8Array {
    const spare = this.#spareImage
    if (spare === undefined || spare.length < capacity) return new Uint8Array(largeBuffer(capacity))
    this.#spareImage = undefined
    return spare
  }

  #publishImage(segment: Segment): void {
    this.bytesOf[segment.number] = segment.bytes
    this.wordsOf[segment.number] = segment.words
  }

  #zeroAhead(segment: Segment, needed: number, deletesOnly: boolean): void {
    const { zeroAheadBytes: step, zeroAhead } = this.#options.config
    const target = Math.min(Math.ceil(needed / step) * step, segment.capacity)
    this.withSpace(deletesOnly, () => {
      const bytes = target - segment.zeroedEnd
      if (bytes <= 0) return
      if (zeroAhead) writeZeros(segment.file, segment.zeroedEnd, bytes)
      else segment.file.allocate(segment.zeroedEnd, bytes)
      segment.zeroedEnd = target
    })
  }

  /** Runs what allocates; on a full disk deletes get the reserve, and everything else gets `engine.full`. */
  withSpace<Result>(deletesOnly: boolean, allocate: () => Result): Result {
    try {
      return allocate()
    } catch (error) {
      if (!hasCode(error, 'disk.full')) throw error
      const canGiveUp = deletesOnly && this.#reserveHeld && this.#options.config.reserveBytes > 0
      if (!canGiveUp) throw engineErrors.full({ path: this.directory }, error)
    }
    this.#options.disk.remove(this.#reservePath)
    this.#reserveHeld = false
    try {
      return allocate()
    } catch (error) {
      if (hasCode(error, 'disk.full')) throw engineErrors.full({ path: this.directory }, error)
      throw error
    }
  }

  get #reservePath(): string {
    return `${this.directory}/reserve`
  }

  /** Fills the reserve file if it is not there whole; without the space for it, it is simply not held. */
  #takeReserve(): void {
    const { disk, config } = this.#options
    if (config.reserveBytes === 0) {
      this.#reserveHeld = true
      return
    }
    const present = disk.exists(this.#reservePath)
    // Without twice the room there is no point in trying: what is free would be gone again at once.
    if (!present && disk.freeBytes(this.directory) < 2 * config.reserveBytes) return
    const file = disk.open(this.#reservePath, present ? 'write' : 'create')
    try {
      const size = file.size()
      if (size < config.reserveBytes) writeZeros(file, size, config.reserveBytes - size)
      this.#reserveHeld = true
    } catch (error) {
      if (!hasCode(error, 'disk.full')) throw error
      file.truncate(0)
    } finally {
      file.close()
    }
  }

  #assertHealthy(): void {
    if (this.#poison !== undefined) throw engineErrors.poisoned({ path: this.directory, reason: this.#poison })
  }

  /** Ends writing, since nobody knows any more what the disk has; returns the error to throw. */
  poisonWith(error: unknown): Error {
    if (hasCode(error, 'engine.poisoned')) return error as Error
    this.#poison ??= error instanceof Error ? error.message : String(error)
    return engineErrors.poisoned({ path: this.directory, reason: this.#poison }, error)
  }
}
