/** A plan's cluster, simulated: does its availability reach a target, and how probable is it that data is lost. */

import type { InputFault } from '../inputs/fault.ts'
import { formatQuantity, significant } from '../model/format.ts'
import { unit } from '../model/units.ts'
import type { Section } from '../report/section.ts'
import {
  type ClusterForecast,
  type ClusterModelInput,
  checkClusterModel,
  daySeconds,
  type Estimate,
  monthSeconds,
  simulateCluster,
} from '../simulation/index.ts'
import { valueOf } from './explain.ts'
import { daysPerYear, valuesAfter } from './growth.ts'
import type { Plan } from './plan.ts'

export interface ForecastOptions {
  readonly seed: number
  /** Such as 0.9999. */
  readonly target: number
}

export type ForecastResult =
  | { readonly forecast: ClusterForecast; readonly faults: readonly [] }
  | { readonly forecast: undefined; readonly faults: readonly InputFault[] }

export function forecastOf(plan: Plan, { seed, target }: ForecastOptions): ForecastResult {
  const model = modelOf(plan)
  const faults = checkClusterModel(model).map(({ field, value, expected }) => {
    const about = Object.hasOwn(parameters, field)
      ? parameters[field as keyof typeof parameters]
      : 'growth of the machines a year'
    return { field: about, value, origin: 'simulation', fault: `must be ${expected}` }
  })
  if (faults.length > 0) return { forecast: undefined, faults }
  return { forecast: simulateCluster(model, { seed, targetAvailability: target }), faults: [] }
}

/** Parameters of the simulation that are inputs and figures of the plan as they stand. */
const parameters = {
  nodeCount: 'nodes.chosen',
  partitionCount: 'partitions.count',
  replicationFactor: 'storage.replicas',
  readQuorum: 'consistency.reads_wait_for',
  writeQuorum: 'consistency.writes_wait_for',
  scatterWidthNodes: 'placement.scatter_width',
  nodeFailuresPerMonth: 'node.failures_per_month',
  permanentShare: 'node.lasting_share',
  detectionSeconds: 'recovery.detection_seconds',
  failoverSeconds: 'recovery.failover_seconds',
  restartSeconds: 'recovery.restart_seconds',
  bytesPerNode: 'storage.per_node_bytes',
  rereplicationPerNodeBytesPerSecond: 'recovery.copy_bandwidth',
  upgradesPerYear: 'upgrades.per_year',
  upgradeNodesAtOnce: 'upgrades.nodes_at_once',
  upgradeRestartSeconds: 'upgrades.restart_seconds',
  horizonDays: 'simulation.days',
} as const satisfies Partial<Record<keyof ClusterModelInput, string>>

/** A plan counts 30 days to a month, the simulation a twelfth of a year. */
const planMonthSeconds = 30 * daySeconds

/** The plan's cluster from the plan's day on. */
function modelOf(plan: Plan): ClusterModelInput {
  const of = (id: string) => valueOf(plan.values, id)
  const years = of('simulation.days') / daysPerYear
  const later = valuesAfter(plan, years)
  const entries = Object.entries(parameters).map(([field, id]) => [field, of(id)])
  return {
    ...(Object.fromEntries(entries) as Record<keyof typeof parameters, number>),
    placement: of('placement.scatter_width') === 0 ? 'spread' : 'copysets',
    nodeFailuresPerMonth: of('node.failures_per_month') * (monthSeconds / planMonthSeconds),
    // As even a growth as leads to the machines of the end; none where their number is fixed.
    nodeGrowthPerYear: (valueOf(later, 'nodes.chosen') / of('nodes.chosen')) ** (1 / years) - 1,
    // Where it is fixed they fill up: what is hardest to copy is what counts.
    bytesPerNode: Math.max(of('storage.per_node_bytes'), valueOf(later, 'storage.per_node_bytes')),
  }
}

export function forecastSection({
  model,
  nodeCountLast,
  partition,
  cluster,
  loss,
  closedForm,
  targetAvailability,
  seed,
}: ClusterForecast): Section {
  const share = ({ value, low, high }: Estimate) => [
    availability(value),
    `${availability(low)} to ${availability(high)}`,
  ]
  const chance = ({ value, low, high }: Estimate) => [
    significant(value, 2),
    `${significant(low, 2)} to ${significant(high, 2)}`,
  ]
  const target = `${Number((targetAvailability * 100).toPrecision(12))}%`
  const judged = (name: string, of: { readonly estimate: Estimate; readonly verdict: string }) => [
    name,
    ...share(of.estimate),
    `${target} ${of.verdict === 'undecided' ? 'is undecided' : of.verdict}`,
  ]
  return {
    title: `Availability and loss in ${count(model.horizonDays, 'day')}`,
    head: ['', 'estimate', '95% interval', ''],
    rows: [
      judged('a read of any key', partition.read),
      judged('a write of any key', partition.write),
      judged('reads of all keys at once', cluster.read),
      judged('writes of all keys at once', cluster.write),
      ['chance that any data is lost', ...chance(loss.cluster), loss.cluster.method],
      ['chance that a given partition is lost', ...chance(loss.partition), loss.partition.method],
      ['the same by the closed formula', significant(closedForm.partitionLossProbability, 2), '', ''],
    ],
    right: [1],
    notes: [
      `simulated from seed ${seed}: ${machinesText(model.nodeCount, nodeCountLast)}, ${count(model.upgradesPerYear, 'upgrade')} a year; a read waits for ${model.readQuorum} and a write for ${model.writeQuorum} of ${model.replicationFactor} copies`,
      independence,
    ],
  }
}

/** To be said beside every probability of loss: what it leaves out is likelier than itself. */
export const independence =
  'machines are taken to fail independently of each other: that a rack, a zone, a region or the power fails and takes many at once is not in these figures, and far more probable than the smallest of them'

const count = (value: number, unitOfCount: string): string => formatQuantity(value, unit(unitOfCount))

function machinesText(first: number, last: number): string {
  return first === last ? count(first, 'node') : `${count(first, 'node')}, ${count(last, 'node')} in the end`
}

/** 0.99998765 → `99.9988%`: two digits after the nines. */
function availability(share: number): string {
  if (share >= 1) return '100%'
  const digits = Math.max(1, Math.ceil(-Math.log10(1 - share)))
  return `${(share * 100).toFixed(Math.min(12, digits))}%`
}
