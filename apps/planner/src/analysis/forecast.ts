/** A plan's cluster, simulated: does its availability reach a target, and how probable is it that data is lost. */

import type { InputFault } from '../inputs/fault.ts'
import { significant } from '../model/format.ts'
import type { Section } from '../report/section.ts'
import {
  type ClusterForecast,
  type ClusterModelInput,
  checkClusterModel,
  type Estimate,
  simulateCluster,
} from '../simulation/index.ts'
import { valueOf } from './explain.ts'
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
    return { field: `simulation ${field}`, value, origin: 'plan', fault: `must be ${expected}` }
  })
  if (faults.length > 0) return { forecast: undefined, faults }
  return { forecast: simulateCluster(model, { seed, targetAvailability: target }), faults: [] }
}

/** A year of the cluster as it stands on the plan's day. */
function modelOf({ values }: Plan): ClusterModelInput {
  const of = (id: string) => valueOf(values, id)
  return {
    nodeCount: of('nodes.chosen'),
    partitionCount: of('partitions.count'),
    replicationFactor: of('storage.replicas'),
    nodeFailuresPerMonth: of('node.failures_per_month'),
    permanentShare: of('node.lasting_share'),
    detectionSeconds: of('recovery.detection_seconds'),
    failoverSeconds: of('recovery.failover_seconds'),
    restartSeconds: of('recovery.restart_seconds'),
    bytesPerNode: of('storage.per_node_bytes'),
    rereplicationPerNodeBytesPerSecond: of('recovery.copy_bandwidth'),
  }
}

export function forecastSection({
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
    title: 'Availability and loss in a year',
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
    notes: [`Simulated from seed ${seed}; machines fail independently of each other, and no region fails.`],
  }
}

/** 0.99998765 → `99.9988%`: two digits after the nines. */
function availability(share: number): string {
  if (share >= 1) return '100%'
  const digits = Math.max(1, Math.ceil(-Math.log10(1 - share)))
  return `${(share * 100).toFixed(Math.min(12, digits))}%`
}
