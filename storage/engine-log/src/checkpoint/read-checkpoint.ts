/**
 * Taking a checkpoint in, when a store is opened: into indexes of its own, which the engine then goes on with. Until all of it
 * has been read and found sound nothing is touched, so that what is not usable costs no more than the time.
 */

import { hasCode } from '@orbitkv/base'
import type { Disk } from '@orbitkv/runtime'
import { BatchDirectory } from '../log/batch-directory.ts'
import type { Log } from '../log/log.ts'
import { LeafCopy, leafEntriesMax, leafEntryWords } from '../ordered/leaf-copy.ts'
import { PointHash } from '../point/point-hash.ts'
import { tableCount } from '../point/point-index.ts'
import type { Tail } from '../recovery/recovery.ts'
import type { LogBase } from '../sorted/contents.ts'
import { VersionIndex } from '../versions/version-index.ts'
import { deadBit, newNote, segmentMask } from '../versions/versions.ts'
import { blockKind, checkpointPath } from './checkpoint-format.ts'
import { CheckpointReader, Unusable } from './checkpoint-reader.ts'
import type { KnownCheckpoint } from './checkpoints.ts'
import { type CoveredSegment, openCovered } from './covered-segments.ts'

export interface ReadCheckpointOptions {
  readonly disk: Disk
  /** With the contents that count, and no segments yet. */
  readonly log: Log
  readonly storeId: string
  readonly folder: string
}

export interface LoadedCheckpoint {
  readonly known: KnownCheckpoint
  readonly index: VersionIndex
  readonly directory: BatchDirectory
  readonly oldestRevision: number
  /** The newest batch that is in it. */
  readonly base: LogBase
  /** What follows is in this segment, which is not open, and in those behind it. */
  readonly tail: Tail
  /** Bytes of batches and sorted records that need not be read. */
  readonly coveredBytes: number
}

/** The checkpoint, with the segments that it covers adopted by the log; or why there is none. */
export function readCheckpoint(options: ReadCheckpointOptions): LoadedCheckpoint | { readonly problem: string } {
  const { disk, storeId, folder } = options
  const path = checkpointPath(folder)
  if (!disk.exists(path)) return { problem: 'there is none' }
  let reader: CheckpointReader | undefined
  try {
    reader = new CheckpointReader(disk, path, storeId)
    return new Loading(options, reader).run()
  } catch (error) {
    if (error instanceof Unusable || hasCode(error, 'disk.failed')) return { problem: (error as Error).message }
    throw error
  } finally {
    reader?.close()
  }
}

/**
 * Removes, for good, a checkpoint that was not used: once the log has gone on, it might look as if it belonged to it. It must be
 * gone before the log does.
 */
export async function removeCheckpoint(disk: Disk, folder: string): Promise<void> {
  const path = checkpointPath(folder)
  if (!disk.exists(path)) return
  disk.remove(path)
  await disk.syncDirectory(folder)
}

class Loading {
  readonly #options: ReadCheckpointOptions
  readonly #reader: CheckpointReader
  readonly #index: VersionIndex
  readonly #directory = new BatchDirectory()
  readonly #covered: CoveredSegment[] = []
  /** From the numbers that aliases had to those that they have now. */
  readonly #aliases = new Map<number, number>()
  readonly #aliasOf = (before: number): number => {
    const alias = this.#aliases.get(before)
    if (alias === undefined) throw new Unusable(`alias ${before} has no note`)
    return alias
  }
  readonly #leaf = new LeafCopy()
  /** By keyspace, how many entries it is to have. */
  readonly #sizes = new Map<number, number>()

  constructor(options: ReadCheckpointOptions, reader: CheckpointReader) {
    this.#options = options
    this.#reader = reader
    this.#index = new VersionIndex(options.log)
  }

  run(): LoadedCheckpoint {
    const { log } = this.#options
    const { head, fileBytes } = this.#reader
    if (head.generation !== log.contents.generation) {
      throw new Unusable(
        `it is of generation ${head.generation} of the contents, and there is ${log.contents.generation}`,
      )
    }
    this.#readBlocks()
    this.#checkSizes()
    const lastBatch = this.#covered.find((segment) => segment.number === head.tailSegment)?.lastBatch
    if (lastBatch === undefined) throw new Unusable('the segment of its tail is not in it')
    const opened = openCovered({
      ...this.#options,
      covered: this.#covered,
      position: head.position,
      tail: { segment: head.tailSegment, bytes: head.tailBytes, checksum: head.tailChecksum },
    })
    for (const segment of opened) {
      log.adopt(segment)
      log.seal(segment)
    }
    const { number, createdAt, position, revision, time, oldestRevision, tailSegment, tailBytes } = head
    return {
      known: { number, createdAt, position, bytes: fileBytes },
      index: this.#index,
      directory: this.#directory,
      oldestRevision,
      base: { position, revision, time },
      tail: { segment: tailSegment, bytes: tailBytes, position, lastBatch },
      coveredBytes: this.#covered.reduce((sum, { end }) => sum + end, 0),
    }
  }

  #readBlocks(): void {
    const reader = this.#reader
    const readers: Readonly<Record<number, () => void>> = {
      [blockKind.segments]: () => this.#readSegment(),
      [blockKind.directory]: () => this.#readPlace(),
      [blockKind.pointHash]: () => this.#readHash(),
      [blockKind.pointWindows]: () => this.#index.parts.point.windows.restore(reader.next(), reader.next()),
      [blockKind.pointTables]: () => this.#readTables(),
      [blockKind.pointEntries]: () => this.#readEntries(),
      [blockKind.spaces]: () => this.#readSpace(),
      [blockKind.leaves]: () => this.#readLeaf(),
      [blockKind.notes]: () => this.#readNote(),
      [blockKind.superseded]: () => this.#readMarks(),
    }
    while (reader.nextBlock()) {
      const read = readers[reader.kind]
      if (read === undefined) throw new Unusable(`it has blocks of kind ${reader.kind}`)
      while (reader.hasMore) read()
    }
  }

  #readSegment(): void {
    const reader = this.#reader
    const number = reader.next()
    const seed = reader.next()
    const kind = reader.next() === 1 ? 'log' : 'sorted'
    const end = reader.next64()
    const lastBatch = { position: reader.next64(), revision: reader.next64(), time: reader.next64() }
    this.#index.parts.superseded.restoreDeadBytes(number, reader.next64())
    this.#covered.push({ number, seed, kind, end, lastBatch, checkedAt: reader.next64() })
  }

  #readPlace(): void {
    const reader = this.#reader
    const position = reader.next64()
    const revision = reader.next64()
    this.#directory.restore({ position, revision, segment: reader.next(), offset: reader.next() })
  }

  #hash: PointHash | undefined

  #readHash(): void {
    const reader = this.#reader
    this.#hash = new PointHash(() => reader.next())
  }

  #readTables(): void {
    const used = Array.from({ length: tableCount }, () => this.#reader.next64())
    if (this.#hash === undefined) throw new Unusable('it has no hash')
    this.#index.parts.point.begin(this.#hash, used)
  }

  #readEntries(): void {
    const reader = this.#reader
    const { point } = this.#index.parts
    const { words } = reader
    const table = reader.next()
    const count = reader.next()
    let at = reader.take(3 * count)
    for (const end = at + 3 * count; at < end; at += 3) {
      point.restore(table, words[at] as number, words[at + 1] as number, words[at + 2] as number, this.#aliasOf)
    }
  }

  #readSpace(): void {
    const reader = this.#reader
    const space = this.#index.space(reader.next())
    space.live = reader.next64()
    this.#sizes.set(space.id, reader.next64())
  }

  #readLeaf(): void {
    const reader = this.#reader
    const leaf = this.#leaf
    const space = this.#index.space(reader.next())
    leaf.slots = reader.next()
    leaf.count = reader.next()
    if (leaf.count > leafEntriesMax) throw new Unusable(`a leaf has ${leaf.count} entries`)
    leaf.prefix = reader.nextBytes()
    const from = reader.nextBytes()
    const at = reader.take(leaf.count * leafEntryWords)
    leaf.words.set(reader.words.subarray(at, at + leaf.count * leafEntryWords))
    space.index.appendLeaf(leaf, from)
  }

  #readNote(): void {
    const reader = this.#reader
    const { versions, aliases } = this.#index.parts
    const note = newNote()
    note.keyspace = reader.next()
    const segment = reader.next()
    note.segment = segment & segmentMask
    note.isDelete = (segment & deadBit) !== 0
    note.offset8 = reader.next()
    note.olderSegment = reader.next()
    note.olderOffset8 = reader.next()
    note.revision = reader.next64()
    const alias = reader.next()
    if ((note.olderSegment & segmentMask) === 0 && note.olderOffset8 !== 0) {
      // The delete of a range whose note is gone is behind every state: the same as no record.
      const older = this.#aliases.get(note.olderOffset8)
      note.olderSegment = older === undefined ? 0 : note.olderSegment
      note.olderOffset8 = older ?? 0
    }
    if (alias !== 0) {
      note.alias = aliases.add(note.segment, note.offset8, note.olderSegment, note.olderOffset8)
      this.#aliases.set(alias, note.alias)
    }
    versions.push(note)
  }

  #readMarks(): void {
    const reader = this.#reader
    const segment = reader.next()
    const count = reader.next()
    const from = reader.next()
    const length = reader.next()
    const at = reader.take(length)
    this.#index.parts.superseded.restoreMarks(segment, count, from, reader.words.subarray(at, at + length))
  }

  #checkSizes(): void {
    let entries = 0
    for (const { id, index } of this.#index.spaces()) {
      if (index.size !== this.#sizes.get(id)) {
        throw new Unusable(`keyspace ${id} has ${index.size} entries, not ${this.#sizes.get(id)}`)
      }
      entries += index.size
    }
    const { size } = this.#index.parts.point
    if (entries !== size) throw new Unusable(`the point index has ${size} entries, not ${entries}`)
  }
}
