/**
 * Online compaction: rewrites a set of segments, the *inputs*, into sorted segments that hold only what is still needed,
 * while reads and writes go on. Spec: docs/decisions, docs/formats/sorted-v1.md
 *
 *   check   every byte of the inputs is read from the disk and checked, and deletes that must be kept are noted
 *   write   the keys are walked in order, and records that stand in an input are copied to new segments
 *   commit  the new segments are durable, then the contents name them in place of the inputs
 *   move    indexes and notes are redirected
 *   drop    the inputs go
 *
 * What must hold:
 * 1. Inputs have only records that every retained state has behind it, or shares: nothing above the oldest revision.
 *    Of the log they are the oldest segments, so that what is left of it has no gap.
 * 2. A put is kept if it is the newest of its key or a note leads to it, and keys are overwritten meanwhile: the notes are
 *    looked through before the keys and after them. A write that is taken back meanwhile ends the work: it could bring
 *    back a record that neither look came by. A delete is kept if an older record of its key may
 *    stand in a sorted segment that is not an input: without it, recovery would bring that record back.
 * 3. A failure or a crash before the commit leaves the store as it was; after it, files that the contents do not name are removed.
 *    Where the commit itself fails, the disk may have either contents: both have their files, and the log is poisoned.
 * No step holds the loop for longer than a slice.
 */

import { assert, hasCode } from '@orbitkv/base'
import { largeBuffer } from '@orbitkv/bytes'
import { engineErrors } from '@orbitkv/engine'
import type { Clock, Disk } from '@orbitkv/runtime'
import type { LogConfig } from '../config.ts'
import { segmentFileName, segmentHeaderBytes, sortedFooterBytes } from '../log/format.ts'
import type { Log } from '../log/log.ts'
import { LogRecord } from '../log/record.ts'
import type { Segment } from '../log/segment.ts'
import { checkSegment } from '../recovery/check-segment.ts'
import type { KeyspaceIndex, VersionIndex } from '../versions/version-index.ts'
import { commitContents, type SortedEntry, stageContents } from './contents.ts'
import { compareRecords, KeyOrder } from './key-order.ts'
import { PlaceList } from './place-list.ts'
import { noNote, type SegmentSet } from './relocation.ts'
import { SortedWriter } from './sorted-segment.ts'

export interface CompactionOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly config: LogConfig
  readonly log: Log
  readonly index: VersionIndex
  readonly storeId: string
  /** The folder of the sorted segments. */
  readonly directory: string
  readonly oldestRevision: number
  /** The oldest state that is kept by now: states below it have been given up meanwhile. */
  readonly oldestNow: () => number
  /** Makes the log durable, as far as it is appended. */
  readonly sync: () => Promise<unknown>
  /** Awaited between slices. */
  readonly pause: () => Promise<void>
  /** Asked at each slice: true ends the work, as if it had never begun. */
  readonly isStopping: () => boolean
}

/** Thrown, and caught by `compactSegments`, when the engine wants to close, or takes writes back. */
class Stopped extends Error {}

/** What came of a compaction. */
export interface Compacted {
  readonly freedBytes: number
  readonly writtenBytes: number
  /** Files of the inputs, which nothing needs any more: to be removed. */
  readonly files: readonly string[]
}

/** Rewrites the inputs. */
export async function compactSegments(options: CompactionOptions, inputs: readonly Segment[]): Promise<Compacted> {
  const compaction = new Compaction(options, inputs)
  try {
    await compaction.check()
    await compaction.write()
    await compaction.commit()
  } catch (error) {
    compaction.discard()
    if (error instanceof Stopped) return { freedBytes: 0, writtenBytes: 0, files: [] }
    throw hasCode(error, 'disk.full') ? engineErrors.full({ path: options.log.directory }, error) : error
  }
  await compaction.move()
  return compaction.drop()
}

/** Records copied between two looks at the time, and read ahead together. */
const copiesPerLook = 32

class Compaction {
  readonly #options: CompactionOptions
  readonly #inputs: readonly Segment[]
  readonly #inputSet: SegmentSet
  /** Inputs, and all sorted segments. */
  readonly #lookedSet: SegmentSet
  /** Older puts that a note leads to, tagged with it, and deletes to keep. */
  readonly #extras = new PlaceList()
  /** Their order, and how far they are written. */
  #order: KeyOrder
  #orderAt = 0
  /** By segment number, a bit for each place of an input: set where the record there is copied. */
  readonly #copied: Uint32Array[] = []
  readonly #cutsBefore: number
  /** For each copied record its place before, tagged as it was found; the places after are in the order of `#outputs`. */
  readonly #moved = new PlaceList()
  readonly #outputs: { segment: Segment; entry: SortedEntry; firstMoved: number }[] = []
  #writer: SortedWriter | undefined
  #isCommitting = false
  #sliceEndMs = 0
  readonly #mayGoOn = (): boolean => this.#options.clock.monotonic() < this.#sliceEndMs
  readonly #record = new LogRecord()
  readonly #other = new LogRecord()
  readonly #source = new LogRecord()
  readonly #spans = new Uint32Array(2 * copiesPerLook)
  /** What was read ahead, kept so that the reads are made. */
  touched = 0

  constructor(options: CompactionOptions, inputs: readonly Segment[]) {
    this.#options = options
    this.#inputs = inputs
    const { segments } = options.log
    this.#inputSet = new Uint8Array(segments.length)
    this.#lookedSet = new Uint8Array(segments.length)
    for (const segment of options.log.inOrder()) if (segment.kind === 'sorted') this.#lookedSet[segment.number] = 1
    for (const { number, end } of inputs) {
      this.#inputSet[number] = this.#lookedSet[number] = 1
      this.#copied[number] = new Uint32Array((end >>> 8) + 1)
    }
    this.#cutsBefore = options.log.cuts
    this.#order = new KeyOrder(options.log, this.#extras)
  }

  // ---- check

  async check(): Promise<void> {
    for (const segment of this.#inputs) {
      const newest = segment.kind === 'log' ? segment.lastBatch.revision : segment.maxRevision
      assert(newest <= this.#options.oldestRevision, 'an input is behind every retained state')
      const oldest = this.#oldestOutside(newest)
      await checkSegment(
        segment,
        segment.end,
        (record) => {
          if (record.isPut || record.revision < oldest) return
          // A put that the oldest state sees is newer, and wins over what this deleted.
          if (record.kind === 'delete' && this.#isSeenByOldest(record)) return
          this.#extras.push(segment.number, record.start >>> 3, noNote)
        },
        (offset, problem) => {
          throw engineErrors.corrupt({ file: segment.file.path, offset, problem })
        },
        () => this.#assertGoingOn(),
      )
    }
  }

  #isSeenByOldest({ keyspace, bytes, keyStart, keyBytes }: LogRecord): boolean {
    const { index, oldestRevision } = this.#options
    return index.get(keyspace, bytes, keyStart, keyStart + keyBytes, oldestRevision) !== undefined
  }

  /** Of the sorted segments beside the inputs that may hold something older than `newest`: no record is older than this. */
  #oldestOutside(newest: number): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const segment of this.#options.log.inOrder()) {
      if (segment.kind !== 'sorted' || this.#inputSet[segment.number] === 1) continue
      // What is younger than the input as a whole cannot have what its deletes delete.
      if (segment.minRevision <= newest) oldest = Math.min(oldest, segment.minRevision)
    }
    return oldest
  }

  // ---- write

  async write(): Promise<void> {
    await this.#gatherOlder()
    for (const space of [...this.#options.index.spaces()]) await this.#writeSpace(space)
    await this.#writeExtrasBefore(Number.POSITIVE_INFINITY, undefined)
    await this.#finishOutput()
    // What was overwritten after the first look and before its key was come by stands in a segment of its own.
    this.#extras.clear()
    await this.#gatherOlder()
    await this.#writeExtrasBefore(Number.POSITIVE_INFINITY, undefined)
    await this.#finishOutput()
  }

  /** Adds to the extras, in order, the older puts that a note leads to and that are not copied yet. */
  async #gatherOlder(): Promise<void> {
    const { relocation } = this.#options.index
    const push = (segment: number, offset8: number, note: number): void => {
      if (!this.#isCopied(segment, offset8)) this.#extras.push(segment, offset8, note)
    }
    for (let number = 0; number !== -1; ) {
      await this.#slice()
      number = relocation.gatherOlder(number, this.#inputSet, push, this.#mayGoOn)
    }
    this.#order = new KeyOrder(this.#options.log, this.#extras)
    this.#orderAt = 0
    for (let done = false; !done; done = this.#order.step(this.#mayGoOn)) await this.#slice()
  }

  #isCopied(segment: number, offset8: number): boolean {
    return (((this.#copied[segment] as Uint32Array)[offset8 >>> 5] as number) & (1 << (offset8 & 31))) !== 0
  }

  /** Copies what a keyspace has in the inputs. The keys are walked in slices, and what each found is copied at once. */
  async #writeSpace(space: KeyspaceIndex): Promise<void> {
    const { relocation } = this.#options.index
    const found = new PlaceList()
    const push = (segment: number, offset8: number): void => found.push(segment, offset8, noNote)
    let from: Uint8Array | undefined
    do {
      await this.#slice()
      found.clear()
      from = relocation.sweep(space, from, this.#inputSet, this.#lookedSet, push, this.#mayGoOn)
      for (let i = 0; i < found.length; i++) {
        if (i % copiesPerLook === 0) {
          if (!this.#mayGoOn()) await this.#slice()
          this.#touch(found, i)
        }
        if (this.#orderAt < this.#order.length) {
          const record = this.#at(this.#record, found.segment(i), found.offset8(i))
          await this.#writeExtrasBefore(space.id, record)
        }
        if (this.#isCopied(found.segment(i), found.offset8(i))) continue
        if (!this.#copy(found, i)) await this.#copyToNext(found, i)
      }
    } while (from !== undefined)
  }

  /** Copies the extras whose keys come before a record's; all that are left of keyspaces up to one, without a record. */
  async #writeExtrasBefore(keyspace: number, record: LogRecord | undefined): Promise<void> {
    const extras = this.#extras
    while (this.#orderAt < this.#order.length) {
      const index = this.#order.at(this.#orderAt)
      const extra = this.#at(this.#other, extras.segment(index), extras.offset8(index))
      if (record === undefined ? extra.keyspace > keyspace : compareRecords(extra, record) > 0) return
      this.#orderAt++
      if (!this.#copy(extras, index)) await this.#copyToNext(extras, index)
      if (this.#orderAt % copiesPerLook === 0 && !this.#mayGoOn()) await this.#slice()
    }
  }

  /** Reads the records that are copied next, all trips to memory together. */
  #touch(found: PlaceList, from: number): void {
    const { wordsOf } = this.#options.log
    let sum = 0
    for (let i = from; i < Math.min(from + copiesPerLook, found.length); i++) {
      const words = wordsOf[found.segment(i)] as Uint32Array
      const word = found.offset8(i) << 1
      sum ^= (words[word] as number) ^ (words[word + 16] as number) ^ (words[word + 32] as number)
    }
    this.touched = sum
  }

  /** Copies a record; false where the output has no room for it. */
  #copy(places: PlaceList, index: number): boolean {
    const segment = places.segment(index)
    const offset8 = places.offset8(index)
    const record = this.#at(this.#source, segment, offset8)
    this.#writer ??= this.#newOutput(record.recordBytes)
    if (!this.#writer.hasRoom(record.recordBytes)) return false
    this.#writer.add(record)
    this.#moved.push(segment, offset8, places.tag(index))
    const copied = this.#copied[segment] as Uint32Array
    copied[offset8 >>> 5] = (copied[offset8 >>> 5] as number) | (1 << (offset8 & 31))
    return true
  }

  async #copyToNext(places: PlaceList, index: number): Promise<void> {
    await this.#finishOutput()
    const fits = this.#copy(places, index)
    assert(fits, 'an output is made for its first record')
  }

  #newOutput(recordBytes: number): SortedWriter {
    const { disk, log, config, clock, storeId, directory } = this.#options
    const capacity = Math.max(config.segmentBytes, segmentHeaderBytes + recordBytes + sortedFooterBytes)
    const number = log.takeNumber()
    const path = `${directory}/${segmentFileName(number, 'sorted')}`
    const header = { kind: 'sorted', number, seed: log.randomUint32(), createdAt: clock.now(), storeId } as const
    const withSpace = <Result>(allocate: () => Result): Result => log.withSpace(true, allocate)
    const image = new Uint8Array(largeBuffer(capacity))
    return withSpace(() => new SortedWriter({ disk, path, header, image, withSpace }))
  }

  async #finishOutput(): Promise<void> {
    const writer = this.#writer
    if (writer === undefined) return
    const firstMoved = this.#moved.length - writer.recordCount
    const bounds = await writer.finish()
    this.#writer = undefined
    const { segment } = writer
    segment.minRevision = bounds.minRevision
    const { recordCount: records, minRevision, maxRevision } = bounds
    const bytes = segment.end + sortedFooterBytes
    const entry = { number: segment.number, bytes, records, minRevision, maxRevision }
    this.#outputs.push({ segment, entry, firstMoved })
  }

  // ---- commit

  async commit(): Promise<void> {
    const { disk, log, storeId, directory } = this.#options
    this.#assertGoingOn()
    // Versions that were given up meanwhile were not copied; the state must be durable before it is named.
    const oldestRevision = this.#options.oldestNow()
    // What supersedes records that are left behind must outlive a power cut before they go.
    await this.#options.sync()
    await disk.syncDirectory(directory)
    const { contents } = log
    const inputLogs = this.#inputs.filter(({ kind }) => kind === 'log')
    const last = inputLogs.at(-1)
    const next = {
      generation: contents.generation + 1,
      oldestRevision,
      logStart: last === undefined ? contents.logStart : log.logAfter(last.number).number,
      // A segment without a batch, as a truncation leaves it, does not know after recovery which one was before it.
      base: inputLogs.findLast(({ end }) => end > segmentHeaderBytes)?.lastBatch ?? contents.base,
      sorted: [
        ...contents.sorted.filter(({ number }) => this.#inputSet[number] !== 1),
        ...this.#outputs.map(({ entry }) => entry),
      ],
    }
    await stageContents(disk, directory, storeId, next)
    this.#isCommitting = true
    try {
      await commitContents(disk, directory)
    } catch (error) {
      throw log.poisonWith(error)
    }
    log.contents = next
  }

  discard(): void {
    const { disk } = this.#options
    if (this.#writer !== undefined) this.#writer.discard(disk)
    for (const { segment } of this.#outputs) {
      segment.file.close()
      if (!this.#isCommitting) disk.remove(segment.file.path)
    }
  }

  // ---- move and drop

  async move(): Promise<void> {
    const { index, log } = this.#options
    for (const { segment, firstMoved, entry } of this.#outputs) {
      index.relocation.admit(segment.number, segment.end)
      log.adopt(segment)
      log.seal(segment)
      let at = segmentHeaderBytes
      for (let i = 0; i < entry.records; i++) {
        if (i % copiesPerLook === 0) {
          if (!this.#mayGoOn()) await this.#slice(false)
          this.#prefetch(segment, at)
        }
        const record = this.#record.moveTo(segment.bytes, segment.words, at)
        at += record.recordBytes
        if (!record.isPut) continue
        const moved = firstMoved + i
        // Once writes were taken back others may have the numbers of their notes, and keys lead to what these had replaced.
        const note = log.cuts === this.#cutsBefore ? this.#moved.tag(moved) : noNote
        const { number } = segment
        index.relocation.move(
          record,
          this.#moved.segment(moved),
          this.#moved.offset8(moved),
          number,
          note,
          this.#inputSet,
        )
      }
    }
  }

  /** Has the indexes bring in what the next records of an output need, those of one keyspace. */
  #prefetch({ bytes, words, end }: Segment, start: number): void {
    const spans = this.#spans
    const record = this.#other
    let count = 0
    let keyspace = 0
    for (let at = start; count < copiesPerLook && at < end; at += record.recordBytes) {
      record.moveTo(bytes, words, at)
      if (count === 0) keyspace = record.keyspace
      else if (record.keyspace !== keyspace) break
      spans[2 * count] = record.keyStart
      spans[2 * count + 1] = record.keyStart + record.keyBytes
      count++
    }
    this.#options.index.prefetch(keyspace, bytes, spans, count)
  }

  drop(): Compacted {
    const { index, log } = this.#options
    let freedBytes = 0
    for (const segment of this.#inputs) {
      freedBytes += segment.end
      index.relocation.forget(segment.number)
      log.drop(segment, index.cursors.size === 0)
    }
    const writtenBytes = this.#outputs.reduce((sum, { entry }) => sum + entry.bytes, 0)
    const files = this.#inputs.map(({ file }) => file.path)
    return { freedBytes: Math.max(0, freedBytes - writtenBytes), writtenBytes, files }
  }

  // ---- slices

  /** Lets the loop go on, then begins the next slice. */
  async #slice(mayStop = true): Promise<void> {
    const { clock, config, pause } = this.#options
    await pause()
    if (mayStop) this.#assertGoingOn()
    this.#sliceEndMs = clock.monotonic() + config.sliceMs
  }

  #assertGoingOn(): void {
    if (this.#options.isStopping() || this.#options.log.cuts !== this.#cutsBefore) throw new Stopped()
  }

  #at(record: LogRecord, segment: number, offset8: number): LogRecord {
    const { bytesOf, wordsOf } = this.#options.log
    return record.moveTo(bytesOf[segment] as Uint8Array, wordsOf[segment] as Uint32Array, offset8 << 3)
  }
}
