/** Keys of the benchmark: all different, none in the order of their numbers. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyOf } from './workloads.ts'

test('keys are different and lie in another order than their numbers', () => {
  const keys = Array.from({ length: 10_000 }, (_, number) => Buffer.from(keyOf(number)).toString())
  assert.equal(new Set(keys).size, keys.length)
  assert.ok(keys.every((key) => key.length === 16))
  const rising = keys.filter((key, index) => index > 0 && key > (keys[index - 1] as string)).length
  assert.ok(rising > 3000 && rising < 7000, `${rising} of 10,000 follow their neighbour`)
})
