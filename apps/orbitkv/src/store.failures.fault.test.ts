/** A disk that fails or fills up: what was acknowledged stays, what was not is never shown, and each refusal has its name. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { KiB } from '@orbitkv/base'
import type { Store } from './index.ts'
import { dueKeyspace, keysOf, read, type Setup, storeTest, turn } from './store-suite.ts'

/** Everything that a store whose log has failed must still do, and must refuse. */
async function assertPoisoned({ store, disk }: Setup, kept: readonly string[]): Promise<void> {
  disk.clearFaults()
  const refused = { code: 'engine.poisoned' }
  await assert.rejects(
    store.put('later', 'v'),
    refused,
    'a log that failed takes nothing, though the disk is well again',
  )
  await assert.rejects(store.batch().put('later', 'v').commit({ durability: 'none' }), refused)
  await assert.rejects(store.delete(kept[0] as string), refused)
  await assert.rejects(store.flush(), refused)
  assert.deepEqual(keysOf(store), kept)
  for (const key of kept) assert.equal(read(store, key), 'v')
  assert.deepEqual(await store.getAsync(kept[0] as string), store.get(kept[0] as string))
  const snapshot = store.snapshot()
  assert.deepEqual(keysOf(snapshot), kept)
  assert.notEqual(store.stats().details.poisoned, '')
  assert.equal(store.stats().appendedPosition, store.stats().publishedPosition, 'what was not published is taken back')
}

describe('a failing disk', () => {
  storeTest('a sync that fails refuses what waited for it, and everything from then on', async (setup) => {
    const { store, disk } = setup
    await store.put('also kept', 'v')
    await store.put('kept', 'v')
    disk.fail({ operation: 'sync', error: 'failed', pathEnd: '.log' })
    const failing = store.put('failing', 'v')
    const behind = store.put('behind', 'v', { durability: 'none' })
    const again = store.delete('also kept')
    await assert.rejects(failing, { code: 'engine.poisoned', message: /EIO/ })
    await assert.rejects(behind, { code: 'engine.poisoned' })
    await assert.rejects(again, { code: 'engine.poisoned' })
    await assertPoisoned(setup, ['also kept', 'kept'])
    await store.close()
    const reopened = await setup.open()
    // What was refused may have reached the disk all the same; what was acknowledged is there.
    assert.equal(read(reopened, 'kept'), 'v')
    await reopened.put('works', 'v')
    assert.equal(read(reopened, 'works'), 'v')
  })

  storeTest('a write that fails does as well, and what was written in part is not taken for whole', async (setup) => {
    const { store, disk } = setup
    await store.put('kept', 'v')
    disk.fail({ operation: 'write', error: 'failed', pathEnd: '.log', partialBytes: 40 })
    await assert.rejects(store.put('failing', 'v', { durability: 'none' }), { code: 'engine.poisoned' })
    await assertPoisoned(setup, ['kept'])
    await store.close()
    const reopened = await setup.open()
    assert.equal(reopened.stats().details.readOnly, '')
    assert.deepEqual(keysOf(reopened), ['kept'])
    await reopened.put('works', 'v')
  })

  storeTest('a delete of nothing is refused where what it saw is taken back', async ({ store, disk }) => {
    await store.put('k', 'v')
    disk.fail({ operation: 'sync', error: 'failed', pathEnd: '.log' })
    const first = store.delete('k')
    const second = store.delete('k')
    await assert.rejects(first, { code: 'engine.poisoned' })
    await assert.rejects(second, { code: 'engine.poisoned' }, 'false would say that the key is gone')
    assert.equal(read(store, 'k'), 'v')
  })

  storeTest(
    'a sync of the interval that fails is told to the next write',
    async ({ store, disk, clock }) => {
      await store.put('a', 'v')
      disk.fail({ operation: 'sync', error: 'failed', pathEnd: '.log' })
      await clock.advanceAwaiting(100)
      await assert.rejects(store.put('b', 'v'), { code: 'engine.poisoned' })
      assert.deepEqual(keysOf(store), ['a'])
    },
    { settings: { durability: 'interval' } },
  )

  storeTest('closing while the last sync fails says so, and the store is closed', async ({ store, disk, open }) => {
    await store.put('kept', 'v')
    disk.fail({ operation: 'sync', error: 'failed', pathEnd: '.log' })
    const failing = store.put('failing', 'v')
    const closing = store.close()
    await assert.rejects(failing, { code: 'engine.poisoned' })
    await assert.rejects(closing, { code: 'engine.poisoned' })
    assert.throws(() => store.get('kept'), { code: 'store.closed' })
    assert.equal(read(await open(), 'kept'), 'v')
  })

  storeTest('keys that fall due on a failed log are hidden and stay where they are', async ({ store, disk, clock }) => {
    await store.put('due', 'v', { ttl: 1000 })
    disk.fail({ operation: 'sync', error: 'failed', pathEnd: '.log' })
    await assert.rejects(store.put('failing', 'v'), { code: 'engine.poisoned' })
    await clock.advanceAwaiting(10_000)
    assert.equal(store.get('due'), undefined)
    assert.equal(store.stats().keysExpired, 0)
  })

  storeTest(
    'too many open files when a segment is full: the write is refused, the next one works',
    async ({ store, disk }) => {
      disk.fail({ operation: 'open', error: 'too_many_open_files', pathEnd: '.log' })
      let refused = 0
      for (let i = 0; i < 40; i++) {
        const done = await store.put(`k${i}`, 'v'.repeat(1000)).catch((error: unknown) => {
          assert.equal((error as { code?: unknown }).code, 'disk.too_many_open_files')
          refused++
        })
        assert.equal(store.has(`k${i}`), done !== undefined)
      }
      assert.equal(refused, 1)
      assert.equal(keysOf(store).length, 39)
    },
  )

  storeTest('a damaged store opens for reading, says what is wrong, and its timers leave it alone', async (setup) => {
    const { store, disk, clock } = setup
    await store.put('due', 'v', { ttl: 1000 })
    for (let i = 0; i < 100; i++) await store.put(`k${i}`, 'v'.repeat(500))
    await store.close()
    disk.flipBit('/store/log-00/0000000002.log', 3000, 1)
    const damaged = await setup.open()
    assert.match(String(damaged.stats().details.readOnly), /0000000002\.log is damaged at byte \d+/)
    await assert.rejects(damaged.put('k', 'v'), { code: 'engine.read_only' })
    await assert.rejects(damaged.delete('k1'), { code: 'engine.read_only' })
    await damaged.flush()
    await assert.rejects(damaged.put('k', 'v'), { code: 'engine.read_only' }, 'a flush of nothing changes nothing')
    assert.equal(read(damaged, 'due'), 'v')
    await clock.advanceAwaiting(60_000)
    assert.equal(damaged.get('due'), undefined)
    assert.equal(read(damaged, 'k99'), 'v'.repeat(500))
    assert.ok(keysOf(damaged).length >= 99)
    const { faults } = await damaged.verify()
    assert.deepEqual([faults.length, faults[0]?.file], [1, '/store/log-00/0000000002.log'])
    await damaged.close()
  })
})

describe('a full disk', () => {
  const capacityBytes = 512 * KiB
  const options = {
    settings: { segmentBytes: 64 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 64 * KiB },
    disk: { capacityBytes },
  }

  /** Puts until there is no space; returns the keys that are there. */
  async function fill(store: Store): Promise<string[]> {
    const keys: string[] = []
    for (let i = 0; ; i++) {
      const key = `k${String(i).padStart(5, '0')}`
      try {
        await store.put(key, 'v'.repeat(1000), { durability: i % 10 === 0 ? 'always' : 'none' })
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'engine.full')
        assert.ok(i > 50, `${i} writes went in`)
        return keys
      }
      keys.push(key)
    }
  }

  /** Another's file, that can be removed again. */
  function takeSpace({ disk }: Setup, bytes: number): void {
    const file = disk.open('/another', 'create')
    file.write(new Uint8Array(bytes), 0, bytes, 0)
    file.close()
  }

  storeTest(
    'puts are refused by name, reads served, and every delete works',
    async (setup) => {
      const { store } = setup
      const keys = await fill(store)
      await assert.rejects(store.put('one more', 'v'.repeat(5000)), { code: 'engine.full', retry: 'later' })
      assert.deepEqual(keysOf(store), keys)
      assert.equal(read(store, 'k00000'), 'v'.repeat(1000))
      for (const key of keys) assert.equal(await store.delete(key), true)
      assert.deepEqual(keysOf(store), [])
      await assert.rejects(store.put('k', 'v'.repeat(5000)), { code: 'engine.full' })
      const again = await setup.reopen()
      assert.deepEqual(keysOf(again), [])
      assert.equal(again.stats().details.readOnly, '')
    },
    options,
  )

  storeTest(
    'puts work again once space is free, without opening anew',
    async (setup) => {
      const { store, disk } = setup
      takeSpace(setup, 256 * KiB)
      const keys = await fill(store)
      await store.delete(keys[0] as string)
      disk.remove('/another')
      await store.put('back', 'v'.repeat(5000))
      assert.equal(read(store, 'back'), 'v'.repeat(5000))
      // The reserve is held again: it serves a second time.
      takeSpace(setup, disk.freeBytes('/') - 16 * KiB)
      const more = await fillAgain(store)
      for (const key of more) await store.delete(key)
      assert.equal(store.stats().details.poisoned, '')
    },
    options,
  )

  async function fillAgain(store: Store): Promise<string[]> {
    const keys: string[] = []
    for (let i = 0; i < 1000; i++) {
      const done = await store.put(`m${i}`, 'v'.repeat(1000)).catch((error: unknown) => error)
      if (typeof done !== 'number') {
        assert.equal((done as { code?: unknown }).code, 'engine.full')
        return keys
      }
      keys.push(`m${i}`)
    }
    return assert.fail('the disk is never full')
  }

  storeTest(
    'the store closes and opens on it, and serves what it has',
    async (setup) => {
      const keys = await fill(setup.store)
      takeSpace(setup, setup.disk.freeBytes('/'))
      assert.equal(setup.disk.freeBytes('/'), 0)
      await setup.store.close()
      const again = await setup.open()
      assert.deepEqual(keysOf(again), keys)
      await assert.rejects(again.put('k', 'v'.repeat(5000)), { code: 'engine.full' })
      assert.equal(await again.delete(keys[0] as string), true)
      setup.disk.remove('/another')
    },
    options,
  )

  storeTest(
    'after a power cut too',
    async (setup) => {
      const keys = await fill(setup.store)
      await setup.store.flush()
      takeSpace(setup, setup.disk.freeBytes('/'))
      setup.disk.crash({ mode: 'keep-all' })
      await assert.rejects(setup.store.close())
      const again = await setup.open()
      assert.deepEqual(keysOf(again), keys)
      assert.equal(await again.delete(keys[0] as string), true)
    },
    options,
  )

  storeTest(
    'keys that fall due are removed with the help of the reserve, and when that is used up, once there is space',
    async (setup) => {
      const { store, disk, clock } = setup
      const batch = store.batch()
      for (let i = 0; i < 400; i++) batch.put(`due${i}`, '', { ttl: 60_000 })
      await batch.commit()
      takeSpace(setup, 200 * KiB)
      const keys = await fill(store)
      // Deletes until the reserve is gone too.
      let code: unknown
      for (let i = 0; code === undefined && i < 10_000; i++) {
        const ghost = store.batch()
        for (let j = 0; j < 20; j++) ghost.delete(`ghost${j}`)
        await ghost.commit().catch((error: unknown) => {
          code = (error as { code?: unknown }).code
        })
      }
      assert.equal(code, 'engine.full')
      await clock.advanceAwaiting(120_000)
      assert.deepEqual(keysOf(store), keys, 'what is due is hidden')
      assert.ok(store.stats().keysExpired < 400)
      disk.remove('/another')
      await clock.advanceAwaiting(10_000)
      await turn()
      assert.equal(store.stats().keysExpired, 400)
      assert.equal(store.owner.count(dueKeyspace), 0)
      assert.ok((await store.put('k', 'v')) > 0)
    },
    options,
  )
})
