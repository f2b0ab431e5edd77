/** The simulation of a plan: fed with the plan's own figures, repeatable, and refused by name where it cannot be. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, preset, smallest } from '../presets-suite.ts'
import { copySeconds, monthSeconds } from '../simulation/model.ts'
import { forecastOf, forecastSection } from './forecast.ts'
import { growthOf } from './growth.ts'

const close = (a: number, b: number) => assert.ok(Math.abs(a - b) <= 1e-9 * Math.abs(b), `${a} and ${b}`)

const options = { seed: 3, target: 0.9999 }

test('the cluster of a plan is the one that is simulated', () => {
  const { forecast } = forecastOf(planOf([preset('kv-100b-ops')]), options)
  assert.ok(forecast !== undefined)
  const { nodeCount, partitionCount, replicationFactor, bytesPerNode } = forecast.model
  assert.deepEqual([nodeCount, partitionCount, replicationFactor, bytesPerNode], [100, 25_600, 3, 367.5e9])
  const section = forecastSection(forecast)
  assert.match(section.rows[0]?.join(' ') ?? '', /a read of any key 99\.99\d*% .* 99\.99% holds/)
})

test('the same seed gives the same forecast', () => {
  const plan = planOf([smallest])
  assert.deepEqual(forecastOf(plan, options), forecastOf(plan, options))
})

test('machines that fail more often make a target fail', () => {
  const often = { 'node.failures_per_month': 20, 'recovery.failover_seconds': 3600 }
  const { forecast } = forecastOf(planOf([smallest], often), options)
  assert.equal(forecast?.partition.read.verdict, 'fails')
})

test('growth, upgrades, quorums, placement and days of the plan are those of the simulation', () => {
  const wide = { 'data.keys': 1e12, 'growth.keys_per_day': 1e12 / 365 }
  const service = {
    'storage.replicas': 5,
    'consistency.read_copies': 2,
    'consistency.write_copies': 4,
    'placement.scatter_width': 8,
    'upgrades.per_year': 12,
    'upgrades.nodes_at_once': 3,
    'simulation.days': 730,
  }
  const plan = planOf([smallest], { ...wide, ...service })
  const { forecast, faults } = forecastOf(plan, options)
  assert.deepEqual(faults, [])
  assert.ok(forecast !== undefined)
  const { model, nodeCountLast } = forecast
  assert.deepEqual(
    [model.readQuorum, model.writeQuorum, model.placement, model.scatterWidthNodes, model.upgradesPerYear],
    [2, 4, 'copysets', 8, 12],
  )
  assert.deepEqual([model.upgradeNodesAtOnce, model.horizonDays], [3, 730])
  const later = growthOf(plan, 2).at(-1)?.values.get('nodes.needed') as number
  assert.ok(later > 2 * model.nodeCount)
  // The last machines join a month before the end.
  assert.ok(nodeCountLast > 0.9 * later && nodeCountLast <= later, `${nodeCountLast} of ${later}`)
  // The same failures a second, though the months differ in length.
  close(
    model.nodeFailuresPerMonth / monthSeconds,
    (plan.values.get('node.failures_per_month') as number) / (30 * 86_400),
  )
})

test('machines whose number is fixed do not grow, they fill up', () => {
  const plan = planOf([smallest], { 'node.count': 10, 'growth.keys_per_day': 1e6 })
  const { forecast } = forecastOf(plan, options)
  assert.equal(forecast?.model.nodeGrowthPerYear, 0)
  assert.equal(forecast?.nodeCountLast, 10)
  assert.ok((forecast?.model.bytesPerNode ?? 0) > (plan.values.get('storage.per_node_bytes') as number))
})

test('a plan copies a lost machine in the time that the simulation takes for it', () => {
  for (const scatter of [0, 2, 8, 12]) {
    const plan = planOf([smallest], { 'node.count': 20, 'placement.scatter_width': scatter })
    const { forecast } = forecastOf(plan, options)
    assert.ok(forecast !== undefined)
    close(plan.values.get('recovery.rereplication_seconds') as number, copySeconds(forecast.model, 20))
  }
})

test('the report says what its probabilities leave out', () => {
  const { forecast } = forecastOf(planOf([smallest]), options)
  assert.ok(forecast !== undefined)
  const { title, notes } = forecastSection(forecast)
  assert.equal(title, 'Availability and loss in 365 days')
  assert.ok(notes?.some((note) => /independently of each other: that a rack, a zone, a region or the power/.test(note)))
})

test('a cluster beyond the simulation is refused by name', () => {
  const { forecast, faults } = forecastOf(planOf([smallest], { 'node.count': 1e6 }), options)
  assert.equal(forecast, undefined)
  assert.ok(faults.some(({ field, fault }) => field === 'nodes.chosen' && /must be/.test(fault)))
})
