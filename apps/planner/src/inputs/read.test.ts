/** Inputs: amounts as people write them, layers, and every kind of fault, all at once. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makePlan, sourceOf } from '../analysis/plan.ts'
import { kinds, kindsRead, planOf, preset, smallest } from '../presets-suite.ts'
import { readAmount } from './amounts.ts'
import { backends } from './backends.ts'
import { readKinds } from './kinds.ts'
import { inputById, inputSpecs } from './table.ts'

test('amounts are read as people write them', () => {
  const cases: readonly (readonly [unknown, string, number])[] = [
    [5, 'key', 5],
    [5n, 'key', 5],
    ['10 billion', 'key', 1e10],
    ['5M', 'key', 5e6],
    ['1,000,000', 'key', 1e6],
    ['1e9', 'key', 1e9],
    ['70%', '1', 0.7],
    ['1/4', '1', 0.25],
    ['1KB', 'B/key', 1000],
    ['64KiB', 'B/node', 65_536],
    ['10Gbit', 'B/s/node', 1.25e9],
    ['0.1ms', 'core*s/op', 0.0001],
    ['1h', 's', 3600],
    ['2000/s', 'op/day', 172_800_000],
    ['100 billion', 'op/day', 1e11],
    ['$500', '$/node/month', 500],
    ['12h', 'day', 0.5],
  ]
  for (const [raw, of, wanted] of cases) {
    const amount = readAmount(raw, of)
    assert.ok('value' in amount, `${raw}: ${'fault' in amount && amount.fault}`)
    assert.ok(Math.abs(amount.value - wanted) <= 1e-12 * Math.abs(wanted), `${raw} is ${amount.value}`)
  }
  for (const [raw, of] of [
    ['x', 'key'],
    ['', 'key'],
    ['5 GB', 'key'],
    ['70%', 'key'],
    ['1/0', '1'],
    [NaN, 'key'],
    [true, 'key'],
    [null, 'B'],
    ['1 2', 'B'],
  ] as const)
    assert.ok('fault' in readAmount(raw, of), String(raw))
})

/** A change to the smallest plan, the field that is at fault, and what the fault must say. */
const bad: readonly (readonly [Readonly<Record<string, unknown>>, string, RegExp])[] = [
  [{ 'data.keys': 0 }, 'data.keys', /at least 1/],
  [{ 'data.keys': -5 }, 'data.keys', /at least 1/],
  [{ 'data.keys': Number.NaN }, 'data.keys', /no finite number/],
  [{ 'data.keys': Number.POSITIVE_INFINITY }, 'data.keys', /no finite number/],
  [{ 'data.keys': 1e30 }, 'data.keys', /at most/],
  [{ 'data.keys': 'many' }, 'data.keys', /write a number/],
  [{ 'data.keys': [1] }, 'data.keys', /write a number/],
  [{ 'data.kees': 1 }, 'data.kees', /did you mean data\.keys\?/],
  [{ 'dta.keys': 1 }, 'dta.keys', /did you mean data\.keys\?/],
  [{ 'data.value_bytes': '2MB' }, 'data.value_bytes', /at most data\.value_bytes_max/],
  [{ 'data.value_bytes': '1GB' }, 'data.value_bytes', /at most/],
  [{ 'data.values': [{ share: 0.5, bytes: 100 }] }, 'data.values', /add to 50%/],
  [{ 'data.values': [{ share: 1, bytes: 'x' }] }, 'data.values[0].bytes', /write a number/],
  [{ 'data.values': 5 }, 'data.values', /no list/],
  [{ 'storage.replicas': 2.5 }, 'storage.replicas', /whole/],
  [{ 'storage.replicas': 5, 'node.count': 3 }, 'storage.replicas', /at most node\.count/],
  [{ 'workload.read_share': 0.9, 'workload.write_share': 0.3 }, 'workload.read_share', /add to 100%/],
  [{ 'workload.read_share': '120%' }, 'workload.read_share', /at most 100%/],
  [{ 'workload.peak_factor': 0.5 }, 'workload.peak_factor', /at least 1/],
  [{ 'tiers.hot_share': 0.9 }, 'tiers.hot_share', /the tiers must add to 100%/],
  [{ 'cost.spot_share': 0.7, 'cost.reserved_share': 0.5 }, 'cost.spot_share', /both spot and reserved/],
  [{ 'cache.hit_rate': 0.95, 'cache.disk_read_share': 0.3 }, 'cache.disk_read_share', /contradicts cache\.hit_rate/],
  [{ 'stated.disk.reads_per_second': 30_000 }, 'stated.disk.reads_per_second', /contradicts the inputs, which give/],
  [{ 'stated.disk.reeds_per_second': 1 }, 'stated.disk.reeds_per_second', /did you mean disk\.reads_per_second/],
  [{ 'node.memory_bytes': '8GB' }, 'node.memory_bytes', /no room for data/],
  [{ 'node.kind': 'nvme-16c-128' }, 'node.kind', /did you mean nvme-16c-128g\?/],
  [{ 'node.kind': 5 }, 'node.kind', /no text/],
  [{ 'storage.backend': 'rockdb' }, 'storage.backend', /did you mean rocksdb\?/],
  [{ 'backup.full_interval_days': 40 }, 'backup.full_interval_days', /retention/],
  [{ 'backup.log_archive_interval_seconds': '2h' }, 'backup.log_archive_interval_seconds', /at most/],
  [{ 'growth.retention_years': 9, 'growth.archive_years': 5 }, 'growth.retention_years', /archive/],
  [
    { 'workload.operations_per_day': 1, 'workload.operations_per_second': 1 },
    'workload.operations_per_second',
    /keep one/,
  ],
  [{ 'data.values': [{ share: 1, bytes: 5 }], 'data.value_bytes': 5 }, 'data.value_bytes', /by another key too/],
  [{ 'consistency.read_copies': 1 }, 'consistency.read_copies', /R 1 \+ W 2 must be more than the 3 copies/],
  [{ 'consistency.write_copies': 1, 'consistency.read_copies': 2 }, 'consistency.read_copies', /R 2 \+ W 1/],
  [{ 'consistency.write_copies': 4 }, 'consistency.write_copies', /at most storage\.replicas, which is 3/],
  [{ 'placement.scatter_width': 1 }, 'placement.scatter_width', /must be 0, or at least 2/],
  [{ 'scenarios.more': 5 }, 'scenarios.more', /no table/],
]

test('each fault names its field, its value and the way out', () => {
  for (const [changes, field, text] of bad) {
    const { plan, faults } = makePlan({ sources: [smallest, sourceOf('bad.toml', changes)], kinds })
    assert.equal(plan, undefined, `${JSON.stringify(changes)} is refused`)
    const found = faults.find((fault) => fault.field === field)
    assert.ok(found !== undefined, `${field}: ${JSON.stringify(faults)}`)
    assert.match(found.fault, text)
    assert.equal(faults.length, 1, `${JSON.stringify(changes)} is one fault: ${JSON.stringify(faults)}`)
  }
})

test('all faults are told at once', () => {
  const changes = {
    'data.keys': 0,
    'workload.peak_factor': 'x',
    'tiers.hot_share': 0.9,
    'cost.spot_share': 0.7,
    'cost.reserved_share': 0.5,
    'storage.bckend': 'lsm',
  }
  const { faults } = makePlan({ sources: [smallest, sourceOf('bad.toml', changes)], kinds })
  assert.deepEqual(faults.map(({ field }) => field).sort(), [
    'cost.spot_share',
    'data.keys',
    'storage.bckend',
    'tiers.hot_share',
    'workload.peak_factor',
  ])
  for (const { origin } of faults) assert.equal(origin, 'bad.toml')
})

test('what only the user knows is missing by name, and nothing else is', () => {
  const { faults } = makePlan({ sources: [], kinds })
  assert.deepEqual(
    faults.map(({ field }) => field),
    ['workload.operations_per_day', 'data.keys', 'data.value_bytes'],
  )
  assert.match(faults[1]?.fault ?? '', /is missing \(keys\); set it, or give --keys/)
  planOf([smallest])
})

test('the later source wins, and tells where a value is from', () => {
  const { inputs } = planOf([preset('kv-100b-ops'), sourceOf('--peak', { 'workload.peak_factor': '5' })])
  assert.equal(inputs.values.get('workload.peak_factor'), 5)
  assert.equal(inputs.origins.get('workload.peak_factor'), '--peak')
  assert.equal(inputs.origins.get('data.keys'), 'preset kv-100b-ops')
  assert.equal(inputs.origins.get('node.cores'), 'kind kv-32c-96g')
  assert.equal(inputs.origins.get('cost.spot_discount'), 'default')
  assert.equal(planOf([smallest]).inputs.origins.get('disk.ios_per_read'), 'backend mmap')
  assert.equal(planOf([smallest], { 'node.cores': 7 }).inputs.values.get('node.cores'), 7, 'over the kind')
})

test('reads and writes leave each other the rest', () => {
  const shares = (changes: Record<string, unknown>) => {
    const { values } = planOf([preset('kv-100b-ops')], changes).inputs
    return [values.get('workload.read_share'), values.get('workload.write_share')]
  }
  assert.deepEqual(shares({ 'workload.read_share': '90%' }), [0.9, 0.1])
  assert.deepEqual(shares({ 'workload.write_share': 0.4 }), [0.6, 0.4])
  assert.deepEqual(shares({}), [0.7, 0.3])
})

test('reads and writes that one source gives must agree with each other', () => {
  const flags = { 'workload.read_share': '80%', 'workload.write_share': '40%' }
  const origins = { 'workload.read_share': '--reads', 'workload.write_share': '--writes' }
  const { faults } = makePlan({ sources: [preset('kv-100b-ops'), sourceOf('the command line', flags, origins)], kinds })
  assert.deepEqual(
    faults.map(({ field, origin }) => [field, origin]),
    [['workload.read_share', '--reads']],
  )
  assert.match(faults[0]?.fault ?? '', /is 120%; correct one of them/)
})

test('operations may be given a second', () => {
  const source = sourceOf('a', { 'workload.operations_per_second': 1000, 'data.keys': 1, 'data.value_bytes': 1 })
  assert.equal(planOf([source]).values.get('operations.per_day'), 86_400_000)
})

test('sizes by class give the mean of the classes', () => {
  const values = [
    { share: '30%', from: 0, to: 100 },
    { share: 0.4, from: 100, to: 1000 },
    { share: 0.3, bytes: '1KB' },
  ]
  const { inputs } = planOf([smallest], { 'data.values': values })
  assert.equal(inputs.values.get('data.value_bytes'), 0.3 * 50 + 0.4 * 550 + 0.3 * 1000)
  assert.equal(
    inputs.origins.get('data.value_bytes'),
    'the test, mean of 30% × 50 B + 40% × 550 B + 30% × 1 KB; 340 B to 730 B by the ends of the classes',
  )
})

test('what is stated and agrees is no fault', () => {
  planOf([smallest], { 'stated.storage.raw_bytes': '1.05TB' })
})

test('node kinds: those that come along are whole, and faults of a file are named', () => {
  assert.deepEqual(kindsRead.faults, [])
  assert.ok(kinds.length >= 5)
  const { kinds: read, faults } = readKinds({ small: { cores: 0, mmory_bytes: '4GB' }, other: 5 }, 'mine.toml')
  assert.deepEqual(read, [])
  const lines = faults.map(({ field, fault }) => `${field} ${fault}`)
  assert.ok(lines.includes('small.cores must be from 0.1 to 4096'), lines.join('\n'))
  assert.ok(lines.includes('small.mmory_bytes is unknown; did you mean memory_bytes?'))
  assert.ok(lines.includes('small.disk_bytes is missing'))
  assert.ok(lines.some((line) => line.startsWith('other is no table')))
})

test('the table: ids are unique, defaults lie in their ranges, backends give what has no default', () => {
  assert.equal(inputById.size, inputSpecs.length)
  for (const { id, default: standard, min, max } of inputSpecs) {
    assert.ok(min <= max, id)
    assert.ok(standard === undefined || (standard >= min && standard <= max), id)
  }
  for (const { name, inputs } of backends)
    for (const [id, value] of Object.entries(inputs)) {
      const spec = inputById.get(id)
      assert.ok(spec !== undefined && value >= spec.min && value <= spec.max, `${name} ${id}`)
    }
})
