/** Leases: keys that go together, when nobody renews what carries them. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { decodeText, encodeText } from '@orbitkv/bytes'
import { deleteRangeChange } from '@orbitkv/engine'
import { jsonOf, type Store, utf8, type WatchChange } from './index.ts'
import { dueKeyspace, keysOf, read, type Setup, storeTest, turn } from './store-suite.ts'

/** The keyspace of the keys that leases carry (storage/store/src/keyspaces.ts). */
const leasedKeyspace = 3
const hour = 3_600_000

const keysOfLease = (store: Store, id: number): string[] => store.leases.keys(id).map((key) => decodeText(key))

async function pass({ clock }: Setup, ms: number): Promise<void> {
  await clock.advanceAwaiting(ms)
}

describe('leases', () => {
  storeTest('carry many keys, which go in one revision when it ends', async (setup) => {
    const { store } = setup
    const id = await store.leases.grant(1000)
    await store.put('a', '1', { lease: id })
    await store.batch().put('b', '2', { lease: id }).put('c', '3').commit()
    assert.deepEqual(keysOfLease(store, id), ['a', 'b'])
    const watch = store.watch({ previous: true })
    await pass(setup, 999)
    assert.deepEqual(keysOf(store), ['a', 'b', 'c'])
    assert.equal(store.leases.timeLeft(id), 1)
    await pass(setup, 1)
    assert.deepEqual(keysOf(store), ['c'])
    assert.equal(store.leases.timeLeft(id), undefined)
    assert.deepEqual([store.stats().leasesHeld, store.owner.count(leasedKeyspace)], [0, 0])
    const seen: (WatchChange | undefined)[] = [(await watch.next()).value, (await watch.next()).value]
    assert.deepEqual(
      seen.map((change) => [change?.kind, change?.revision, change?.lease, change?.last]),
      [
        ['expire', 3, id, false],
        ['expire', 3, id, true],
      ],
    )
  })

  storeTest('last as long as they are renewed, and then for their time to live', async (setup) => {
    const { store } = setup
    const id = await store.leases.grant(1000)
    await store.put('k', 'v', { lease: id })
    for (let i = 0; i < 10; i++) {
      await pass(setup, 900)
      assert.equal(await store.leases.keepAlive(id), 1000)
      assert.equal(store.leases.timeLeft(id), 1000)
    }
    await pass(setup, 999)
    assert.equal(read(store, 'k'), 'v')
    await pass(setup, 1)
    assert.equal(read(store, 'k'), undefined)
    await assert.rejects(store.leases.keepAlive(id), { code: 'store.no_such_lease' })
  })

  storeTest('granting and renewing takes no revision, and a renewal writes nothing', async ({ store }) => {
    const id = await store.leases.grant(1000)
    assert.equal(store.stats().revision, 0)
    const { appendedPosition } = store.stats()
    for (let i = 0; i < 100; i++) await store.leases.keepAlive(id)
    assert.deepEqual([store.stats().revision, store.stats().appendedPosition], [0, appendedPosition])
    await store.leases.revoke(id)
    assert.equal(store.stats().revision, 0, 'a lease without keys goes the same way')
  })

  storeTest('are revoked with their keys, in one revision', async ({ store }) => {
    const id = await store.leases.grant(hour, { id: 7 })
    assert.equal(id, 7)
    const batch = store.batch()
    for (let i = 0; i < 3000; i++) batch.put(`k${i}`, '', { lease: id })
    await batch.commit()
    const watch = store.watch({ key: 'k1' })
    const revoked = store.leases.revoke(id)
    await assert.rejects(store.put('late', '', { lease: id }), { code: 'store.no_such_lease' })
    await revoked
    assert.deepEqual([keysOf(store), store.stats().revision], [[], 2])
    assert.equal((await watch.next()).value?.kind, 'delete')
    await assert.rejects(store.leases.revoke(id), { code: 'store.no_such_lease' })
    await store.leases.grant(hour, { id })
    assert.deepEqual(keysOfLease(store, id), [])
  })

  storeTest('with very many keys they go in several batches, all of them', async (setup) => {
    const { store, clock } = setup
    const id = await store.leases.grant(1000)
    for (let part = 0; part < 5; part++) {
      const batch = store.batch()
      for (let i = 0; i < 2000; i++) batch.put(`k${part}-${i}`, '', { lease: id })
      await batch.commit()
    }
    const { revision } = store.stats()
    clock.advance(1000)
    assert.ok(store.stats().leasesHeld === 1 && store.leases.timeLeft(id) === undefined, 'it is ending')
    await clock.advanceAwaiting(10)
    while (store.stats().leasesHeld > 0) await turn()
    // It is gone with its last batch, which is published a little later.
    await store.flush()
    assert.deepEqual([keysOf(store), store.stats().revision - revision], [[], 3])
  })

  storeTest('transactions and keyspaces put with a lease as well', async ({ store, reopen }) => {
    const lease = await store.leases.grant(hour)
    const users = store.keyspace('users', { key: utf8, value: jsonOf<number>() })
    await store.transact((tx) => {
      tx.put('raw', '', { lease })
      users.in(tx).put('in a transaction', 1, { lease })
    })
    await users.put('alone', 1, { lease })
    await users.batch().put('in a batch', 1, { lease }).commit()
    await users.put('counter', 1, { lease })
    await users.increment('counter')
    await users.put('freed', 1, { lease })
    await users.merge('freed', () => 2, { lease: 0 })
    await store.transact((tx) => tx.put('raw', 'again', { lease }))
    const again = await reopen()
    const those = again.keyspace('users', { key: utf8, value: jsonOf<number>() })
    await again.leases.revoke(lease)
    assert.deepEqual(keysOf(again), [])
    assert.deepEqual(
      Array.from(those.range(), ({ key, value }) => [key, value]),
      [['freed', 2]],
    )
    const refused = { code: 'store.no_such_lease', details: { id: lease } }
    await assert.rejects(
      again.transact((tx) => tx.put('late', '', { lease })),
      refused,
    )
    await assert.rejects(those.put('late', 1, { lease }), refused)
    await assert.rejects(those.batch().put('late', 1, { lease }).commit(), refused)
    for (const wrong of [-1, 1.5, Number.NaN, '7' as never]) {
      const code = { code: 'store.no_such_lease' }
      await assert.rejects(
        again.transact((tx) => tx.put('k', '', { lease: wrong })),
        code,
      )
      await assert.rejects(those.put('k', 1, { lease: wrong }), code)
    }
    assert.deepEqual(keysOf(again), [])
  })

  storeTest('a key leaves its lease when it is overwritten, deleted, or put with another', async (setup) => {
    const { store } = setup
    const one = await store.leases.grant(1000)
    const other = await store.leases.grant(5000)
    for (const key of ['kept', 'gone', 'moved', 'back']) await store.put(key, '1', { lease: one })
    await store.put('kept', '2')
    await store.delete('gone')
    await store.put('moved', '2', { lease: other })
    await store.batch().put('back', '2').put('back', '3', { lease: one }).commit()
    assert.deepEqual([keysOfLease(store, one), keysOfLease(store, other)], [['back'], ['moved']])
    await pass(setup, 1000)
    assert.deepEqual(keysOf(store), ['kept', 'moved'])
    assert.equal(store.owner.count(leasedKeyspace), 1)
  })

  storeTest('a key may have a lease and a time to live: what ends first ends it', async (setup) => {
    const { store } = setup
    const id = await store.leases.grant(1000)
    await store.put('short', '', { lease: id, ttl: 500 })
    await store.put('long', '', { lease: id, ttl: 5000 })
    await pass(setup, 500)
    assert.deepEqual(keysOf(store), ['long'])
    assert.deepEqual(keysOfLease(store, id), ['long'])
    await pass(setup, 500)
    assert.deepEqual(keysOf(store), [])
    assert.deepEqual([store.owner.count(leasedKeyspace), store.owner.count(dueKeyspace)], [0, 0])
  })

  storeTest('a range that is deleted takes keys from their lease', async (setup) => {
    const { store } = setup
    const id = await store.leases.grant(1000)
    await store.put('a', '1', { lease: id })
    await store.put('b', '1', { lease: id })
    store.owner.beginTurn()
    store.owner.write([deleteRangeChange(0, encodeText(''))])
    store.owner.settle(() => {})
    await store.put('a', '2')
    assert.deepEqual(keysOfLease(store, id), [])
    await pass(setup, 1000)
    assert.deepEqual(keysOf(store), ['a'])
    assert.equal(store.owner.count(leasedKeyspace), 0)
  })

  storeTest('no step of the wall clock moves their end', async (setup) => {
    const { store, clock } = setup
    const id = await store.leases.grant(10_000)
    await store.put('k', 'v', { lease: id })
    clock.stepWall(10 * hour)
    await pass(setup, 5000)
    clock.stepWall(-20 * hour)
    await pass(setup, 4999)
    assert.equal(read(store, 'k'), 'v')
    await pass(setup, 1)
    assert.equal(read(store, 'k'), undefined)
  })

  storeTest('go on from what they had left when the store is closed and opened', async (setup) => {
    const { store, clock } = setup
    const id = await store.leases.grant(10_000)
    await store.put('k', 'v', { lease: id })
    await pass(setup, 4000)
    await store.close()
    clock.advance(hour)
    const again = await setup.open()
    assert.equal(again.leases.timeLeft(id), 6000, 'the time that it was closed does not count')
    assert.equal(again.leases.ttl(id), 10_000)
    await pass(setup, 5000)
    assert.equal(await again.leases.keepAlive(id), 10_000)
    await pass(setup, 9999)
    assert.equal(read(again, 'k'), 'v')
    await pass(setup, 1)
    assert.equal(read(again, 'k'), undefined)
  })

  storeTest('after a power cut they have all of their time again, so that none ends early', async (setup) => {
    const { store, clock, disk } = setup
    const id = await store.leases.grant(10_000)
    await store.put('k', 'v', { lease: id })
    await pass(setup, 9000)
    await store.leases.keepAlive(id)
    disk.crash({ mode: 'drop-all' })
    await Promise.allSettled([store.close()])
    clock.advance(5)
    const again = await setup.open()
    assert.equal(again.leases.timeLeft(id), 10_000)
    await pass(setup, 10_000)
    assert.deepEqual([keysOf(again), again.stats().leasesHeld], [[], 0])
  })

  storeTest('a renewal of what was written down as shorter waits for the log to say better', async (setup) => {
    const { store, clock, disk } = setup
    const id = await store.leases.grant(10_000)
    await store.put('k', 'v', { lease: id })
    clock.advance(9000)
    const again = await setup.reopen()
    const hold = disk.holdSyncs()
    let isRenewed = false
    const renewals = [again.leases.keepAlive(id), again.leases.keepAlive(id)]
    void Promise.any(renewals).then(() => {
      isRenewed = true
    })
    await turn()
    assert.equal(isRenewed, false)
    hold.release()
    await Promise.all(renewals)
    disk.crash({ mode: 'drop-all' })
    await Promise.allSettled([again.close()])
    assert.equal((await setup.open()).leases.timeLeft(id), 10_000)
  })

  storeTest('a long one that is not renewed is written down every five minutes', async (setup) => {
    const { store, clock, disk } = setup
    const long = await store.leases.grant(hour)
    const renewed = await store.leases.grant(hour)
    const late = await store.leases.grant(hour)
    for (let minute = 0; minute < 32; minute++) {
      clock.advance(60_000)
      await turn()
      if (minute < 30) await store.leases.keepAlive(renewed)
    }
    await store.leases.keepAlive(late)
    disk.crash({ mode: 'drop-all' })
    await Promise.allSettled([store.close()])
    const { leases } = await setup.open()
    assert.equal(leases.timeLeft(long), hour - 30 * 60_000)
    assert.equal(leases.timeLeft(late), hour, 'what was written down as shorter, and then renewed')
    assert.equal(leases.timeLeft(renewed), hour)
  })

  storeTest('one that was ending when the power went goes on ending', async (setup) => {
    const { store, disk } = setup
    const id = await store.leases.grant(hour)
    for (let part = 0; part < 3; part++) {
      const batch = store.batch()
      for (let i = 0; i < 2000; i++) batch.put(`k${part}-${i}`, '', { lease: id })
      await batch.commit()
    }
    void store.leases.revoke(id).catch(() => {})
    // The first of two batches of deletes is on the disk, the second is not.
    await store.flush()
    disk.crash({ mode: 'drop-all' })
    await Promise.allSettled([store.close()])
    const again = await setup.open()
    assert.ok(keysOf(again).length > 0)
    assert.equal(again.leases.timeLeft(id), undefined)
    await assert.rejects(again.put('k', '', { lease: id }), { code: 'store.no_such_lease' })
    await setup.clock.advanceAwaiting(10)
    assert.deepEqual([keysOf(again), again.stats().leasesHeld], [[], 0])
  })

  storeTest('bad arguments are refused by name', async ({ store }) => {
    const { leases } = store
    for (const ttl of [0, -1, 1.5, Number.NaN]) await assert.rejects(leases.grant(ttl), { code: 'store.bad_ttl' })
    for (const id of [0, -1, 1.5, 2 ** 53])
      await assert.rejects(leases.grant(1, { id }), { code: 'store.bad_argument' })
    await leases.grant(1000, { id: 5 })
    await assert.rejects(leases.grant(1000, { id: 5 }), { code: 'store.lease_exists', details: { id: 5 } })
    await assert.rejects(store.put('k', '', { lease: 6 }), { code: 'store.no_such_lease', details: { id: 6 } })
    assert.throws(() => store.batch().put('k', '', { lease: -1 }), { code: 'store.no_such_lease' })
    assert.deepEqual(leases.ids(), [5])
    await store.close()
    await assert.rejects(leases.grant(1000), { code: 'store.closed' })
    await assert.rejects(leases.keepAlive(5), { code: 'store.closed' })
    await assert.rejects(leases.revoke(5), { code: 'store.closed' })
  })
})
