/**
 * Backups by the clock, for a server: the log every minute, what changed every hour, everything every day, and then what is too
 * old goes. While a large copy is under way, the log is archived beside it. What fails is told and tried again at the next turn.
 *
 * Between two backups a snapshot holds the last state that was copied, so that compaction leaves the log behind it alone; not
 * for longer than `archiveLag`, or a target that is gone would fill the disk.
 */

import { OrbitError } from '@orbitkv/base'
import type { Clock, Disk, Timer } from '@orbitkv/runtime'
import { type BackupReport, type BackupSource, backUp } from './backup.ts'
import type { Chain } from './chain.ts'
import type { BackupConfig } from './config.ts'
import type { BackupKind } from './manifest.ts'
import { pruneBackups } from './prune.ts'
import type { Vault } from './vault.ts'

/** Of the time between two archives, what one of them may take. */
const archiveShare = 0.5

export interface ScheduleSource extends BackupSource {
  snapshot(): { close(): void }
}

/** What has happened: for the server's log. */
export type ScheduleEvent =
  | { readonly kind: 'made'; readonly report: BackupReport }
  | { readonly kind: 'pruned'; readonly backupsRemoved: number; readonly piecesRemoved: number }
  | { readonly kind: 'failed'; readonly error: Error }

export interface ScheduleOptions {
  readonly source: ScheduleSource
  readonly vault: Vault
  readonly disk: Disk
  readonly clock: Clock
  readonly config: BackupConfig
  readonly tell: (event: ScheduleEvent) => void
}

interface Pin {
  close(): void
}

export class BackupSchedule {
  readonly #options: ScheduleOptions
  readonly #stop = new AbortController()
  #timer: Timer | undefined
  #running: Promise<void> | undefined
  /** A full or incremental backup that is under way, beside which the log is archived. */
  #copying: Promise<void> | undefined
  #chain: Chain | undefined
  /** What others wait for that must not meet. */
  #turnOf: Promise<unknown> = Promise.resolve()
  #archived: Pin | undefined
  /** Of the last full or incremental backup: the log from its end on has its copy only with the next archive. */
  #copied: Pin | undefined
  #copiedAt: number
  /** Why the last attempt failed; empty where it did not. */
  failure = ''

  constructor(options: ScheduleOptions) {
    this.#options = options
    this.#copiedAt = options.clock.now()
  }

  /** Begins; the first turn is at once. */
  start(): void {
    this.#schedule(0)
  }

  /** Ends what runs; resolves once nothing runs any more, and nothing will. What was copied is used the next time. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#timer?.cancel()
    await this.#running
    await this.#copying
    this.#letGo()
  }

  /** When the log was last copied, or found to be so, milliseconds since 1970. */
  get copiedAt(): number {
    return this.#copiedAt
  }

  #schedule(delayMs: number): void {
    const { clock, config } = this.#options
    if (this.#stop.signal.aborted) return
    this.#timer = clock.after(delayMs, () => {
      this.#running = this.#turn().finally(() => {
        this.#running = undefined
        this.#schedule(config.archiveEvery)
      })
    })
  }

  async #turn(): Promise<void> {
    await this.#archive()
    const kind = this.#kindDue()
    if (kind === undefined || this.#copying !== undefined || this.#stop.signal.aborted) return
    this.#copying = this.#copy(kind).finally(() => {
      this.#copying = undefined
    })
  }

  /** Copies the newest part of the log; all of the store where there is no backup yet. */
  #archive(): Promise<void> {
    const { source, clock, config } = this.#options
    return this.#trying(async () => {
      // Taken before the files are held: whatever it holds is among them.
      const pin = source.snapshot()
      const isCopying = this.#copying !== undefined
      const startedAt = clock.now()
      try {
        const report = await this.#exclusive(() =>
          backUp(source, {
            ...this.#common,
            kind: 'archive',
            chain: this.#chain,
            archiveMsMax: config.archiveEvery * archiveShare,
          }),
        )
        this.#chain = report.chain
        this.#archived?.close()
        this.#archived = pin
        if (!isCopying) this.#copied?.close()
        this.#copiedAt = startedAt
        this.#tellMade(report)
      } catch (error) {
        pin.close()
        if (clock.now() - this.#copiedAt > config.archiveLag) this.#letGo()
        throw error
      }
    })
  }

  #copy(kind: BackupKind): Promise<void> {
    const { source } = this.#options
    return this.#trying(async () => {
      this.#copied?.close()
      this.#copied = source.snapshot()
      const exclusive = <Result>(run: () => Promise<Result>): Promise<Result> => this.#exclusive(run)
      const report = await backUp(source, { ...this.#common, kind, chain: this.#chain, exclusive })
      this.#chain = report.chain
      this.#tellMade(report)
      if (report.manifest?.kind === 'full') await this.#prune(report.manifest.storeId)
    })
  }

  get #common(): { vault: Vault; disk: Disk; clock: Clock; bytesPerSecond: number; signal: AbortSignal } {
    const { vault, disk, clock, config } = this.#options
    return { vault, disk, clock, bytesPerSecond: config.bytesPerSecond, signal: this.#stop.signal }
  }

  async #trying(work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.failure = ''
    } catch (error) {
      if (!(error instanceof OrbitError)) throw error
      if (this.#stop.signal.aborted) return
      // Another one may have written there: what is known of it is read anew.
      this.#chain = undefined
      this.failure = error.message
      this.#options.tell({ kind: 'failed', error })
    }
  }

  #exclusive<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.#turnOf.then(run)
    this.#turnOf = result.catch(() => undefined)
    return result
  }

  /** Which backup is due beside the archive; none is known to be while the target cannot be read. */
  #kindDue(): BackupKind | undefined {
    const { clock, config } = this.#options
    if (this.#chain === undefined) return undefined
    const { newestFull, newestComplete } = this.#chain
    const now = clock.now()
    if (newestFull === undefined || now - newestFull.startedAt >= config.fullEvery) return 'full'
    if (newestComplete === undefined || now - newestComplete.startedAt >= config.incrementalEvery) return 'incremental'
    return undefined
  }

  async #prune(storeId: string): Promise<void> {
    const { vault, clock, config, tell } = this.#options
    const { signal } = this.#stop
    const report = await pruneBackups({ vault, clock, storeId, keepMs: config.keep, signal })
    if (report.backupsRemoved + report.piecesRemoved > 0) tell({ kind: 'pruned', ...report })
  }

  #tellMade(report: BackupReport): void {
    if (report.manifest !== undefined) this.#options.tell({ kind: 'made', report })
  }

  #letGo(): void {
    this.#archived?.close()
    this.#copied?.close()
    this.#archived = undefined
    this.#copied = undefined
  }
}
