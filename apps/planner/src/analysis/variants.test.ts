/** Scenarios, ranges and calibration. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinds, planOf, preset, smallest } from '../presets-suite.ts'
import { calibration } from './calibrate.ts'
import { sourceOf } from './plan.ts'
import { readRange, scenariosOf, vary } from './variants.ts'

test('scenarios stand side by side, those of the file too', () => {
  const request = { sources: [preset('orbit-1pb')], kinds }
  const { scenarios, faults } = scenariosOf(request, planOf(request.sources))
  assert.deepEqual(faults, [])
  assert.deepEqual(
    scenarios.map(({ name, plan }) => [name, plan.values.get('cost.month_total')]),
    [
      ['on demand', 73_000],
      ['reserved', 58_000],
      ['spot', 38_000],
      ['tiered', 82_500],
      ['least amplification', 73_000],
      ['mmap, 50 nodes', 73_000],
    ],
  )
})

test('a scenario that contradicts itself is a fault that names it', () => {
  const own = sourceOf('a', { 'scenarios.odd': { 'tiers.hot_share': 1, data: { kees: 1 } } })
  const request = { sources: [smallest, own], kinds }
  const { faults } = scenariosOf(request, planOf(request.sources))
  assert.deepEqual(faults.map(({ field, origin }) => `${origin} ${field}`).sort(), [
    'scenario odd data.kees',
    'scenario odd tiers.hot_share',
  ])
})

test('ranges', () => {
  const points = (text: string) => {
    const range = readRange(text)
    return 'fault' in range ? range.fault : [range.id, ...range.points]
  }
  assert.deepEqual(points('peak=1..5'), ['workload.peak_factor', 1, 2, 3, 4, 5])
  assert.deepEqual(points('workload.peak_factor=1..2:3'), ['workload.peak_factor', 1, 1.5, 2])
  assert.deepEqual(points('keys=1M,10M'), ['data.keys', 1e6, 1e7])
  assert.deepEqual(points('replicas=2..5:9'), ['storage.replicas', 2, 3, 4, 5])
  assert.deepEqual(points('hit_rate=0%..80%:3'), ['cache.hit_rate', 0, 0.4, 0.8])
  assert.deepEqual(points('keys=1M..100M:3'), ['data.keys', 1e6, 1e7, 1e8], 'even factors over a wide range')
  assert.match(String(points('peek=1..5')), /did you mean peak\?/)
  assert.match(String(points('peak')), /write INPUT=FROM\.\.TO/)
  assert.match(String(points('peak=')), /write INPUT=FROM\.\.TO/)
  assert.match(String(points('peak=5..1')), /does not go up/)
  assert.match(String(points('peak=1..5:1000')), /2 to 50 points/)
  assert.match(String(points('peak=a..b')), /a is not an amount/)
})

test('an input varied gives a plan for each value; a value that cannot be is a fault', () => {
  const request = { sources: [preset('kv-100b-ops')], kinds }
  const { plans, faults } = vary(request, { id: 'workload.peak_factor', points: [1, 2, 3] })
  assert.deepEqual(faults, [])
  assert.deepEqual(
    plans.map(({ plan }) => Math.round(plan.values.get('operations.peak_per_second') as number)),
    [1_157_407, 2_314_815, 3_472_222],
  )
  assert.match(vary(request, { id: 'workload.peak_factor', points: [0, 1] }).faults[0]?.fault ?? '', /at least 1/)
})

test('calibration takes the CPU times that a bench measured', () => {
  const results = [
    { name: 'get', operations_per_second: 500_000 },
    { name: 'put', operations_per_second: 200_000 },
    { name: 'range_100', operations_per_second: 10_000 },
  ]
  const { source, faults } = calibration({ results }, 'bench.json')
  assert.deepEqual(faults, [])
  const { values, origins } = planOf([smallest, source]).inputs
  assert.equal(values.get('cpu.seconds_per_read'), 2e-6)
  assert.equal(values.get('cpu.seconds_per_write'), 5e-6)
  assert.equal(values.get('cpu.seconds_per_scanned_key'), 1e-6)
  assert.equal(origins.get('cpu.seconds_per_read'), 'bench.json')
})

test('what is no measurement is refused', () => {
  assert.match(calibration(5, 'x').faults[0]?.fault ?? '', /orbit bench --json/)
  assert.match(calibration(null, 'x').faults[0]?.fault ?? '', /orbit bench --json/)
  const { faults } = calibration({ results: [{ name: 'get', operations_per_second: 0 }, null] }, 'x')
  assert.deepEqual(
    faults.map(({ field }) => field),
    ['get.operations_per_second', 'put.operations_per_second', 'range_100.operations_per_second'],
  )
})
