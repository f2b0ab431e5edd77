/**
 * The state of all replicas of a cluster through one simulated run: what is away until when, what that makes
 * unavailable, what is lost. Driven by `cluster-run.ts` (the whole cluster) and `rare.ts` (one partition).
 *
 * Events come in the order of time. The end of an absence is known when it begins, so nothing happens in between that
 * had to be queued: at each event the time that a partition will now be unavailable follows from the ends of its
 * replicas' absences, and what it adds to the time already counted is counted at once (never twice: invariant of
 * `#extend`).
 *
 * A restart concerns a node; a loss concerns each replica of the node by itself, since they are copied anew one after
 * another, and onto other nodes. A node that fails while it restarts, or a replica that is lost while it is missing,
 * changes nothing: losses and restarts are independent renewal processes, as the closed formulas have them. A lost
 * partition counts as unavailable until a copy of it is back, as if restored at the speed of copying.
 */

import type { Random } from '@orbitkv/base'
import { type ClusterModel, copySeconds, horizonSeconds, monthSeconds, nodeCountAt } from './model.ts'
import type { Placement } from './placement.ts'
import { exponential, unit } from './statistics.ts'

/** What can be unavailable. The two quorums are reads and writes without the gaps in which no replica leads. */
export const measures = ['read', 'write', 'data', 'readQuorum', 'writeQuorum'] as const

const measureCount = measures.length
const gapMeasures = [measures.indexOf('read'), measures.indexOf('write')]

/** How one partition stands; the object is used again at the next call. */
export interface Situation {
  /** Replicas that can be lost, and nodes that can fail and restart. */
  present: number
  running: number
  /** Replicas that are not up, and those of them that are away without a plan. */
  away: number
  unplanned: number
  /** When the first absence ends, and the last. */
  nextEnd: number
  lastEnd: number
}

export class Replicas {
  readonly placement: Placement
  /** Per measure: unavailable seconds, added up over partitions, and those in which any partition was. */
  readonly partitionSeconds = new Float64Array(measureCount)
  readonly clusterSeconds = new Float64Array(measureCount)
  /** Per measure: how often the cluster went from everything available to not. */
  readonly clusterOutages = new Float64Array(measureCount)
  lostPartitions = 0
  /** How many replicas events have passed over: the work done, for budgets. */
  visits = 0

  readonly #model: ClusterModel
  readonly #random: Random
  readonly #horizon: number
  readonly #copySecondsOfMonth: number[] = []
  /** A measure fails once this many replicas are away. */
  readonly #downMin: readonly number[]
  /** Whether one replica away is one too few for some measure, so that even lone absences count. */
  readonly #isOneTooFew: boolean
  readonly #replicaLostUntil: Float64Array
  readonly #nodeRestartsUntil: Float64Array
  readonly #nodeUpgradesUntil: Float64Array
  readonly #partitionUntil: readonly Float64Array[]
  readonly #clusterUntil = new Float64Array(measureCount)
  readonly #isLost: Uint8Array
  readonly #leaderOf: Uint8Array
  readonly #ends: Float64Array
  readonly #situation: Situation = { present: 0, running: 0, away: 0, unplanned: 0, nextEnd: 0, lastEnd: 0 }
  #lastEnd = 0

  /** `nodeCountMax`: as many nodes as the placement will ever grow to. */
  constructor(model: ClusterModel, placement: Placement, nodeCountMax: number, random: Random) {
    const { replicationFactor } = model
    this.#model = model
    this.placement = placement
    this.#random = random
    this.#horizon = horizonSeconds(model)
    for (let at = 0; at <= this.#horizon; at += monthSeconds)
      this.#copySecondsOfMonth.push(copySeconds(model, nodeCountAt(model, at + 1)))
    const quorumOf = { read: model.readQuorum, write: model.writeQuorum, data: 1 }
    const quorums = [quorumOf.read, quorumOf.write, quorumOf.data, quorumOf.read, quorumOf.write]
    this.#downMin = quorums.map((quorum) => replicationFactor - quorum + 1)
    this.#isOneTooFew = this.#downMin.includes(1)
    this.#replicaLostUntil = new Float64Array(placement.nodeOf.length)
    this.#nodeRestartsUntil = new Float64Array(nodeCountMax)
    this.#nodeUpgradesUntil = new Float64Array(nodeCountMax)
    this.#partitionUntil = measures.map(() => new Float64Array(placement.partitionCount))
    this.#isLost = new Uint8Array(placement.partitionCount)
    this.#leaderOf = Uint8Array.from(
      { length: placement.partitionCount },
      (_, partition) => partition % replicationFactor,
    )
    this.#ends = new Float64Array(replicationFactor)
  }

  /** Back to the beginning, everything up and nothing counted, for another run with the same placement. */
  reset(): void {
    const arrays = [this.partitionSeconds, this.clusterSeconds, this.clusterOutages, this.#clusterUntil]
    const absences = [this.#replicaLostUntil, this.#nodeRestartsUntil, this.#nodeUpgradesUntil, this.#isLost]
    for (const array of [...arrays, ...absences, ...this.#partitionUntil]) array.fill(0)
    this.lostPartitions = 0
    this.#lastEnd = 0
  }

  isRestarting = (node: number, at: number): boolean => this.#nodeRestartsUntil[node]! > at
  isLost = (replica: number, at: number): boolean => this.#replicaLostUntil[replica]! > at
  isUp = (replica: number, at: number): boolean => this.endOfAbsence(replica) <= at

  /** When a replica is up again, if nothing more happens; in the past if it is up. */
  endOfAbsence(replica: number): number {
    const node = this.placement.nodeOf[replica]!
    return Math.max(this.#replicaLostUntil[replica]!, this.#nodeRestartsUntil[node]!, this.#nodeUpgradesUntil[node]!)
  }

  /** Looks over all replicas, each on a node of its own: for one partition only. */
  situation(at: number): Situation {
    const now = this.#situation
    now.present = now.running = now.away = now.unplanned = 0
    now.nextEnd = Infinity
    now.lastEnd = at
    for (let node = 0; node < this.placement.nodeCount; node++) {
      const lost = this.#replicaLostUntil[node]!
      const restarts = this.#nodeRestartsUntil[node]!
      const upgrades = this.#nodeUpgradesUntil[node]!
      if (lost <= at) now.present++
      else now.nextEnd = Math.min(now.nextEnd, lost)
      if (restarts <= at) now.running++
      else now.nextEnd = Math.min(now.nextEnd, restarts)
      if (upgrades > at) now.nextEnd = Math.min(now.nextEnd, upgrades)
      const end = Math.max(lost, restarts, upgrades)
      if (end <= at) continue
      now.away++
      if (lost > at || restarts > at) now.unplanned++
      now.lastEnd = Math.max(now.lastEnd, end)
    }
    return now
  }

  /** A node fails and comes back with its data. */
  restart(node: number, at: number): void {
    if (this.isRestarting(node, at)) return
    const seconds = this.#model.restartSeconds
    const end = at + (this.#model.durations === 'fixed' ? seconds : exponential(this.#random, seconds))
    this.#nodeRestartsUntil[node] = end
    const wasQuiet = this.#lastEnd <= at
    this.#lastEnd = Math.max(this.#lastEnd, end)
    const replicas = this.placement.replicasOf[node]!
    this.visits += replicas.length
    for (const replica of replicas) {
      const partition = Math.floor(replica / this.#model.replicationFactor)
      if (!wasQuiet || this.#isOneTooFew) this.#noteAbsence(partition, at)
      this.#noteLeader(partition, replica, at, end)
    }
  }

  /**
   * A node is taken down for an upgrade. Its leaders have moved away before and come back after it, so that no gap
   * arises, and mostly there is nothing to count.
   */
  upgrade(node: number, at: number): void {
    const end = at + this.#model.upgradeRestartSeconds
    this.#nodeUpgradesUntil[node] = end
    const wasQuiet = this.#lastEnd <= at
    this.#lastEnd = Math.max(this.#lastEnd, end)
    if (wasQuiet && !this.#isOneTooFew) return
    const replicas = this.placement.replicasOf[node]!
    this.visits += replicas.length
    for (const replica of replicas) this.#noteAbsence(Math.floor(replica / this.#model.replicationFactor), at)
  }

  /** A node fails and its data is gone. */
  lose(node: number, at: number): void {
    const model = this.#model
    const wasQuiet = this.#lastEnd <= at
    const copyingSeconds = this.#copySecondsOfMonth[Math.floor(at / monthSeconds)]!
    const replicas = this.placement.replicasOf[node]!
    this.visits += replicas.length
    for (const replica of replicas) {
      if (this.isLost(replica, at)) continue
      const wasUp = this.isUp(replica, at)
      // Its turn among the partitions of the node can be any.
      const seconds =
        model.durations === 'fixed'
          ? model.detectionSeconds + copyingSeconds * unit(this.#random)
          : exponential(this.#random, model.detectionSeconds + copyingSeconds / 2)
      const end = at + seconds
      this.#replicaLostUntil[replica] = end
      this.#lastEnd = Math.max(this.#lastEnd, end)
      const partition = Math.floor(replica / model.replicationFactor)
      if (!wasQuiet || model.replicationFactor === 1) this.#noteLoss(partition, at)
      if (!wasQuiet || this.#isOneTooFew) this.#noteAbsence(partition, at)
      if (wasUp) this.#noteLeader(partition, replica, at, end)
    }
  }

  #noteLoss(partition: number, at: number): void {
    const first = partition * this.#model.replicationFactor
    for (let i = 0; i < this.#model.replicationFactor; i++) if (!this.isLost(first + i, at)) return
    if (this.#isLost[partition] === 0) this.lostPartitions++
    this.#isLost[partition] = 1
  }

  /** Counts the time in which too few replicas of a partition are up, as far as it is known now. */
  #noteAbsence(partition: number, at: number): void {
    const downMin = this.#downMin
    const { replicationFactor } = this.#model
    const ends = this.#ends
    let count = 0
    for (let i = 0; i < replicationFactor; i++) {
      const end = this.endOfAbsence(partition * replicationFactor + i)
      if (end <= at) continue
      // Kept in order, the longest absence first: with k away, fewer than the quorum are up until the k-th ends.
      let place = count++
      for (; place > 0 && ends[place - 1]! < end; place--) ends[place] = ends[place - 1]!
      ends[place] = end
    }
    for (let measure = 0; measure < measureCount; measure++)
      if (count >= downMin[measure]!) this.#extend(measure, partition, at, ends[downMin[measure]! - 1]!)
  }

  /** If this replica led its partition, another takes over, after the failover. */
  #noteLeader(partition: number, replica: number, at: number, end: number): void {
    const { hasLeaders, replicationFactor, detectionSeconds, failoverSeconds } = this.#model
    const first = partition * replicationFactor
    if (!hasLeaders || this.#leaderOf[partition] !== replica - first) return
    const start = this.#random.below(replicationFactor)
    for (let i = 0; i < replicationFactor; i++) {
      const other = (start + i) % replicationFactor
      if (!this.isUp(first + other, at)) continue
      this.#leaderOf[partition] = other
      break
    }
    const gapEnd = Math.min(end, at + detectionSeconds + failoverSeconds)
    for (const measure of gapMeasures) this.#extend(measure, partition, at, gapEnd)
  }

  /** From `at` a partition is unavailable until `end`, as it may be already: only time that is new is added. */
  #extend(measure: number, partition: number, at: number, end: number): void {
    const until = Math.min(end, this.#horizon)
    const partitionUntil = this.#partitionUntil[measure]!
    const known = partitionUntil[partition]!
    if (until > known) {
      this.partitionSeconds[measure]! += until - Math.max(at, known)
      partitionUntil[partition] = until
    }
    const clusterKnown = this.#clusterUntil[measure]!
    if (until <= clusterKnown) return
    if (clusterKnown < at || clusterKnown === 0) this.clusterOutages[measure]!++
    this.clusterSeconds[measure]! += until - Math.max(at, clusterKnown)
    this.#clusterUntil[measure] = until
  }
}
