/** Who is to hear of a key: the indexes agree with asking every watcher, however watchers come and go. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { covers, type Interest, shared, toInterest } from './interest.ts'
import { Interests } from './interests.ts'
import type { WatchOptions } from './types.ts'

const keyspaces = [0, 7]

function randomKey(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.below(5) }, () => random.pick([0, 1, 97, 98, 254, 255]))
}

function randomOptions(random: Random): WatchOptions {
  const key = randomKey(random)
  const other = randomKey(random)
  switch (random.below(6)) {
    case 0:
      return { key }
    case 1:
      return { prefix: key }
    case 2:
      return { range: { gte: key, lt: other } }
    case 3:
      return { range: { gt: key, lte: other } }
    case 4:
      return { range: random.chance(2) ? { gte: key } : { lte: key } }
    default:
      return {}
  }
}

/** With the key in the middle of other bytes. */
function match<Watcher extends { interest: Interest }>(
  interests: Interests<Watcher>,
  keyspace: number,
  key: Uint8Array,
): readonly Watcher[] {
  const bytes = Uint8Array.from([9, ...key, 9])
  const matched = interests.match(keyspace, bytes, 1, 1 + key.length)
  assert.equal(interests.concerns(keyspace, bytes, 1, 1 + key.length), matched.length > 0)
  return matched
}

/** What a watch asks for, read off its options. */
function wants({ key, prefix, range }: WatchOptions, asked: Uint8Array): boolean {
  const compare = (bytes: unknown): number => Buffer.compare(asked, bytes as Uint8Array)
  if (key !== undefined) return compare(key) === 0
  if (prefix !== undefined) return Buffer.compare(asked.subarray(0, prefix.length), prefix as Uint8Array) === 0
  const { gt, gte, lt, lte } = range ?? {}
  return (
    (gt === undefined || compare(gt) > 0) &&
    (gte === undefined || compare(gte) >= 0) &&
    (lt === undefined || compare(lt) < 0) &&
    (lte === undefined || compare(lte) <= 0)
  )
}

describe('interests', () => {
  for (const seed of seedsFor('watch-interests', { kept: [], fresh: 20 })) {
    test(`a key finds just those who want it, seed ${seed}`, () => {
      const random = new Random(seed)
      const interests = new Interests<{ interest: Interest; options: WatchOptions }>()
      const twin: { interest: Interest; options: WatchOptions }[] = []
      for (let step = 0; step < 1500; step++) {
        const dice = random.below(10)
        if (dice < 3) {
          const options = randomOptions(random)
          const watcher = { options, interest: toInterest(random.pick(keyspaces), options) }
          interests.add(watcher)
          twin.push(watcher)
        } else if (dice < 5 && twin.length > 0) {
          const [gone] = twin.splice(random.below(twin.length), 1)
          interests.remove(gone as (typeof twin)[0])
        } else {
          const keyspace = random.pick(keyspaces)
          const key = randomKey(random)
          const found = new Set(match(interests, keyspace, key))
          const expected = twin.filter((one) => one.interest.keyspace === keyspace && wants(one.options, key))
          assert.deepEqual(found, new Set(expected))
          for (const { interest, options } of twin) {
            assert.equal(covers(interest, key, 0, key.length), wants(options, key))
          }
        }
        assert.equal(interests.size, twin.length)
      }
      for (const watcher of twin) interests.remove(watcher)
      assert.equal(interests.size, 0)
      assert.deepEqual(match(interests, 0, new Uint8Array(0)), [])
    })

    test(`what two stretches share is what lies in both, seed ${seed}`, () => {
      const random = new Random(seed)
      for (let step = 0; step < 500; step++) {
        const options = randomOptions(random)
        const interest = toInterest(0, options)
        const [first, last] = [randomKey(random), randomKey(random)].sort(Buffer.compare) as [Uint8Array, Uint8Array]
        const end = random.chance(4) ? undefined : last
        const stretch = shared(interest, first, end)
        const key = randomKey(random)
        const inBoth = wants(options, key) && wants({ range: { gte: first, ...(end && { lt: end }) } }, key)
        assert.equal(stretch !== undefined && wants({ range: stretch }, key), inBoth)
      }
    })
  }

  test('a watch has one subject', () => {
    assert.throws(() => toInterest(0, { key: 'a', prefix: 'b' }), { code: 'store.bad_range' })
    assert.throws(() => toInterest(0, { range: { gt: 'a', gte: 'b' } }), { code: 'store.bad_range' })
    assert.throws(() => toInterest(0, { range: { lt: 'a', lte: 'b' } }), { code: 'store.bad_range' })
    assert.throws(() => toInterest(0, { key: 5 as unknown as string }), { code: 'store.bad_argument' })
  })
})
