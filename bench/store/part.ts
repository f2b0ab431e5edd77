/** What the parts of the bench of the store are given, and what they give back. Each runs in a process of its own. */

import type { Comparison, Grid, Limit } from '../harness/report.ts'

export interface PartOptions {
  readonly keys: number
  readonly rounds: number
  /** A folder that is empty, and removed afterwards. */
  readonly folder: string
}

export interface PartFindings {
  readonly settings?: Readonly<Record<string, string>>
  readonly comparisons?: readonly Comparison[]
  readonly limits?: readonly Limit[]
  readonly grids?: readonly Grid[]
}

export interface Part {
  /** In a standard run, and in a quick one. */
  readonly rounds: number
  readonly quickRounds: number
  run(options: PartOptions): Promise<PartFindings>
}

/** Runs something so many times, a group of them awaited together; nanoseconds each. */
export async function timePerRun(count: number, group: number, run: (i: number) => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  let pending: Promise<unknown>[] = []
  for (let i = 0; i < count; i++) {
    pending.push(run(i))
    if (pending.length < group) continue
    await Promise.all(pending)
    pending = []
  }
  await Promise.all(pending)
  return ((performance.now() - startMs) * 1e6) / count
}
