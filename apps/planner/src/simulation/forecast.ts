/**
 * What is to be expected of a cluster: availability and loss, each as an estimate with an interval, and whether a
 * target holds. Puts together the runs of the whole cluster, the biased simulation of one partition, and the closed
 * formulas. Deterministic: the same model and seed give the same forecast.
 */

import { Random } from '@orbitkv/base'
import {
  groupRatesAt,
  leaderGapShare,
  meanSecondsToLoss,
  partitionLossProbability,
  quorumUnavailability,
} from './closed-forms.ts'
import { runCluster } from './cluster-run.ts'
import { simulationErrors } from './errors.ts'
import {
  type ClusterModel,
  type ClusterModelInput,
  choose,
  clusterModel,
  copysetCount,
  failuresPerSecond,
  horizonSeconds,
  nodeCountAt,
  yearSeconds,
} from './model.ts'
import { estimatePartition, type RareEstimates } from './rare.ts'
import { measures } from './replicas.ts'
import { complement, type Estimate, meanInterval, wilsonInterval } from './statistics.ts'

export interface SimulationOptions {
  readonly seed: number
  /** The share of time that must be available, such as 0.9999. */
  readonly targetAvailability?: number
  /** Paths of the biased simulation; the error shrinks with the square root. */
  readonly paths?: number
  /** Runs of the whole cluster go on until this many replicas have been passed over, within 4 to 400 runs. */
  readonly visitsMax?: number
}

/** `undecided`: the target lies within the interval; more paths or visits can settle it. */
export type Verdict = 'holds' | 'fails' | 'undecided'

export interface Availability {
  readonly estimate: Estimate
  readonly verdict: Verdict
}

export interface AvailabilityByKind {
  readonly read: Availability
  readonly write: Availability
  /** At least one replica is up. */
  readonly data: Availability
}

export interface ClusterForecast {
  readonly model: ClusterModel
  readonly seed: number
  readonly targetAvailability: number
  readonly nodeCountLast: number
  /** What a request meets: the availability of its partition. Answers whether the target holds. */
  readonly partition: AvailabilityByKind
  /** Every partition at the same time: any one that is away counts as an outage. */
  readonly cluster: AvailabilityByKind
  readonly loss: {
    /** Within the horizon: of one given partition, and of any. */
    readonly partition: Estimate
    readonly cluster: Estimate
    readonly partitionsExpected: number
  }
  /** The closed formulas: independent replicas, no growth for availability, exponential durations for loss. */
  readonly closedForm: {
    readonly partitionReadAvailability: number
    readonly partitionWriteAvailability: number
    readonly partitionLossProbability: number
    /** Mean time to the loss of one partition; Infinity where nothing is ever lost. */
    readonly partitionMeanYearsToLoss: number
  }
  readonly runs: number
  readonly failuresPerRun: number
}

const runsMin = 4
const runsMax = 400
/** Fewer outages than this in all runs give no interval that could be trusted. */
const outagesMin = 30
/** Unless they last so long that each run is full of them. */
const shareMin = 0.1
const lossRunsMin = 10

/** Simulates a cluster; throws `simulation.bad_model` or `simulation.bad_option`. */
export function simulateCluster(input: ClusterModelInput, options: SimulationOptions): ClusterForecast {
  const model = clusterModel(input)
  const { seed, targetAvailability = 0.9999, paths = 10_000, visitsMax = 4_000_000 } = options
  checkOption('seed', seed, 0, 2 ** 32 - 1)
  checkOption('paths', paths, 100, 1e8)
  checkOption('visitsMax', visitsMax, 0, 1e12)
  if (!(targetAvailability > 0 && targetAvailability < 1)) {
    const expected = 'a share between 0 and 1, such as 0.9999'
    throw simulationErrors.bad_option({ name: 'targetAvailability', value: targetAvailability, expected })
  }
  const rare = estimatePartition(model, { random: new Random(seed), paths })
  const runs = runClusters(model, new Random(seed ^ 0x5bd1e995), visitsMax)
  const judge = (unavailability: Estimate): Availability => {
    const estimate = complement(unavailability)
    return { estimate, verdict: verdictOf(estimate, targetAvailability) }
  }
  const byKind = (estimateOf: (measure: 'read' | 'write' | 'data') => Estimate): AvailabilityByKind => ({
    read: judge(estimateOf('read')),
    write: judge(estimateOf('write')),
    data: judge(estimateOf('data')),
  })
  return {
    model,
    seed,
    targetAvailability,
    nodeCountLast: nodeCountAt(model, horizonSeconds(model)),
    partition: byKind((measure) => rare.unavailability[measures.indexOf(measure)]!),
    cluster: byKind((measure) => clusterUnavailability(model, measure, rare, runs)),
    loss: {
      partition: rare.loss,
      cluster: clusterLoss(model, rare, runs),
      partitionsExpected: rare.loss.value * model.partitionCount,
    },
    closedForm: closedForms(model),
    runs: runs.count,
    failuresPerRun: runs.failures / runs.count,
  }
}

function checkOption(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw simulationErrors.bad_option({ name, value, expected: `a whole number from ${min} to ${max}` })
}

export function verdictOf({ low, high }: Estimate, target: number): Verdict {
  if (low >= target) return 'holds'
  return high < target ? 'fails' : 'undecided'
}

interface ClusterRuns {
  readonly count: number
  readonly failures: number
  readonly runsWithLoss: number
  readonly outages: Float64Array
  /** Per measure: sums over runs of the share of time with an outage, and of its square. */
  readonly shares: Float64Array
  readonly squares: Float64Array
}

function runClusters(model: ClusterModel, random: Random, visitsMax: number): ClusterRuns {
  const outages = new Float64Array(measures.length)
  const shares = new Float64Array(measures.length)
  const squares = new Float64Array(measures.length)
  let count = 0
  let failures = 0
  let runsWithLoss = 0
  // Making the placement passes over every replica as well.
  const setupVisits = model.partitionCount * model.replicationFactor
  for (let visits = 0; count < runsMin || (count < runsMax && visits < visitsMax); count++) {
    const run = runCluster(model, random)
    visits += setupVisits + run.replicas.visits + run.failures
    failures += run.failures
    if (run.replicas.lostPartitions > 0) runsWithLoss++
    for (let measure = 0; measure < measures.length; measure++) {
      const share = run.replicas.clusterSeconds[measure]! / horizonSeconds(model)
      outages[measure]! += run.replicas.clusterOutages[measure]!
      shares[measure]! += share
      squares[measure]! += share * share
    }
  }
  return { count, failures, runsWithLoss, outages, shares, squares }
}

/**
 * Counted where the runs saw enough. Else added up over all sets of nodes that must not be away together, as the
 * outages of one partition divide over its own such sets; and over nodes, whose failures leave partitions without a
 * leader. That counts every outage, and hardly one twice where they are rare.
 */
function clusterUnavailability(
  model: ClusterModel,
  measure: 'read' | 'write' | 'data',
  rare: RareEstimates,
  runs: ClusterRuns,
): Estimate {
  const index = measures.indexOf(measure)
  if (runs.outages[index]! >= outagesMin || runs.shares[index]! / runs.count >= shareMin) {
    const { mean, halfWidth } = meanInterval(runs.shares[index]!, runs.squares[index]!, runs.count)
    return { value: mean, low: Math.max(0, mean - halfWidth), high: Math.min(1, mean + halfWidth), method: 'counted' }
  }
  const nodeCountLast = nodeCountAt(model, horizonSeconds(model))
  const quorum = { read: model.readQuorum, write: model.writeQuorum, data: 1 }[measure]
  const away = model.replicationFactor - quorum + 1
  const sets = copysetCount(model, nodeCountLast, away) / choose(model.replicationFactor, away)
  const gaps = measure === 'data' ? 0 : leaderGapShare(model) * Math.min(nodeCountLast, model.partitionCount)
  const one = rare.unavailability[measures.indexOf(measure === 'data' ? 'data' : `${measure}Quorum`)]!
  return {
    value: Math.min(1, sets * one.value + gaps),
    // Some partition is unavailable at least as long as a given one.
    low: rare.unavailability[index]!.low,
    high: Math.min(1, sets * one.high + gaps),
    method: 'union bound',
  }
}

/** The chance that any partition is lost. Copysets that share nodes make the bound too high only where loss is common. */
function clusterLoss(model: ClusterModel, rare: RareEstimates, runs: ClusterRuns): Estimate {
  if (runs.runsWithLoss >= Math.min(lossRunsMin, runs.count))
    return { ...wilsonInterval(runs.runsWithLoss, runs.count), method: 'counted' }
  const copysets = copysetCount(model, nodeCountAt(model, horizonSeconds(model)))
  const any = (chance: number) => -Math.expm1(copysets * Math.log1p(-chance))
  const { value, low, high } = rare.loss
  return { value: any(value), low: any(low), high: any(high), method: 'union bound' }
}

function closedForms(model: ClusterModel): ClusterForecast['closedForm'] {
  const gaps = leaderGapShare(model)
  const losesAnything = failuresPerSecond(model) * model.permanentShare > 0
  const seconds = losesAnything ? meanSecondsToLoss(groupRatesAt(model, model.nodeCount)) : Infinity
  return {
    partitionReadAvailability: 1 - quorumUnavailability(model, model.readQuorum) - gaps,
    partitionWriteAvailability: 1 - quorumUnavailability(model, model.writeQuorum) - gaps,
    partitionLossProbability: partitionLossProbability(model),
    partitionMeanYearsToLoss: seconds / yearSeconds,
  }
}
