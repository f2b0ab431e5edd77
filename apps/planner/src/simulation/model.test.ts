/** The model: defaults, faults all at once, and what follows from parameters. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random } from '@orbitkv/base'
import {
  type ClusterModelInput,
  checkClusterModel,
  clusterModel,
  copySeconds,
  copysetCount,
  nodeCountAt,
} from './model.ts'
import { growPlacement, type Placement, placePartitions } from './placement.ts'
import { exponential, studentPoint, wilsonInterval } from './statistics.ts'

const base: ClusterModelInput = { nodeCount: 100, partitionCount: 1000, bytesPerNode: 1e12 }
const fieldsAtFault = (change: object) => checkClusterModel({ ...base, ...change }).map(({ field }) => field)

describe('cluster model', () => {
  test('fills in defaults: three replicas, and majorities', () => {
    const model = clusterModel(base)
    assert.deepEqual([model.replicationFactor, model.readQuorum, model.writeQuorum], [3, 2, 2])
    const five = clusterModel({ ...base, replicationFactor: 5 })
    assert.deepEqual([five.readQuorum, five.writeQuorum], [3, 3])
  })

  test('every fault at once, in one coded error', () => {
    const bad = { nodeCount: 0, permanentShare: 1.5, restartSeconds: Number.NaN, replicationFactor: 2.5 }
    assert.deepEqual(fieldsAtFault(bad), ['nodeCount', 'replicationFactor', 'permanentShare', 'restartSeconds'])
    assert.throws(() => clusterModel({ ...base, ...bad }), {
      code: 'simulation.bad_model',
      message: /nodeCount is 0.*replicationFactor is 2.5.*permanentShare is 1.5.*restartSeconds is NaN/,
    })
  })

  test('parameters that contradict each other', () => {
    assert.deepEqual(fieldsAtFault({ nodeCount: 2 }), ['replicationFactor'])
    assert.deepEqual(fieldsAtFault({ readQuorum: 4, writeQuorum: 5 }), ['readQuorum', 'writeQuorum'])
    assert.deepEqual(fieldsAtFault({ placement: 'copysets' }), ['scatterWidthNodes'])
    assert.deepEqual(fieldsAtFault({ placement: 'copysets', scatterWidthNodes: 100 }), ['scatterWidthNodes'])
    assert.deepEqual(fieldsAtFault({ scatterWidthNodes: 4 }), ['scatterWidthNodes'])
    assert.deepEqual(fieldsAtFault({ partitionCount: 4_000_000, replicationFactor: 15 }), ['partitionCount'])
    assert.deepEqual(fieldsAtFault({ nodeGrowthPerYear: 9, horizonDays: 36_525 }), [
      'nodeGrowthPerYear',
      'nodeFailuresPerMonth',
    ])
    assert.deepEqual(fieldsAtFault({ upgradesPerYear: 365, upgradeRestartSeconds: 3600 }), ['upgradesPerYear'])
    assert.deepEqual(fieldsAtFault({ upgradeNodesAtOnce: 101 }), ['upgradeNodesAtOnce'])
  })

  test('unknown parameters and words', () => {
    assert.deepEqual(fieldsAtFault({ nodes: 3, placement: 'ring', durations: 'long', hasLeaders: 1 }), [
      'nodes',
      'placement',
      'durations',
      'hasLeaders',
    ])
  })

  test('nodes join month by month, compounding to the growth of a year', () => {
    const model = clusterModel({ ...base, nodeGrowthPerYear: 1 })
    const month = (365.25 * 86_400) / 12
    assert.equal(nodeCountAt(model, 0), 100)
    assert.equal(nodeCountAt(model, month - 1), 100)
    assert.equal(nodeCountAt(model, month + 1), 106)
    assert.equal(nodeCountAt(model, 12 * month + 1), 200)
    assert.equal(nodeCountAt(model, 24 * month + 1), 400)
  })

  test('copying is shared by as many nodes as there are copysets on the lost one', () => {
    const slow = { ...base, rereplicationPerNodeBytesPerSecond: 1e9 }
    // 30 partitions a node: 30 nodes take one in each.
    assert.equal(copySeconds(clusterModel(slow), 100), 1000 / 30)
    assert.equal(copySeconds(clusterModel({ ...slow, partitionCount: 100_000 }), 100), 1000 / 99)
    assert.equal(copySeconds(clusterModel({ ...slow, placement: 'copysets', scatterWidthNodes: 8 }), 100), 1000 / 4)
    assert.equal(copySeconds(clusterModel({ ...slow, placement: 'copysets', scatterWidthNodes: 2 }), 100), 1000)
  })
})

/** What must hold of any placement; returns the smallest and the largest number of replicas on a node. */
function checkPlacement(placement: Placement): [number, number] {
  const { replicationFactor, partitionCount, nodeOf, replicasOf } = placement
  for (let partition = 0; partition < partitionCount; partition++) {
    const nodes = nodeOf.slice(partition * replicationFactor, (partition + 1) * replicationFactor)
    assert.equal(new Set(nodes).size, replicationFactor, 'replicas of a partition are on different nodes')
  }
  const listed = replicasOf.flatMap((replicas, node) => {
    for (const replica of replicas) assert.equal(nodeOf[replica], node)
    return replicas
  })
  assert.equal(new Set(listed).size, partitionCount * replicationFactor)
  const sizes = replicasOf.map((replicas) => replicas.length)
  return [Math.min(...sizes), Math.max(...sizes)]
}

const distinctCopysets = ({ replicationFactor, partitionCount, nodeOf }: Placement): number =>
  new Set(
    Array.from({ length: partitionCount }, (_, partition) =>
      nodeOf
        .slice(partition * replicationFactor, (partition + 1) * replicationFactor)
        .sort()
        .join(),
    ),
  ).size

describe('placement', () => {
  for (const change of [{}, { placement: 'copysets', scatterWidthNodes: 6 }] as const) {
    const model = clusterModel({ ...base, nodeCount: 30, partitionCount: 3000, ...change })

    test(`${model.placement}: distinct nodes, balanced, as many copysets as foreseen; also after growth`, () => {
      const random = new Random(7)
      const placement = placePartitions(model, random)
      const [least, most] = checkPlacement(placement)
      assert.ok(least > 240 && most < 360, `${least}..${most}`)
      const foreseen = copysetCount(model, 30)
      assert.ok(Math.abs(distinctCopysets(placement) - foreseen) < 0.05 * foreseen, `${foreseen}`)
      growPlacement(model, placement, 50, random, (replica) => placement.nodeOf[replica] !== 3)
      const [leastGrown, mostGrown] = checkPlacement(placement)
      assert.ok(leastGrown > 100 && mostGrown < 450, `${leastGrown}..${mostGrown}`)
      const added = placement.replicasOf.slice(30).reduce((sum, replicas) => sum + replicas.length, 0)
      assert.ok(Math.abs(added / (9000 * (20 / 50)) - 1) < 0.2, `${added} replicas moved`)
    })
  }

  test('a node that is down keeps its replicas while others join', () => {
    const model = clusterModel({ ...base, nodeCount: 10 })
    const placement = placePartitions(model, new Random(1))
    const before = [...placement.replicasOf[4]!]
    growPlacement(model, placement, 20, new Random(2), (replica) => placement.nodeOf[replica] !== 4)
    assert.deepEqual(placement.replicasOf[4], before)
  })
})

describe('statistics', () => {
  test('points of the t distribution and a Wilson interval, as printed in tables', () => {
    for (const [degrees, point] of [
      [3, 3.182],
      [10, 2.228],
      [30, 2.042],
      [1000, 1.962],
    ] as const)
      assert.ok(Math.abs(studentPoint(degrees) - point) < 0.01 * point, `${degrees}: ${studentPoint(degrees)}`)
    const none = wilsonInterval(0, 10)
    assert.deepEqual([none.low, none.high.toFixed(4)], [0, '0.2775'])
    const half = wilsonInterval(5, 10)
    assert.deepEqual([half.low.toFixed(4), half.high.toFixed(4)], ['0.2366', '0.7634'])
    assert.equal(wilsonInterval(10, 10).high, 1)
  })

  test('exponential durations have their mean', () => {
    const random = new Random(3)
    let sum = 0
    for (let i = 0; i < 100_000; i++) sum += exponential(random, 40)
    assert.ok(Math.abs(sum / 100_000 - 40) < 0.7, String(sum / 100_000))
  })
})
