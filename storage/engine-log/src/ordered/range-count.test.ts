/** Counts of ranges against walks over them, through random histories of puts, deletes, retention and compaction. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KiB, Random, seedsFor } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import {
  type At,
  type Change,
  deleteChange,
  deleteRangeChange,
  type Engine,
  latest,
  published,
  putChange,
  type Range,
} from '@orbitkv/engine'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openLogEngine } from '../open.ts'

const config = { segmentBytes: 64 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 }
const keyspaces = [0, 3]
const keysMax = 3000

function someKey(random: Random): Uint8Array {
  return encodeText(`tenant:${random.below(keysMax)}`)
}

function someRange(random: Random, at: At): Range {
  const [low, high] = [someKey(random), someKey(random)]
  return {
    at,
    ...random.pick([{}, { gt: low }, { gte: low }]),
    ...random.pick([{}, { lt: high }, { lte: high }]),
    ...random.pick([{}, {}, { limit: random.below(200) }]),
    reverse: random.chance(2),
  }
}

/** Compares counts of random ranges with walks; says how many keys of the index are deleted ones. */
function check(engine: Engine, random: Random): number {
  for (const keyspace of [...keyspaces, 9]) {
    for (const at of [latest, published, engine.publishedRevision, engine.oldestRevision]) {
      for (let i = 0; i < 6; i++) {
        const range = i === 0 ? { at } : someRange(random, at)
        assert.equal(engine.count(keyspace, range), [...engine.range(keyspace, range)].length)
      }
    }
  }
  const { keysIndexed, keysLive } = engine.stats()
  return keysIndexed - keysLive
}

for (const seed of seedsFor('range-count', { kept: [1, 2], fresh: 2 })) {
  test(`counts are those of a walk, seed ${seed}`, async () => {
    const random = new Random(seed)
    const disk = new SimulatedDisk()
    let engine = await openLogEngine('/store', { disk, config })
    const append = (changes: Change[]): void => {
      const position = engine.append({ changes, revision: engine.appendedRevision + 1, time: 0 })
      if (!random.chance(5)) engine.publish(position)
    }
    const all = Array.from({ length: keysMax }, (_, i) => putChange(0, encodeText(`tenant:${i}`), new Uint8Array(5)))
    append(all)
    let withDead = 0
    for (let step = 0; step < 60; step++) {
      const dice = random.below(100)
      const keyspace = random.pick(keyspaces)
      if (dice < 45) {
        const changes = Array.from({ length: random.pick([1, 10, 400]) }, () =>
          random.chance(3)
            ? deleteChange(keyspace, someKey(random))
            : putChange(keyspace, someKey(random), random.bytes(9)),
        )
        append(changes)
      } else if (dice < 60) append([deleteRangeChange(keyspace, someKey(random), someKey(random))])
      else if (dice < 70) await engine.truncateAfter(engine.publishedPosition)
      else if (dice < 80) engine.publish(engine.appendedPosition)
      else if (dice < 95) while (!engine.retain(engine.publishedRevision - random.pick([0, 0, 1, 3])));
      else if (dice < 98) await engine.compact('all')
      else {
        await engine.close()
        engine = await openLogEngine('/store', { disk, config })
      }
      if (check(engine, random) > 0) withDead++
    }
    assert.ok(withDead > 0, 'some keys were deleted and kept')
    engine.validate()
    await engine.close()
  })
}

test('a count of a state that was given up is refused, whether the keyspace has keys or not', async () => {
  const engine = await openLogEngine('/store', { disk: new SimulatedDisk(), config })
  for (let revision = 1; revision < 10; revision++) {
    engine.append({ changes: [putChange(0, encodeText(`key ${revision}`), new Uint8Array(5))], revision, time: 0 })
  }
  engine.publish(engine.appendedPosition)
  while (!engine.retain(9));
  for (const keyspace of keyspaces) {
    assert.throws(() => engine.count(keyspace, { at: 3 }), { code: 'engine.compacted' })
    assert.throws(() => engine.count(keyspace, { at: 10 }), { code: 'engine.not_yet' })
  }
  assert.equal(engine.count(3, { at: 9 }), 0)
  await engine.close()
})
