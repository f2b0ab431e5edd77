/** Seeded randomness: the same seed gives the same run, within its ranges, and the seeds of tests can be replayed. */

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import fc from 'fast-check'
import { Random, seedsFor } from './random.ts'

/** Numbers drawn in every way there is. */
function run(seed: number): unknown[] {
  const random = new Random(seed)
  return Array.from({ length: 20 }, () => [
    random.uint32(),
    random.below(1000),
    random.between(-5, 5),
    random.chance(3),
    random.pick(['a', 'b', 'c']),
    Array.from(random.bytes(5)),
  ])
}

describe('seeded randomness', () => {
  test('a seed gives these very numbers, on every machine and in every version', () => {
    const random = new Random(1)
    assert.deepEqual(
      Array.from({ length: 4 }, () => random.uint32()),
      [1580013426, 350525680, 3524174333, 3011703609],
    )
  })

  test('the same seed gives the same run, another seed another', () => {
    assert.deepEqual(run(41), run(41))
    assert.notDeepEqual(run(41), run(42))
  })

  test('a seed is taken modulo 2^32 and can be read back', () => {
    assert.equal(new Random(2 ** 32 + 7).seed, 7)
    assert.equal(new Random(-1).seed, 2 ** 32 - 1)
    assert.deepEqual(run(2 ** 32 + 7), run(7))
  })

  test('numbers stay within their ranges', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 2 ** 32 }), fc.integer(), fc.nat(), (seed, bound, min, span) => {
        const random = new Random(seed)
        const word = random.uint32()
        assert.ok(Number.isInteger(word) && word >= 0 && word < 2 ** 32)
        const below = random.below(bound)
        assert.ok(Number.isInteger(below) && below >= 0 && below < bound)
        const between = random.between(min, min + span)
        assert.ok(between >= min && between <= min + span)
      }),
    )
  })

  test('every value of a small range comes, about equally often', () => {
    const random = new Random(7)
    const seen = new Array<number>(6).fill(0)
    for (let i = 0; i < 6000; i++) {
      const face = random.between(1, 6) - 1
      seen[face] = (seen[face] as number) + 1
    }
    for (const count of seen) assert.ok(count > 800 && count < 1200, `${seen}`)
  })

  test('a chance of one in n comes about that often, one in 1 always', () => {
    const random = new Random(9)
    let hits = 0
    for (let i = 0; i < 10_000; i++) if (random.chance(10)) hits++
    assert.ok(hits > 850 && hits < 1150, `${hits} of 10,000`)
    assert.equal(random.chance(1), true)
  })

  test('a bound of nothing is a bug of the caller', () => {
    assert.throws(() => new Random(1).below(0), { code: 'base.assertion' })
    assert.throws(() => new Random(1).pick([]), { code: 'base.assertion' })
    assert.throws(() => new Random(1).between(2, 1), { code: 'base.assertion' })
  })

  test('bytes are as many as asked for', () => {
    assert.equal(new Random(1).bytes(0).length, 0)
    const bytes = new Random(1).bytes(4096)
    assert.equal(bytes.length, 4096)
    assert.equal(new Set(bytes).size, 256, 'every byte comes')
  })
})

describe('the seeds of tests', () => {
  let before: string | undefined
  beforeEach(() => {
    before = process.env.ORBIT_SEED
    delete process.env.ORBIT_SEED
  })
  afterEach(() => {
    if (before === undefined) delete process.env.ORBIT_SEED
    else process.env.ORBIT_SEED = before
  })

  test('are the kept ones, then as many fresh ones as asked for', () => {
    const seeds = seedsFor('some test', { kept: [3, 4], fresh: 5 })
    assert.deepEqual(seeds.slice(0, 2), [3, 4])
    assert.equal(new Set(seeds).size, 7)
  })

  test('fresh ones differ by test and are the same all day', () => {
    const [first, again, other] = ['a', 'a', 'b'].map((name) => seedsFor(name, { kept: [], fresh: 3 }))
    assert.notDeepEqual(first, other)
    // A test that runs across midnight sees two days.
    if (seedsFor('a', { kept: [], fresh: 3 })[0] === first?.[0]) assert.deepEqual(first, again)
  })

  test('ORBIT_SEED runs one alone', () => {
    process.env.ORBIT_SEED = '4242'
    assert.deepEqual(seedsFor('some test', { kept: [3, 4], fresh: 5 }), [4242])
  })
})
