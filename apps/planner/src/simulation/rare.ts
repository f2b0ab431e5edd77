/**
 * One partition, simulated towards trouble: importance sampling for what a run of the whole cluster hardly ever sees.
 *
 * The replicas of a partition are on different nodes, which fail independently, so one partition needs only its own R
 * nodes, and by symmetry every partition has the same chances. A path is drawn with more failures than there are, and
 * weighted by how much less likely the true rates make it:
 * - Forcing: the first failure is made likely to fall within the horizon. Failure biasing: while replicas are away the
 *   next failure is made likely to come before they are back, losses and restarts being equally likely (balanced). See
 *   Shahabuddin, Importance Sampling for the Simulation of Highly Reliable Markovian Systems, Management Science 40
 *   (1994); Nicola, Shahabuddin and Nakayama, Techniques for Fast Simulation of Models of Highly Dependable Systems,
 *   IEEE Transactions on Reliability 50 (2001).
 * - Defensive mixture: one path in five is drawn with the true rates, and weights are those of the mixture, so that no
 *   weight exceeds five, and nothing gets worse than plain simulation of a fifth of the paths. See Hesterberg, Weighted
 *   Average Importance Sampling and Defensive Mixture Distributions, Technometrics 37 (1995).
 */

import type { Random } from '@orbitkv/base'
import {
  type ClusterModel,
  copySeconds,
  failuresPerSecond,
  horizonSeconds,
  lostSecondsMean,
  nodeCountAt,
  upgradeStartsSeconds,
  yearSeconds,
} from './model.ts'
import { placeOnePartition } from './placement.ts'
import { measures, Replicas, type Situation } from './replicas.ts'
import { type Estimate, exponential, meanInterval, unit } from './statistics.ts'

const plainShare = 0.2

export interface RareEstimates {
  /** The chance that a partition is lost within the horizon. */
  readonly loss: Estimate
  /** Per measure (as `measures`): the share of time in which a partition is unavailable. */
  readonly unavailability: readonly Estimate[]
  /** Paths on which the partition was lost: an interval means little below about thirty. */
  readonly lossPaths: number
}

export interface RareOptions {
  readonly random: Random
  readonly paths: number
  /** `plain` draws with the true rates alone: what the biased simulation is compared with. */
  readonly sampling?: 'biased' | 'plain'
}

/** Estimates for one partition from independent paths over the horizon, as many for loss as for availability. */
export function estimatePartition(model: ClusterModel, options: RareOptions): RareEstimates {
  const loss = new Sum()
  const unavailable = measures.map(() => new Sum())
  drawPaths(lossesOnly(model), options, (replicas, weight) => loss.add(replicas.lostPartitions > 0 ? weight : 0))
  drawPaths(model, options, ({ partitionSeconds }, weight) => {
    for (const [measure, sum] of unavailable.entries())
      sum.add((weight * partitionSeconds[measure]!) / horizonSeconds(model))
  })
  const canLose = failuresPerSecond(model) * model.permanentShare > 0
  const canFail = failuresPerSecond(model) > 0 || model.upgradesPerYear > 0
  return {
    loss: loss.estimate(options.paths, canLose),
    unavailability: unavailable.map((sum) => sum.estimate(options.paths, canFail)),
    lossPaths: loss.hits,
  }
}

/** Restarts are independent of losses, so paths towards loss do without them: more of them get there. */
const lossesOnly = (model: ClusterModel): ClusterModel => ({
  ...model,
  nodeFailuresPerMonth: model.nodeFailuresPerMonth * model.permanentShare,
  permanentShare: 1,
  upgradesPerYear: 0,
  hasLeaders: false,
})

function drawPaths(
  model: ClusterModel,
  { random, paths, sampling = 'biased' }: RareOptions,
  note: (replicas: Replicas, weight: number) => void,
): void {
  const partition = new PartitionPaths(model, random)
  for (let path = 0; path < paths; path++) {
    const weight = partition.draw(sampling)
    note(partition.replicas, weight)
  }
}

class Sum {
  hits = 0
  #sum = 0
  #sumOfSquares = 0

  add(value: number): void {
    if (value > 0) this.hits++
    this.#sum += value
    this.#sumOfSquares += value * value
  }

  /** With no hit at all the rule of three holds: 3 / paths, times the largest weight there can be. */
  estimate(paths: number, isPossible: boolean): Estimate {
    const method = 'importance sampling'
    if (this.hits === 0) return { value: 0, low: 0, high: isPossible ? Math.min(1, 3 / paths / plainShare) : 0, method }
    const { mean, halfWidth } = meanInterval(this.#sum, this.#sumOfSquares, paths)
    return { value: mean, low: Math.max(0, mean - halfWidth), high: Math.min(1, mean + halfWidth), method }
  }
}

/** How often per second replicas are lost and nodes restart; constant until something changes. */
interface Hazard {
  readonly losses: number
  readonly restarts: number
}

const totalOf = ({ losses, restarts }: Hazard): number => losses + restarts

class PartitionPaths {
  readonly replicas: Replicas
  readonly #model: ClusterModel
  readonly #random: Random
  readonly #horizon: number
  readonly #lossRate: number
  readonly #restartRate: number
  readonly #failuresExpected: number
  readonly #upgradesExpected: number
  /** How long before an upgrade a failure must come to be still felt when it begins. */
  readonly #lossReach: number
  readonly #restartReach: number

  constructor(model: ClusterModel, random: Random) {
    this.#model = model
    this.#random = random
    this.#horizon = horizonSeconds(model)
    this.#lossRate = failuresPerSecond(model) * model.permanentShare
    this.#restartRate = failuresPerSecond(model) - this.#lossRate
    this.#failuresExpected = Math.max(1, failuresPerSecond(model) * model.replicationFactor * this.#horizon)
    this.#upgradesExpected = Math.max(
      1,
      (model.replicationFactor * model.upgradesPerYear * this.#horizon) / yearSeconds,
    )
    const isFixed = model.durations === 'fixed'
    const lostSecondsMax = model.detectionSeconds + copySeconds(model, model.nodeCount)
    // Three means hold all but a twentieth of an exponential distribution.
    this.#lossReach = isFixed ? lostSecondsMax : 3 * lostSecondsMean(model, model.nodeCount)
    this.#restartReach = (isFixed ? 1 : 3) * model.restartSeconds
    const placement = placeOnePartition(model.replicationFactor)
    this.replicas = new Replicas(model, placement, model.replicationFactor, random)
  }

  /** Runs one path; weighted with what this returns, the mean over paths is the mean under the true rates. */
  draw(sampling: 'biased' | 'plain'): number {
    if (sampling === 'plain') {
      this.#run('plain')
      return 1
    }
    const logRatio = this.#run(unit(this.#random) < plainShare ? 'plain' : 'biased')
    return 1 / (plainShare + (1 - plainShare) * Math.exp(-logRatio))
  }

  /** Returns the logarithm of the path's density under the true rates over that under the biased ones. */
  #run(sampling: 'biased' | 'plain'): number {
    const upgrades = this.#drawUpgrades()
    this.replicas.reset()
    let logRatio = 0
    let nextUpgrade = 0
    let at = 0
    while (at < this.#horizon) {
      const upgrade = upgrades[nextUpgrade]
      const upgradeAt = upgrade?.at ?? Infinity
      const situation = this.replicas.situation(at)
      const change = Math.min(this.#horizon, situation.nextEnd, this.#nextBoundary(at, upgradeAt))
      const plain = this.#plainHazard(situation)
      const biased = this.#biasedHazard(situation, plain, at, upgradeAt)
      const drawn = sampling === 'plain' ? plain : biased
      const failureAt = at + exponential(this.#random, 1 / totalOf(drawn))
      const until = Math.min(change, failureAt)
      logRatio += (totalOf(biased) - totalOf(plain)) * (until - at)
      at = until
      if (failureAt < change) {
        const isLoss = unit(this.#random) * totalOf(drawn) < drawn.losses
        logRatio += Math.log(isLoss ? plain.losses / biased.losses : plain.restarts / biased.restarts)
        this.#fail(isLoss, at)
      } else if (upgrade !== undefined && at === upgradeAt) {
        this.replicas.upgrade(upgrade.node, at)
        nextUpgrade++
      }
    }
    return logRatio
  }

  /** When the next upgrade begins, or comes within reach of a failure. */
  #nextBoundary(at: number, upgradeAt: number): number {
    const [one, other] = [upgradeAt - this.#lossReach, upgradeAt - this.#restartReach]
    return Math.min(upgradeAt, one > at ? one : Infinity, other > at ? other : Infinity)
  }

  /** Something happens to one of the nodes that it can happen to; node and replica are one here. */
  #fail(isLoss: boolean, at: number): void {
    const { replicas } = this
    const canFail = (node: number) => (isLoss ? !replicas.isLost(node, at) : !replicas.isRestarting(node, at))
    let node = this.#random.below(this.#model.replicationFactor)
    while (!canFail(node)) node = this.#random.below(this.#model.replicationFactor)
    if (isLoss) replicas.lose(node, at)
    else replicas.restart(node, at)
  }

  #plainHazard({ present, running }: Situation): Hazard {
    return { losses: present * this.#lossRate, restarts: running * this.#restartRate }
  }

  /**
   * Each kind of trouble that a path meets so many times gets its share of one extra failure on the path. Failures and
   * upgrades can meet in either order, so failures are made likely before an upgrade as well as during it.
   */
  #biasedHazard({ away, unplanned, lastEnd }: Situation, plain: Hazard, at: number, upgradeAt: number): Hazard {
    // Losses and restarts get a half each, or one all of it if the other cannot happen.
    const part = this.#lossRate > 0 && this.#restartRate > 0 ? 0.5 : 1
    let losses = (1.5 * part) / this.#horizon
    let restarts = losses
    if (unplanned > 0) {
      const wait = (lastEnd - at) * (away === 1 ? this.#failuresExpected : 1)
      losses = restarts = (Math.LN2 * part) / wait
    } else {
      const { upgradeRestartSeconds } = this.#model
      const near = (reach: number) =>
        away > 0 || upgradeAt - at <= reach ? part / (this.#upgradesExpected * (reach + upgradeRestartSeconds)) : 0
      losses = Math.max(losses, near(this.#lossReach))
      restarts = Math.max(restarts, near(this.#restartReach))
    }
    return {
      losses: plain.losses === 0 ? 0 : Math.max(plain.losses, losses),
      restarts: plain.restarts === 0 ? 0 : Math.max(plain.restarts, restarts),
    }
  }

  /** When each replica's node is upgraded: where the node stands among all nodes is chance. */
  #drawUpgrades(): { at: number; node: number }[] {
    const { replicationFactor, upgradeNodesAtOnce, upgradeRestartSeconds } = this.#model
    const upgrades: { at: number; node: number }[] = []
    for (const start of upgradeStartsSeconds(this.#model, unit(this.#random))) {
      const nodeCount = nodeCountAt(this.#model, Math.max(0, start) + 1)
      const taken: number[] = []
      while (taken.length < replicationFactor) {
        const place = this.#random.below(nodeCount)
        if (!taken.includes(place)) taken.push(place)
      }
      for (const [node, place] of taken.entries()) {
        const batch = Math.floor(place / upgradeNodesAtOnce)
        upgrades.push({ at: start + batch * upgradeRestartSeconds, node })
      }
    }
    return upgrades.filter(({ at }) => at >= 0 && at < this.#horizon).sort((one, other) => one.at - other.at)
  }
}
