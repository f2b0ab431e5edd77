/** Durability levels and group commit: when a write is acknowledged and seen, in which order, and at what cost in syncs. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Durability } from './index.ts'
import { keysOf, read, type Setup, stateOf, storeTest, turn } from './store-suite.ts'

/** Syncs from now on. */
function syncsOf({ disk }: Setup): () => number {
  const before = disk.counts.syncs
  return () => disk.counts.syncs - before
}

describe('durability always', () => {
  storeTest('a write is neither acknowledged nor seen before its sync has ended', async ({ store, disk }) => {
    const hold = disk.holdSyncs()
    const writing = store.put('k', 'v')
    assert.equal(await stateOf(writing), 'pending')
    assert.equal(store.get('k'), undefined)
    assert.deepEqual([store.stats().writesWaiting, store.stats().durablePosition], [1, 0])
    hold.release()
    await writing
    assert.equal(read(store, 'k'), 'v')
    assert.deepEqual([store.stats().writesWaiting, store.stats().durablePosition], [0, 1])
  })

  storeTest('it is there after a power cut, whatever the disk lost', async ({ store, disk, open }) => {
    for (let i = 0; i < 50; i++) await store.put(`k${i}`, 'v'.repeat(i * 10))
    disk.crash({ mode: 'drop-all' })
    await assert.rejects(store.close())
    assert.equal(keysOf(await open()).length, 50)
  })

  storeTest('a hundred writes at once cost few syncs', async (setup) => {
    const { store } = setup
    const syncs = syncsOf(setup)
    const revisions = await Promise.all(Array.from({ length: 100 }, (_, i) => store.put(`k${i}`, 'v')))
    assert.deepEqual(
      revisions,
      Array.from({ length: 100 }, (_, i) => i + 1),
    )
    assert.ok(syncs() <= 2, `${syncs()} syncs`)
    assert.equal(store.stats().durablePosition, 100)
  })

  storeTest('what comes while a sync runs goes with the next one', async (setup) => {
    const { store, disk } = setup
    const syncs = syncsOf(setup)
    const hold = disk.holdSyncs()
    const first = store.put('first', 'v')
    await turn()
    const others = Array.from({ length: 50 }, (_, i) => store.put(`k${i}`, 'v'))
    await turn()
    assert.equal(syncs(), 1)
    hold.release()
    await first
    await Promise.all(others)
    assert.equal(syncs(), 2)
  })

  storeTest('a write one after the other costs a sync each', async (setup) => {
    const syncs = syncsOf(setup)
    for (let i = 0; i < 10; i++) await setup.store.put('k', `${i}`)
    assert.equal(syncs(), 10)
  })
})

describe('durability none', () => {
  storeTest('a write is acknowledged at once, and no sync is made', async (setup) => {
    const { store, disk } = setup
    const syncs = syncsOf(setup)
    const hold = disk.holdSyncs()
    await store.put('k', 'v', { durability: 'none' })
    assert.equal(read(store, 'k'), 'v')
    setup.clock.advance(3_600_000)
    await turn()
    assert.equal(syncs(), 0)
    assert.equal(store.stats().durablePosition, 0)
    hold.release()
  })

  storeTest('a power cut may take it, a flush keeps it', async ({ store, disk, open }) => {
    await store.put('flushed', 'v', { durability: 'none' })
    await store.flush()
    await store.put('lost', 'v', { durability: 'none' })
    disk.crash({ mode: 'drop-all' })
    await assert.rejects(store.close())
    assert.deepEqual(keysOf(await open()), ['flushed'])
  })

  storeTest('closing keeps it', async ({ store, disk, open }) => {
    await store.put('k', 'v', { durability: 'none' })
    await store.close()
    disk.crash({ mode: 'drop-all' })
    assert.deepEqual(keysOf(await open()), ['k'])
  })
})

describe('durability interval', () => {
  const settings = { durability: 'interval' } as const

  storeTest(
    'a write is acknowledged at once and synced a tenth of a second later, together with what came meanwhile',
    async (setup) => {
      const { store, clock } = setup
      const syncs = syncsOf(setup)
      await store.put('a', 'v')
      await clock.advanceAwaiting(60)
      await store.put('b', 'v')
      await clock.advanceAwaiting(39)
      assert.equal(syncs(), 0)
      await clock.advanceAwaiting(1)
      assert.equal(syncs(), 1)
      assert.equal(store.stats().durablePosition, 2)
      await clock.advanceAwaiting(10_000)
      assert.equal(syncs(), 1, 'nothing new, nothing to sync')
      await store.put('c', 'v')
      await clock.advanceAwaiting(100)
      assert.deepEqual([syncs(), store.stats().durablePosition], [2, 3])
    },
    { settings },
  )

  storeTest(
    'a thousand writes do not wait for the time',
    async (setup) => {
      const { store } = setup
      const syncs = syncsOf(setup)
      for (let i = 0; i < 999; i++) await store.put(`k${i}`, '')
      await turn()
      const before = syncs()
      await store.put('k999', '')
      await turn()
      assert.equal(store.stats().durablePosition, 1000)
      assert.ok(syncs() > before)
      assert.ok(before === 0, `${before} syncs before`)
    },
    { settings: { ...settings, segmentBytes: 2 ** 20 } },
  )

  storeTest(
    'writes that came while a sync ran are synced too, by number and by time',
    async (setup) => {
      const { store, disk, clock } = setup
      const hold = disk.holdSyncs()
      for (let i = 0; i < 10; i++) await store.put(`a${i}`, '')
      await turn()
      assert.equal(hold.waiting, 1)
      for (let i = 0; i < 10; i++) await store.put(`b${i}`, '')
      await turn()
      hold.release()
      await turn()
      assert.equal(store.stats().durablePosition, 20, 'ten more were enough for the next one')

      const again = disk.holdSyncs()
      for (let i = 0; i < 10; i++) await store.put(`c${i}`, '')
      await turn()
      await store.put('d', '')
      again.release()
      await turn()
      assert.equal(store.stats().durablePosition, 30)
      await clock.advanceAwaiting(100)
      assert.equal(store.stats().durablePosition, 31)
    },
    { settings: { ...settings, syncIntervalWrites: 10 } },
  )
})

describe('levels together', () => {
  for (const lower of ['none', 'interval'] as const) {
    storeTest(`a write with ${lower} behind one that waits for the disk waits as well`, async ({ store, disk }) => {
      await store.put('k', 'old')
      const hold = disk.holdSyncs()
      const order: string[] = []
      const first = store.put('k', 'first').then(() => order.push('first'))
      const second = store.put('k', 'second', { durability: lower }).then(() => order.push('second'))
      const third = store.put('other', 'third', { durability: lower }).then(() => order.push('third'))
      await turn()
      assert.deepEqual([order, read(store, 'k'), store.get('other')], [[], 'old', undefined])
      hold.release()
      await Promise.all([first, second, third])
      assert.deepEqual(order, ['first', 'second', 'third'])
      assert.equal(read(store, 'k'), 'second')
    })
  }

  storeTest(
    'a write can ask for more than its store',
    async (setup) => {
      const { store, disk } = setup
      const syncs = syncsOf(setup)
      await store.put('a', 'v')
      assert.equal(syncs(), 0)
      await store.put('b', 'v', { durability: 'always' })
      assert.equal(syncs(), 1)
      disk.crash({ mode: 'drop-all' })
      await assert.rejects(store.close())
      assert.deepEqual(keysOf(await setup.open()), ['a', 'b'], 'what stood ahead of it is safe, too')
    },
    { settings: { durability: 'none' } },
  )

  storeTest('batches and deletes have a level as well', async (setup) => {
    const { store } = setup
    const syncs = syncsOf(setup)
    await store.batch().put('a', 'v').put('b', 'v').commit({ durability: 'none' })
    await store.delete('a', { durability: 'none' })
    assert.equal(syncs(), 0)
    assert.deepEqual(keysOf(store), ['b'])
  })

  storeTest('a delete of what an unpublished delete has taken waits for it', async ({ store, disk }) => {
    await store.put('k', 'v')
    const hold = disk.holdSyncs()
    const first = store.delete('k')
    const second = store.delete('k', { durability: 'none' })
    assert.deepEqual([await stateOf(first), await stateOf(second)], ['pending', 'pending'])
    assert.equal(read(store, 'k'), 'v')
    hold.release()
    assert.deepEqual(await Promise.all([first, second]), [true, false])
  })

  storeTest('flush resolves once everything before it is on the disk', async (setup) => {
    const { store, disk } = setup
    await store.flush()
    await store.put('a', 'v', { durability: 'none' })
    const hold = disk.holdSyncs()
    const flushing = store.flush()
    assert.equal(await stateOf(flushing), 'pending')
    hold.release()
    await flushing
    assert.equal(store.stats().durablePosition, 1)
    const syncs = syncsOf(setup)
    await store.flush()
    assert.equal(syncs(), 0, 'there is nothing more to flush')
  })

  for (const durability of ['always', 'interval', 'none'] satisfies Durability[]) {
    storeTest(
      `stats tell the level of the store: ${durability}`,
      ({ store }) => {
        assert.equal(store.stats().durability, durability)
      },
      { settings: { durability } },
    )
  }
})
