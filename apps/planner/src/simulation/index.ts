/**
 * Simulation of a cluster over days to years: availability at each quorum, the chance of losing data, and whether a
 * target such as 99.99% holds. Pure: no clock, no I/O; chance comes from a seed. All that the rest of the planner uses.
 */

export { type ClusterForecast, simulateCluster } from './forecast.ts'
export { type ClusterModelInput, checkClusterModel, daySeconds, monthSeconds } from './model.ts'
export type { Estimate } from './statistics.ts'
