/**
 * A plan beside itself with inputs changed: scenarios by name, and one input varied over a range. Each variant is a
 * whole plan, read and checked like any other.
 */

import { nearest } from '@orbitkv/base'
import { readAmount } from '../inputs/amounts.ts'
import type { InputFault } from '../inputs/fault.ts'
import type { Source } from '../inputs/read.ts'
import { inputById, inputSpecs } from '../inputs/table.ts'
import { makePlan, type Plan, type PlanRequest, sourceOf } from './plan.ts'

export interface Scenario {
  readonly name: string
  readonly plan: Plan
}

/** The ways to pay that every plan is shown in. */
export const standardScenarios: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'on demand': { 'cost.spot_share': 0, 'cost.reserved_share': 0, 'tiers.share': 0 },
  reserved: { 'cost.spot_share': 0, 'cost.reserved_share': 1, 'tiers.share': 0 },
  spot: { 'cost.spot_share': 1, 'cost.reserved_share': 0, 'tiers.share': 0 },
  tiered: { 'cost.spot_share': 0, 'cost.reserved_share': 0, 'tiers.share': 1 },
}

export function scenariosOf(
  request: PlanRequest,
  plan: Plan,
): { readonly scenarios: readonly Scenario[]; readonly faults: readonly InputFault[] } {
  const standard = Object.entries(standardScenarios).map(([name, changes]) => ({
    name,
    source: sourceOf(`scenario ${name}`, changes),
  }))
  const own = [...plan.inputs.scenarios].map(([name, table]) => ({
    name,
    source: { origin: `scenario ${name}`, table },
  }))
  const scenarios: Scenario[] = []
  const faults: InputFault[] = []
  for (const { name, source } of [...standard, ...own]) {
    // What somebody stated is about the plan itself; a scenario changes it on purpose.
    const sources = [...request.sources.map(withoutStated), source]
    const result = makePlan({ ...request, sources })
    if (result.plan === undefined)
      faults.push(...result.faults.map((fault) => ({ ...fault, origin: `scenario ${name}` })))
    else scenarios.push({ name, plan: result.plan })
  }
  return { scenarios, faults }
}

function withoutStated(source: Source): Source {
  const isStated = (path: string) => path === 'stated' || path.startsWith('stated.')
  return { ...source, table: Object.fromEntries(Object.entries(source.table).filter(([path]) => !isStated(path))) }
}

export interface Range {
  /** Id of the input. */
  readonly id: string
  readonly points: readonly number[]
}

const pointsMax = 50
/** A range of this factor or more takes even factors in place of even steps, and a logarithmic axis. */
export const wideFactor = 100

/** Reads `peak=1..5`, `peak=1..5:9` (nine points), `keys=1M,10M,100M`; the input by its id, its flag or its last word. */
export function readRange(text: string): Range | { readonly fault: string } {
  const equals = text.indexOf('=')
  const name = text.slice(0, Math.max(0, equals)).trim()
  const spec = inputSpecs.find(({ id, flag }) => id === name || flag === name || id.endsWith(`.${name}`))
  if (equals < 0 || text.slice(equals + 1).trim() === '')
    return { fault: 'write INPUT=FROM..TO, INPUT=FROM..TO:POINTS or INPUT=A,B,C' }
  if (spec === undefined || spec.isCheckOnly === true) {
    const near = nearest(name, [...inputById.keys(), ...inputSpecs.flatMap(({ flag }) => flag ?? [])])
    return { fault: `${name} is no input of a plan${near === undefined ? '' : `; did you mean ${near}?`}` }
  }
  const rest = text.slice(equals + 1).trim()
  const range = /^(.+?)\.\.(.+?)(?::(\d+))?$/.exec(rest)
  const words = range === null ? rest.split(',') : [range[1] as string, range[2] as string]
  const numbers: number[] = []
  for (const word of words) {
    const amount = readAmount(word, spec.unit)
    if ('fault' in amount) return { fault: `${word.trim()} ${amount.fault}` }
    numbers.push(amount.value)
  }
  if (range === null) {
    return numbers.length > pointsMax ? tooMany : { id: spec.id, points: numbers }
  }
  const [from = 0, to = 0] = numbers
  if (from >= to) return { fault: `${rest} does not go up; write the smaller first` }
  const count = range[3] === undefined ? pointsBetween(from, to) : Number(range[3])
  if (count < 2 || count > pointsMax) return tooMany
  // Over orders of magnitude even steps would tell nothing of the small end.
  const isWide = from > 0 && to / from >= wideFactor
  const pointAt = (part: number) => (isWide ? from * (to / from) ** part : from + part * (to - from))
  const points = Array.from({ length: count }, (_, i) => Number(pointAt(i / (count - 1)).toPrecision(isWide ? 4 : 12)))
  return { id: spec.id, points: spec.isWhole === true ? [...new Set(points.map(Math.round))] : points }
}

const tooMany = { fault: `takes 2 to ${pointsMax} points` }

/** Whole steps where the range has few of them, else nine points. */
function pointsBetween(from: number, to: number): number {
  const steps = to - from
  return Number.isInteger(from) && Number.isInteger(steps) && steps <= 20 ? steps + 1 : 9
}

export interface VariedPlan {
  readonly value: number
  readonly plan: Plan
}

export function vary(
  request: PlanRequest,
  { id, points }: Range,
): { readonly plans: readonly VariedPlan[]; readonly faults: readonly InputFault[] } {
  const plans: VariedPlan[] = []
  const faults: InputFault[] = []
  for (const value of points) {
    const sources = [...request.sources.map(withoutStated), sourceOf(`--vary ${id} = ${value}`, { [id]: value })]
    const result = makePlan({ ...request, sources })
    if (result.plan === undefined) faults.push(...result.faults)
    else plans.push({ value, plan: result.plan })
  }
  return { plans, faults }
}
