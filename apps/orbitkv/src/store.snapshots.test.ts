/** Snapshots and history: a state held fast is read as it was; what nobody holds goes by time and by number. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import type { Snapshot } from './index.ts'
import { entriesOf, keysOf, read, type Setup, storeTest, turn } from './store-suite.ts'

/** Lets history tidy up as often as it wants to within some seconds. */
async function tidy({ clock }: Setup, seconds = 3): Promise<void> {
  await clock.advanceAwaiting(seconds * 1000)
}

describe('snapshots', () => {
  storeTest('a snapshot sees its state, whatever is written meanwhile', async ({ store }) => {
    await store.put('a', '1')
    await store.put('b', '1')
    const snapshot = store.snapshot()
    assert.equal(snapshot.revision, 2)
    await store.put('a', '2')
    await store.delete('b')
    await store.put('c', '1')
    assert.deepEqual(entriesOf(snapshot), [
      ['a', '1'],
      ['b', '1'],
    ])
    assert.deepEqual([read(snapshot, 'a'), snapshot.has('b'), snapshot.has('c')], ['1', true, false])
    assert.deepEqual(snapshot.getMany(['b', 'c']), [encodeText('1'), undefined])
    assert.deepEqual(await snapshot.getAsync('b'), encodeText('1'))
    assert.equal(
      snapshot.view('a', (_bytes, _offset, length) => length),
      1,
    )
    assert.deepEqual(keysOf(snapshot, { reverse: true, limit: 1 }), ['b'])
    assert.deepEqual(keysOf(snapshot, { gte: 'b', lt: 'd' }), ['b'])
    assert.deepEqual(entriesOf(store), [
      ['a', '2'],
      ['c', '1'],
    ])
  })

  storeTest('one of an empty store stays empty', async ({ store }) => {
    const snapshot = store.snapshot()
    assert.deepEqual([snapshot.revision, snapshot.time], [0, 0])
    await store.put('a', '1')
    assert.deepEqual(keysOf(snapshot), [])
  })

  storeTest('each old state can be read as it was', async ({ store, clock }) => {
    for (let i = 1; i <= 20; i++) {
      clock.advance(10)
      await store.put('k', `${i}`)
    }
    for (let revision = 1; revision <= 20; revision++) {
      const snapshot = store.snapshot({ revision })
      assert.equal(read(snapshot, 'k'), `${revision}`)
      assert.equal(snapshot.time, clock.now() - (20 - revision) * 10)
      snapshot.close()
    }
    const before = store.snapshot({ revision: 0 })
    assert.equal(before.get('k'), undefined)
  })

  storeTest('a state is still there after opening again', async ({ store, reopen }) => {
    await store.put('k', '1')
    await store.delete('k')
    await store.put('k', '3')
    const again = await reopen()
    const first = again.snapshot({ revision: 1 })
    const second = again.snapshot({ revision: 2 })
    assert.deepEqual([read(first, 'k'), second.get('k'), read(again, 'k')], ['1', undefined, '3'])
  })

  storeTest('what is not published is in no snapshot', async ({ store, disk }) => {
    await store.put('k', 'old')
    const hold = disk.holdSyncs()
    const writing = store.put('k', 'new')
    await turn()
    const snapshot = store.snapshot()
    assert.deepEqual([snapshot.revision, read(snapshot, 'k')], [1, 'old'])
    hold.release()
    await writing
    assert.deepEqual([read(snapshot, 'k'), read(store, 'k')], ['old', 'new'])
  })

  storeTest('a state that does not exist yet is refused', async ({ store, disk }) => {
    assert.throws(() => store.snapshot({ revision: 1 }), { code: 'engine.not_yet' })
    const hold = disk.holdSyncs()
    const writing = store.put('k', 'v')
    await turn()
    assert.throws(() => store.snapshot({ revision: 1 }), { code: 'engine.not_yet' }, 'appended is not published')
    hold.release()
    await writing
    const snapshot = store.snapshot({ revision: 1 })
    assert.equal(read(snapshot, 'k'), 'v')
  })

  storeTest('a closed one is refused by name, and closing twice is no error', async ({ store }) => {
    await store.put('k', 'v')
    const snapshot = store.snapshot()
    assert.equal(store.stats().snapshotsOpen, 1)
    snapshot.close()
    snapshot.close()
    assert.equal(store.stats().snapshotsOpen, 0)
    const refused = { code: 'store.snapshot_closed' }
    assert.throws(() => snapshot.get('k'), refused)
    assert.throws(() => snapshot.has('k'), refused)
    assert.throws(() => snapshot.getMany(['k']), refused)
    assert.throws(() => snapshot.view('k', () => 1), refused)
    assert.throws(() => keysOf(snapshot), refused)
    await assert.rejects(snapshot.getAsync('k'), refused)
  })

  storeTest('closing one in the middle of its range ends the range by name', async ({ store }) => {
    for (const key of ['a', 'b', 'c']) await store.put(key, '')
    const snapshot = store.snapshot()
    const entries = snapshot.range()[Symbol.iterator]()
    assert.equal(entries.next().done, false)
    snapshot.close()
    assert.throws(() => entries.next(), { code: 'store.snapshot_closed' })
  })

  storeTest('the end of a `using` block closes it', ({ store }) => {
    const snapshot = store.snapshot()
    snapshot[Symbol.dispose]()
    assert.throws(() => snapshot.get('k'), { code: 'store.snapshot_closed' })
    assert.equal(store.stats().snapshotsOpen, 0)
  })
})

describe('history', () => {
  storeTest('an hour of it is kept by default', async (setup) => {
    const { store, clock } = setup
    await store.put('k', '1')
    await store.put('k', '2')
    clock.advance(3_600_000 - 1)
    assert.equal(store.stats().versionsRetained, 1)
    const snapshot = store.snapshot({ revision: 1 })
    assert.equal(read(snapshot, 'k'), '1')
    snapshot.close()
    await tidy(setup)
    assert.equal(store.stats().versionsRetained, 0)
    assert.throws(() => store.snapshot({ revision: 1 }), { code: 'engine.compacted' })
    assert.equal(read(store, 'k'), '2')
  })

  storeTest(
    'historyMs bounds it by time: younger states stay, older ones go',
    async (setup) => {
      const { store, clock } = setup
      for (let i = 1; i <= 30; i++) {
        await store.put('k', `${i}`)
        clock.advance(1000)
      }
      await turn()
      const { versionsRetained } = store.stats()
      assert.ok(versionsRetained >= 9 && versionsRetained <= 12, `${versionsRetained} versions for ten seconds`)
      const young = store.snapshot({ revision: 25 })
      assert.equal(read(young, 'k'), '25')
      assert.throws(() => store.snapshot({ revision: 10 }), { code: 'engine.compacted' })
    },
    { settings: { historyMs: 10_000 } },
  )

  storeTest(
    'with historyMs 0 nothing is kept beyond a tick',
    async (setup) => {
      const { store } = setup
      for (let i = 0; i < 10; i++) await store.put('k', `${i}`)
      await store.put('gone', 'v')
      await store.delete('gone')
      await tidy(setup)
      assert.deepEqual([store.stats().versionsRetained, store.stats().keysIndexed], [0, 1])
    },
    { settings: { historyMs: 0 } },
  )

  storeTest(
    'a snapshot holds its state against it, and lets go when it is closed',
    async (setup) => {
      const { store } = setup
      await store.put('k', 'first')
      const held = store.snapshot()
      const again = store.snapshot({ revision: 1 })
      for (let i = 0; i < 10; i++) await store.put('k', `${i}`)
      await store.delete('k')
      await tidy(setup)
      assert.equal(read(held, 'k'), 'first')
      held.close()
      await tidy(setup)
      assert.equal(read(again, 'k'), 'first', 'two hold it, one lets go')
      assert.ok(store.stats().versionsRetained > 0)
      again.close()
      await tidy(setup)
      assert.deepEqual([store.stats().versionsRetained, store.stats().keysIndexed], [0, 0])
      assert.throws(() => store.snapshot({ revision: 1 }), { code: 'engine.compacted' })
    },
    { settings: { historyMs: 0 } },
  )

  storeTest(
    'historyVersionsMax bounds it by number',
    async (setup) => {
      const { store } = setup
      for (let round = 0; round < 60; round++) {
        const batch = store.batch()
        for (let i = 0; i < 500; i++) batch.put(`k${i}`, `${round}`)
        await batch.commit({ durability: 'none' })
      }
      // Writers who never let the loop turn do not outrun it by more than they write between two looks.
      const before = store.stats()
      assert.ok(before.versionsRetained <= 2000 + 4096 + 500, `${before.versionsRetained} versions before`)
      await tidy(setup, 20)
      const after = store.stats()
      assert.ok(after.versionsRetained <= 2000, `${after.versionsRetained} versions`)
      assert.equal(read(store, 'k7'), '59')
    },
    { settings: { historyVersionsMax: 2000 } },
  )

  storeTest(
    'historyVersionsMax 0 keeps none',
    async (setup) => {
      const { store } = setup
      for (let i = 0; i < 50; i++) await store.put('k', `${i}`)
      await tidy(setup)
      assert.equal(store.stats().versionsRetained, 0)
    },
    { settings: { historyVersionsMax: 0 } },
  )

  storeTest('a range over a snapshot goes on while history is tidied', async (setup) => {
    const { store } = setup
    const batch = store.batch()
    for (let i = 0; i < 200; i++) batch.put(`k${String(i).padStart(3, '0')}`, 'old')
    await batch.commit()
    const snapshot = store.snapshot()
    let seen = 0
    for (const { value } of snapshot.range()) {
      assert.deepEqual(value, encodeText('old'))
      const key = `k${String(seen++).padStart(3, '0')}`
      await (seen % 2 === 0 ? store.delete(key) : store.put(key, 'new'))
      if (seen % 50 === 0) await tidy(setup, 3700)
    }
    assert.equal(seen, 200)
  })

  for (const seed of seedsFor('store-history', { kept: [1], fresh: 3 })) {
    storeTest(
      `snapshots agree with copies of the state, however much history goes, seed ${seed}`,
      async (setup) => {
        const random = new Random(seed)
        const { store, clock } = setup
        const twin = new Map<string, string>()
        const held: { snapshot: Snapshot; state: [string, string][] }[] = []
        for (let step = 0; step < 300; step++) {
          const key = `k${random.below(10)}`
          const dice = random.below(100)
          if (dice < 50) {
            await store.put(key, `${step}`)
            twin.set(key, `${step}`)
          } else if (dice < 65) {
            await store.delete(key)
            twin.delete(key)
          } else if (dice < 80) {
            await clock.advanceAwaiting(random.between(1, 3000))
          } else if (dice < 90 && held.length < 8) {
            held.push({ snapshot: store.snapshot(), state: sorted(twin) })
          } else if (held.length > 0) {
            const [gone] = held.splice(random.below(held.length), 1)
            gone?.snapshot.close()
          }
          for (const { snapshot, state } of held) assert.deepEqual(entriesOf(snapshot), state)
          assert.deepEqual(entriesOf(store), sorted(twin))
        }
        for (const { snapshot } of held) snapshot.close()
        await tidy(setup)
        assert.equal(store.stats().versionsRetained, 0)
        assert.equal(store.stats().keysIndexed, twin.size)
      },
      { settings: { historyMs: 500 } },
    )
  }
})

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}
