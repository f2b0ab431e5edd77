/** The async door: each read has a form that gives the same, reads nothing on the loop, and lets it turn. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { jsonOf, open, type RangeOptions, type Store, u32 } from './index.ts'
import { smallSegments, storeTest } from './store-suite.ts'

const keyOf = (i: number): string => `key-${String(i).padStart(4, '0')}`
const items = {
  key: u32,
  value: jsonOf<{ size: number }>(),
  indexes: { bySize: { by: (item: { size: number }) => item.size } },
}

/** Enough that most of it lies in sealed segments. */
async function fill(store: Store): Promise<void> {
  for (let from = 0; from < 1000; from += 100) {
    const batch = store.batch()
    const typed = store.keyspace('items', items).batch(batch)
    for (let i = from; i < from + 100; i++) {
      batch.put(keyOf(i), `value ${i}`)
      typed.put(i, { size: i % 10 })
    }
    await batch.commit()
  }
}

async function collect<Item>(found: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const one of found) all.push(one)
  return all
}

describe('async reads', () => {
  storeTest('give what the others give, from a disk that is not in memory', async ({ store, disk, clock }) => {
    await fill(store)
    await store.put('expired', 'x', { ttl: 10 })
    clock.stepWall(10)
    const snapshot = store.snapshot()
    await store.delete(keyOf(1))
    const ranges: RangeOptions[] = [
      {},
      { prefix: 'key-01' },
      { gt: keyOf(5), lte: keyOf(60), reverse: true },
      { limit: 0 },
      { limit: 5 },
    ]
    const keys = [keyOf(1), 'nothing', keyOf(999), 'expired']
    for (const reader of [store, snapshot]) {
      for (const range of ranges) {
        const expected = [...reader.range(range)]
        disk.readsAreResident = false
        disk.counts.reads = 0
        assert.deepEqual(await collect(reader.rangeAsync(range)), expected)
        assert.ok(disk.counts.reads > 0 || range.limit === 0, 'it went to the disk')
        disk.readsAreResident = true
      }
      const expected = reader.getMany(keys)
      disk.readsAreResident = false
      assert.deepEqual(await reader.getManyAsync(keys), expected)
      for (const key of keys) assert.equal(await reader.hasAsync(key), reader.has(key))
      disk.readsAreResident = true
    }
    snapshot.close()
    const typed = store.keyspace('items', items)
    disk.readsAreResident = false
    assert.deepEqual(await collect(typed.rangeAsync({ gte: 7, lt: 100 })), [...typed.range({ gte: 7, lt: 100 })])
    assert.deepEqual(await typed.getManyAsync([3, 4000]), [{ size: 3 }, undefined])
    assert.equal((await typed.hasAsync(3)) && !(await typed.hasAsync(4000)), true)
    const found = await collect(typed.index('bySize').rangeAsync({ gte: 3, lt: 5, limit: 150 }))
    assert.deepEqual(found, [...typed.index('bySize').range({ gte: 3, lt: 5, limit: 150 })])
    assert.equal(found.length, 150)
    disk.readsAreResident = true
  })

  storeTest('of a transaction give what its others give, own writes among it', async ({ store, disk }) => {
    await fill(store)
    await store.transact(async (tx) => {
      const typed = store.keyspace('items', items).in(tx)
      for (const i of [3, 30, 300]) {
        tx.put(`${keyOf(i)}+`, 'between')
        tx.put(keyOf(i + 1), 'instead')
        tx.delete(keyOf(i + 2))
        typed.put(i, { size: 20 })
        typed.delete(i + 1)
      }
      for (const range of [{}, { prefix: 'key-00' }, { gte: keyOf(4), reverse: true, limit: 40 }, { limit: 0 }]) {
        const expected = [...tx.range(range)]
        disk.readsAreResident = false
        assert.deepEqual(await collect(tx.rangeAsync(range)), expected)
        disk.readsAreResident = true
      }
      const keys = [keyOf(4), keyOf(5), 'nothing', keyOf(999)]
      const values = tx.getMany(keys)
      const entries = [...typed.range({ lt: 400 })]
      const bySize = [...typed.index('bySize').range({ gte: 3 })]
      disk.readsAreResident = false
      assert.deepEqual(await tx.getManyAsync(keys), values)
      for (const [i, key] of keys.entries()) assert.equal(await tx.hasAsync(key), values[i] !== undefined)
      assert.deepEqual(await collect(typed.rangeAsync({ lt: 400 })), entries)
      assert.deepEqual(await typed.getManyAsync([3, 4]), [{ size: 20 }, undefined])
      assert.equal(await typed.hasAsync(31), false)
      assert.deepEqual(await collect(typed.index('bySize').rangeAsync({ gte: 3 })), bySize)
      assert.equal((await typed.index('bySize').getAsync(20))?.key, 3)
      disk.readsAreResident = true
    })
    assert.deepEqual(store.get(keyOf(4)), new Uint8Array(Buffer.from('instead')))
  })

  storeTest('of a transaction count as read: who puts a key into the range makes it run again', async ({ store }) => {
    await fill(store)
    const counts: number[] = []
    await store.transact(async (tx) => {
      counts.push((await collect(tx.rangeAsync({ prefix: 'key-00' }))).length)
      if (counts.length === 1) await store.put('key-00x', 'by another')
      tx.put('count', `${counts.at(-1)}`)
    })
    assert.deepEqual(counts, [100, 101])
    // One that began as if it ran alone goes on at what is published, and sees no more of what it saw unpublished.
    const unawaited = store.put('key-00y', 'not published yet')
    const seen = await store.transact((tx) => collect(tx.rangeAsync({ prefix: 'key-00' })))
    assert.ok(seen.length === 101 || seen.length === 102)
    await unawaited
  })

  storeTest('of a transaction end by name once it has ended', async ({ store }) => {
    await fill(store)
    let left: AsyncIterator<unknown> | undefined
    await store.transact(async (tx) => {
      left = tx.rangeAsync()[Symbol.asyncIterator]()
      await left.next()
    })
    await assert.rejects(left?.next() as Promise<unknown>, { code: 'store.transaction_ended' })
  })

  storeTest('let the loop turn, and go on rightly while others write', async ({ store }) => {
    await fill(store)
    let turns = 0
    let isWalking = true
    const count = (): void => {
      turns++
      if (isWalking) setImmediate(count)
    }
    count()
    const seen: string[] = []
    for await (const { key } of store.rangeAsync()) {
      seen.push(Buffer.from(key).toString())
      if (seen.length % 100 === 0) await store.delete(keyOf(seen.length + 50))
    }
    isWalking = false
    assert.ok(turns > 3)
    const left = Array.from({ length: 1000 }, (_, i) => i).filter((i) => i % 100 !== 50 || i === 50)
    assert.deepEqual(seen, left.map(keyOf))
  })

  storeTest('end by name when the store or the snapshot is closed meanwhile', async ({ store }) => {
    await fill(store)
    const snapshot = store.snapshot()
    const ofSnapshot = snapshot.rangeAsync()[Symbol.asyncIterator]()
    const ofStore = store.rangeAsync()[Symbol.asyncIterator]()
    const ofIndex = store.keyspace('items', items).index('bySize').rangeAsync()[Symbol.asyncIterator]()
    for (const iterator of [ofSnapshot, ofStore, ofIndex]) assert.equal((await iterator.next()).done, false)
    snapshot.close()
    await assert.rejects(ofSnapshot.next(), { code: 'store.snapshot_closed' })
    await store.close()
    await assert.rejects(ofStore.next(), { code: /closed$/ })
    await assert.rejects(ofIndex.next(), { code: /closed$/ })
  })
})

/** Time goes on by so much whenever it is asked for. */
class SlowClock extends SimulatedClock {
  stepMs = 0
  #passedMs = 0

  override monotonic(): number {
    this.#passedMs += this.stepMs
    return super.monotonic() + this.#passedMs
  }
}

test('stats tell the longest that a read held up the loop: one in 128 is measured, all after a slow one', async () => {
  const clock = new SlowClock()
  const store = await open('/store', { ...smallSegments, disk: new SimulatedDisk(), clock })
  await store.put('a', '1')
  const people = store.keyspace('people', { key: u32, value: jsonOf<number>() })
  await people.put(1, 1)
  const longest = (): number => store.stats().longestReadMs
  const reads = [
    () => store.get('a'),
    () => store.view('a', () => 1),
    () => store.has('a'),
    () => store.getMany(['a', 'b']),
    () => [...store.range()].length,
    () => people.get(1),
    () => people.view(1, () => 1),
    () => people.has(1),
    () => people.getMany([1]),
    () => [...people.range()].length,
    () => void store.transact((tx) => tx.get('a')),
    () => void store.transact((tx) => [...tx.range()].length),
  ]
  assert.equal(longest(), 0)
  for (const [i, read] of reads.entries()) {
    // So many that one is measured, and that the last slow one is forgotten.
    clock.stepMs = 0
    for (let n = 0; n < 300; n++) store.get('a')
    clock.stepMs = i + 1
    for (let n = 0; n < 128; n++) read()
    assert.ok(longest() >= i + 1)
  }
  clock.stepMs = 1000
  await store.getAsync('a')
  await store.getManyAsync(['a'])
  await store.hasAsync('a')
  assert.ok(longest() < 1000, 'what waits off the loop does not count')
  store.has('a')
  assert.equal(longest(), 1000, 'after a slow one every one is measured')
  await store.close()
})
