/**
 * Making a checkpoint while the store goes on: what the indexes were at one moment (moment.ts), walked in slices and written
 * beside the present checkpoint, which it then replaces. Spec of the items: docs/formats/checkpoint-v1.md
 *
 * What must hold: it takes the present one's place only once the log is durable up to its moment and published so far, so
 * that neither a power cut nor a truncation can take back what is in it.
 */

import { assert, hasCode } from '@orbitkv/base'
import type { Clock, Disk } from '@orbitkv/runtime'
import type { LogConfig } from '../config.ts'
import type { BatchDirectory } from '../log/batch-directory.ts'
import type { Log } from '../log/log.ts'
import { LeafCopy, leafEntryWords } from '../ordered/leaf-copy.ts'
import { tableCount } from '../point/point-index.ts'
import { hashBits } from '../point/point-table.ts'
import type { LogBase } from '../sorted/contents.ts'
import type { IndexParts } from '../versions/index-parts.ts'
import type { KeyspaceIndex } from '../versions/version-index.ts'
import { deadBit, newNote } from '../versions/versions.ts'
import {
  blockKind,
  type CheckpointHead,
  checkpointPath,
  stagedCheckpointPath,
  tailChecksum,
} from './checkpoint-format.ts'
import { CheckpointWriter, wordsOfBytes } from './checkpoint-writer.ts'
import { Moment } from './moment.ts'

export interface WriteCheckpointOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly config: LogConfig
  readonly log: Log
  readonly parts: IndexParts
  readonly directory: BatchDirectory
  /** Where it goes; the folder is there. */
  readonly folder: string
  readonly storeId: string
  readonly number: number
  /** The newest batch, which is sealed. */
  readonly appended: LogBase
  readonly oldestRevision: number
  /** Makes the log durable, as far as it is appended. */
  readonly sync: () => Promise<unknown>
  /** Up to where nothing can be taken back any more. */
  readonly settledPosition: () => number
  /** Asked at each slice: true ends the work, as if it had never begun. */
  readonly isStopping: () => boolean
}

/** Thrown, and caught by `writeCheckpoint`, when it is not to be. */
class Stopped extends Error {}

/** Of a table's entries so many are told at a time, about: a fraction of a slice. */
const entriesPerStep = 2048
/** Entries of one item: a few steps of them fit in a block. */
const entriesPerItem = 4096
const marksPerItem = 16_384
const notesPerLook = 256
/** What is durable is published soon after; where it waits for others, the next checkpoint may come at a better time. */
const settleTurnsMax = 1000

/** Returns what it made; undefined where it was stopped, or the log was cut, or is not published so far. */
export async function writeCheckpoint(
  options: WriteCheckpointOptions,
): Promise<{ head: CheckpointHead; bytes: number } | undefined> {
  const task = new CheckpointTask(options)
  try {
    await task.write()
    return await task.commit()
  } catch (error) {
    task.discard()
    if (error instanceof Stopped || hasCode(error, 'engine.poisoned')) return undefined
    throw error
  }
}

class CheckpointTask {
  readonly #options: WriteCheckpointOptions
  readonly #moment: Moment
  readonly #head: CheckpointHead
  readonly #cutsBefore: number
  readonly #spaces: readonly { readonly space: KeyspaceIndex; readonly live: number; readonly size: number }[]
  readonly #used: readonly number[]
  readonly #notes: { readonly from: number; readonly to: number }
  readonly #places: number
  readonly #writer: CheckpointWriter
  readonly #entries = new Uint32Array(3 * entriesPerItem)
  #isWritten = false
  #sliceEndMs = 0

  constructor(options: WriteCheckpointOptions) {
    this.#options = options
    const { disk, clock, log, parts, directory, folder, oldestRevision, number } = options
    const { position, revision, time } = options.appended
    this.#cutsBefore = log.cuts
    const moment = new Moment(log, parts)
    this.#moment = moment
    const { tailSegment, tailBytes } = moment
    const { generation } = log.contents
    const createdAt = clock.now()
    this.#head = {
      ...{ createdAt, number, generation, oldestRevision, position, revision, time, tailSegment, tailBytes },
      tailChecksum: tailChecksum(log.active.bytes, tailBytes),
    }
    this.#spaces = Array.from(parts.index.spaces(), (space) => ({ space, live: space.live, size: space.index.size }))
    this.#used = Array.from({ length: tableCount }, (_, table) => parts.point.usedOf(table))
    this.#notes = { from: parts.versions.firstNumber, to: parts.versions.nextNumber }
    this.#places = directory.count
    this.#writer = new CheckpointWriter(disk, stagedCheckpointPath(folder), log.randomUint32())
  }

  /** What is small: all of it at the moment. */
  #writeSmall(): void {
    const { log, parts } = this.#options
    const writer = this.#writer
    for (const segment of log.inOrder()) {
      writer.item(blockKind.segments, 15)
      writer.push(segment.number)
      writer.push(segment.seed)
      writer.push(segment.kind === 'log' ? 1 : 2)
      writer.push64(segment.end)
      writer.push64(segment.lastBatch.position)
      writer.push64(segment.lastBatch.revision)
      writer.push64(segment.lastBatch.time)
      writer.push64(parts.superseded.deadBytes(segment.number))
      writer.push64(segment.checkedAt || this.#head.createdAt)
    }
    writer.item(blockKind.pointHash, 3)
    for (const number of parts.point.hash.numbers) writer.push(number)
    parts.point.windows.forEach((segment, start) => {
      writer.item(blockKind.pointWindows, 2)
      writer.push(segment)
      writer.push(start)
    })
    writer.item(blockKind.pointTables, 2 * tableCount)
    for (const used of this.#used) writer.push64(used)
    for (const { space, live, size } of this.#spaces) {
      writer.item(blockKind.spaces, 5)
      writer.push(space.id)
      writer.push64(live)
      writer.push64(size)
    }
  }

  /** To be called right after the constructor. */
  async write(): Promise<void> {
    this.#writeSmall()
    await this.#slice()
    await this.#writeDirectory()
    await this.#writeNotes()
    for (let table = 0; table < tableCount; table++) await this.#writeTable(table)
    for (const { space, size } of this.#spaces) await this.#writeLeaves(space, size)
    // Marks are only ever added: later ones do no harm.
    await this.#writeMarks()
  }

  async #writeDirectory(): Promise<void> {
    const { directory } = this.#options
    const writer = this.#writer
    for (let i = 0; i < this.#places; i++) {
      if (i % notesPerLook === 0 && !this.#mayGoOn()) await this.#slice()
      const { position, revision, segment, offset } = directory.at(i)
      writer.item(blockKind.directory, 6)
      writer.push64(position)
      writer.push64(revision)
      writer.push(segment)
      writer.push(offset)
    }
  }

  async #writeNotes(): Promise<void> {
    const { versions } = this.#options.parts
    const writer = this.#writer
    const note = newNote()
    for (let number = this.#notes.from; number < this.#notes.to; number++) {
      if (number % notesPerLook === 0 && !this.#mayGoOn()) await this.#slice()
      versions.load(number, note)
      writer.item(blockKind.notes, 8)
      writer.push(note.keyspace)
      writer.push(note.isDelete ? note.segment | deadBit : note.segment)
      writer.push(note.offset8)
      writer.push(note.olderSegment)
      writer.push(note.olderOffset8)
      writer.push64(note.revision)
      writer.push(note.alias)
    }
  }

  /** The entries of a table from the highest hash on, as a table is filled again. */
  async #writeTable(table: number): Promise<void> {
    const { point } = this.#options.parts
    const writer = this.#writer
    const hashes = 2 ** hashBits
    const steps = Math.max(1, Math.ceil((this.#used[table] as number) / entriesPerStep))
    const step = Math.ceil(hashes / steps)
    const entries = this.#entries
    let count = 0
    const flush = (): void => {
      if (count === 0) return
      writer.item(blockKind.pointEntries, 2 + 3 * count)
      writer.push(table)
      writer.push(count)
      writer.pushWords(entries, 0, 3 * count)
      count = 0
    }
    const visit = (hash: number, low: number, location: number): void => {
      if (count === entriesPerItem) flush()
      entries[3 * count] = hash
      entries[3 * count + 1] = low
      entries[3 * count + 2] = location
      count++
    }
    for (let to = hashes; to > 0; to -= step) {
      if (!this.#mayGoOn()) await this.#slice()
      point.forEachDown(table, Math.max(0, to - step), to, this.#moment.locate, visit)
    }
    flush()
  }

  /** All leaves up to the one with the last of so many entries: behind it there may be new ones without end. */
  async #writeLeaves({ id, index }: KeyspaceIndex, size: number): Promise<void> {
    const writer = this.#writer
    const leaf = new LeafCopy()
    let from: Uint8Array | undefined = new Uint8Array(0)
    let left = size
    while (left > 0) {
      assert(from !== undefined, 'the leaves have all entries of the moment')
      if (!this.#mayGoOn()) await this.#slice()
      const next: Uint8Array | undefined = index.copyLeaf(from, leaf, this.#moment.locateOrdered)
      if (leaf.count > 0) {
        const words = leaf.count * leafEntryWords
        writer.item(blockKind.leaves, 3 + wordsOfBytes(leaf.prefix) + wordsOfBytes(from) + words)
        writer.push(id)
        writer.push(leaf.slots)
        writer.push(leaf.count)
        writer.pushBytes(leaf.prefix)
        writer.pushBytes(from)
        writer.pushWords(leaf.words, 0, words)
      }
      left -= leaf.count
      from = next
    }
  }

  async #writeMarks(): Promise<void> {
    const { log, parts } = this.#options
    const writer = this.#writer
    for (const { number } of [...log.inOrder()]) {
      const marks = parts.superseded.marksOf(number)
      if (marks === undefined) continue
      for (let from = 0; from < marks.length; from += marksPerItem) {
        if (!this.#mayGoOn()) await this.#slice()
        const to = Math.min(from + marksPerItem, marks.length)
        writer.item(blockKind.superseded, 4 + to - from)
        writer.push(number)
        writer.push(marks.length)
        writer.push(from)
        writer.push(to - from)
        writer.pushWords(marks, from, to)
      }
    }
  }

  async commit(): Promise<{ head: CheckpointHead; bytes: number }> {
    const { disk, clock, folder, storeId, sync, settledPosition } = this.#options
    const bytes = await this.#writer.finish(storeId, this.#head)
    this.#isWritten = true
    await sync()
    this.#assertGoingOn()
    for (let turns = 0; settledPosition() < this.#head.position; turns++) {
      if (turns === settleTurnsMax) throw new Stopped()
      await clock.turn()
      this.#assertGoingOn()
    }
    disk.rename(stagedCheckpointPath(folder), checkpointPath(folder))
    await disk.syncDirectory(folder)
    return { head: this.#head, bytes }
  }

  discard(): void {
    const { disk, folder } = this.#options
    const staged = stagedCheckpointPath(folder)
    if (!this.#isWritten) this.#writer.discard()
    else if (disk.exists(staged)) disk.remove(staged)
  }

  #mayGoOn(): boolean {
    return this.#options.clock.monotonic() < this.#sliceEndMs
  }

  /** Lets the loop go on, then begins the next slice. */
  async #slice(): Promise<void> {
    const { clock, config } = this.#options
    await this.#writer.syncSome()
    await clock.turn()
    this.#assertGoingOn()
    this.#sliceEndMs = clock.monotonic() + config.sliceMs
  }

  #assertGoingOn(): void {
    if (this.#options.isStopping() || this.#options.log.cuts !== this.#cutsBefore) throw new Stopped()
  }
}
