/** Cache mode as its users see it: the cap, which keys go, how that is told, and what is refused. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { hasCode } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import { deleteRangeChange, putChange } from '@orbitkv/engine'
import { type CacheStats, cachedBytes, type OpenOptions, type Store } from './index.ts'
import { keysOf, read, type Setup, storeTest, turn } from './store-suite.ts'

/** Room for so many keys of one byte with values of one byte. */
function roomFor(entries: number, settings: OpenOptions = {}): { settings: OpenOptions } {
  return { settings: { cacheBytesMax: entries * cachedBytes(1, 1), ...settings } }
}

function cacheOf(store: Store): CacheStats {
  const { cache } = store.stats()
  assert.ok(cache !== undefined)
  assert.equal(cache.failure, '')
  return cache
}

async function putAll(store: Store, keys: string): Promise<void> {
  for (const key of keys) await store.put(key, 'v')
}

async function counted({ store }: Setup): Promise<CacheStats> {
  for (let turns = 0; !cacheOf(store).isCounted; turns++) {
    assert.ok(turns < 100)
    await turn()
  }
  return cacheOf(store)
}

describe('cache mode', () => {
  storeTest('a store without it has no stats of a cache, and evicts nothing', async ({ store }) => {
    await putAll(store, 'abcdefgh')
    assert.equal('cache' in store.stats(), false)
    assert.equal(store.stats().keysLive, 8)
  })

  storeTest(
    'the key that was used least lately goes, in the revision of the write that it makes room for',
    async ({ store }) => {
      const watch = store.watcher(0, {}, () => {})
      await putAll(store, 'abc')
      store.get('a')
      assert.equal(await store.put('d', 'v'), 4)
      assert.deepEqual(keysOf(store), ['a', 'c', 'd'])
      const events = Array.from({ length: 5 }, () => watch.take())
      assert.deepEqual(
        events.map((event) => event?.kind),
        ['put', 'put', 'put', 'put', 'evict'],
      )
      const evicted = events[4]
      assert.ok(evicted?.kind === 'evict')
      assert.deepEqual([evicted.key, evicted.revision, evicted.last], [encodeText('b'), 4, true])
      const { bytes, bytesMax, entries, evictions } = cacheOf(store)
      assert.deepEqual([bytes, entries, evictions], [bytesMax, 3, 1])
    },
    roomFor(3),
  )

  storeTest(
    'a write with an expiry, and one that needs the room of many, keep the cap too',
    async (setup) => {
      const { store } = setup
      for (let i = 0; i < 500; i++) await store.put(`k${i}`, 'v', { ttl: 1e6 })
      assert.ok(cacheOf(store).bytes <= cacheOf(store).bytesMax)
      await store.put('large', 'x'.repeat(250 * cachedBytes(1, 1)))
      // The last of them are on their way.
      await store.flush()
      const { bytes, bytesMax, entries } = cacheOf(store)
      assert.ok(bytes <= bytesMax, `${bytes} of ${bytesMax}`)
      assert.equal(entries, keysOf(store).length)
      assert.equal(store.owner.count(1), entries - 1, 'what was noted of the expiry of others is gone with them')
    },
    roomFor(300),
  )

  storeTest(
    'reads of the newest state count, in every form; those of a snapshot and of ranges do not',
    async ({ store }) => {
      await putAll(store, 'ab')
      store.get('a')
      store.has('a')
      store.view('a', () => 0)
      store.getMany(['a', 'x'])
      await store.getAsync('y')
      const snapshot = store.snapshot()
      snapshot.get('a')
      snapshot.close()
      store.get('a', { at: 1 })
      assert.equal(keysOf(store).length, 2)
      const { hits, misses, hitRate } = cacheOf(store)
      assert.deepEqual([hits, misses, hitRate], [4, 2, 4 / 6])
    },
    roomFor(3),
  )

  storeTest(
    'a snapshot goes on reading what was evicted since',
    async ({ store }) => {
      await putAll(store, 'abc')
      using snapshot = store.snapshot()
      await putAll(store, 'xyz')
      assert.deepEqual(
        [keysOf(store), keysOf(snapshot)],
        [
          ['x', 'y', 'z'],
          ['a', 'b', 'c'],
        ],
      )
    },
    roomFor(3),
  )

  storeTest(
    'keys with a lease stay, and a write that only they could make room for is refused',
    async ({ store }) => {
      const lease = await store.leases.grant(1e6)
      await store.put('a', 'v', { lease })
      await putAll(store, 'bcd')
      assert.deepEqual(keysOf(store), ['a', 'c', 'd'])
      const large = 'x'.repeat(2 * cachedBytes(1, 1))
      await assert.rejects(store.put('e', large), (error) => hasCode(error, 'store.cache_full'))
      await assert.rejects(
        store.transact((tx) => void tx.put('e', large)),
        (error) => hasCode(error, 'store.cache_full'),
      )
      assert.deepEqual(keysOf(store), ['a', 'c', 'd'], 'nothing has changed')
      assert.equal(cacheOf(store).refusals, 2)
      await store.leases.revoke(lease)
      await store.put('e', large)
      assert.deepEqual(keysOf(store), ['e'])
    },
    roomFor(3),
  )

  storeTest(
    'with the policy none a write that needs more room is refused; what does not goes on',
    async ({ store }) => {
      await putAll(store, 'abc')
      await assert.rejects(store.put('d', 'v'), (error) => hasCode(error, 'store.cache_full'))
      await store.put('a', 'w')
      await store.batch().delete('b').put('d', 'v').commit()
      assert.deepEqual(keysOf(store), ['a', 'c', 'd'])
      assert.equal(read(store, 'a'), 'w')
    },
    roomFor(3, { cachePolicy: 'none' }),
  )

  storeTest(
    'where only expiring keys may go, the others stay',
    async ({ store }) => {
      await store.put('a', 'v')
      await store.put('b', 'v', { ttl: 9000 })
      await store.put('c', 'v', { ttl: 5000 })
      await store.put('d', 'v')
      assert.deepEqual(keysOf(store), ['a', 'b', 'd'], 'the first to expire goes first')
      await store.put('e', 'v')
      await assert.rejects(store.put('f', 'v'), (error) => hasCode(error, 'store.cache_full'))
      assert.deepEqual(keysOf(store), ['a', 'd', 'e'])
    },
    roomFor(3, { cachePolicy: 'ttl', cacheKeys: 'expiring' }),
  )

  storeTest(
    'what is due goes before what is not, though the timer has not run',
    async ({ store, clock }) => {
      await store.put('a', 'v')
      await store.put('b', 'v', { ttl: 1000 })
      await store.put('c', 'v')
      clock.stepWall(2000)
      await store.put('d', 'v')
      assert.deepEqual(keysOf(store), ['a', 'c', 'd'])
      assert.deepEqual([cacheOf(store).evictions, store.stats().keysExpired], [0, 1])
    },
    roomFor(3),
  )

  storeTest(
    'what was there is counted when the store is opened, and what is too much goes',
    async (setup) => {
      await putAll(setup.store, 'abcdefgh')
      await setup.store.close()
      setup.store = await setup.open()
      assert.equal(cacheOf(setup.store).isCounted, false)
      await setup.store.put('z', 'v')
      const { entries, bytes, bytesMax } = await counted(setup)
      assert.deepEqual([entries, bytes], [9, 9 * cachedBytes(1, 1)])
      assert.ok(bytes < bytesMax)
      await setup.store.delete('h')
      assert.equal(cacheOf(setup.store).entries, 8)
    },
    roomFor(12),
  )

  storeTest(
    'what a server keeps under a key is counted, and does not go; a deleted range is counted out',
    async ({ store }) => {
      const { owner } = store
      owner.beginTurn()
      owner.write([putChange(0, encodeText('a'), encodeText('h'), { tag: 3 })])
      await putAll(store, 'bcd')
      assert.deepEqual(keysOf(store), ['a', 'c', 'd'])
      owner.beginTurn()
      owner.write([deleteRangeChange(0, encodeText('b'), encodeText('d'))])
      await store.flush()
      assert.deepEqual([keysOf(store), cacheOf(store).entries], [['a', 'd'], 2])
      owner.write([deleteRangeChange(0, new Uint8Array(0))])
      await store.flush()
      const { entries, bytes, evictableBytes } = cacheOf(store)
      assert.deepEqual([entries, bytes, evictableBytes], [0, 0, 0])
    },
    roomFor(3),
  )

  storeTest(
    'a transaction that read what is evicted meanwhile runs again',
    async ({ store }) => {
      await putAll(store, 'abc')
      const seen: (string | undefined)[] = []
      await store.transact(async (tx) => {
        seen.push(tx.get('a') && 'there')
        if (seen.length === 1) await putAll(store, 'x')
        tx.put('c', seen.join())
      })
      assert.deepEqual(seen, ['there', undefined])
    },
    roomFor(3),
  )

  storeTest(
    'of a key that a batch writes more than once the last counts, and no more goes in than that leaves room for',
    async ({ store }) => {
      await store.put('a', 'v')
      await store.put('b', 'v')
      const larger = 'x'.repeat(cachedBytes(1, 1))
      await assert.rejects(store.batch().delete('a').put('a', larger).put('c', 'v').commit(), (error) =>
        hasCode(error, 'store.cache_full'),
      )
      await assert.rejects(store.batch().delete('a').delete('a').put('c', larger.repeat(2)).commit(), (error) =>
        hasCode(error, 'store.cache_full'),
      )
      await store.batch().put('c', 'v').put('c', 'w').put('c', 'x').commit()
      assert.equal(cacheOf(store).bytes, cacheOf(store).bytesMax)
    },
    roomFor(3, { cachePolicy: 'none' }),
  )

  storeTest(
    'a write that is larger than the cache is refused, and costs no other key its place',
    async ({ store }) => {
      await putAll(store, 'abc')
      await assert.rejects(store.put('d', 'x'.repeat(3 * cachedBytes(1, 1))), (error) =>
        hasCode(error, 'store.cache_full'),
      )
      assert.deepEqual(keysOf(store), ['a', 'b', 'c'])
    },
    roomFor(3),
  )

  storeTest(
    'of many that are due all go before one that is not',
    async ({ store, clock }) => {
      await store.put('a', 'v')
      const batch = store.batch()
      for (let i = 0; i < 190; i++) batch.put(`${100 + i}`, 'v', { ttl: 1000 })
      await batch.commit()
      clock.stepWall(2000)
      await store.put('b', 'x'.repeat(150 * cachedBytes(1, 1)))
      assert.deepEqual([keysOf(store), cacheOf(store).evictions], [['a', 'b'], 0])
    },
    roomFor(200),
  )

  storeTest(
    'where no key may go, what is due makes room nonetheless',
    async ({ store, clock }) => {
      await putAll(store, 'ab')
      await store.put('c', 'v', { ttl: 1000 })
      clock.stepWall(2000)
      await store.put('d', 'v')
      assert.deepEqual([keysOf(store), cacheOf(store).refusals], [['a', 'b', 'd'], 0])
    },
    roomFor(3, { cachePolicy: 'none' }),
  )

  storeTest(
    'a deleted range takes what stood in it and what its batch put there before, and no more',
    async ({ store }) => {
      await putAll(store, 'abcd')
      const put = (key: string) => putChange(0, encodeText(key), encodeText('v'))
      store.owner.beginTurn()
      store.owner.write([put('ba'), put('x'), deleteRangeChange(0, encodeText('b'), encodeText('d')), put('c')])
      await store.flush()
      assert.deepEqual(keysOf(store), ['a', 'c', 'd', 'x'])
      assert.deepEqual([cacheOf(store).entries, cacheOf(store).bytes], [4, 4 * cachedBytes(1, 1)])
      store.owner.write([deleteRangeChange(0, encodeText('c'))])
      await store.flush()
      assert.deepEqual([keysOf(store), cacheOf(store).entries], [['a'], 1])
    },
    roomFor(9),
  )

  storeTest(
    'after all keys were deleted by one record it goes on as a new one',
    async ({ store }) => {
      await putAll(store, 'abc')
      store.owner.beginTurn()
      store.owner.write([deleteRangeChange(0, new Uint8Array(0))])
      await putAll(store, 'efgh')
      assert.ok(keysOf(store).includes('h'))
      assert.deepEqual([cacheOf(store).entries, keysOf(store).length, cacheOf(store).evictions], [3, 3, 1])
    },
    roomFor(3, { cachePolicy: 'w-tinylfu' }),
  )

  storeTest('a store becomes a cache, a smaller one, another one, and none again, while it is used', async (setup) => {
    const { store } = setup
    await putAll(store, 'abcdef')
    const bytesMax = 5 * cachedBytes(1, 1)
    store.changeCache({ bytesMax, policy: 'lru', keys: 'all' })
    assert.equal((await counted(setup)).entries, 5)
    assert.deepEqual(keysOf(store), ['b', 'c', 'd', 'e', 'f'])
    store.get('b')
    store.changeCache({ bytesMax: 2 * cachedBytes(1, 1), policy: 'lru', keys: 'all' })
    await store.flush()
    assert.deepEqual(keysOf(store), ['b', 'f'], 'a smaller one knows what was used')
    assert.equal(store.isCacheFull, false)
    store.changeCache({ bytesMax: 2 * cachedBytes(1, 1), policy: 'none', keys: 'all' })
    const { entries, evictions, hits } = await counted(setup)
    assert.deepEqual([entries, evictions, hits], [2, 4, 1], 'the totals go on')
    assert.equal(store.isCacheFull, true)
    await assert.rejects(store.put('g', 'v'), (error) => hasCode(error, 'store.cache_full'))
    assert.throws(
      () => store.changeCache({ bytesMax: -1, policy: 'lru', keys: 'all' }),
      (error) => hasCode(error, 'config.invalid'),
    )
    store.changeCache({ bytesMax: 0, policy: 'lru', keys: 'all' })
    await putAll(store, 'ghi')
    assert.deepEqual([keysOf(store).length, 'cache' in store.stats(), store.isCacheFull], [5, false, false])
  })
})
