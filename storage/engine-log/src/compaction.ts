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
 * 2. A put is kept if it is the newest of its key or a note leads to it. A delete is kept if an older record of its key may
 *    stand in a sorted segment that is not an input: without it, recovery would bring that record back.
 * 3. A failure or a crash before the commit leaves the store as it was; after it, files that the contents do not name are removed.
 * No step holds the loop for longer than a slice.
 */

import { assert } from '@orbitkv/base'
import { compareBytes, largeBuffer } from '@orbitkv/bytes'
import { engineErrors } from '@orbitkv/engine'
import type { Clock, Disk } from '@orbitkv/runtime'
import { checkSegment } from './check-segment.ts'
import type { LogConfig } from './config.ts'
import { type SortedEntry, writeContents } from './contents.ts'
import { segmentFileName, segmentHeaderBytes, sortedFooterBytes } from './format.ts'
import type { Log } from './log.ts'
import { MergeSort } from './merge-sort.ts'
import { PairList } from './pair-list.ts'
import { LogRecord } from './record.ts'
import type { SegmentSet } from './relocation.ts'
import type { Segment } from './segment.ts'
import { SortedWriter } from './sorted-segment.ts'
import type { KeyspaceIndex, VersionIndex } from './version-index.ts'

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
  /** Makes the log durable, as far as it is appended. */
  readonly sync: () => Promise<unknown>
  /** Asked at each slice: true ends the work, as if it had never begun. */
  readonly isStopping: () => boolean
}

/** Thrown, and caught by `compactSegments`, when the engine wants to close. */
class Stopped extends Error {}

/** Rewrites the inputs. Resolves to the bytes given back, and the bytes written for it. */
export async function compactSegments(
  options: CompactionOptions,
  inputs: readonly Segment[],
): Promise<{ freedBytes: number; writtenBytes: number }> {
  const compaction = new Compaction(options, inputs)
  try {
    await compaction.check()
    await compaction.write()
    await compaction.commit()
  } catch (error) {
    compaction.discard()
    if (error instanceof Stopped) return { freedBytes: 0, writtenBytes: 0 }
    throw error
  }
  await compaction.move()
  return compaction.drop()
}

class Compaction {
  readonly #options: CompactionOptions
  readonly #inputs: readonly Segment[]
  readonly #inputSet: SegmentSet
  /** Inputs, and all sorted segments. */
  readonly #lookedSet: SegmentSet
  /** Older puts that a note leads to, and deletes to keep: places, and once sorted in the order of their keys. */
  #extras = new PairList()
  #extrasAt = 0
  /** For each copied record its place before; the places after are in the order of `#outputs`. */
  readonly #moved = new PairList()
  readonly #outputs: { segment: Segment; entry: SortedEntry; firstMoved: number }[] = []
  #writer: SortedWriter | undefined
  #sliceEndMs = 0
  readonly #mayGoOn = (): boolean => this.#options.clock.monotonic() < this.#sliceEndMs
  readonly #record = new LogRecord()
  readonly #other = new LogRecord()

  constructor(options: CompactionOptions, inputs: readonly Segment[]) {
    this.#options = options
    this.#inputs = inputs
    const { segments } = options.log
    this.#inputSet = new Uint8Array(segments.length)
    this.#lookedSet = new Uint8Array(segments.length)
    for (const segment of options.log.inOrder()) if (segment.kind === 'sorted') this.#lookedSet[segment.number] = 1
    for (const { number } of inputs) this.#inputSet[number] = this.#lookedSet[number] = 1
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
          this.#extras.push(segment.number, record.start >>> 3)
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
    const { index } = this.#options
    const push = (segment: number, offset8: number): void => this.#extras.push(segment, offset8)
    for (let number = 0; number !== -1; ) {
      await this.#slice()
      number = index.relocation.gatherOlder(number, this.#inputSet, push, this.#mayGoOn)
    }
    await this.#sortExtras()
    for (const space of [...index.spaces()]) await this.#writeSpace(space)
    await this.#writeExtrasBefore(Number.POSITIVE_INFINITY, undefined)
    await this.#finishOutput()
  }

  async #sortExtras(): Promise<void> {
    const sort = new MergeSort(this.#extras.words, this.#extras.length, (segmentA, a, segmentB, b) => {
      const first = this.#at(this.#record, segmentA, a)
      const second = this.#at(this.#other, segmentB, b)
      return compareRecords(first, second)
    })
    for (let done = false; !done; ) {
      await this.#slice()
      done = sort.step(this.#mayGoOn)
    }
    this.#extras = PairList.of(sort.pairs, this.#extras.length)
  }

  /** Copies what a keyspace has in the inputs. The keys are walked in slices, and what each found is copied at once. */
  async #writeSpace(space: KeyspaceIndex): Promise<void> {
    const { relocation } = this.#options.index
    const found = new PairList()
    const push = (segment: number, offset8: number): void => found.push(segment, offset8)
    let from: Uint8Array | undefined
    do {
      await this.#slice()
      found.clear()
      from = relocation.sweep(space, from, this.#inputSet, this.#lookedSet, push, this.#mayGoOn)
      for (let i = 0; i < found.length; i++) {
        const segment = found.first(i)
        const offset8 = found.second(i)
        if (this.#extrasAt < this.#extras.length) {
          await this.#writeExtrasBefore(space.id, this.#at(this.#record, segment, offset8))
        }
        await this.#copy(segment, offset8)
      }
    } while (from !== undefined)
  }

  /** Copies the extras whose keys come before a record's; all that are left of keyspaces up to one, without a record. */
  async #writeExtrasBefore(keyspace: number, record: LogRecord | undefined): Promise<void> {
    while (this.#extrasAt < this.#extras.length) {
      const segment = this.#extras.first(this.#extrasAt)
      const offset8 = this.#extras.second(this.#extrasAt)
      const extra = this.#at(this.#other, segment, offset8)
      if (record === undefined ? extra.keyspace > keyspace : compareRecords(extra, record) > 0) return
      this.#extrasAt++
      await this.#copy(segment, offset8)
    }
  }

  async #copy(segment: number, offset8: number): Promise<void> {
    const record = this.#at(new LogRecord(), segment, offset8)
    if (this.#writer !== undefined && !this.#writer.hasRoom(record.recordBytes)) await this.#finishOutput()
    this.#writer ??= this.#newOutput(record.recordBytes)
    this.#writer.add(record)
    this.#moved.push(segment, offset8)
  }

  #newOutput(recordBytes: number): SortedWriter {
    const { disk, log, config, clock, storeId, directory } = this.#options
    const capacity = Math.max(config.segmentBytes, segmentHeaderBytes + recordBytes + sortedFooterBytes)
    const number = log.takeNumber()
    const path = `${directory}/${segmentFileName(number, 'sorted')}`
    const header = { kind: 'sorted', number, seed: log.randomUint32(), createdAt: clock.now(), storeId } as const
    return log.withSpace(true, () => new SortedWriter(disk, path, header, new Uint8Array(largeBuffer(capacity))))
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
    const { disk, log, storeId, directory, oldestRevision } = this.#options
    this.#assertGoingOn()
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
      base: last === undefined ? contents.base : (last.lastBatch ?? contents.base),
      sorted: [
        ...contents.sorted.filter(({ number }) => this.#inputSet[number] !== 1),
        ...this.#outputs.map(({ entry }) => entry),
      ],
    }
    await writeContents(disk, directory, storeId, next)
    log.contents = next
  }

  discard(): void {
    const { disk } = this.#options
    if (this.#writer !== undefined) this.#writer.discard(disk)
    for (const { segment } of this.#outputs) {
      segment.file.close()
      disk.remove(segment.file.path)
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
        if (i % 64 === 0 && !this.#mayGoOn()) await this.#slice(false)
        const record = this.#record.moveTo(segment.bytes, segment.words, at)
        at += record.recordBytes
        if (!record.isPut) continue
        const moved = firstMoved + i
        index.relocation.move(
          record,
          this.#moved.first(moved),
          this.#moved.second(moved),
          segment.number,
          this.#inputSet,
        )
      }
    }
  }

  drop(): { freedBytes: number; writtenBytes: number } {
    const { index, log } = this.#options
    let freedBytes = 0
    for (const segment of this.#inputs) {
      freedBytes += segment.end
      index.relocation.forget(segment.number)
      log.drop(segment, index.cursorsOpen === 0)
    }
    const writtenBytes = this.#outputs.reduce((sum, { entry }) => sum + entry.bytes, 0)
    return { freedBytes: freedBytes - writtenBytes, writtenBytes }
  }

  // ---- slices

  /** Lets the loop go on, then begins the next slice. */
  async #slice(mayStop = true): Promise<void> {
    const { clock, config } = this.#options
    await clock.turn()
    if (mayStop) this.#assertGoingOn()
    this.#sliceEndMs = clock.monotonic() + config.sliceMs
  }

  #assertGoingOn(): void {
    if (this.#options.isStopping()) throw new Stopped()
  }

  #at(record: LogRecord, segment: number, offset8: number): LogRecord {
    const { bytesOf, wordsOf } = this.#options.log
    return record.moveTo(bytesOf[segment] as Uint8Array, wordsOf[segment] as Uint32Array, offset8 << 3)
  }
}

/** By keyspace, key and revision. */
function compareRecords(a: LogRecord, b: LogRecord): number {
  if (a.keyspace !== b.keyspace) return a.keyspace - b.keyspace
  const { bytes, keyStart, keyBytes } = b
  const order = compareBytes(a.bytes, a.keyStart, a.keyStart + a.keyBytes, bytes, keyStart, keyStart + keyBytes)
  return order !== 0 ? order : a.revision - b.revision
}
