/** Aliases: each has its two records until it is removed, and a removed number serves again. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { Aliases } from './aliases.ts'

type Locations = [number, number, number, number]

function locationsOf(aliases: Aliases, alias: number): Locations {
  return [aliases.segment(alias), aliases.offset8(alias), aliases.olderSegment(alias), aliases.olderOffset8(alias)]
}

describe('aliases', () => {
  test('begin at 1, and 0 is none', () => {
    const aliases = new Aliases()
    assert.equal(aliases.add(1, 8, 3, 16), 1)
    assert.equal(aliases.add(1, 8, 4, 24), 2, 'one for each key, though the delete is the same record')
    assert.deepEqual(locationsOf(aliases, 1), [1, 8, 3, 16])
    assert.deepEqual(locationsOf(aliases, 2), [1, 8, 4, 24])
  })

  test('removing one twice, or one that was never made, is a bug', () => {
    const aliases = new Aliases()
    const alias = aliases.add(1, 8, 1, 16)
    aliases.remove(alias)
    assert.throws(() => aliases.remove(alias), { code: 'base.assertion' })
    assert.throws(() => aliases.remove(5), { code: 'base.assertion' })
  })

  for (const seed of seedsFor('aliases', { kept: [1], fresh: 3 })) {
    test(`agree with a Map, and reuse the numbers that are free, seed ${seed}`, () => {
      const random = new Random(seed)
      const aliases = new Aliases()
      const twin = new Map<number, Locations>()
      let most = 0
      for (let step = 0; step < 20_000; step++) {
        if (random.below(100) < (step % 4000 < 2000 ? 70 : 30)) {
          const segment = random.between(1, 2 ** 30 - 1)
          const locations: Locations = [segment, random.uint32(), random.uint32(), random.uint32()]
          const alias = aliases.add(...locations)
          assert.ok(alias > 0 && !twin.has(alias))
          twin.set(alias, locations)
          most = Math.max(most, twin.size)
          assert.ok(alias <= most, 'no number is skipped while others are free')
        } else if (twin.size > 0) {
          const alias = random.pick([...twin.keys()].slice(0, 50))
          aliases.remove(alias)
          twin.delete(alias)
        }
      }
      for (const [alias, locations] of twin) assert.deepEqual(locationsOf(aliases, alias), locations)
      assert.ok(aliases.bytes <= Math.max(1024, (most + 1) * 16 * 2), `${aliases.bytes} bytes for ${most} at most`)
    })
  }
})
