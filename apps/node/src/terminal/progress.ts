/**
 * Progress on standard error: one line that is redrawn on a terminal (bar, share, rate, time left), a plain line every
 * few seconds elsewhere. Drawn when the work reports, so a stuck command shows a stuck bar and needs no timer.
 */

import { formatBytes, formatDuration, second } from '@orbitkv/base'
import type { Clock } from '@orbitkv/runtime'
import type { Styles } from './styles.ts'
import { thousands } from './text.ts'

const redrawAfterMs = 100
const plainAfterMs = 5 * second
const barCells = 24

export interface ProgressSurface {
  readonly isTerminal: boolean
  readonly styles: Styles
  readonly columns: number
  write(text: string): void
}

export interface ProgressOptions {
  readonly surface: ProgressSurface
  readonly clock: Clock
  /** `importing orders.csv` */
  readonly label: string
  /** What is counted: `records`. */
  readonly unit: string
  /** How much work there is, in bytes or in whatever `done` counts; undefined where nobody knows. */
  readonly total: number | undefined
  /** How much of it was done before this run. */
  readonly doneBefore?: number
  readonly countBefore?: number
}

export class Progress {
  readonly #options: ProgressOptions
  readonly #startedAt: number
  #drawnAt: number
  #drawn = false
  #count: number
  #done: number

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#startedAt = options.clock.monotonic()
    this.#drawnAt = options.surface.isTerminal ? Number.NEGATIVE_INFINITY : this.#startedAt
    this.#count = options.countBefore ?? 0
    this.#done = options.doneBefore ?? 0
  }

  /** `count` units so far, `done` of the total; without a total, `done` bytes, or 0 where they are not counted. */
  update(count: number, done: number): void {
    this.#count = count
    this.#done = done
    const now = this.#options.clock.monotonic()
    const { surface } = this.#options
    if (now - this.#drawnAt < (surface.isTerminal ? redrawAfterMs : plainAfterMs)) return
    this.#drawnAt = now
    this.#draw(now)
  }

  /** Draws the last state, so that the end is seen as it was; on a terminal the line stays. */
  finish(): void {
    const { surface, clock } = this.#options
    if (surface.isTerminal) {
      this.#draw(clock.monotonic())
      surface.write('\n')
    } else if (this.#drawn) {
      this.#draw(clock.monotonic())
    }
  }

  #draw(now: number): void {
    this.#drawn = true
    const { surface } = this.#options
    const line = this.line(now)
    if (surface.isTerminal) surface.write(`\r${line}\u001b[K`)
    else surface.write(`${line}\n`)
  }

  /** The line as it is shown at `now`. */
  line(now: number): string {
    const { surface, label, unit, total, doneBefore = 0, countBefore = 0 } = this.#options
    const elapsedMs = Math.max(now - this.#startedAt, 1)
    const rate = ((this.#count - countBefore) * second) / elapsedMs
    const parts: string[] = []
    const tail = [`${thousands(this.#count)} ${unit}`, `${thousands(rate)}/s`]
    if (total !== undefined && total > 0) {
      const share = Math.min(this.#done / total, 1)
      const doneNow = this.#done - doneBefore
      const leftMs = doneNow > 0 ? ((total - this.#done) * elapsedMs) / doneNow : undefined
      const percent = `${Math.floor(share * 100)}%`.padStart(4)
      if (surface.isTerminal) parts.push(bar(share, surface.styles))
      parts.push(percent)
      if (share >= 1) tail.push(`in ${formatDuration(elapsedMs)}`)
      else if (leftMs !== undefined) tail.push(`${formatDuration(leftMs)} left`)
    } else if (this.#done > 0) {
      tail.push(formatBytes(this.#done))
    }
    const text = [label, ...parts, tail.join(', ')].join('  ')
    // Longer than the terminal, the line would wrap and redrawing would fill the screen: leave the bar out, then cut.
    if (!surface.isTerminal || visibleChars(text) < surface.columns) return text
    return [label, ...parts.slice(1), tail.join(', ')].join('  ').slice(0, surface.columns - 1)
  }
}

function bar(share: number, styles: Styles): string {
  const full = Math.floor(share * barCells)
  const head = full < barCells ? '>' : ''
  const rest = barCells - full - head.length
  return `[${styles.good('='.repeat(full) + head)}${' '.repeat(rest)}]`
}

function visibleChars(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes are what is taken out
  return text.replace(/\u001b\[\d+m/g, '').length
}
