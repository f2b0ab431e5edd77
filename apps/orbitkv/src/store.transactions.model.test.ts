/** Transactions against a twin: random reads, ranges and writes in one transaction after the other, half of which are given up. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { open, type RangeOptions, type Transaction } from './index.ts'
import { entriesOf, smallSegments, turn } from './store-suite.ts'
import { text } from './transactions-suite.ts'

const runs = 40
const giveUp = new Error('given up')

/** Keys of one to three letters, so that some are beginnings of others. */
function randomKey(random: Random): string {
  return Array.from({ length: random.between(1, 3) }, () => random.pick(['a', 'b', 'c', 'd'])).join('')
}

function randomRange(random: Random): RangeOptions {
  const options: { -readonly [Name in keyof RangeOptions]: RangeOptions[Name] } = { reverse: random.chance(2) }
  if (random.chance(4)) options.prefix = randomKey(random)
  else {
    if (random.chance(2)) options[random.pick(['gt', 'gte'] as const)] = randomKey(random)
    if (random.chance(2)) options[random.pick(['lt', 'lte'] as const)] = randomKey(random)
  }
  if (random.chance(3)) options.limit = random.between(0, 5)
  return options
}

function rangeOf(twin: ReadonlyMap<string, string>, options: RangeOptions): [string, string][] {
  const { gt, gte, lt, lte, prefix, reverse, limit } = options as Record<string, string | undefined> & RangeOptions
  const entries = [...twin]
    .filter(
      ([key]) =>
        (gt === undefined || key > gt) &&
        (gte === undefined || key >= gte) &&
        (lt === undefined || key < lt) &&
        (lte === undefined || key <= lte) &&
        (prefix === undefined || key.startsWith(`${prefix}`)),
    )
    .sort(([one], [other]) => (one < other ? -1 : 1))
  return (reverse === true ? entries.reverse() : entries).slice(0, limit)
}

function step(tx: Transaction, twin: Map<string, string>, random: Random): void {
  const key = randomKey(random)
  const kind = random.below(5)
  if (kind === 0) {
    tx.delete(key)
    twin.delete(key)
  } else if (kind <= 2) {
    const value = 'v'.repeat(random.pick([0, 3, 200])) + random.uint32()
    tx.put(key, value)
    twin.set(key, value)
  } else if (kind === 3) {
    assert.equal(text(tx, key), twin.get(key))
    assert.equal(tx.has(key), twin.has(key))
  } else {
    const options = randomRange(random)
    assert.deepEqual(entriesOf({ range: () => tx.range(options) } as never), rangeOf(twin, options))
  }
}

test(`${runs} runs of transactions do what a sorted map does`, async () => {
  for (const seed of seedsFor('transactions-model', { kept: [], fresh: runs })) {
    const random = new Random(seed)
    const disk = new SimulatedDisk({ seed })
    const store = await open('/store', { ...smallSegments, disk, clock: new SimulatedClock(), durability: 'none' })
    let twin = new Map<string, string>()
    for (let i = 0; i < 12; i++) {
      const next = new Map(twin)
      const steps = random.between(1, 60)
      const isAsync = random.chance(2)
      const fails = random.chance(2)
      const run = (tx: Transaction): void => {
        for (let at = 0; at < steps; at++) step(tx, next, random)
        if (fails) throw giveUp
      }
      const runAsync = async (tx: Transaction): Promise<void> => {
        for (let at = 0; at < steps; at++) {
          step(tx, next, random)
          if (random.chance(10)) await turn()
        }
        if (fails) throw giveUp
      }
      try {
        await store.transact(isAsync ? runAsync : run)
        twin = next
      } catch (error) {
        if (error !== giveUp) throw new Error(`seed ${seed} (ORBIT_SEED=${seed} runs it alone)`, { cause: error })
      }
      assert.deepEqual(entriesOf(store), rangeOf(twin, {}), `seed ${seed}`)
    }
    assert.deepEqual((await store.verify()).faults, [])
    await store.close()
  }
})
