/**
 * When checkpoints are made, and what is told of them. Called by upkeep (sorted/upkeep.ts), which sees to it that nothing moves
 * records meanwhile.
 *
 * One is due after so much has been written to log and sorted segments since the last one that it is worth its own bytes: at most
 * a quarter of what the store writes is checkpoints. Closing makes one where opening would have much to read without.
 * A checkpoint that cannot be made is done without, until as much has been written again: it only saves time.
 */

import { OrbitError } from '@orbitkv/base'
import type { Clock, Disk } from '@orbitkv/runtime'
import type { LogConfig } from '../config.ts'
import type { BatchDirectory } from '../log/batch-directory.ts'
import { shardName } from '../log/format.ts'
import type { Log } from '../log/log.ts'
import { makeDurableDirectory } from '../log/manifest.ts'
import type { Behind } from '../sorted/compaction-policy.ts'
import type { LogBase } from '../sorted/contents.ts'
import type { VersionIndex } from '../versions/version-index.ts'
import { type WriteCheckpointOptions, writeCheckpoint } from './write-checkpoint.ts'

export interface CheckpointsOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly config: LogConfig
  readonly path: string
  readonly storeId: string
  readonly log: Log
  readonly index: VersionIndex
  readonly directory: BatchDirectory
  readonly behind: () => Behind
  /** The newest batch. */
  readonly appended: () => LogBase
  readonly sync: () => Promise<unknown>
  /** Completes the newest batch. */
  readonly seal: () => void
  readonly isStopping: () => boolean
}

/** How the store was opened. */
export interface Opening {
  /** The checkpoint that was used. */
  readonly checkpoint: KnownCheckpoint | undefined
  /** Why none was; empty where one was. */
  readonly problem: string
  readonly replayedBytes: number
}

export interface KnownCheckpoint {
  readonly number: number
  readonly createdAt: number
  readonly position: number
  readonly bytes: number
}

/** So many times its own bytes are written before the next one. */
const writtenPerByte = 3
/** Closing makes one to save reading this part of what is written between two. */
const closingShare = 1 / 4

export class Checkpoints {
  readonly #options: CheckpointsOptions
  #last: KnownCheckpoint | undefined
  /** Written to log and sorted segments since the last one was begun. */
  #writtenBytes = 0
  /** What opening would have to read. */
  #unreadBytes = 0
  #isWanted = false
  #isReading = false
  #made = 0
  #problem = ''
  #opening: Opening = { checkpoint: undefined, problem: '', replayedBytes: 0 }

  constructor(options: CheckpointsOptions) {
    this.#options = options
  }

  /** While it is true no version may be dropped. */
  get isReading(): boolean {
    return this.#isReading
  }

  opened(opening: Opening): void {
    this.#opening = opening
    this.#last = opening.checkpoint
    this.#writtenBytes = this.#unreadBytes = opening.replayedBytes
  }

  wroteLog(bytes: number): void {
    this.#writtenBytes += bytes
    this.#unreadBytes += bytes
  }

  /** The contents have changed: the last checkpoint leads to files that are gone. */
  wroteSorted(bytes: number): void {
    this.#writtenBytes += bytes
    this.#unreadBytes = this.#options.log.storedBytes
  }

  /** True once, when one is due: `make` is to be called then. */
  becomesDue(): boolean {
    const { checkpointBytes } = this.#options.config
    if (this.#isWanted || checkpointBytes === 0) return false
    this.#isWanted = this.#writtenBytes >= Math.max(checkpointBytes, writtenPerByte * (this.#last?.bytes ?? 0))
    return this.#isWanted
  }

  /**
   * Makes one in the background. Nobody awaits it, so it does not throw, whatever it was: memory that cannot be had and a broken
   * invariant of the copy are told in the stats like a full disk, and the store goes on without.
   */
  async make(): Promise<void> {
    try {
      await this.#make({ ...this.#options, settledPosition: () => this.#options.behind().position })
    } catch (error) {
      this.#doWithout(error)
    } finally {
      this.#isWanted = false
    }
  }

  /** Makes one, if it is worth it, when nothing is written any more and the log is durable. */
  async close(): Promise<void> {
    const { checkpointBytes } = this.#options.config
    if (checkpointBytes === 0) return
    const worth = Math.max(checkpointBytes, this.#last?.bytes ?? 0) * closingShare
    if (this.#unreadBytes < worth) return
    // Nothing takes back now what opening will find.
    const settledPosition = (): number => Number.POSITIVE_INFINITY
    await this.#make({ ...this.#options, settledPosition, sync: async () => {}, isStopping: () => false })
  }

  async #make(options: CheckpointsOptions & Pick<WriteCheckpointOptions, 'settledPosition'>): Promise<void> {
    const { disk, index, path, behind, seal, appended } = options
    const folder = `${path}/${shardName}`
    try {
      await makeDurableDirectory(disk, folder)
      // The indexes are larger than what is kept of them.
      const needBytes = index.bytes
      if (disk.freeBytes(folder) < 2 * needBytes)
        throw new NoRoom(`${2 * needBytes} bytes of free space are wanted for it`)
      seal()
      const [writtenBytes, unreadBytes] = [this.#writtenBytes, this.#unreadBytes]
      this.#isReading = true
      const made = await writeCheckpoint({
        ...options,
        parts: index.parts,
        folder,
        number: (this.#last?.number ?? 0) + 1,
        appended: appended(),
        oldestRevision: behind().revision,
      })
      this.#problem = ''
      this.#writtenBytes -= writtenBytes
      if (made === undefined) return
      const { number, createdAt, position } = made.head
      this.#last = { number, createdAt, position, bytes: made.bytes }
      this.#made++
      this.#unreadBytes -= unreadBytes
    } catch (error) {
      if (!(error instanceof OrbitError) && !(error instanceof NoRoom)) throw error
      this.#doWithout(error)
    } finally {
      this.#isReading = false
    }
  }

  /** Until as much has been written again. */
  #doWithout(error: unknown): void {
    this.#problem = error instanceof Error ? error.message : String(error)
    this.#writtenBytes = 0
  }

  stats(): Record<string, number | string | boolean> {
    return {
      checkpoints: this.#made,
      checkpointing: this.#isReading,
      checkpointAt: this.#last?.createdAt ?? 0,
      checkpointBytes: this.#last?.bytes ?? 0,
      checkpointPosition: this.#last?.position ?? 0,
      checkpointProblem: this.#problem,
      openedFromCheckpoint: this.#opening.checkpoint !== undefined,
      openingProblem: this.#opening.problem,
      openingReplayedBytes: this.#opening.replayedBytes,
    }
  }
}

/** Thrown, and caught above, where the disk has too little room. */
class NoRoom extends Error {}
