/** Compaction as a user sees it: the store stays small, answers stay right, and what cannot be done is said. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { decodeText } from '@orbitkv/bytes'
import type { Store } from './index.ts'
import { entriesOf, stateOf, storeTest, turn } from './store-suite.ts'

const keys = 40
const value = 'v'.repeat(200)
/** What the newest values of all keys take on the disk, about. */
const liveBytes = keys * 280
const eager = { historyMs: 0, garbageBytesMin: 1, durability: 'none' } as const

async function overwrite(store: Store, rounds: number, between: () => Promise<void> | void = () => {}): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (let key = 0; key < keys; key++) await store.put(`key:${key}`, `${round}:${value}`)
    await between()
  }
}

function firstUint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
}

describe('compaction', () => {
  storeTest(
    'a store that is overwritten again and again stays small, and right',
    async ({ store, clock, reopen }) => {
      await overwrite(store, 60, () => clock.advanceAwaiting(1000))
      const { diskBytes, details } = store.stats()
      assert.ok(Number(details.compactions) > 0, 'it was compacted')
      assert.ok(diskBytes < 4 * liveBytes + 3 * 16 * 1024, `${diskBytes} bytes on the disk`)
      const before = entriesOf(store)
      assert.equal(before.length, keys)
      assert.ok(before.every(([, stored]) => stored === `59:${value}`))
      assert.deepEqual(entriesOf(await reopen()), before)
    },
    { settings: eager },
  )

  storeTest(
    'a writer that never lets the event loop turn does not outrun it',
    async ({ store }) => {
      await overwrite(store, 400)
      const { diskBytes, details } = store.stats()
      assert.ok(Number(details.compactions) > 0, 'it was compacted')
      assert.ok(diskBytes < 400 * liveBytes * 0.5, `${diskBytes} bytes on the disk`)
    },
    { settings: { ...eager, historyVersionsMax: 100 } },
  )

  storeTest(
    'a writer does not wait on and on while the disk keeps compaction waiting',
    async ({ store, disk, clock, reopen }) => {
      const held = disk.holdSyncs()
      const writing = overwrite(store, 400)
      for (let turns = 0; turns < 2000; turns++) await turn()
      assert.equal(await stateOf(writing), 'pending', 'it is held back')
      for (let ms = 0; ms < 120_000; ms += 500) {
        clock.advance(500)
        for (let turns = 0; turns < 3; turns++) await turn()
      }
      assert.equal(await stateOf(writing), 'resolved')
      held.release()
      assert.equal(entriesOf(await reopen()).length, keys)
    },
    { settings: { ...eager, historyVersionsMax: 100 } },
  )

  storeTest(
    'a writer that it holds back may use its buffers again at once',
    async ({ store }) => {
      const key = Buffer.alloc(4)
      const bytes = Buffer.alloc(200)
      for (let i = 0; i < 400 * keys; i++) {
        key.writeUInt32BE(i % keys)
        bytes.writeUInt32BE(i)
        const written = store.put(key, bytes)
        key.fill(0xff)
        bytes.fill(0xff)
        await written
      }
      const entries = Array.from(store.range(), (entry) => [firstUint32(entry.key), firstUint32(entry.value)])
      assert.deepEqual(
        entries,
        Array.from({ length: keys }, (_, key) => [key, 399 * keys + key]),
      )
    },
    { settings: { ...eager, historyVersionsMax: 100 } },
  )

  storeTest(
    'garbage that is not worth rewriting is left alone until there is more',
    async ({ store, clock }) => {
      await overwrite(store, 10)
      await store.compact()
      await store.put('key:0', 'garbage for one')
      await clock.advanceAwaiting(3000)
      let loopTurns = 0
      const { turn: turnOfClock } = clock
      clock.turn = () => {
        loopTurns++
        return turnOfClock.call(clock)
      }
      for (let turns = 0; turns < 100; turns++) await turn()
      assert.ok(store.stats().details.reclaimableBytes !== 0, 'there is garbage above the limit')
      assert.ok(loopTurns < 10, `${loopTurns} turns of the loop for nothing`)
    },
    { settings: { ...eager, garbagePercentMax: 1 } },
  )

  storeTest(
    'a store that is closed while it compacts says so, and is whole',
    async ({ store, clock, reopen }) => {
      await overwrite(store, 20)
      const before = entriesOf(store)
      const compacted = store.compact()
      const [again] = await Promise.all([reopen(), assert.rejects(compacted, { code: 'store.closed' })])
      assert.deepEqual(entriesOf(again), before)
      const underWay = again.compact()
      for (let turns = 0; turns < 3; turns++) await turn()
      await clock.advanceAwaiting(1)
      const [whole] = await Promise.all([reopen(), underWay])
      assert.deepEqual(entriesOf(whole), before)
    },
    { settings: { compaction: false } },
  )

  storeTest(
    'compact gives up history, but for what a snapshot holds',
    async ({ store }) => {
      await overwrite(store, 3)
      const revision = (await store.put('key:0', 'held')) as number
      const held = store.snapshot({ revision })
      await overwrite(store, 3)
      assert.ok((await store.compact()) > 0)
      assert.equal(decodeText(held.get('key:0') as Uint8Array), 'held')
      assert.equal(decodeText(store.get('key:0') as Uint8Array), `2:${value}`)
      assert.throws(() => store.snapshot({ revision: revision - 1 }).get('key:0'), { code: 'engine.compacted' })
      held.close()
      await store.compact()
      assert.equal(store.stats().versionsRetained, 0)
      assert.equal(entriesOf(store).length, keys)
    },
    { settings: { compaction: false } },
  )

  storeTest(
    'a range goes on rightly through a compaction',
    async ({ store }) => {
      await overwrite(store, 4)
      const seen: string[] = []
      for (const { key } of store.range()) {
        seen.push(decodeText(key))
        if (seen.length % 10 === 0) {
          await store.put('key:zz', String(seen.length))
          await store.compact()
        }
      }
      assert.deepEqual(seen.slice(0, keys), Array.from({ length: keys }, (_, i) => `key:${i}`).toSorted())
    },
    { settings: { compaction: false } },
  )

  storeTest(
    'deletes leave nothing behind once nobody can see what they deleted',
    async ({ store, reopen }) => {
      await overwrite(store, 2)
      for (let key = 0; key < keys; key++) await store.delete(`key:${key}`)
      await store.compact()
      await store.compact()
      assert.equal(store.stats().keysIndexed, 0)
      assert.equal(store.stats().details.sortedSegments, 0)
      assert.deepEqual(entriesOf(await reopen()), [])
    },
    { settings: { compaction: false } },
  )

  storeTest(
    'on a full disk it fails by name, and the store goes on',
    async ({ store, disk, clock }) => {
      await overwrite(store, 20)
      const filler = disk.open('/filler', 'create')
      filler.allocate(0, disk.freeBytes('/'))
      filler.close()
      await clock.advanceAwaiting(2000)
      for (let turns = 0; turns < 1000 && store.stats().compactionFailure === ''; turns++) await turn()
      assert.match(store.stats().compactionFailure, /no space/)
      assert.equal(entriesOf(store).length, keys)
      disk.remove('/filler')
      await overwrite(store, 20, () => clock.advanceAwaiting(1000))
      for (let turns = 0; turns < 10_000 && store.stats().compactionFailure !== ''; turns++) await turn()
      assert.equal(store.stats().compactionFailure, '')
      assert.equal(entriesOf(store).length, keys)
    },
    { settings: { ...eager, garbageBytesMin: 20_000 }, disk: { capacityBytes: 4 * 1024 * 1024 } },
  )
})
