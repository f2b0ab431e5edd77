/** What rounds measured, by name: a value for each round, in order. */

import type { Comparison } from './report.ts'
import { ratiosOf, spreadOf } from './statistics.ts'

export interface ComparisonPlan {
  readonly part: string
  readonly name: string
  readonly unit: string
  readonly lessIsBetter: boolean
  readonly other: string
  readonly bar?: number
  /** Under which names the two sides' values were added. */
  readonly ours: string
  readonly theirs: string
}

export class Samples {
  readonly #values = new Map<string, number[]>()

  add(name: string, value: number): void {
    const values = this.#values.get(name)
    if (values === undefined) this.#values.set(name, [value])
    else values.push(value)
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  of(name: string): readonly number[] {
    const values = this.#values.get(name)
    if (values === undefined) throw new Error(`nothing was measured as ${name}`)
    return values
  }

  compare(plan: ComparisonPlan): Comparison {
    const { part, name, unit, lessIsBetter, other, bar } = plan
    const ours = this.of(plan.ours)
    const theirs = this.of(plan.theirs)
    const ratios = ratiosOf(ours, theirs, lessIsBetter)
    const spreads = { ours: spreadOf(ours), theirs: spreadOf(theirs), ratio: spreadOf(ratios) }
    return { part, name, unit, lessIsBetter, other, ratios, ...spreads, ...(bar === undefined ? {} : { bar }) }
  }
}
