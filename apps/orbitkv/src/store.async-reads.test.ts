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
    () => people.get(1),
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
