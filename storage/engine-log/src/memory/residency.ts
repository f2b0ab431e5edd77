/**
 * Keeps the pages of mapped segments within a budget: `residentBytesMax`.
 *
 * Every second or more it looks how much of each mapping is in memory. Above the budget, segments that are read least give their
 * pages back, so that what the system would take next is not what is read most; well below it, hot segments that are not whole in
 * memory are read ahead. Without a budget nothing is looked at, and the system decides alone.
 *
 * What must hold: no step holds the event loop for long (`sliceMs`; a step is 1 MiB) and all of them together have at most a tenth
 * of it, so that a round over many segments takes longer than a second; and nothing here changes a byte that anybody reads: pages
 * come back from the file, stray writes stay.
 */

import { MiB } from '@orbitkv/base'
import type { Clock, Mapping, Timer } from '@orbitkv/runtime'
import type { LogConfig } from '../config.ts'
import type { Log } from '../log/log.ts'
import type { Segment } from '../log/segment.ts'
import type { Accesses } from './accesses.ts'

export interface ResidencyOptions {
  readonly log: Pick<Log, 'inOrder' | 'segments'>
  readonly clock: Clock
  readonly config: Pick<LogConfig, 'residentBytesMax' | 'sliceMs'>
  readonly accesses: Accesses
}

const everyMs = 1000
const stepBytes = 1 * MiB
/** Looked at, at a time. */
const lookBytes = 16 * MiB
/** Slices of time between two of its own. */
const slicesApart = 9
/** Read ahead in one round at most, so that a round ends soon and the disk has time for others. */
const aheadBytesMax = 64 * MiB
/** Reading ahead stops at this share of the budget: what it brings must not push out something else at once. */
const aheadShare = 0.9
/** Notes by which a segment is hot: fewer may be chance. */
const hotMin = 8

interface Mapped {
  readonly segment: Segment
  readonly mapping: Mapping
  readonly heat: number
  resident: number
}

export class Residency {
  readonly #options: ResidencyOptions
  #timer: Timer | undefined
  #isStopped = false
  #running: Promise<void> | undefined
  #sliceEndMs = 0
  /** Ends the wait between two slices. */
  #wake: (() => void) | undefined
  #mappedBytes = 0
  #residentBytes = 0
  #hotSegments = 0
  #releasedBytes = 0
  #aheadBytes = 0
  #problem = ''

  constructor(options: ResidencyOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#options.config.residentBytesMax > 0 && !this.#isStopped) this.#schedule()
  }

  /** Resolves once nothing is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#wake?.()
    await this.#running
  }

  /** As of the last round. */
  stats(): Record<string, number | string> {
    const { config, accesses } = this.#options
    if (config.residentBytesMax === 0) return { residentBytesMax: 0, readsNoted: accesses.noted }
    return {
      residentBytesMax: config.residentBytesMax,
      mappedBytes: this.#mappedBytes,
      residentBytes: this.#residentBytes,
      readsNoted: accesses.noted,
      hotSegments: this.#hotSegments,
      releasedBytes: this.#releasedBytes,
      readAheadBytes: this.#aheadBytes,
      residencyProblem: this.#problem,
    }
  }

  #schedule(): void {
    this.#timer = this.#options.clock.after(everyMs, () => {
      this.#running = this.#roundAndOn()
    })
  }

  async #roundAndOn(): Promise<void> {
    try {
      await this.round()
      if (!this.#isStopped) this.#schedule()
    } catch (error) {
      // Reads go on without it.
      this.#problem = error instanceof Error ? error.message : String(error)
    }
    this.#running = undefined
  }

  /** One look at everything, and what follows from it. */
  async round(): Promise<void> {
    const { residentBytesMax } = this.#options.config
    this.#sliceEndMs = Number.NEGATIVE_INFINITY
    const mapped = await this.#look()
    this.#options.accesses.cool()
    const hottest = mapped.toSorted((a, b) => b.heat - a.heat)
    this.#hotSegments = hottest.filter(isHot).length
    if (this.#residentBytes > residentBytesMax) await this.#release(hottest.toReversed(), residentBytesMax)
    else await this.#readAhead(hottest.filter(isHot), residentBytesMax * aheadShare)
  }

  async #look(): Promise<Mapped[]> {
    const { log, accesses } = this.#options
    const found: Mapped[] = []
    let mappedBytes = 0
    let residentBytes = 0
    for (const segment of [...log.inOrder()]) {
      const { mapping } = segment
      if (mapping === undefined) continue
      const resident = await this.#residentIn({ segment, mapping })
      if (resident === undefined) continue
      found.push({ segment, mapping, heat: accesses.heatOf(segment.number), resident })
      mappedBytes += mapping.bytes.length
      residentBytes += resident
    }
    this.#mappedBytes = mappedBytes
    this.#residentBytes = residentBytes
    return found
  }

  /** Bytes of a segment in memory; undefined where it is gone meanwhile. */
  async #residentIn(one: Pick<Mapped, 'segment' | 'mapping'>): Promise<number | undefined> {
    let resident = 0
    const isWhole = await this.#inSteps(one, lookBytes, (start, length) => {
      resident += one.mapping.residentBytes(start, length)
    })
    return isWhole ? resident : undefined
  }

  /** Gives pages back, those of the coldest segments first, until so many bytes are left. */
  async #release(coldest: readonly Mapped[], until: number): Promise<void> {
    for (const one of coldest) {
      if (this.#residentBytes <= until) return
      const { mapping, segment } = one
      const isOut = await this.#inSteps(one, stepBytes, (start, length) => mapping.advise('page-out', start, length))
      if (!isOut || !this.#isHere(one)) continue
      // What no page table leads to stays in memory otherwise.
      await segment.file.dropCached(0, mapping.bytes.length)
      const left = await this.#residentIn(one)
      if (left === undefined) continue
      this.#releasedBytes += Math.max(0, one.resident - left)
      this.#residentBytes += left - one.resident
    }
  }

  /** Reads hot segments ahead as far as they fit. */
  async #readAhead(hottest: readonly Mapped[], until: number): Promise<void> {
    let left = Math.min(aheadBytesMax, until - this.#residentBytes)
    for (const one of hottest) {
      const missing = one.mapping.bytes.length - one.resident
      if (missing === 0) continue
      if (missing > left) return
      left -= missing
      const isWhole = await this.#inSteps(one, stepBytes, (start, length) =>
        one.mapping.advise('will-need', start, length),
      )
      if (!isWhole) continue
      this.#aheadBytes += missing
      this.#residentBytes += missing
    }
  }

  /** Runs something on each part of a segment; false where that is gone before the end. */
  async #inSteps(
    one: Pick<Mapped, 'segment' | 'mapping'>,
    bytes: number,
    run: (start: number, length: number) => void,
  ): Promise<boolean> {
    const { mapping } = one
    for (let start = 0; ; start += bytes) {
      await this.#pause()
      if (this.#isStopped || !this.#isHere(one)) return false
      if (start >= mapping.bytes.length) return true
      run(start, Math.min(bytes, mapping.bytes.length - start))
    }
  }

  #isHere({ segment, mapping }: Pick<Mapped, 'segment' | 'mapping'>): boolean {
    return this.#options.log.segments[segment.number] === segment && segment.mapping === mapping
  }

  /** Gives the loop back when the slice is over. */
  async #pause(): Promise<void> {
    const { clock, config } = this.#options
    if (clock.monotonic() < this.#sliceEndMs || this.#isStopped) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      this.#timer = clock.after(config.sliceMs * slicesApart, resolve)
    })
    this.#sliceEndMs = clock.monotonic() + config.sliceMs
  }
}

function isHot({ heat }: Mapped): boolean {
  return heat >= hotMin
}
