/**
 * The scrub: reads the segments of an open store again, slowly, so that damage is found while there is still a copy
 * somewhere, and not when the record is wanted.
 *
 * Opening reads every byte but for what a checkpoint covers, which tells when that was checked; else a segment counts as
 * checked when it was first seen here. A segment that was not checked for `scrubEveryMs` is read at `scrubBytesPerSecond`, through check-segment.ts, past any mapping. Only
 * what is sealed and published is read: nothing else changes it. It gives way to whatever else upkeep has to do, and
 * begins that segment anew later. What it finds is kept until the segment is found sound, or is gone; it stops no write.
 */

import type { Fault } from '@orbitkv/engine'
import type { Clock, Timer } from '@orbitkv/runtime'
import type { LogConfig } from '../config.ts'
import type { Log } from '../log/log.ts'
import type { Segment } from '../log/segment.ts'
import { checkSegment } from './check-segment.ts'

export interface ScrubOptions {
  readonly log: Log
  readonly clock: Clock
  readonly config: LogConfig
  readonly publishedPosition: () => number
  /** Runs what must not meet a compaction. */
  readonly alone: (run: () => Promise<void>) => Promise<void>
}

/** Thrown, and caught by `#pass`, when something else wants to run. */
class GivesWay extends Error {}

/** After giving way, and as the shortest time between two passes. */
const pauseMs = 60_000

export class Scrub {
  readonly #options: ScrubOptions
  #faults: readonly Fault[] = []
  #scrubbedBytes = 0
  #timer: Timer | undefined
  #isStopped = false
  #givesWay = false
  /** Ends the wait between two steps. */
  #wake: (() => void) | undefined

  constructor(options: ScrubOptions) {
    this.#options = options
  }

  /** Begins, unless it is set off. */
  start(): void {
    if (this.#options.config.scrubBytesPerSecond === 0 || this.#isStopped) return
    this.#schedule()
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
    this.giveWay()
  }

  /** What runs ends soon, to go on later. */
  giveWay(): void {
    this.#givesWay = true
    this.#wake?.()
  }

  get faults(): readonly Fault[] {
    return this.#faults
  }

  stats(): Record<'scrubbedBytes' | 'scrubFaults' | 'scrubOldestAt', number> {
    const oldest = Math.min(...this.#look().map(({ checkedAt }) => checkedAt))
    return {
      scrubbedBytes: this.#scrubbedBytes,
      scrubFaults: this.#faults.length,
      scrubOldestAt: Number.isFinite(oldest) ? oldest : 0,
    }
  }

  #schedule(): void {
    const { clock, config } = this.#options
    const oldest = Math.min(clock.now(), ...this.#look().map(({ checkedAt }) => checkedAt))
    const dueMs = oldest + config.scrubEveryMs - clock.now()
    this.#timer = clock.after(Math.max(pauseMs, dueMs), () => void this.#pass())
  }

  /** The segments that may be read; notes which are new. */
  #look(): Segment[] {
    const { log, clock, publishedPosition } = this.#options
    const position = publishedPosition()
    const found: Segment[] = []
    const newest = log.newestLog
    for (const segment of log.inOrder()) {
      if (segment === newest || (segment.kind === 'log' && segment.lastBatch.position > position)) continue
      if (segment.checkedAt === 0) segment.checkedAt = clock.now()
      found.push(segment)
    }
    const paths = new Set(Array.from(log.inOrder(), ({ file }) => file.path))
    if (this.#faults.some(({ file }) => !paths.has(file))) {
      this.#faults = this.#faults.filter(({ file }) => paths.has(file))
    }
    return found
  }

  /** Checks what is due, the longest due first. */
  async #pass(): Promise<void> {
    const { clock, config, alone } = this.#options
    try {
      for (;;) {
        const dueBefore = clock.now() - config.scrubEveryMs
        const [due] = this.#look().toSorted((a, b) => a.checkedAt - b.checkedAt)
        if (due === undefined || due.checkedAt > dueBefore || this.#isStopped) break
        await alone(() => this.#check(due))
      }
    } catch (error) {
      if (!(error instanceof GivesWay)) throw error
    }
    if (!this.#isStopped) this.#schedule()
  }

  async #check(segment: Segment): Promise<void> {
    const { log, clock } = this.#options
    this.#givesWay = this.#isStopped
    if (log.segments[segment.number] !== segment) return
    const file = segment.file.path
    const faults: Fault[] = []
    const fault = (offset: number, problem: string): void => void faults.push({ file, offset, problem })
    let bytesRead = 0
    try {
      await checkSegment(
        segment,
        segment.end,
        () => {},
        fault,
        async (bytes) => {
          bytesRead += bytes
          await this.#wait(bytes)
        },
      )
    } catch (error) {
      if (error instanceof GivesWay) throw error
      fault(bytesRead, error instanceof Error ? error.message : String(error))
    }
    this.#scrubbedBytes += bytesRead
    segment.checkedAt = clock.now()
    this.#faults = [...this.#faults.filter((known) => known.file !== file), ...faults]
  }

  async #wait(bytes: number): Promise<void> {
    const { clock, config } = this.#options
    const ms = (bytes / config.scrubBytesPerSecond) * 1000
    if (!this.#givesWay) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        this.#timer = clock.after(ms, resolve)
      })
      this.#wake = undefined
    }
    if (this.#givesWay) throw new GivesWay()
  }
}
