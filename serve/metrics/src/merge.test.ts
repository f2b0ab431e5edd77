/** What several servers tell as one: sums, and the largest of what is not to be added. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Durations } from './durations.ts'
import { type Family, histogramOf, writeMetrics } from './families.ts'
import { mergeFamilies } from './merge.ts'

function families(calls: number, memory: number, microseconds: number, command: string): Family[] {
  const durations = new Durations()
  durations.add(microseconds, 1)
  return [
    { name: 'calls_total', type: 'counter', help: 'Calls.', samples: [{ labels: { command }, value: calls }] },
    { name: 'memory_bytes', type: 'gauge', help: 'Memory.', isOfAll: true, samples: [{ value: memory }] },
    { name: 'seconds', type: 'histogram', help: 'Time.', samples: histogramOf(durations) },
  ]
}

test('counters and histograms of several servers are added, label by label; what is of all of them is told once', () => {
  const page = writeMetrics(
    mergeFamilies([families(1, 7, 3, 'get'), families(2, 9, 5, 'get'), families(4, 8, 5, 'set')]),
  )
  assert.match(page, /^calls_total\{command="get"\} 3\ncalls_total\{command="set"\} 4$/m)
  assert.match(page, /^memory_bytes 9$/m)
  assert.match(page, /^seconds_bucket\{le="0.000004"\} 1\nseconds_bucket\{le="0.000008"\} 3$/m)
  assert.match(page, /^seconds_count 3$/m)
  assert.equal(page.match(/^# TYPE calls_total/gm)?.length, 1)
})
