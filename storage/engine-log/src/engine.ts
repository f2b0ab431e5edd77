/**
 * The log engine: the Engine contract over a log and a multi-version index of it.
 *
 * A batch is encoded straight into the active segment, indexed, and only then counts as appended; what can fail (limits,
 * space) is checked before the first byte. Format: format.ts. Opening and recovery: open.ts.
 */

import { assert, MiB } from '@orbitkv/base'
import { align8, crc32c, crc32cMany, writeUint64 } from '@orbitkv/bytes'
import {
  type At,
  type Batch,
  type Capabilities,
  type Change,
  type CommittedBatch,
  type Engine,
  type EngineStats,
  engineErrors,
  type Fault,
  type FilesHold,
  type Keyspace,
  latest,
  published,
  type Range,
  type RecordView,
  type StatePlace,
  type VerifyReport,
} from '@orbitkv/engine'
import type { Clock, Disk, DiskLock } from '@orbitkv/runtime'
import type { Opening } from './checkpoint/checkpoints.ts'
import { rangeCold, readCold } from './cold-reads.ts'
import type { LogConfig } from './config.ts'
import type { BatchDirectory } from './log/batch-directory.ts'
import { checkBatch, fitsLimits, onlyDeletes } from './log/batch-limits.ts'
import { LogFollower } from './log/follow.ts'
import { batchHeader, batchHeaderBytes, batchMagic } from './log/format.ts'
import type { Log } from './log/log.ts'
import { placeAt } from './log/place.ts'
import { encodeRecord, type Lineage, LogRecord, recordBytesMax } from './log/record.ts'
import { type BatchHead, forEachRecord, newBatchHead } from './log/scan.ts'
import type { Segment } from './log/segment.ts'
import { walkBatches } from './log/walk.ts'
import { IndexCap } from './memory/index-cap.ts'
import { Memory } from './memory/memory.ts'
import { RangeCursor } from './ordered/range-cursor.ts'
import { type Behind, reclaimableBytes } from './sorted/compaction-policy.ts'
import type { Contents } from './sorted/contents.ts'
import { Upkeep } from './sorted/upkeep.ts'
import { logStats, orderedStats } from './stats.ts'
import type { VersionIndex } from './versions/version-index.ts'

/** A batch that changes are added to ends at this: what a crash loses together, and checks read together, stays small. */
const extendedBytesMax = 1 * MiB
/** How many retired versions one call of `retain` drops: about a millisecond of the loop. */
const retiredPerCall = 4096

export interface LogEngineOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly storeId: string
  readonly path: string
  readonly config: LogConfig
  readonly log: Log
  readonly lock: DiskLock
  /** As opening left them. */
  readonly index: VersionIndex
  readonly directory: BatchDirectory
}

interface UnpublishedEnd {
  readonly position: number
  readonly revision: number
  readonly time: number
  readonly segment: number
  end: number
}

/** The newest batch, while changes may still be added to it: all of it stands in the segment but the checksums. */
interface OpenBatch {
  segment: Segment
  start: number
  records: number
  /** Whether it took a revision of its own, so that its records may. */
  changesUserData: boolean
}

export class LogEngine implements Engine {
  readonly name = 'mmap'
  readonly capabilities: Capabilities
  readonly #options: LogEngineOptions
  readonly #log: Log
  readonly #index: VersionIndex
  readonly #indexCap: IndexCap
  readonly #memory: Memory
  readonly #directory: BatchDirectory
  #faults: readonly Fault[] = []
  #readOnly: string | undefined
  #closed = false

  appendedPosition = 0
  appendedRevision = 0
  appendedTime = 0
  publishedPosition = 0
  publishedRevision = 0
  publishedTime = 0
  #durablePosition = 0
  #oldestRevision = 0
  #sync: Promise<number> | undefined
  readonly #upkeep: Upkeep
  readonly #unpublished: UnpublishedEnd[] = []

  /** Undefined once the newest batch is sealed. */
  #open: OpenBatch | undefined
  // Reused by append.
  #spans = new Uint32Array(64)
  readonly #lineage: Lineage = { exists: false, createRevision: 0, previousRevision: 0, version: 0 }
  readonly #head = newBatchHead()
  readonly #rangeDelete = new LogRecord()

  constructor(options: LogEngineOptions) {
    this.#options = options
    this.#log = options.log
    this.#index = options.index
    this.#directory = options.directory
    this.#index.checksReads = options.config.checksums === 'always'
    this.#indexCap = new IndexCap(options.config.indexBytesMax, this.#index, this.#directory)
    this.#memory = new Memory({ ...options, accesses: this.#index.accesses })
    this.#upkeep = new Upkeep({
      ...options,
      behind: () => this.#behind,
      retain: () => this.retain(this.#oldestRevision),
      sync: () => this.sync(),
      seal: () => this.#seal(),
      appended: () => ({ position: this.appendedPosition, revision: this.appendedRevision, time: this.appendedTime }),
    })
    this.capabilities = { versions: true, durable: true, truncate: true, compaction: true }
  }

  // ---- opening (open.ts)

  /** Takes in a batch that recovery found. */
  recover(segment: Segment, head: BatchHead): void {
    forEachRecord(segment.bytes, segment.words, head, this.#rangeDelete, (record) =>
      this.#index.applyRecord(record, segment.number),
    )
    this.#directory.add(segment.number, head)
    this.appendedPosition = head.position
    this.appendedRevision = head.revision
    this.appendedTime = head.time
    this.#noteLast(segment)
  }

  /** Takes in what is not replayed: the batches before it happened, and are in the index, or left the records of the sorted segments. */
  recoverBase({ oldestRevision, base }: Pick<Contents, 'oldestRevision' | 'base'>): void {
    this.#oldestRevision = oldestRevision
    this.appendedPosition = base.position
    this.appendedRevision = base.revision
    this.appendedTime = base.time
  }

  /** Ends opening: everything recovered is durable and published. With faults, nothing may be written. */
  start(faults: readonly Fault[], opening: Opening): void {
    this.#faults = faults
    const [first] = faults
    if (first !== undefined) {
      const more = faults.length > 1 ? ` and ${faults.length - 1} more` : ''
      this.#readOnly = `${first.file} is damaged at byte ${first.offset}: ${first.problem}${more}`
    }
    this.publishedPosition = this.#durablePosition = this.appendedPosition
    this.publishedRevision = this.appendedRevision
    this.publishedTime = this.appendedTime
    // What was given up before stays so: the log may still hold it.
    while (!this.retain(this.#oldestRevision));
    this.#upkeep.start(opening, faults.length > 0)
    this.#memory.start()
  }

  // ---- writing

  append(batch: Batch): number {
    this.#assertWritable()
    const { changes } = batch
    const bytesMax = checkBatch(changes, this.#options.config.valueBytesMax)
    this.#indexCap.admit(changes)
    this.#seal()
    this.#log.reserve(bytesMax, onlyDeletes(changes))
    const { active } = this.#log
    const { words, number } = active
    const start = active.end
    const spans = changes.length * 2 > this.#spans.length ? this.#growSpans(changes.length) : this.#spans

    let at = start + batchHeaderBytes
    for (let i = 0; i < changes.length; i++) {
      const change = changes[i] as Change
      const valueEnd = this.#appendChange(active, at, change, batch.revision)
      spans[2 * i] = at
      spans[2 * i + 1] = valueEnd
      at = (valueEnd + 7) & ~7
    }
    const position = this.appendedPosition + 1
    const time = batch.time > this.appendedTime ? batch.time : this.appendedTime
    const { durable } = this.#log
    const word = start >>> 2
    words[word] = batchMagic
    words[word + batchHeader.batchBytes / 4] = at - start
    words[word + batchHeader.recordCount / 4] = changes.length
    writeUint64(words, word + batchHeader.position / 4, position)
    writeUint64(words, word + batchHeader.revision / 4, batch.revision)
    writeUint64(words, word + batchHeader.time / 4, time)
    writeUint64(words, word + batchHeader.epoch / 4, batch.epoch ?? 0)
    words[word + batchHeader.shard / 4] = 0
    words[word + batchHeader.durableSegment / 4] = durable.segment
    words[word + batchHeader.durableBytes / 4] = durable.bytes
    words[word + batchHeader.zero / 4] = 0
    active.end = at
    const changesUserData = batch.revision > this.appendedRevision
    this.#open = { segment: active, start, records: changes.length, changesUserData }

    this.appendedPosition = position
    this.appendedRevision = batch.revision
    this.appendedTime = time
    this.#noteBatch(active, start, at - start)
    this.#noteLast(active)
    if (this.#unpublished.length === 0) {
      this.#index.allPublished = false
      this.#index.publishedSegment = number
      this.#index.publishedOffset8 = start >>> 3
    }
    this.#unpublished.push({ position, revision: batch.revision, time, segment: number, end: at })
    return position
  }

  extend(change: Change, time: number): boolean {
    this.#assertWritable()
    const open = this.#open
    if (open === undefined || !open.changesUserData || time > this.appendedTime) return false
    if (change.kind === 'delete-range' || !fitsLimits(change, this.#options.config.valueBytesMax)) return false
    const { segment, start, records } = open
    const at = segment.end
    const bytesMax = recordBytesMax(change)
    if (at - start + bytesMax > extendedBytesMax || !this.#log.hasRoom(bytesMax)) return false

    const revision = this.appendedRevision
    const { bytes, words, number } = segment
    const { keyspace, key, keyStart, keyEnd } = change
    const isPut = change.kind === 'put'
    const lineage = this.#lineage
    const space = this.#index.space(keyspace)
    const found = this.#index.inherit(space, key, keyStart, keyEnd, revision, isPut, lineage)
    // A key has one record at a revision.
    if (lineage.previousRevision === revision) return false
    if (isPut && !found && !this.#indexCap.admitsOne()) return false
    const valueEnd = encodeRecord(bytes, words, at, change, revision, lineage)
    this.#index.place(space, found, key, keyStart, keyEnd, number, at >>> 3, isPut, revision)

    const spans = 2 * records + 2 > this.#spans.length ? this.#growSpans(records + 1) : this.#spans
    spans[2 * records] = at
    spans[2 * records + 1] = valueEnd
    const end = align8(valueEnd)
    open.records = records + 1
    const word = start >>> 2
    words[word + batchHeader.batchBytes / 4] = end - start
    words[word + batchHeader.recordCount / 4] = records + 1
    segment.end = end
    ;(this.#unpublished.at(-1) as UnpublishedEnd).end = end
    return true
  }

  /** Gives the newest batch its checksums: from here on it is as the disk will have it. */
  #seal(): void {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    const { segment, start, records } = open
    const { seed, bytes, words, end } = segment
    crc32cMany(seed, bytes, this.#spans, records)
    words[(start + batchHeader.checksum) >>> 2] = crc32c(seed, bytes, start + batchHeader.batchBytes, end)
    this.#upkeep.wroteLog(end - start)
  }

  /** Encodes and indexes one change at a place of the active segment; returns where its value ends. */
  #appendChange(active: Segment, at: number, change: Change, revision: number): number {
    const { bytes, words, number } = active
    const lineage = this.#lineage
    const space = this.#index.space(change.keyspace)
    if (change.kind === 'delete-range') {
      assert(revision > this.appendedRevision, 'a batch that deletes a range has a revision of its own')
      lineage.exists = false
      const end = encodeRecord(bytes, words, at, change, revision, lineage)
      this.#index.applyDeleteRange(this.#rangeDelete.moveTo(bytes, words, at), number)
      return end
    }
    const isPut = change.kind === 'put'
    const { key, keyStart, keyEnd } = change
    const found = this.#index.inherit(space, key, keyStart, keyEnd, revision, isPut, lineage)
    const end = encodeRecord(bytes, words, at, change, revision, lineage)
    this.#index.place(space, found, key, keyStart, keyEnd, number, at >>> 3, isPut, revision)
    return end
  }

  #growSpans(changes: number): Uint32Array {
    const spans = new Uint32Array(2 ** Math.ceil(Math.log2(2 * changes)))
    spans.set(this.#spans.subarray(0, Math.min(this.#spans.length, spans.length)))
    this.#spans = spans
    return spans
  }

  #noteLast({ lastBatch }: Segment): void {
    lastBatch.position = this.appendedPosition
    lastBatch.revision = this.appendedRevision
    lastBatch.time = this.appendedTime
  }

  #noteBatch(segment: Segment, offset: number, batchBytes: number): void {
    const head = this.#head
    head.offset = offset
    head.batchBytes = batchBytes
    head.position = this.appendedPosition
    head.revision = this.appendedRevision
    this.#directory.add(segment.number, head)
  }

  write(): number {
    this.#assertWritable()
    this.#seal()
    this.#log.write()
    return this.appendedPosition
  }

  async sync(): Promise<number> {
    this.#assertWritable()
    // One at a time: what was appended meanwhile goes with the next one.
    while (this.#sync !== undefined) await this.#sync
    this.#sync = this.#syncOnce()
    try {
      return await this.#sync
    } finally {
      this.#sync = undefined
    }
  }

  trySync(): number | undefined {
    this.#assertWritable()
    if (this.#sync !== undefined) return undefined
    this.#seal()
    if (!this.#log.trySync()) return undefined
    this.#durablePosition = this.appendedPosition
    return this.#durablePosition
  }

  async #syncOnce(): Promise<number> {
    const position = this.appendedPosition
    this.#seal()
    await this.#log.sync()
    this.#durablePosition = Math.max(this.#durablePosition, position)
    return this.#durablePosition
  }

  publish(position: number): void {
    assert(position <= this.appendedPosition, 'only what is appended is published')
    const unpublished = this.#unpublished
    let count = 0
    while (count < unpublished.length && (unpublished[count] as UnpublishedEnd).position <= position) count++
    if (count === 0) return
    const last = unpublished[count - 1] as UnpublishedEnd
    // What others see takes no more changes.
    if (count === unpublished.length) this.#seal()
    if (count === unpublished.length) unpublished.length = 0
    else unpublished.splice(0, count)
    this.publishedPosition = last.position
    this.publishedRevision = last.revision
    this.publishedTime = last.time
    this.#index.allPublished = unpublished.length === 0
    this.#index.publishedSegment = last.segment
    this.#index.publishedOffset8 = last.end >>> 3
  }

  async truncateAfter(position: number): Promise<void> {
    if (position < this.publishedPosition) {
      throw engineErrors.published({ position, published: this.publishedPosition })
    }
    // Whoever asked for that sync hears of its failure.
    while (this.#sync !== undefined) await this.#sync.catch(() => undefined)
    if (position >= this.appendedPosition) return
    this.#seal()
    // Where they stand other records may stand soon.
    for (const cursor of this.#index.cursors) cursor.leave()
    const heads = Array.from(this.#walk(position), ({ segment, head }) => ({ segment, head: { ...head } }))
    for (const { segment, head } of heads.reverse()) {
      this.#index.leave(segment.number)
      const starts: number[] = []
      forEachRecord(segment.bytes, segment.words, head, this.#rangeDelete, (record) => void starts.push(record.start))
      for (const start of starts.reverse()) {
        this.#index.undoRecord(this.#rangeDelete.moveTo(segment.bytes, segment.words, start), segment.number)
      }
    }
    const first = heads.at(-1)
    assert(first !== undefined, 'there is a batch to take back')
    while ((this.#unpublished.at(-1)?.position ?? 0) > position) this.#unpublished.pop()
    const newest = this.#unpublished.at(-1)
    this.appendedPosition = position
    this.appendedRevision = newest?.revision ?? this.publishedRevision
    this.appendedTime = newest?.time ?? this.publishedTime
    this.#durablePosition = Math.min(this.#durablePosition, position)
    this.#directory.truncateAfter(position)
    this.#index.allPublished = this.#unpublished.length === 0
    this.#noteLast(first.segment)
    await this.#log.cut({ segment: first.segment.number, bytes: first.head.offset })
  }

  #walk(position: number): Iterable<{ segment: Segment; head: BatchHead }> {
    return walkBatches(this.#log, this.#directory, position, this.#faults.length > 0)
  }

  // ---- reading

  get(keyspace: Keyspace, key: Uint8Array, start: number, end: number, at: At = published): RecordView | undefined {
    if (at >= 0) this.#assertKept(at)
    return this.#index.get(keyspace, key, start, end, at)
  }

  prefetch(keyspace: Keyspace, bytes: Uint8Array, spans: Uint32Array, count: number): void {
    this.#index.prefetch(keyspace, bytes, spans, count)
  }

  async getAsync(keyspace: Keyspace, key: Uint8Array, at: At = published): Promise<RecordView | undefined> {
    if (at >= 0) this.#assertKept(at)
    return readCold(this.#log, this.#index, keyspace, key, at)
  }

  range(keyspace: Keyspace, range: Range): Iterable<RecordView> {
    if (range.at !== undefined && range.at >= 0) this.#assertKept(range.at)
    const space = this.#index.existing(keyspace)
    return space === undefined ? [] : new RangeCursor(this.#index, space, range)
  }

  rangeAsync(keyspace: Keyspace, range: Range): AsyncIterable<RecordView> {
    return rangeCold({ ...this.#options, index: this.#index, engine: this }, () => this.#assertOpen(), keyspace, range)
  }

  count(keyspace: Keyspace, range: Range): number {
    const space = this.#index.existing(keyspace)
    const { at = published } = range
    const isNewest = at === latest || (this.#index.allPublished && (at === published || at === this.publishedRevision))
    if (isNewest) return space === undefined ? 0 : this.#index.rangeCount.count(space, range)
    let count = 0
    for (const _ of this.range(keyspace, range)) count++
    return count
  }

  sample(keyspace: Keyspace, fraction: number): RecordView | undefined {
    const space = this.#index.existing(keyspace)
    if (space === undefined || !space.index.sample(fraction)) return undefined
    this.#index.newest(space, space.index.placeLeaf, space.index.placeSlot)
    return this.#index.resolve(this.#index.newestSegment, this.#index.newestOffset8, latest, this.#rangeDelete)
  }

  keyspaces(): Keyspace[] {
    return Array.from(this.#index.spaces(), (space) => space.id)
  }

  changes(position: number): IterableIterator<CommittedBatch> {
    return new LogFollower(position, { ...this.#place, publishedPosition: () => this.publishedPosition })
  }

  timeAt(revision: number): number {
    return this.placeAt(revision).time
  }

  placeAt(revision: number): StatePlace {
    this.#assertKept(revision)
    return placeAt(revision, { ...this.#place, publishedPosition: this.publishedPosition })
  }

  get #place() {
    return { log: this.#log, directory: this.#directory, isDamaged: this.#faults.length > 0 }
  }

  // ---- keeping

  retain(revision: number): boolean {
    assert(revision <= this.publishedRevision, 'only published states are given up')
    this.#oldestRevision = Math.max(this.#oldestRevision, revision)
    // A checkpoint is made from what was kept when it began: the next call goes on.
    return this.#upkeep.isReadingVersions || this.#index.retire(this.#oldestRevision, retiredPerCall)
  }

  get versionsRetained(): number {
    return this.#index.versionsKept
  }

  get oldestRevision(): number {
    return this.#oldestRevision
  }

  get storedBytes(): number {
    return this.#log.storedBytes
  }

  get reclaimableBytes(): number {
    return reclaimableBytes(this.#log, this.#index.relocation, this.#behind)
  }

  async compact(scope: 'garbage' | 'all' = 'garbage', pause?: () => Promise<void>): Promise<number> {
    this.#assertWritable()
    return this.#upkeep.compact(scope, pause)
  }

  get #behind(): Behind {
    return { revision: this.#oldestRevision, position: this.publishedPosition }
  }

  async verify(progress?: (bytesDone: number, bytesTotal: number) => void): Promise<VerifyReport> {
    this.#assertOpen()
    if (this.#readOnly === undefined && this.#log.poison === undefined) {
      this.#seal()
      this.#log.write()
    }
    return this.#upkeep.verify(this.#faults, progress)
  }

  async holdFiles(): Promise<FilesHold> {
    await this.sync()
    const position = Math.min(this.#durablePosition, this.publishedPosition)
    const [newest] = this.#walk(position - 1)
    return this.#upkeep.held.hold(position, newest, this.timeAt(this.#oldestRevision))
  }

  stats(): EngineStats {
    return {
      ...logStats(this.#log, this.#index, this.#directory),
      versionsRetained: this.#index.versionsKept,
      appendedPosition: this.appendedPosition,
      publishedPosition: this.publishedPosition,
      durablePosition: this.#durablePosition,
      revision: this.publishedRevision,
      details: {
        disk: this.#options.disk.kind,
        oldestRevision: this.#oldestRevision,
        syncs: this.#log.syncs,
        reclaimableBytes: this.reclaimableBytes,
        ...this.#indexCap.stats(),
        ...orderedStats(this.#index),
        ...this.#upkeep.stats(),
        ...this.#memory.stats(),
        readOnly: this.#readOnly ?? '',
        poisoned: this.#log.poison ?? '',
        faults: this.#faults.length,
      },
    }
  }

  /** Throws an AssertionError where the index or the log breaks an invariant. For tests; visits everything. */
  validate(): void {
    this.#index.validate()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    // Whoever asked for that sync hears of its failure.
    while (this.#sync !== undefined) await this.#sync.catch(() => undefined)
    await this.#memory.stop()
    await this.#upkeep.stop()
    if (this.#closed) return
    this.#closed = true
    this.#seal()
    try {
      if (this.#readOnly === undefined && this.#log.poison === undefined) {
        await this.#log.finish()
        await this.#upkeep.close()
      }
    } finally {
      this.#log.close()
      this.#options.lock.release()
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw engineErrors.closed({ path: this.#options.path })
  }

  #assertWritable(): void {
    this.#assertOpen()
    if (this.#readOnly !== undefined) throw engineErrors.read_only({ path: this.#options.path, reason: this.#readOnly })
    if (this.#log.poison !== undefined) {
      throw engineErrors.poisoned({ path: this.#options.path, reason: this.#log.poison })
    }
  }

  #assertKept(revision: number): void {
    if (revision < this.#oldestRevision) {
      throw engineErrors.compacted({ what: 'revision', asked: revision, oldest: this.#oldestRevision })
    }
    if (revision > this.publishedRevision) {
      throw engineErrors.not_yet({ asked: revision, newest: this.publishedRevision })
    }
  }
}
