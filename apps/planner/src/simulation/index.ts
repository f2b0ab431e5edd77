/**
 * Simulation of a cluster over days to years: availability at each quorum, the chance of losing data, and whether a
 * target such as 99.99% holds. Pure: no clock, no I/O; chance comes from a seed. Public entry.
 */

export {
  binomialAtLeast,
  type GroupRates,
  groupLossProbability,
  meanSecondsToLoss,
  partitionLossProbability,
  quorumUnavailability,
} from './closed-forms.ts'
export { simulationErrors } from './errors.ts'
export {
  type Availability,
  type AvailabilityByKind,
  type ClusterForecast,
  type SimulationOptions,
  simulateCluster,
  type Verdict,
  verdictOf,
} from './forecast.ts'
export {
  type ClusterModel,
  type ClusterModelInput,
  checkClusterModel,
  clusterModel,
  copySeconds,
  copysetCount,
  type ModelFault,
} from './model.ts'
export type { Estimate } from './statistics.ts'
