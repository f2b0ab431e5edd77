/**
 * A plan: inputs that agree with each other, all figures worked out from them, what binds, and what to know about it.
 * `makePlan` is the door of the package; the same sources always give the same plan.
 */

import { graph } from '../figures/index.ts'
import { type Limit, limits } from '../figures/nodes.ts'
import type { InputFault } from '../inputs/fault.ts'
import type { NodeKind } from '../inputs/kinds.ts'
import { type Inputs, readInputs, type Source } from '../inputs/read.ts'
import { formatQuantity } from '../model/format.ts'
import { evaluateGraph, type Values } from '../model/graph.ts'
import { explain } from './explain.ts'
import { type Note, notesOn } from './notes.ts'

export interface Plan {
  readonly inputs: Inputs
  /** Of every input and figure, by id. */
  readonly values: Values
  /** The limits that ask for the most machines. */
  readonly binding: readonly Limit[]
  readonly notes: readonly Note[]
}

export type PlanResult =
  | { readonly plan: Plan; readonly faults: readonly [] }
  | { readonly plan: undefined; readonly faults: readonly InputFault[] }

export interface PlanRequest {
  /** The later over the earlier. */
  readonly sources: readonly Source[]
  readonly kinds: readonly NodeKind[]
}

export function makePlan({ sources, kinds }: PlanRequest): PlanResult {
  const { inputs, faults } = readInputs(sources, kinds)
  if (inputs === undefined) return { plan: undefined, faults }
  const values = evaluateGraph(graph, inputs.values)
  const contradictions = contradictionsOf(inputs, values)
  if (contradictions.length > 0) return { plan: undefined, faults: contradictions }
  return { plan: { inputs, values, binding: bindingLimits(values), notes: notesOn(values) }, faults: [] }
}

export function bindingLimits(values: Values): Limit[] {
  const most = Math.max(...limits.map(({ needed }) => values.get(needed) as number))
  return limits.filter(({ needed }) => values.get(needed) === most)
}

/** People round what they state. */
const statedTolerance = 0.05

function contradictionsOf({ stated }: Inputs, values: Values): InputFault[] {
  return [...stated].flatMap(([id, value]) => {
    const ours = values.get(id) as number
    if (Math.abs(value - ours) <= statedTolerance * Math.max(Math.abs(value), Math.abs(ours))) return []
    const { unit } = graph.byId.get(id) ?? { unit: new Map() }
    const { withNumbers } = explain(id, values)
    const fault = `contradicts the inputs, which give ${formatQuantity(ours, unit)} (${withNumbers}); correct it or them`
    return [{ field: `stated.${id}`, value, origin: 'plan', fault }]
  })
}

/** Values by id, such as `workload.peak_factor`, as a source. */
export function sourceOf(origin: string, table: Source['table'], origins: Source['origins'] = {}): Source {
  return { origin, table, origins }
}
