/** Durations against a sorted list of what was added. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '@orbitkv/base'
import { Durations } from './durations.ts'

const seed = Number(process.env.ORBIT_SEED ?? 1)

test(`quantiles are right to within an eighth, ORBIT_SEED=${seed}`, () => {
  const random = new Random(seed)
  const durations = new Durations()
  const added: number[] = []
  for (let i = 0; i < 20_000; i++) {
    const microseconds = 2 ** (random.below(31_000) / 1000)
    durations.add(microseconds)
    added.push(microseconds)
  }
  added.sort((a, b) => a - b)
  assert.equal(durations.count, added.length)
  assert.equal(durations.maxMicroseconds, added.at(-1))
  for (const share of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = added[Math.ceil(added.length * share) - 1] as number
    const told = durations.quantile(share)
    assert.ok(told >= exact && told <= exact * 1.13 + 0.25, `${share}: ${told} for ${exact}, ORBIT_SEED=${seed}`)
  }
})

test('what lies below bounds at the edges of buckets is exact, and counts what is added several times', () => {
  const durations = new Durations()
  durations.add(0)
  durations.add(0.9, 3)
  durations.add(1)
  durations.add(15.9)
  durations.add(16)
  durations.add(4_000_000_000)
  assert.deepEqual(durations.below([1, 16, 32, 2 ** 32]), [4, 6, 7, 8])
  assert.equal(durations.count, 8)
  durations.reset()
  assert.deepEqual(durations.below([1, 2 ** 40]), [0, 0])
  assert.equal(durations.quantile(0.5), 0)
})
