/** How a plan goes on: the same plan in one, two, three years, and the day on which its machines no longer do. */

import { graph } from '../figures/index.ts'
import { type Limit, limits } from '../figures/nodes.ts'
import { evaluateGraph, type Values } from '../model/graph.ts'
import { bindingLimits, type Plan } from './plan.ts'

export interface YearPlan {
  /** From today on, 0 is today. */
  readonly year: number
  readonly values: Values
  readonly binding: readonly Limit[]
}

export interface HeadroomEnd {
  /** Days from the plan's own date. */
  readonly days: number
  readonly binding: readonly Limit[]
}

export const daysPerYear = 365
/** Beyond this nobody plans. */
const yearsMax = 50

export function growthOf(plan: Plan, years: number): YearPlan[] {
  return Array.from({ length: years + 1 }, (_, year) => {
    const values = valuesAfter(plan, year)
    return { year, values, binding: bindingLimits(values) }
  })
}

/** The first day on which a limit asks for more machines than the plan has; undefined where none ever does. */
export function headroomEnd(plan: Plan): HeadroomEnd | undefined {
  const chosen = plan.values.get('nodes.chosen') as number
  const after = (days: number) => valuesAfter(plan, days / daysPerYear)
  const isShort = (values: Values) => limits.some(({ needed }) => (values.get(needed) as number) > chosen)
  let [enough, short] = [-1, yearsMax * daysPerYear]
  if (!isShort(after(short))) return undefined
  while (short - enough > 1) {
    const middle = Math.floor((enough + short) / 2)
    if (isShort(after(middle))) short = middle
    else enough = middle
  }
  return { days: short, binding: bindingLimits(after(short)) }
}

/** All figures of the plan's cluster, so many years later. */
export function valuesAfter({ inputs }: Plan, years: number): Values {
  const ahead = (inputs.values.get('growth.years_ahead') as number) + years
  return evaluateGraph(graph, new Map(inputs.values).set('growth.years_ahead', ahead))
}
