/** What a bench is to main.ts. */

import type { Findings } from './report.ts'

export interface BenchOptions {
  readonly quick: boolean
  readonly keys?: number
  readonly rounds?: number
  /** Run only this part. */
  readonly part?: string
  /** Tells the person who waits what is being done. */
  readonly note: (text: string) => void
}

export interface Bench {
  readonly name: string
  /** What it answers, in one line. */
  readonly question: string
  readonly parts: readonly string[]
  readonly keysMin: number
  run(options: BenchOptions): Promise<Findings>
}
