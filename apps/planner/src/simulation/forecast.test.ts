/** The forecast: the same seed gives the same, verdicts follow intervals, and rare and common cases are both answered. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { partitionLossProbability } from './closed-forms.ts'
import { simulateCluster, verdictOf } from './forecast.ts'
import type { ClusterModelInput } from './model.ts'

const thousand: ClusterModelInput = { nodeCount: 1000, partitionCount: 10_000, bytesPerNode: 1e12 }

describe('forecast', () => {
  test('the same seed gives the same forecast, another seed another', () => {
    const model = { ...thousand, nodeGrowthPerYear: 0.5, upgradesPerYear: 4 }
    const forecast = (seed: number) => simulateCluster(model, { seed, paths: 500, visitsMax: 0 })
    assert.deepEqual(forecast(7), forecast(7))
    assert.notDeepEqual(forecast(7).partition, forecast(8).partition)
    assert.notDeepEqual(forecast(7).cluster, forecast(8).cluster)
  })

  test('a thousand nodes hold 99.99% for a year, and lose nothing', () => {
    const { partition, cluster, loss, closedForm } = simulateCluster(thousand, { seed: 1 })
    assert.equal(partition.write.verdict, 'holds')
    assert.equal(cluster.data.verdict, 'holds')
    assert.ok(Math.abs(partition.write.estimate.value - closedForm.partitionWriteAvailability) < 1e-8)
    assert.equal(loss.cluster.method, 'union bound')
    assert.ok(loss.cluster.value > 0 && loss.cluster.high < 1e-9, JSON.stringify(loss.cluster))
    assert.ok(loss.partition.low > 0, 'even a loss this rare has an interval away from 0')
  })

  test('a long failover breaks the target for the whole cluster before it does for a partition', () => {
    const { partition, cluster } = simulateCluster({ ...thousand, failoverSeconds: 50 }, { seed: 1 })
    assert.equal(partition.write.verdict, 'holds')
    assert.equal(cluster.write.verdict, 'fails')
    assert.equal(cluster.write.estimate.method, 'counted')
  })

  test('where loss is common it is counted, and the union bound stays above it', () => {
    const small = { nodeCount: 12, partitionCount: 40, bytesPerNode: 1e12, hasLeaders: false, horizonDays: 100 }
    const shaky = { ...small, nodeFailuresPerMonth: 4, permanentShare: 1, rereplicationPerNodeBytesPerSecond: 1e6 }
    const { loss, cluster, runs } = simulateCluster(shaky, { seed: 1 })
    assert.equal(loss.cluster.method, 'counted')
    assert.equal(runs, 400)
    const independent = 1 - (1 - loss.partition.value) ** 40
    assert.ok(loss.cluster.value < independent, `${loss.cluster.value} ${independent}`)
    assert.ok(loss.cluster.value > loss.partition.value)
    assert.equal(cluster.write.verdict, 'fails')
    assert.ok(Math.abs(loss.partitionsExpected - 40 * loss.partition.value) < 1e-9)
  })

  test('bounds and counts meet: rare outages of a small cluster come out alike', () => {
    const model = { nodeCount: 6, partitionCount: 60, bytesPerNode: 1e11, nodeFailuresPerMonth: 0.5, hasLeaders: false }
    const slow = { ...model, restartSeconds: 600, rereplicationPerNodeBytesPerSecond: 1e8 }
    const bounded = simulateCluster(slow, { seed: 1, visitsMax: 0, paths: 40_000 }).cluster.write.estimate
    const counted = simulateCluster({ ...slow, horizonDays: 5000 }, { seed: 1 }).cluster.write.estimate
    assert.equal(bounded.method, 'union bound')
    assert.equal(counted.method, 'counted')
    const ratio = (1 - bounded.value) / (1 - counted.value)
    assert.ok(ratio > 0.8 && ratio < 1.6, `${ratio}`)
  })

  test('nothing that fails, nothing that is unavailable or lost', () => {
    const forecast = simulateCluster({ ...thousand, nodeFailuresPerMonth: 0 }, { seed: 1 })
    for (const kind of ['read', 'write', 'data'] as const) {
      assert.equal(forecast.partition[kind].estimate.low, 1)
      assert.deepEqual(forecast.cluster[kind].estimate, { value: 1, low: 1, high: 1, method: 'union bound' })
    }
    assert.deepEqual(forecast.loss.cluster, { value: 0, low: 0, high: 0, method: 'union bound' })
    assert.equal(forecast.closedForm.partitionMeanYearsToLoss, Infinity)
  })

  test('one replica is lost when its node is', () => {
    const single = { nodeCount: 10, partitionCount: 10, bytesPerNode: 1e12, replicationFactor: 1, permanentShare: 1 }
    const { loss, model } = simulateCluster({ ...single, nodeFailuresPerMonth: 0.05 }, { seed: 1 })
    const chain = partitionLossProbability(model)
    assert.ok(Math.abs(chain - (1 - Math.exp(-0.6))) < 1e-9)
    assert.ok(loss.partition.low < chain && chain < loss.partition.high)
    assert.ok(loss.cluster.low > 0.97)
  })

  test('options out of range are refused by name', () => {
    const refused = (options: object, name: RegExp) =>
      assert.throws(() => simulateCluster(thousand, { seed: 1, ...options }), {
        code: 'simulation.bad_option',
        message: name,
      })
    refused({ seed: -1 }, /^seed is -1/)
    refused({ paths: 3 }, /^paths is 3/)
    refused({ visitsMax: 0.5 }, /^visitsMax is 0.5/)
    refused({ targetAvailability: 99.99 }, /^targetAvailability is 99.99/)
  })
})

test('a verdict needs the whole interval on one side', () => {
  const estimate = { value: 0.9999, low: 0.9998, high: 0.99995, method: 'counted' } as const
  assert.equal(verdictOf(estimate, 0.9997), 'holds')
  assert.equal(verdictOf(estimate, 0.9998), 'holds')
  assert.equal(verdictOf(estimate, 0.9999), 'undecided')
  assert.equal(verdictOf(estimate, 0.99996), 'fails')
})
