/** Percentiles are right to one in a hundred. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from './histogram.ts'

test('percentiles of known latencies', () => {
  const histogram = new Histogram()
  for (let i = 1; i <= 10_000; i++) histogram.record(i)
  for (const share of [0.5, 0.99, 0.999, 1]) {
    const wanted = share * 10_000
    const found = histogram.percentile(share)
    assert.ok(found >= wanted * 0.999 && found <= wanted * 1.011, `${share}: ${found}`)
  }
  assert.equal(histogram.count, 10_000)
})

test('the ends: nothing recorded, nothing at all, an hour', () => {
  assert.equal(new Histogram().percentile(0.5), 0)
  const histogram = new Histogram()
  histogram.record(0)
  assert.equal(histogram.percentile(0.5), 0.01)
  histogram.record(3_600_000_000)
  assert.ok(histogram.percentile(1) >= 3_500_000_000)
})
