/** The closed formulas against still simpler ones, which can be written down by hand, and what must always hold. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  binomialAtLeast,
  groupLossProbability,
  leaderGapShare,
  meanSecondsToLoss,
  partitionLossProbability,
  quorumUnavailability,
  replicaUnavailability,
} from './closed-forms.ts'
import { clusterModel } from './model.ts'

function assertNear(actual: number, expected: number, relative = 1e-9): void {
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected), `${actual} is not near ${expected}`)
}

const rate = { min: 1e-9, max: 1, noNaN: true }

describe('mean time to loss', () => {
  test('one replica: one over the rate', () => {
    assertNear(meanSecondsToLoss({ replicas: 1, lossesPerSecond: 1 / 500, repairsPerSecond: 7 }), 500)
  })

  test('two replicas: (3 lambda + mu) / (2 lambda^2)', () => {
    const [lambda, mu] = [1e-4, 3e-2]
    const seconds = meanSecondsToLoss({ replicas: 2, lossesPerSecond: lambda, repairsPerSecond: mu })
    assertNear(seconds, (3 * lambda + mu) / (2 * lambda * lambda))
  })

  test('three replicas: about 2 mu^2 / (6 lambda^3) where copying is fast', () => {
    const [lambda, mu] = [1e-8, 1e-2]
    const seconds = meanSecondsToLoss({ replicas: 3, lossesPerSecond: lambda, repairsPerSecond: mu })
    assertNear(seconds, (2 * mu * mu) / (6 * lambda ** 3), 1e-4)
  })
})

describe('chance of loss within a time', () => {
  test('one replica: exponential', () => {
    const chance = groupLossProbability({ replicas: 1, lossesPerSecond: 1e-3, repairsPerSecond: 0 }, 700)
    assertNear(chance, 1 - Math.exp(-0.7))
  })

  test('two replicas: the two roots of the characteristic polynomial', () => {
    const [lambda, mu, seconds] = [1e-3, 4e-3, 2000]
    const root = Math.sqrt((3 * lambda + mu) ** 2 - 8 * lambda * lambda)
    const [fast, slow] = [(-(3 * lambda + mu) - root) / 2, (-(3 * lambda + mu) + root) / 2]
    const expected = 1 - (fast * Math.exp(slow * seconds) - slow * Math.exp(fast * seconds)) / (fast - slow)
    const rates = { replicas: 2, lossesPerSecond: lambda, repairsPerSecond: mu }
    assertNear(groupLossProbability(rates, seconds), expected, 1e-8)
  })

  test('a chance of 1e-24 keeps its digits', () => {
    const rates = { replicas: 5, lossesPerSecond: 1e-8, repairsPerSecond: 1e-2 }
    const seconds = 1e7
    const chance = groupLossProbability(rates, seconds)
    assert.ok(chance < 1e-24 && chance > 0, String(chance))
    assertNear(chance, seconds / meanSecondsToLoss(rates), 1e-4)
  })

  test('faster copying, fewer losses, a shorter time or another replica never raise it', () => {
    const rates = fc.record({
      replicas: fc.integer({ min: 1, max: 6 }),
      lossesPerSecond: fc.double(rate),
      repairsPerSecond: fc.double(rate),
    })
    fc.assert(
      fc.property(
        rates,
        fc.double({ min: 1, max: 1e8, noNaN: true }),
        fc.double({ min: 1, max: 100, noNaN: true }),
        (r, t, more) => {
          const chance = groupLossProbability(r, t)
          const slack = 1e-6 * chance + 1e-300
          assert.ok(chance >= 0 && chance <= 1 + 1e-6, String(chance))
          assert.ok(groupLossProbability({ ...r, repairsPerSecond: r.repairsPerSecond * more }, t) <= chance + slack)
          assert.ok(groupLossProbability({ ...r, lossesPerSecond: r.lossesPerSecond / more }, t) <= chance + slack)
          assert.ok(groupLossProbability(r, t / more) <= chance + slack)
          assert.ok(groupLossProbability({ ...r, replicas: r.replicas + 1 }, t) <= chance + slack)
        },
      ),
    )
  })

  test('without growth the months make no difference; more nodes copy faster and lose less', () => {
    const base = { nodeCount: 30, partitionCount: 3000, bytesPerNode: 1e12, horizonDays: 1000 }
    const still = partitionLossProbability(clusterModel(base))
    const hardly = partitionLossProbability(clusterModel({ ...base, nodeGrowthPerYear: 1e-9 }))
    const growing = partitionLossProbability(clusterModel({ ...base, nodeGrowthPerYear: 1 }))
    assertNear(hardly, still, 1e-6)
    assert.ok(growing < still / 1.5, `${growing} ${still}`)
  })

  test('nothing to lose: 0', () => {
    const base = { nodeCount: 5, partitionCount: 10, bytesPerNode: 1e12 }
    assert.equal(partitionLossProbability(clusterModel({ ...base, permanentShare: 0 })), 0)
    assert.equal(partitionLossProbability(clusterModel({ ...base, detectionSeconds: 0, bytesPerNode: 0 })), 0)
  })
})

describe('availability of a quorum', () => {
  const model = clusterModel({ nodeCount: 9, partitionCount: 10, bytesPerNode: 0, nodeFailuresPerMonth: 20 })

  test('binomial: at least two of three', () => {
    assertNear(binomialAtLeast(3, 2, 0.1), 3 * 0.01 * 0.9 + 0.001)
    const away = replicaUnavailability(model)
    assertNear(quorumUnavailability(model, 2), 3 * away ** 2 - 2 * away ** 3)
    assertNear(quorumUnavailability(model, 1), away ** 3)
  })

  test('an upgrade of one node at a time never takes a second replica', () => {
    const calm = { ...model, nodeFailuresPerMonth: 0, upgradesPerYear: 12, upgradeRestartSeconds: 600 }
    assert.equal(quorumUnavailability(calm, 2), 0)
    const upgrading = (9 * 600 * 12) / (365.25 * 86_400)
    assertNear(quorumUnavailability(calm, 3), upgrading * (3 / 9))
    // Two of nine at once: 3 of the 36 pairs are within a given partition.
    const pairs = { ...calm, nodeCount: 9, upgradeNodesAtOnce: 2 }
    assertNear(quorumUnavailability(pairs, 2), ((5 * 600 * 12) / (365.25 * 86_400)) * (3 / 36))
  })

  test('a leader is missed until the failover or its return, whichever is first', () => {
    const perSecond = model.nodeFailuresPerMonth / (365.25 * 7200)
    assertNear(leaderGapShare({ ...model, permanentShare: 1 }), perSecond * 15)
    assertNear(leaderGapShare({ ...model, permanentShare: 0, restartSeconds: 4 }), perSecond * 4)
    assert.equal(leaderGapShare({ ...model, hasLeaders: false }), 0)
  })
})
