/** A plan as the document of --json; schemas.ts describes it. */

import {
  type ClusterForecast,
  explain,
  formatQuantity,
  graph,
  growthOf,
  headroomEnd,
  inputById,
  type Plan,
  type Range,
  type Scenario,
  unitText,
  type VariedPlan,
} from '@orbitkv/planner'
import { version } from '../version.ts'

export interface DocumentRequest {
  readonly plan: Plan
  readonly scenarios: readonly Scenario[]
  readonly years: number
  readonly varied: { readonly range: Range; readonly plans: readonly VariedPlan[] } | undefined
  readonly forecast: ClusterForecast | undefined
}

export function planDocument({ plan, scenarios, years, varied, forecast }: DocumentRequest): unknown {
  const { inputs, values, binding, notes } = plan
  const end = headroomEnd(plan)
  return {
    version,
    title: inputs.title,
    node_kind: inputs.kind,
    backend: inputs.backend,
    binding: binding.map(({ name }) => name),
    inputs: Object.fromEntries(
      [...inputs.origins].map(([id, origin]) => [
        id,
        { value: number(inputs.values.get(id)), unit: inputById.get(id)?.unit ?? '1', origin },
      ]),
    ),
    figures: Object.fromEntries(
      graph.figures.map(({ id }) => {
        const { label, value, unit, formula, withNumbers, inputs: reads } = explain(id, values)
        const text = formatQuantity(value, unit)
        return [
          id,
          {
            value: number(value),
            unit: unitText(unit),
            text,
            label,
            formula,
            with_numbers: withNumbers,
            inputs: reads,
          },
        ]
      }),
    ),
    notes,
    scenarios: scenarios.map(({ name, plan: { values: other } }) => ({ name, figures: figureValues(other) })),
    growth: growthOf(plan, years).map(({ year, values: later, binding: binds }) => ({
      year,
      binding: binds.map(({ name }) => name),
      figures: figureValues(later),
    })),
    headroom: { days: end?.days ?? null, binding: end?.binding.map(({ name }) => name) ?? [] },
    ...(varied === undefined
      ? {}
      : {
          varied: {
            input: varied.range.id,
            points: varied.plans.map(({ value, plan: { values: other } }) => ({
              value: number(value),
              figures: figureValues(other),
            })),
          },
        }),
    ...(forecast === undefined ? {} : { simulation: simulationDocument(forecast) }),
  }
}

function simulationDocument({ seed, targetAvailability, partition, cluster, loss, closedForm }: ClusterForecast) {
  const judged = ({ estimate, verdict }: ClusterForecast['partition']['read']) => ({ ...estimate, verdict })
  return {
    seed,
    target: targetAvailability,
    partition_reads: judged(partition.read),
    partition_writes: judged(partition.write),
    cluster_reads: judged(cluster.read),
    cluster_writes: judged(cluster.write),
    partition_loss: loss.partition,
    cluster_loss: loss.cluster,
    partition_loss_by_formula: closedForm.partitionLossProbability,
  }
}

function figureValues(values: Plan['values']): Record<string, number | null> {
  return Object.fromEntries(graph.figures.map(({ id }) => [id, number(values.get(id))]))
}

/** Without the last digits of binary fractions: 112300, not 112299.99999999999. JSON has no infinity. */
function number(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(12))
}
