/**
 * Upkeep: what reads or rewrites whole files beside the store's work. One at a time, so that no file goes under
 * another's feet; `stop` ends what runs, as if it had never begun.
 */

import { engineErrors, type Fault, type VerifyReport } from '@orbitkv/engine'
import type { Clock, Disk } from '@orbitkv/runtime'
import { Checkpoints, type Opening } from '../checkpoint/checkpoints.ts'
import type { LogConfig } from '../config.ts'
import type { BatchDirectory } from '../log/batch-directory.ts'
import { shardName } from '../log/format.ts'
import { HeldFiles } from '../log/held-files.ts'
import type { Log } from '../log/log.ts'
import { makeDurableDirectory } from '../log/manifest.ts'
import { Scrub } from '../recovery/scrub.ts'
import { verifyLog } from '../recovery/verify.ts'
import type { VersionIndex } from '../versions/version-index.ts'
import { compactSegments } from './compaction.ts'
import { type Behind, isBehind, pickInputs } from './compaction-policy.ts'
import type { LogBase } from './contents.ts'

/** What upkeep needs of its engine. */
export interface UpkeepOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly config: LogConfig
  readonly path: string
  readonly storeId: string
  readonly log: Log
  readonly index: VersionIndex
  readonly directory: BatchDirectory
  readonly behind: () => Behind
  /** Drops versions behind the oldest state, a bounded number; false when there are more. */
  readonly retain: () => boolean
  readonly sync: () => Promise<number>
  /** Completes the newest batch. */
  readonly seal: () => void
  /** The newest batch. */
  readonly appended: () => LogBase
}

export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #scrub: Scrub
  readonly #checkpoints: Checkpoints
  readonly held: HeldFiles
  #running: Promise<void> | undefined
  #isStopping = false
  #compactions = 0
  #compactedBytes = 0

  constructor(options: UpkeepOptions) {
    this.#options = options
    this.held = new HeldFiles(options)
    const { log, clock, config, behind } = options
    const publishedPosition = (): number => behind().position
    // Not through `#alone`: that would have it give way to itself.
    this.#scrub = new Scrub({ log, clock, config, publishedPosition, alone: (run) => this.#runAlone(run) })
    this.#checkpoints = new Checkpoints({ ...options, isStopping: () => this.#isStopping })
  }

  /** What goes on by itself begins. */
  start(opening: Opening, isReadOnly: boolean): void {
    this.#checkpoints.opened(opening)
    this.#scrub.start()
    if (!isReadOnly) this.#checkpointIfDue()
  }

  /** While it is true no version may be dropped. */
  get isReadingVersions(): boolean {
    return this.#checkpoints.isReading
  }

  /** So many bytes of batches are complete. */
  wroteLog(bytes: number): void {
    this.#checkpoints.wroteLog(bytes)
    this.#checkpointIfDue()
  }

  #checkpointIfDue(): void {
    if (this.#isStopping || !this.#checkpoints.becomesDue()) return
    // Once the work at hand is done: it may be in the middle of a batch. `make` does not throw.
    void this.#alone(async () => {
      await undefined
      await this.#checkpoints.make()
    })
  }

  compact(scope: 'garbage' | 'all', pause = () => this.#options.clock.turn()): Promise<number> {
    return this.#alone(async () => {
      const { path, disk, clock, log, index, retain, behind } = this.#options
      while (!retain()) await clock.turn()
      if (scope === 'all') await this.#sealActive()
      const inputs = pickInputs(log, index.relocation, behind(), scope)
      if (inputs.length === 0 || this.#isStopping) return 0
      const directory = `${path}/${shardName}`
      await makeDurableDirectory(disk, directory)
      const isStopping = (): boolean => this.#isStopping
      const oldestNow = (): number => behind().revision
      const { freedBytes, writtenBytes, files } = await compactSegments(
        { ...this.#options, directory, oldestRevision: oldestNow(), oldestNow, isStopping, pause },
        inputs,
      )
      this.#options.directory.forgetBefore(log.contents.logStart)
      this.#compactions++
      this.#compactedBytes += writtenBytes
      if (files.length > 0) this.#checkpoints.wroteSorted(writtenBytes)
      this.#checkpointIfDue()
      for (const file of files) await this.held.discard(file)
      return freedBytes
    })
  }

  verify(known: readonly Fault[], progress?: (bytesDone: number, bytesTotal: number) => void): Promise<VerifyReport> {
    const { log, path } = this.#options
    const assertGoesOn = (): void => {
      if (this.#isStopping) throw engineErrors.closed({ path })
    }
    return this.#alone(() => {
      assertGoesOn()
      return verifyLog(log, [...known, ...this.#scrub.faults], { progress, assertGoesOn })
    })
  }

  /** Resolves once nothing runs any more, and nothing will. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#scrub.stop()
    while (this.#running !== undefined) await this.#running
    this.held.end()
  }

  /** After `stop`, when nothing is written any more. */
  close(): Promise<void> {
    return this.#checkpoints.close()
  }

  stats(): Record<string, number | string | boolean> {
    const { sorted } = this.#options.log.contents
    const counts = { compactions: this.#compactions, compactedBytes: this.#compactedBytes }
    return { sortedSegments: sorted.length, ...counts, ...this.#checkpoints.stats(), ...this.#scrub.stats() }
  }

  /** Ends the active segment where all of it may be compacted. */
  async #sealActive(): Promise<void> {
    const { log, seal, sync, behind } = this.#options
    await sync()
    if (!isBehind(log.active, behind())) return
    seal()
    log.sealActive()
    await sync()
  }

  async #alone<Result>(run: () => Promise<Result>): Promise<Result> {
    while (this.#running !== undefined) {
      this.#scrub.giveWay()
      await this.#running
    }
    return this.#runAlone(run)
  }

  async #runAlone<Result>(run: () => Promise<Result>): Promise<Result> {
    while (this.#running !== undefined) await this.#running
    // Taken before anything runs: what runs may itself ask for something else.
    let ended!: () => void
    this.#running = new Promise((resolve) => {
      ended = resolve
    })
    try {
      return await run()
    } finally {
      this.#running = undefined
      ended()
    }
  }
}
