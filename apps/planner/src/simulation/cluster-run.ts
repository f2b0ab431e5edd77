/**
 * One run of the whole cluster: failures come to its nodes by chance, upgrades by plan, new nodes every month.
 * Only failures that happen count here; what is too rare to happen is for `rare.ts`.
 */

import type { Random } from '@orbitkv/base'
import {
  type ClusterModel,
  failuresPerSecond,
  horizonSeconds,
  monthSeconds,
  nodeCountAt,
  upgradeStartsSeconds,
} from './model.ts'
import { growPlacement, placePartitions } from './placement.ts'
import { Replicas } from './replicas.ts'
import { exponential, unit } from './statistics.ts'

export interface ClusterRun {
  readonly replicas: Replicas
  readonly failures: number
  readonly nodeCountLast: number
}

/** Runs a cluster, all nodes up at first, until its horizon. */
export function runCluster(model: ClusterModel, random: Random): ClusterRun {
  const horizon = horizonSeconds(model)
  const placement = placePartitions(model, random)
  const replicas = new Replicas(model, placement, nodeCountAt(model, horizon), random)
  const upgrades = upgradeBatchesInOrder(model, unit(random), () => placement.nodeCount)
  let failures = 0
  let month = 1
  let upgradeAt = upgrades.at
  let failureAt = exponential(random, 1 / (failuresPerSecond(model) * placement.nodeCount))
  for (;;) {
    const joinAt = month * monthSeconds
    const at = Math.min(joinAt, upgradeAt, failureAt)
    if (at >= horizon) break
    if (at === joinAt) {
      month++
      const nodeCount = nodeCountAt(model, at + 1)
      growPlacement(model, placement, nodeCount, random, (replica) => replicas.isUp(replica, at))
      // Without memory: the wait for the next failure may begin anew whenever the rate changes.
      failureAt = at + exponential(random, 1 / (failuresPerSecond(model) * placement.nodeCount))
    } else if (at === upgradeAt) {
      for (const node of upgrades.nodes()) replicas.upgrade(node, at)
      upgradeAt = upgrades.advance()
    } else {
      const node = random.below(placement.nodeCount)
      failures++
      if (unit(random) < model.permanentShare) replicas.lose(node, at)
      else replicas.restart(node, at)
      failureAt = at + exponential(random, 1 / (failuresPerSecond(model) * placement.nodeCount))
    }
  }
  return { replicas, failures, nodeCountLast: placement.nodeCount }
}

/** Steps through the batches of nodes of all upgrades, one after another, from the first moment on. */
function upgradeBatchesInOrder(model: ClusterModel, phase: number, nodeCountNow: () => number) {
  const starts = upgradeStartsSeconds(model, phase)
  let upgrade = 0
  let node = 0
  let at = starts[0] ?? Infinity
  const advance = (): number => {
    node += model.upgradeNodesAtOnce
    at += model.upgradeRestartSeconds
    if (node >= nodeCountNow()) {
      node = 0
      at = starts[++upgrade] ?? Infinity
    }
    return at
  }
  while (at < 0) advance()
  const nodes = (): number[] => {
    const count = Math.min(model.upgradeNodesAtOnce, nodeCountNow() - node)
    return Array.from({ length: count }, (_, index) => node + index)
  }
  return { at, nodes, advance }
}
