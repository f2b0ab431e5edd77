/** What a part of the bench found, gathered while it is made out; and the shapes in which trials show. */

import type { Comparison, Figure, Grid, Limit } from '../harness/report.ts'
import type { Samples } from '../harness/samples.ts'
import { median } from '../harness/statistics.ts'
import { contestants, type Roster } from './contestants/registry.ts'

export class PartFindings {
  readonly settings: Record<string, string> = {}
  readonly comparisons: Comparison[] = []
  readonly limits: Limit[] = []
  readonly figures: Figure[] = []
  readonly grids: Grid[] = []
  readonly #part: string

  constructor(part: string) {
    this.#part = part
  }

  /** A bar on our side alone; without a value it is one that could not be measured. */
  limit(limit: Omit<Limit, 'part'>): void {
    this.limits.push({ part: this.#part, ...limit })
  }

  grid(title: string, columns: readonly string[], rows: Grid['rows']): void {
    this.grids.push({ part: this.#part, title, columns, rows })
  }

  /** One thing of ours against one of theirs; where a side was not measured, a bar says so and anything else is silent. */
  compare(samples: Samples, roster: Roster, plan: ComparePlan): Comparison | undefined {
    const { what, unit, peer, bar } = plan
    const ours = `${plan.ours ?? plan.step} orbit`
    const theirs = `${plan.step} ${peer}`
    const title = contestants[peer]?.title ?? peer
    if (!samples.has(ours) || !samples.has(theirs) || samples.of(ours).length !== samples.of(theirs).length) {
      if (bar === undefined) return undefined
      const why = roster.missing[peer] ?? plan.why ?? 'not measured in this run'
      this.limit({ name: `${what}, ${title}`, unit: 'ratio', bound: bar, isAtMost: false, why })
      return undefined
    }
    const comparison = samples.compare({
      part: this.#part,
      name: what,
      unit,
      lessIsBetter: unit.startsWith('ns'),
      other: title,
      ours,
      theirs,
      ...(bar === undefined ? {} : { bar }),
    })
    this.comparisons.push(comparison)
    return comparison
  }
}

export interface ComparePlan {
  readonly what: string
  readonly unit: string
  /** Of the peer, and of ours where `ours` names no other. */
  readonly step: string
  readonly ours?: string
  readonly peer: string
  readonly bar?: number
  /** What is in the way where it could not be measured. */
  readonly why?: string
}

export interface GridRow {
  readonly label: string
  readonly step: string
  /** What the samples are divided by. */
  readonly divisor?: number
}

/** Rows of medians, a column for each contestant that has any. */
export function medianGrid(
  samples: Samples,
  names: readonly string[],
  rows: readonly GridRow[],
): { columns: string[]; rows: { name: string; values: (number | undefined)[] }[] } {
  const shown = names.filter((name) => rows.some(({ step }) => samples.has(`${step} ${name}`)))
  return {
    columns: shown.map((name) => contestants[name]?.title ?? name),
    rows: rows
      .filter(({ step }) => shown.some((name) => samples.has(`${step} ${name}`)))
      .map(({ label, step, divisor = 1 }) => ({
        name: label,
        values: shown.map((name) => medianOf(samples, `${step} ${name}`, divisor)),
      })),
  }
}

export function medianOf(samples: Samples, name: string, divisor = 1): number | undefined {
  return samples.has(name) ? median(samples.of(name)) / divisor : undefined
}
