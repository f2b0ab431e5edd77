/**
 * The writes of the kill tests, as a function of a seed: the process that writes them and the test that checks them make
 * the same ones, so nothing but numbers passes between the two.
 *
 * Batch n of a run puts `n` under `counterKey`, so that a store tells by itself how many batches it holds.
 */

import { Random } from '@orbitkv/base'

export const counterKey = 'counter'
const keyCount = 300
const changesMax = 6

/** Key, and its value; undefined deletes it. */
export type Write = readonly [string, string | undefined]

/** What batch `number` of a run writes. */
export function batchOf(seed: number, run: number, number: number): Write[] {
  const random = new Random(Math.imul(seed ^ Math.imul(run, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(number, 0xc2b2ae35))
  const writes: Write[] = [[counterKey, String(number)]]
  for (let left = random.between(1, changesMax); left > 0; left--) {
    const key = `key-${random.below(keyCount)}`
    const valueBytes = random.chance(60) ? random.between(1000, 20_000) : random.between(0, 100)
    writes.push([key, random.chance(6) ? undefined : `${run}.${number}.${'v'.repeat(valueBytes)}`])
  }
  return writes
}
