/** The simulation of a plan: fed with the plan's own figures, repeatable, and refused by name where it cannot be. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, preset, smallest } from '../presets-suite.ts'
import { forecastOf, forecastSection } from './forecast.ts'

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

test('a cluster beyond the simulation is refused by name', () => {
  const { forecast, faults } = forecastOf(planOf([smallest], { 'node.count': 1e6 }), options)
  assert.equal(forecast, undefined)
  assert.ok(faults.some(({ field, fault }) => field === 'simulation nodeCount' && /must be/.test(fault)))
})
