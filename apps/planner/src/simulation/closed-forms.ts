/**
 * What is known about a partition without simulating: the chance that all its replicas are lost, from a Markov chain,
 * and its availability, from the binomial distribution. They check the simulation, and stand beside it in a plan.
 *
 * Both take replicas as independent. The chain assumes exponential durations; availability depends on means alone.
 */

import { assert } from '@orbitkv/base'
import {
  type ClusterModel,
  choose,
  failuresPerSecond,
  horizonSeconds,
  lostSecondsMean,
  monthSeconds,
  nodeCountAt,
  upgradeBatches,
  yearSeconds,
} from './model.ts'

export interface GroupRates {
  readonly replicas: number
  /** How often one replica is lost, and how often one that is lost is copied anew. */
  readonly lossesPerSecond: number
  readonly repairsPerSecond: number
}

/**
 * Mean time until all replicas are lost, starting with all present: the birth-death chain with absorption, solved
 * step by step (the chain that storage calls MTTDL: Gibson 1992; what it does not say: Greenan, Plank and Wylie,
 * Mean Time to Meaningless, HotStorage 2010).
 */
export function meanSecondsToLoss({ replicas, lossesPerSecond, repairsPerSecond }: GroupRates): number {
  let total = 0
  let step = 0
  for (let lost = 0; lost < replicas; lost++) {
    const down = (replicas - lost) * lossesPerSecond
    step = 1 / down + ((lost * repairsPerSecond) / down) * step
    total += step
  }
  return total
}

type Matrix = number[][]

function multiply(one: Matrix, other: Matrix): Matrix {
  return one.map((row) =>
    row.map((_, column) => row.reduce((sum, value, k) => sum + value * (other[k] as number[])[column]!, 0)),
  )
}

/**
 * Transition probabilities of the chain over a time; the last state, all lost, is absorbing. Uniformization (Jensen
 * 1953, Grassmann 1977) over a step that sees at most one transition on average, then repeated squaring: only sums and
 * products of positive numbers, so that even a probability of 1e-30 keeps its digits.
 */
function transitions({ replicas, lossesPerSecond, repairsPerSecond }: GroupRates, seconds: number): Matrix {
  const size = replicas + 1
  const fastest = replicas * Math.max(lossesPerSecond, repairsPerSecond)
  const doublings = Math.max(0, Math.ceil(Math.log2(fastest * seconds || 1)))
  const jumps = (fastest * seconds) / 2 ** doublings
  const jump: Matrix = Array.from({ length: size }, (_, lost) => {
    const row = new Array<number>(size).fill(0)
    const down = lost === replicas ? 0 : ((replicas - lost) * lossesPerSecond) / fastest
    const up = lost === replicas ? 0 : (lost * repairsPerSecond) / fastest
    if (lost < replicas) row[lost + 1] = down
    if (lost > 0) row[lost - 1] = up
    row[lost] = Math.max(0, 1 - down - up)
    return row
  })
  let power: Matrix = jump.map((row, i) => row.map((_, k) => (i === k ? 1 : 0)))
  let sum: Matrix = power.map((row) => row.map((value) => value * Math.exp(-jumps)))
  let weight = Math.exp(-jumps)
  // The first entries at (0, replicas) appear after `replicas` terms; 30 more leave nothing visible at jumps <= 1.
  for (let n = 1; n <= replicas + 30; n++) {
    power = multiply(power, jump)
    weight *= jumps / n
    sum = sum.map((row, i) => row.map((value, k) => value + weight * (power[i] as number[])[k]!))
  }
  for (let i = 0; i < doublings; i++) {
    const squared = multiply(sum, sum)
    // Rows are brought back to 1 through their largest entry, which alone can hold the rounding.
    for (const row of squared) {
      const largest = row.indexOf(Math.max(...row))
      row[largest] = row[largest]! + (1 - row.reduce((total, value) => total + value, 0))
    }
    sum = squared
  }
  return sum
}

/** The chance that all replicas of one group are lost at once within a time. */
export function groupLossProbability(rates: GroupRates, seconds: number): number {
  return transitions(rates, seconds)[0]![rates.replicas]!
}

export const groupRatesAt = (model: ClusterModel, nodeCount: number): GroupRates => ({
  replicas: model.replicationFactor,
  lossesPerSecond: failuresPerSecond(model) * model.permanentShare,
  repairsPerSecond: 1 / lostSecondsMean(model, nodeCount),
})

/** The chance that one partition of this cluster is lost within its horizon, by the chain, month by month of growth. */
export function partitionLossProbability(model: ClusterModel): number {
  const seconds = horizonSeconds(model)
  if (failuresPerSecond(model) * model.permanentShare === 0) return 0
  const nodeCountLast = nodeCountAt(model, seconds)
  // No time in which a replica is missing: only a cluster of one replica can lose anything.
  if (lostSecondsMean(model, nodeCountLast) === 0 && model.replicationFactor > 1) return 0
  if (nodeCountLast === model.nodeCount || model.replicationFactor === 1)
    return groupLossProbability(chainRates(model, model.nodeCount), seconds)
  let state: Matrix = [Array.from({ length: model.replicationFactor + 1 }, (_, lost) => (lost === 0 ? 1 : 0))]
  for (let from = 0; from < seconds; from += monthSeconds) {
    const rates = chainRates(model, nodeCountAt(model, from + 1))
    state = [multiplyRow(state[0]!, transitions(rates, Math.min(monthSeconds, seconds - from)))]
  }
  return state[0]![model.replicationFactor]!
}

/** With one replica nothing is ever copied: the rate of copies does not matter, and must be finite. */
const chainRates = (model: ClusterModel, nodeCount: number): GroupRates => {
  const rates = groupRatesAt(model, nodeCount)
  return model.replicationFactor === 1 ? { ...rates, repairsPerSecond: 0 } : rates
}

const multiplyRow = (row: number[], matrix: Matrix): number[] =>
  row.map((_, column) => row.reduce((sum, value, k) => sum + value * matrix[k]![column]!, 0))

/** The chance of at least `least` among `count` independent ones that each hold with probability `share`. */
export function binomialAtLeast(count: number, least: number, share: number): number {
  let total = 0
  for (let hits = Math.max(0, least); hits <= count; hits++)
    total += choose(count, hits) * share ** hits * (1 - share) ** (count - hits)
  return total
}

/** Share of time in which one replica is away without plan: two independent renewal processes, restarts and losses. */
export function replicaUnavailability(model: ClusterModel, nodeCount = model.nodeCount): number {
  const away = (share: number, seconds: number) => {
    const load = failuresPerSecond(model) * share * seconds
    return load / (1 + load)
  }
  const restart = away(1 - model.permanentShare, model.restartSeconds)
  const lost = away(model.permanentShare, lostSecondsMean(model, nodeCount))
  return restart + lost - restart * lost
}

/**
 * Share of time in which fewer than `quorum` replicas of a partition are up, in the long run: binomial over the
 * replicas that no upgrade holds down, hypergeometric over those that one does. Without growth and leaders.
 */
export function quorumUnavailability(model: ClusterModel, quorum: number): number {
  const { replicationFactor: replicas, nodeCount, upgradeNodesAtOnce } = model
  assert(quorum <= replicas, 'a quorum is no larger than the replicas')
  const away = replicaUnavailability(model)
  const downMin = replicas - quorum + 1
  const perUpgradeSeconds = upgradeBatches(model, nodeCount) * model.upgradeRestartSeconds
  const upgrading = (perUpgradeSeconds * model.upgradesPerYear) / yearSeconds
  let during = 0
  for (let planned = 0; planned <= Math.min(replicas, upgradeNodesAtOnce); planned++) {
    const ways = choose(upgradeNodesAtOnce, planned) * choose(nodeCount - upgradeNodesAtOnce, replicas - planned)
    const chance = ways / choose(nodeCount, replicas)
    during += chance * binomialAtLeast(replicas - planned, downMin - planned, away)
  }
  return (1 - upgrading) * binomialAtLeast(replicas, downMin, away) + upgrading * during
}

/** Share of time in which a partition has no leader because the node that led it failed; 0 without leaders. */
export function leaderGapShare(model: ClusterModel): number {
  if (!model.hasLeaders) return 0
  const gapSeconds = model.detectionSeconds + model.failoverSeconds
  const afterRestart = (1 - model.permanentShare) * Math.min(gapSeconds, model.restartSeconds)
  return failuresPerSecond(model) * (afterRestart + model.permanentShare * gapSeconds)
}
