/** The source documents: right to the digit where they are right, and wrong where we say why. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinds, planOf, preset } from '../presets-suite.ts'
import { agrees, checkClaim } from './claim.ts'
import { sourceDocuments } from './page.ts'

for (const { preset: name, tables } of sourceDocuments)
  for (const { title, claims } of tables)
    test(`${name}, ${title}: right claims agree to the digit, wrong ones do not and have a reason`, () => {
      for (const claim of claims) {
        const { isRight, ours } = checkClaim(claim, preset(name), kinds)
        assert.equal(isRight, claim.why === undefined, `${claim.what}: stated ${claim.stated}, ours ${ours}`)
      }
    })

test('agreement is to the digit, in the unit and rounding of the text', () => {
  assert.ok(agrees('33 TB', [33e12]))
  assert.ok(!agrees('33 TB', [33.6e12]))
  assert.ok(agrees('1.16M', [1_157_407]))
  assert.ok(!agrees('1.15M', [1_157_407]))
  assert.ok(agrees('4.7-5.9 PB', [4.68e15, 5.85e15]))
  assert.ok(!agrees('4.7-5.9 PB', [4.68e15]))
  assert.ok(agrees('$1,347,600', [1_347_600]))
  assert.ok(!agrees('$1,347,600', [1_347_601]))
  assert.ok(agrees('60%', [0.6]))
  assert.ok(agrees('70 billion', [7e10]))
  assert.ok(!agrees('70 billion', [7e9]))
  assert.ok(agrees('under 5 min', [299]))
  assert.ok(!agrees('under 5 min', [300]))
  assert.ok(!agrees('not stated', [1]))
})

/** The figures that programs read first, as the documents have them. */
const oracles: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'kv-100b-ops': {
    'operations.average_per_second': 1_157_407.4,
    'operations.peak_per_second': 3_472_222.2,
    'storage.total_bytes': 33e12,
    'memory.total_bytes': 8.4e12,
    'nodes.chosen': 100,
    'partitions.count': 25_600,
    'partitions.bytes': 1.2890625e9,
    'network.client_in_average': 428_240_740.7,
    'network.client_out_average': 844_907_407.4,
    'network.replication_average': 1_041_666_666.7,
    'cpu.cores_average': 254.63,
    'cost.infrastructure_month': 60_300,
    'cost.operations_month': 52_000,
    'cost.month_total': 112_300,
    'cost.year_total': 1_347_600,
    'cost.per_operation': 3.74333e-8,
    'cost.per_stored_gb': 3.40303,
  },
  'orbit-1pb': {
    'storage.raw_bytes': 1e15,
    'storage.total_bytes': 5.85e15,
    'storage.disk_bytes': 7.85e15,
    'memory.bloom_copy_bytes': 1.25e12,
    'nodes.chosen': 100,
    'cost.month_total': 73_000,
    'cost.year_total': 876_000,
    'cost.three_years_total': 2_628_000,
    'cost.tiers_month': 24_500,
  },
}

for (const [name, figures] of Object.entries(oracles))
  test(`preset ${name} gives the figures of its document`, () => {
    const { values } = planOf([preset(name)])
    for (const [id, wanted] of Object.entries(figures)) {
      const found = values.get(id) as number
      assert.ok(Math.abs(found - wanted) <= 1e-5 * wanted, `${id} is ${found}, the document ${wanted}`)
    }
  })
