/** Keys with a time to live: they go by the clock, survive restarts, and leave nothing behind. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import { copyKey, deleteRangeChange } from '@orbitkv/engine'
import type { Store } from './index.ts'
import { dueKeyspace, keysOf, read, type Setup, storeTest, turn } from './store-suite.ts'

/** The newest record of a key, whoever wrote it. */
function recordOf(
  store: Store,
  key: string,
): { createRevision: number; version: number; revision: number } | undefined {
  const bytes = encodeText(key)
  const record = store.owner.get(0, bytes, 0, bytes.length)
  if (record === undefined) return undefined
  const { createRevision, version, revision } = record
  return { createRevision, version, revision }
}

/** Moves the time on, and lets what fell due be written. */
async function pass({ clock }: Setup, ms: number): Promise<void> {
  clock.advance(ms)
  await turn()
}

describe('expiry', () => {
  storeTest('a key is there until its time has come, and gone from then on', async (setup) => {
    const { store } = setup
    await store.put('k', 'v', { ttl: 1000 })
    await store.put('stays', 'v')
    await pass(setup, 999)
    assert.equal(read(store, 'k'), 'v')
    assert.deepEqual(keysOf(store), ['k', 'stays'])
    await pass(setup, 1)
    assert.equal(store.get('k'), undefined)
    assert.equal(store.has('k'), false)
    assert.equal(await store.getAsync('k'), undefined)
    assert.equal(
      store.view('k', () => 1),
      undefined,
    )
    assert.deepEqual(store.getMany(['k', 'stays']), [undefined, encodeText('v')])
    assert.deepEqual(keysOf(store), ['stays'])
    assert.equal(store.stats().keysLive, 1, 'it is removed, not hidden')
    assert.equal(store.stats().keysExpired, 1)
  })

  storeTest('it is hidden the moment it is due, though the timer has not run', async ({ store, clock }) => {
    await store.put('k', 'v', { ttl: 1000 })
    clock.stepWall(1000)
    assert.equal(store.get('k'), undefined)
    assert.equal(store.stats().keysExpired, 0)
    assert.deepEqual(keysOf(store), [])
    assert.equal(await store.delete('k'), false, 'it was not there to be deleted')
    assert.equal(store.owner.count(dueKeyspace), 0)
  })

  storeTest('a limit counts the entries that are shown', async ({ store, clock }) => {
    await store.put('a', 'v', { ttl: 1000 })
    await store.put('b', 'v')
    clock.stepWall(1000)
    assert.deepEqual(keysOf(store, { limit: 1 }), ['b'])
  })

  storeTest('overwriting without a ttl keeps the key', async (setup) => {
    const { store } = setup
    await store.put('k', 'v', { ttl: 1000 })
    await store.put('k', 'w')
    assert.equal(store.owner.count(dueKeyspace), 0)
    await pass(setup, 5000)
    assert.equal(read(store, 'k'), 'w')
  })

  storeTest('overwriting with another ttl, shorter or longer, sets the time anew', async (setup) => {
    const { store } = setup
    await store.put('shorter', 'v', { ttl: 5000 })
    await store.put('shorter', 'v', { ttl: 1000 })
    await store.put('longer', 'v', { ttl: 1000 })
    await store.put('longer', 'v', { ttl: 5000 })
    await store.put('same', 'v', { ttl: 1000 })
    await store.put('same', 'w', { ttl: 1000 })
    assert.equal(store.owner.count(dueKeyspace), 3)
    await pass(setup, 1000)
    assert.deepEqual(keysOf(store), ['longer'])
    await pass(setup, 3999)
    assert.deepEqual(keysOf(store), ['longer'])
    await pass(setup, 1)
    assert.deepEqual(keysOf(store), [])
    assert.equal(store.owner.count(dueKeyspace), 0)
  })

  storeTest('deleting takes the expiry along, and the key may come back without one', async (setup) => {
    const { store } = setup
    await store.put('k', 'v', { ttl: 1000 })
    assert.equal(await store.delete('k'), true)
    assert.equal(store.owner.count(dueKeyspace), 0)
    await store.put('k', 'w')
    await pass(setup, 2000)
    assert.equal(read(store, 'k'), 'w')
  })

  storeTest('many keys due at once go in slices, all of them', async (setup) => {
    const { store, clock } = setup
    const batch = store.batch()
    for (let i = 0; i < 1800; i++) batch.put(`k${i}`, '', { ttl: 1000 })
    await batch.commit()
    const before = store.stats().appendedPosition
    await clock.advanceAwaiting(1010)
    assert.equal(store.stats().keysLive, 0)
    assert.equal(store.stats().keysExpired, 1800)
    assert.equal(store.stats().appendedPosition - before, 4, 'slices of 500')
  })

  storeTest('keys that fell due while the store was closed are gone when it opens, and then removed', async (setup) => {
    const { store, clock } = setup
    await store.put('due', 'v', { ttl: 1000 })
    await store.put('later', 'v', { ttl: 100_000 })
    await store.close()
    clock.advance(5000)
    const again = await setup.open()
    assert.deepEqual(keysOf(again), ['later'])
    assert.equal(again.stats().keysLive, 2 + 2, 'both keys and their entries are still in the log')
    await pass(setup, 1)
    assert.equal(again.stats().keysLive, 1 + 1)
    assert.equal(again.stats().keysExpired, 1)
    await pass(setup, 94_999)
    assert.deepEqual(keysOf(again), [])
    assert.equal(again.owner.count(dueKeyspace), 0)
  })

  storeTest('a clock that is stepped back does not revive what was gone', async ({ store, clock, reopen }) => {
    await store.put('seen', 'v', { ttl: 1000 })
    clock.stepWall(1000)
    assert.equal(store.get('seen'), undefined)
    clock.stepWall(-1000)
    assert.equal(store.get('seen'), undefined, 'it was seen to be gone')
    clock.stepWall(1000)
    await store.put('other', 'v')
    clock.stepWall(-5000)
    assert.equal(store.get('seen'), undefined)
    const again = await reopen()
    assert.equal(again.get('seen'), undefined, 'nor by opening again, once a later time is in the log')
  })

  storeTest('a ttl counts from the newest time there was', async (setup) => {
    const { store, clock } = setup
    await store.put('k', 'v')
    clock.stepWall(-60_000)
    await store.put('k', 'v', { ttl: 1000 })
    assert.equal(read(store, 'k'), 'v')
    clock.stepWall(60_000)
    assert.equal(read(store, 'k'), 'v')
    clock.stepWall(1000)
    assert.equal(store.get('k'), undefined)
  })

  storeTest('the wall clock is stepped ahead and the key goes within a second', async (setup) => {
    const { store, clock } = setup
    await store.put('k', 'v', { ttl: 3_600_000 })
    clock.stepWall(3_600_000)
    await pass(setup, 1000)
    assert.equal(store.stats().keysExpired, 1)
  })

  storeTest('the first write to a key that is due begins it anew', async ({ store, clock }) => {
    await store.put('k', 'v', { ttl: 1000 })
    await store.put('k', 'v', { ttl: 1000 })
    assert.deepEqual(recordOf(store, 'k'), { createRevision: 1, version: 2, revision: 2 })
    clock.stepWall(1000)
    const revision = await store.put('k', 'w')
    assert.deepEqual(recordOf(store, 'k'), { createRevision: revision, version: 1, revision })
    assert.equal(store.owner.count(dueKeyspace), 0)
    clock.stepWall(5000)
    assert.equal(read(store, 'k'), 'w')
  })

  storeTest('a snapshot keeps seeing a key that expired after it', async (setup) => {
    const { store, clock } = setup
    const revision = await store.put('k', 'v', { ttl: 1000 })
    const before = store.snapshot()
    await pass(setup, 1000)
    assert.equal(store.get('k'), undefined)
    assert.equal(read(before, 'k'), 'v')
    assert.deepEqual(keysOf(before), ['k'])
    const after = store.snapshot()
    assert.equal(after.get('k'), undefined)
    clock.advance(1000)
    const again = store.snapshot({ revision })
    assert.equal(read(again, 'k'), 'v', 'a state answers the same whenever it is asked')
  })

  storeTest('a state answers the same after expiry has tidied up', async (setup) => {
    const { store, clock } = setup
    // More stale entries than a slice removes, all due before the one that is live.
    const batch = store.batch()
    for (let i = 0; i < 600; i++) batch.put(`k${i}`, '', { ttl: 1000 })
    await batch.commit()
    await store.put('live', 'v', { ttl: 1001 })
    store.owner.beginTurn()
    store.owner.write([deleteRangeChange(0, encodeText('k'), encodeText('l'))])
    await store.flush()
    const { revision } = store.stats()
    const before = store.snapshot({ revision })
    assert.equal(read(before, 'live'), 'v')
    before.close()
    clock.stepWall(5000)
    await clock.advanceAwaiting(3000)
    assert.equal(store.stats().keysExpired, 1)
    const after = store.snapshot({ revision })
    assert.equal(read(after, 'live'), 'v')
  })

  storeTest('a batch that sets an expiry more than once leaves the entry of the last alone', async (setup) => {
    const { store, clock } = setup
    await store.put('k', 'v', { ttl: 1000 })
    // The same time as before, by way of a delete, of no expiry and of another.
    await store.batch().delete('k').put('k', 'w', { ttl: 1000 }).commit()
    assert.equal(store.owner.count(dueKeyspace), 1)
    await store.batch().put('k', 'w').put('k', 'w', { ttl: 1000 }).commit()
    assert.equal(store.owner.count(dueKeyspace), 1)
    await store.batch().put('k', 'w', { ttl: 7000 }).put('k', 'w', { ttl: 1000 }).commit()
    assert.equal(store.owner.count(dueKeyspace), 1)
    await store
      .batch()
      .put('k', 'w', { ttl: 7000 })
      .put('k', 'w', { ttl: 9000 })
      .put('new', 'v', { ttl: 5 })
      .delete('new')
      .commit()
    assert.equal(store.owner.count(dueKeyspace), 1)
    clock.advance(9000)
    await turn()
    assert.deepEqual([store.stats().keysLive, store.owner.count(dueKeyspace)], [0, 0])
  })

  for (const seed of seedsFor('store-expiry', { kept: [1, 2], fresh: 4 })) {
    storeTest(`there is an entry for each live key with an expiry and no other, seed ${seed}`, async (setup) => {
      const random = new Random(seed)
      const { clock } = setup
      /** Live keys, and when they go; 0 for never. */
      const twin = new Map<string, number>()
      for (let step = 0; step < 400; step++) {
        const { store } = setup
        const dice = random.below(100)
        if (dice < 70) {
          const batch = store.batch()
          for (let i = random.pick([1, 1, 1, 2, 3, 6]); i > 0; i--) {
            const key = `k${random.below(8)}`
            if (random.chance(4)) {
              batch.delete(key)
              twin.delete(key)
            } else if (random.chance(3)) {
              batch.put(key, 'v')
              twin.set(key, 0)
            } else {
              // Few times, so that many are equal.
              const ttl = random.between(1, 4) * 50
              batch.put(key, 'v', { ttl })
              twin.set(key, clock.now() + ttl)
            }
          }
          await batch.commit({ durability: 'none' })
        } else if (dice < 96) {
          await pass(setup, random.pick([0, 1, 25, 50, 150]))
        } else {
          await setup.reopen()
          // The timer of a store that was just opened waits a moment.
          await pass(setup, 1)
        }
        for (const [key, at] of twin) if (at > 0 && at <= clock.now()) twin.delete(key)
        const expiring = [...twin.values()].filter((at) => at > 0).length
        assert.deepEqual(keysOf(setup.store), [...twin.keys()].sort())
        assert.equal(setup.store.owner.count(dueKeyspace), expiring, `step ${step}`)
        for (const record of setup.store.owner.range(0, {})) {
          assert.equal(record.expiresAt, twin.get(Buffer.from(copyKey(record)).toString()))
        }
      }
      clock.advance(1000)
      await turn()
      assert.equal(setup.store.owner.count(dueKeyspace), 0)
    })
  }
})
