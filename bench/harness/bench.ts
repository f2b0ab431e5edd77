/** What a bench is to main.ts. */

import type { Findings } from './report.ts'

export interface BenchOptions {
  readonly quick: boolean
  readonly keys?: number
  readonly rounds?: number
  /** Run only this part. */
  readonly part?: string
  /** Only these peers beside ourselves. */
  readonly peers?: readonly string[]
  /** Tells the person who waits what is being done. */
  readonly note: (text: string) => void
}

export interface Bench {
  readonly name: string
  /** What it answers, in one line. */
  readonly question: string
  readonly parts: readonly string[]
  readonly keysMin: number
  /** Names for `--peers`, where it takes that. */
  readonly peers?: readonly string[]
  run(options: BenchOptions): Promise<Findings>
  /** Draws what a standard run found; returns the pictures for its page. */
  draw?(findings: Findings): NonNullable<Findings['charts']>
}
