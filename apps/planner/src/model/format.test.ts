/** Quantities as people read them. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatQuantity } from './format.ts'
import { unit } from './units.ts'

test('quantities have the unit that fits their size, and no digits that say nothing', () => {
  const cases: readonly (readonly [number, string, string])[] = [
    [0, 'B', '0 B'],
    [999, 'B', '999 B'],
    [33e12, 'B', '33 TB'],
    [999_999, 'B', '1 MB'],
    [1.2890625e9, 'B/partition', '1.289 GB/partition'],
    [428_240_740, 'B/s', '428.2 MB/s'],
    [112_300, '$/month', '$112,300/month'],
    [3.40303, '$/GB/month', '$3.403/GB/month'],
    [3.7433e-8, '$/op', '$0.03743/million op'],
    [2.5e-12, '$/op', '$0.0025/billion op'],
    [0, '$/op', '$0/op'],
    [1_157_407.4, 'op/s', '1.157 million op/s'],
    [25_600, 'partition', '25,600 partitions'],
    [1, 'node', '1 node'],
    [100, 'node', '100 nodes'],
    [0.0001, 'core*s/op', '100 µs·core/op'],
    [500_000, 's', '5.787 days'],
    [86_400, 's', '1 day'],
    [90, 's', '1.5 min'],
    [1e10, 'key', '10 billion keys'],
    [1.5, '1', '1.5'],
    [Number.POSITIVE_INFINITY, 's', 'without end'],
  ]
  for (const [value, of, wanted] of cases) assert.equal(formatQuantity(value, unit(of)), wanted)
  assert.equal(formatQuantity(0.0795, unit('1'), { isShare: true }), '7.95%')
  assert.equal(formatQuantity(0, unit('1'), { isShare: true }), '0%')
  assert.equal(formatQuantity(4e-11, unit('1'), { isShare: true }), '<0.0001%')
})
