/**
 * The simulation against what is known exactly, over several seeds: the whole cluster against the binomial and the
 * Markov chain, the biased simulation of one partition against both and against the plain one. Canaries show that the
 * comparison notices a simulation that is a little wrong.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { leaderGapShare, partitionLossProbability, quorumUnavailability } from './closed-forms.ts'
import { runCluster } from './cluster-run.ts'
import { type ClusterModel, type ClusterModelInput, clusterModel, horizonSeconds } from './model.ts'
import { estimatePartition } from './rare.ts'
import { measures } from './replicas.ts'
import { type Estimate, meanInterval } from './statistics.ts'

type Interval = Pick<Estimate, 'value' | 'low' | 'high'>

/** How many standard errors an estimate is away from the truth; beyond five is no chance (1 in a million). */
const errorsAway = ({ value, low, high }: Interval, truth: number): number =>
  Math.abs(value - truth) / ((high - low) / (2 * 1.96) || Number.MIN_VALUE)

const agrees = (estimate: Interval, truth: number): boolean => errorsAway(estimate, truth) < 5

function assertAgrees(estimate: Interval, truth: number, what: string): void {
  assert.ok(agrees(estimate, truth), `${what}: ${JSON.stringify(estimate)} is not ${truth}`)
}

/** Estimates the mean of something over independent runs of the whole cluster. */
function overRuns(count: number, one: () => number): Interval {
  let [sum, squares] = [0, 0]
  for (let i = 0; i < count; i++) {
    const value = one()
    sum += value
    squares += value * value
  }
  const { mean, halfWidth } = meanInterval(sum, squares, count)
  return { value: mean, low: mean - halfWidth, high: mean + halfWidth }
}

const partitionShare = (model: ClusterModel, random: Random, measure: (typeof measures)[number]): number =>
  runCluster(model, random).replicas.partitionSeconds[measures.indexOf(measure)]! /
  (model.partitionCount * horizonSeconds(model))

/** Nodes that fail weekly, restart in an hour or are copied in four: trouble enough to see without bias. */
const shaky: ClusterModelInput = {
  nodeCount: 12,
  partitionCount: 120,
  bytesPerNode: 1e12,
  nodeFailuresPerMonth: 4,
  permanentShare: 0.4,
  detectionSeconds: 60,
  restartSeconds: 3600,
  rereplicationPerNodeBytesPerSecond: 6e6,
  hasLeaders: false,
}

/** Nothing but losses, which come about as often in a year as not. */
const lossy: ClusterModelInput = {
  ...shaky,
  permanentShare: 1,
  durations: 'exponential',
  horizonDays: 200,
  rereplicationPerNodeBytesPerSecond: 2e6,
}

describe('the whole cluster', () => {
  const variants: [string, Partial<ClusterModelInput>][] = [
    ['spread', {}],
    ['copysets', { placement: 'copysets', scatterWidthNodes: 4 }],
    ['exponential durations', { durations: 'exponential' }],
    ['five replicas', { replicationFactor: 5, readQuorum: 4, writeQuorum: 3 }],
    ['upgrades, two nodes at once', { upgradesPerYear: 50, upgradeNodesAtOnce: 2, upgradeRestartSeconds: 1800 }],
    ['write to all', { writeQuorum: 3, readQuorum: 1 }],
  ]
  for (const [name, change] of variants)
    for (const seed of seedsFor(`cluster ${name}`, { kept: [1, 2], fresh: 1 }))
      test(`availability of a partition is binomial: ${name}, seed ${seed}`, () => {
        const model = clusterModel({ ...shaky, ...change, horizonDays: 2000 })
        for (const [measure, quorum] of [
          ['read', model.readQuorum],
          ['write', model.writeQuorum],
        ] as const) {
          const random = new Random(seed)
          const estimate = overRuns(12, () => partitionShare(model, random, measure))
          assertAgrees(estimate, quorumUnavailability(model, quorum), measure)
        }
      })

  test('canary: restarts a fifth too long are noticed', () => {
    const model = clusterModel({ ...shaky, horizonDays: 2000 })
    const random = new Random(1)
    const broken = overRuns(40, () => partitionShare({ ...model, restartSeconds: 4320 }, random, 'write'))
    assert.ok(!agrees(broken, quorumUnavailability(model, 2)), JSON.stringify(broken))
  })

  for (const seed of seedsFor('leaders', { kept: [1], fresh: 1 }))
    test(`gaps without a leader add to it, seed ${seed}`, () => {
      const model = clusterModel({ ...shaky, hasLeaders: true, failoverSeconds: 240, horizonDays: 2000 })
      const truth = quorumUnavailability(model, 2) + leaderGapShare(model)
      const random = new Random(seed)
      const estimate = overRuns(20, () => partitionShare(model, random, 'read'))
      // A gap can fall within an outage of the quorum, so the truth is a little less than the sum.
      assert.ok(Math.abs(estimate.value / truth - 1) < 0.05, `${estimate.value} ${truth}`)
      assert.ok(estimate.value > 1.2 * quorumUnavailability(model, 2))
    })

  for (const seed of seedsFor('disjoint copysets', { kept: [1, 2], fresh: 1 }))
    test(`disjoint copysets are lost as independent chains are, seed ${seed}`, () => {
      const model = clusterModel({
        ...lossy,
        partitionCount: 4,
        placement: 'copysets',
        scatterWidthNodes: 2,
        rereplicationPerNodeBytesPerSecond: 1e7,
        horizonDays: 100,
      })
      const random = new Random(seed)
      const runs = overRuns(600, () => (runCluster(model, random).replicas.lostPartitions > 0 ? 1 : 0))

      const chain = partitionLossProbability(model)
      assertAgrees(runs, 1 - (1 - chain) ** 4, 'any of four')
      assert.ok(runs.value > 0.1 && runs.value < 0.9, `a test of common loss, not ${runs.value}`)
      const brokenChain = partitionLossProbability({ ...model, rereplicationPerNodeBytesPerSecond: 2e7 })
      assert.ok(!agrees(runs, 1 - (1 - brokenChain) ** 4), 'canary: copying twice as fast is noticed')
    })

  for (const seed of seedsFor('expected losses', { kept: [1], fresh: 1 }))
    test(`as many partitions are lost as expected, however they share nodes, seed ${seed}`, () => {
      const model = clusterModel(lossy)
      const random = new Random(seed)
      const runs = overRuns(150, () => runCluster(model, random).replicas.lostPartitions)
      assertAgrees(runs, model.partitionCount * partitionLossProbability(model), 'spread')
    })

  test('fewer copysets lose data less often, at the same speed of copying', () => {
    const same = { ...lossy, bytesPerNode: 0, detectionSeconds: 20_000, horizonDays: 40 }
    const lossRuns = (change: object) => {
      const random = new Random(5)
      const model = clusterModel({ ...same, ...change })
      return overRuns(300, () => (runCluster(model, random).replicas.lostPartitions > 0 ? 1 : 0)).value
    }
    const spread = lossRuns({})
    const copysets = lossRuns({ placement: 'copysets', scatterWidthNodes: 2 })
    assert.ok(copysets < spread / 2, `${copysets} ${spread}`)
  })

  test('growth: failures come to all nodes that have joined', () => {
    const growing = clusterModel({ ...shaky, nodeGrowthPerYear: 3, horizonDays: 730.5 })
    const run = runCluster(growing, new Random(1))
    assert.equal(run.nodeCountLast, Math.round(12 * 4 ** (23 / 12)))
    const still = runCluster({ ...growing, nodeGrowthPerYear: 0 }, new Random(1))
    assert.ok(run.failures > 3 * still.failures, `${run.failures} ${still.failures}`)
  })
})

describe('one partition, biased', () => {
  /** From loss that is common down to 1e-17. */
  const horizons: [string, ClusterModel][] = [
    ['common', clusterModel(lossy)],
    ['rare', clusterModel({ ...lossy, nodeFailuresPerMonth: 0.05, permanentShare: 0.3, horizonDays: 365 })],
    [
      'hardly ever',
      clusterModel({ nodeCount: 1000, partitionCount: 1e5, bytesPerNode: 1e12, durations: 'exponential' }),
    ],
    ['over ten years', clusterModel({ ...lossy, nodeFailuresPerMonth: 0.1, horizonDays: 3652 })],
    ['two replicas', clusterModel({ ...lossy, replicationFactor: 2, nodeFailuresPerMonth: 0.01 })],
    ['growing', clusterModel({ ...lossy, nodeGrowthPerYear: 4, nodeFailuresPerMonth: 0.02, horizonDays: 700 })],
  ]
  for (const [name, model] of horizons) {
    const truth = partitionLossProbability(model)

    test(`loss is as the chain has it: ${name}, ${truth.toExponential(1)}`, () => {
      let covered = 0
      const seeds = seedsFor(`rare ${name}`, { kept: Array.from({ length: 20 }, (_, index) => index), fresh: 2 })
      for (const seed of seeds) {
        const { loss } = estimatePartition(model, { random: new Random(seed), paths: 2000 })
        assertAgrees(loss, truth, `seed ${seed}`)
        if (loss.low <= truth && truth <= loss.high) covered++
      }
      // 95% intervals: of 22 fewer than 16 cover the truth once in ten thousand times.
      if (seeds.length > 1) assert.ok(covered >= 16, `${covered} of ${seeds.length} intervals cover the truth`)
    })

    test(`canary: a chain that copies a third faster is told apart: ${name}`, () => {
      const broken = { ...model, rereplicationPerNodeBytesPerSecond: 0.67 * model.rereplicationPerNodeBytesPerSecond }
      const { loss } = estimatePartition(
        { ...broken, detectionSeconds: model.detectionSeconds / 0.67 },
        {
          random: new Random(3),
          paths: truth > 0.01 ? 10_000 : 80_000,
        },
      )
      assert.ok(!agrees(loss, truth), `${JSON.stringify(loss)} ${truth}`)
    })
  }

  for (const seed of seedsFor('biased and plain', { kept: [1], fresh: 1 }))
    test(`agrees with plain simulation where loss is common, fixed durations, seed ${seed}`, () => {
      const model = clusterModel({
        ...lossy,
        durations: 'fixed',
        permanentShare: 0.7,
        hasLeaders: true,
        upgradesPerYear: 20,
        upgradeRestartSeconds: 7200,
      })
      const plain = estimatePartition(model, { random: new Random(seed), paths: 10_000, sampling: 'plain' })
      const biased = estimatePartition(model, { random: new Random(~seed >>> 0), paths: 10_000 })
      const compare = (one: Estimate, other: Estimate, what: string) => {
        const halfWidth = Math.hypot(one.high - one.low, other.high - other.low) / 2
        const difference = { value: one.value - other.value, low: -halfWidth, high: halfWidth }
        assertAgrees(difference, 0, what)
      }
      assert.ok(plain.lossPaths > 100, `${plain.lossPaths} losses are too few to compare`)
      compare(plain.loss, biased.loss, 'loss')
      for (const [index, measure] of measures.entries())
        compare(plain.unavailability[index]!, biased.unavailability[index]!, measure)
    })

  for (const seed of seedsFor('biased availability', { kept: [1, 3], fresh: 1 }))
    test(`sees unavailability that plain runs never see, seed ${seed}`, () => {
      const model = clusterModel({
        nodeCount: 1000,
        partitionCount: 1e5,
        bytesPerNode: 1e12,
        hasLeaders: false,
        upgradesPerYear: 12,
      })
      const { unavailability } = estimatePartition(model, { random: new Random(seed), paths: 10_000 })
      const truth = quorumUnavailability(model, 2)
      assert.ok(truth < 1e-8, String(truth))
      assertAgrees(unavailability[measures.indexOf('write')]!, truth, 'write')
    })

  test('slower copying never means less loss, beyond the width of the intervals', () => {
    for (const seed of seedsFor('monotone', { kept: [1, 2, 3], fresh: 2 })) {
      const random = new Random(seed)
      const model = clusterModel({
        ...lossy,
        durations: random.chance(2) ? 'fixed' : 'exponential',
        replicationFactor: random.between(1, 5),
        readQuorum: 1,
        writeQuorum: 1,
        nodeFailuresPerMonth: random.between(1, 100) / 50,
      })
      let slower: Estimate | undefined
      for (const speed of [1e6, 2e6, 4e6, 8e6, 16e6]) {
        const faster = { ...model, rereplicationPerNodeBytesPerSecond: speed }
        const { loss } = estimatePartition(faster, { random: new Random(seed), paths: 3000 })
        if (slower !== undefined) {
          const width = Math.hypot(slower.high - slower.low, loss.high - loss.low)
          assert.ok(
            loss.value <= slower.value + width,
            `seed ${seed}: ${loss.value} at ${speed}, ${slower.value} slower`,
          )
          if (model.replicationFactor === 3) assert.ok(loss.value < slower.value, `seed ${seed} at ${speed}`)
        }
        slower = loss
      }
    }
  })
})
