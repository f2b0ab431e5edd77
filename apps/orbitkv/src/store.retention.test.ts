/** Which old states are kept: by age, by number, by bytes, by name; how they are asked for; and who holds them. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Store } from './index.ts'
import { read, type Setup, storeTest, turn } from './store-suite.ts'

const hour = 3_600_000

async function putMany(store: Store, count: number, value = ''): Promise<void> {
  const { revision } = store.stats()
  for (let i = 1; i <= count; i++) await store.put('k', `${revision + i}${value}`)
}

/** Lets history be tidied. */
async function tidy({ clock }: Setup): Promise<void> {
  await clock.advanceAwaiting(1100)
}

describe('old states', () => {
  storeTest('are read at a revision or at a moment, by snapshot or key by key', async ({ store, clock }) => {
    const startedAt = clock.now()
    for (let i = 1; i <= 5; i++) {
      clock.advance(1000)
      await store.put('k', `${i}`)
    }
    const at = (ms: number): Date => new Date(startedAt + ms)
    const seen = (moment: number | Date): string | undefined => {
      const snapshot = store.snapshot({ at: moment })
      const value = store.get('k', { at: moment })
      assert.deepEqual(value, snapshot.get('k'))
      const found = read(snapshot, 'k')
      snapshot.close()
      return found
    }
    assert.deepEqual([1, 3, 5].map(seen), ['1', '3', '5'])
    assert.deepEqual([at(0), at(999), at(1000), at(3500), at(5000), at(hour)].map(seen), [
      undefined,
      undefined,
      '1',
      '3',
      '5',
      '5',
    ])
    assert.equal(store.get('k', { at: 0 }), undefined)
    assert.equal(store.stats().snapshotsOpen, 0)
  })

  storeTest('a moment before the oldest state that is kept is refused', async ({ store, clock }) => {
    clock.advance(1000)
    await putMany(store, 3)
    clock.advance(1000)
    await store.compactTo(3)
    assert.throws(() => store.snapshot({ at: new Date(clock.now() - 2000) }), { code: 'engine.compacted' })
    store.snapshot({ at: new Date(clock.now() - 500) }).close()
  })

  storeTest('bad places in time are refused by name', ({ store }) => {
    const bad: (number | Date | string)[] = [-1, 1.5, Number.NaN, new Date(Number.NaN), 'now']
    for (const at of bad) assert.throws(() => store.snapshot({ at: at as number }), { code: 'store.bad_argument' })
    assert.throws(() => store.snapshot({ at: 0, revision: 1 }), { code: 'store.bad_argument' })
    assert.throws(() => store.get('k', { at: 7 }), { code: 'engine.not_yet' })
  })
})

describe('retention', () => {
  storeTest(
    'historyRevisionsMax bounds it by the number of revisions',
    async (setup) => {
      const { store } = setup
      await putMany(store, 50)
      await tidy(setup)
      assert.equal(store.stats().oldestRevision, 40)
      assert.equal(store.stats().versionsRetained, 10)
      assert.throws(() => store.snapshot({ revision: 39 }), { code: 'engine.compacted' })
      store.snapshot({ revision: 40 }).close()
      await putMany(store, 3)
      await tidy(setup)
      assert.equal(store.stats().oldestRevision, 43)
    },
    { settings: { historyRevisionsMax: 10 } },
  )

  storeTest(
    'historyBytesMax bounds it by the bytes of log that it keeps',
    async (setup) => {
      const { store } = setup
      await putMany(store, 20, '.'.repeat(1000))
      await tidy(setup)
      const { oldestRevision } = store.stats()
      assert.ok(oldestRevision >= 9 && oldestRevision <= 12, `${20 - oldestRevision} kilobytes of history`)
      await putMany(store, 100)
      await tidy(setup)
      assert.ok(store.stats().oldestRevision > 20)
    },
    { settings: { historyBytesMax: 10_000 } },
  )

  storeTest('compactTo gives up what was before, at once and for good', async (setup) => {
    const { store } = setup
    await putMany(store, 10)
    const held = store.snapshot({ revision: 4, name: 'nightly' })
    await store.compactTo(7)
    assert.equal(store.stats().oldestRevision, 7)
    assert.throws(() => store.snapshot({ revision: 5 }), {
      code: 'engine.compacted',
      details: { what: 'revision', asked: 5, oldest: 7 },
    })
    assert.throws(() => store.watch({ from: 7 }), { code: 'engine.compacted' })
    store.watch({ from: 8 }).close()
    assert.equal(read(held, 'k'), '4', 'whoever held it before goes on')
    assert.equal(store.stats().versionsRetained, 6)
    held.close()
    await tidy(setup)
    assert.equal(store.stats().versionsRetained, 3)
    await store.compactTo(3)
    assert.equal(store.stats().oldestRevision, 7, 'it never goes back')
    assert.equal(store.stats().revision, 10, 'and takes no revision')
    const again = await setup.reopen()
    assert.equal(again.stats().oldestRevision, 7)
    assert.throws(() => again.snapshot({ revision: 6 }), { code: 'engine.compacted' })
    await assert.rejects(again.compactTo(11), { code: 'engine.not_yet' })
    await assert.rejects(again.compactTo(-1), { code: 'store.bad_argument' })
  })
})

describe('who holds old states', () => {
  storeTest('is named, with since when and how much', async ({ store, clock }) => {
    await putMany(store, 2)
    const since = clock.now()
    const first = store.snapshot({ name: 'nightly export' })
    clock.advance(5000)
    await putMany(store, 10, '.'.repeat(1000))
    const second = store.snapshot()
    const [oldest, youngest] = store.stats().pins
    assert.deepEqual(
      [oldest?.holder, oldest?.name, oldest?.revision, oldest?.since],
      ['snapshot', 'nightly export', 2, since],
    )
    assert.ok((oldest?.heldBytes ?? 0) > 10_000)
    assert.deepEqual(youngest, { holder: 'snapshot', name: '', revision: 12, since: since + 5000, heldBytes: 0 })
    first.close()
    second.close()
    assert.deepEqual(store.stats().pins, [])
  })

  storeTest('the oldest sixteen, however many there are', async ({ store }) => {
    await putMany(store, 30)
    const snapshots = Array.from({ length: 30 }, (_, i) => store.snapshot({ revision: 30 - i }))
    assert.deepEqual(
      store.stats().pins.map(({ revision }) => revision),
      Array.from({ length: 16 }, (_, i) => i + 1),
    )
    for (const snapshot of snapshots) snapshot.close()
  })

  storeTest(
    'pinMsMax: who holds one for longer fails by name, and holds nothing any more',
    async (setup) => {
      const { store, clock } = setup
      await putMany(store, 2)
      const old = store.snapshot({ name: 'report' })
      const range = old.range()[Symbol.iterator]()
      clock.advance(3000)
      const young = store.snapshot()
      await putMany(store, 5)
      clock.advance(3500)
      await turn()
      assert.throws(() => old.get('k'), {
        code: 'store.pin_broken',
        details: { holder: 'snapshot report', revision: 2, limit: 'pinMsMax 5000' },
      })
      assert.throws(() => range.next(), { code: 'store.pin_broken' })
      assert.equal(read(young, 'k'), '2')
      assert.equal(store.stats().snapshotsOpen, 1)
      young.close()
      old.close()
      await tidy(setup)
      assert.equal(store.stats().versionsRetained, 0)
    },
    { settings: { pinMsMax: 5000, historyMs: 0 } },
  )

  storeTest(
    'pinBytesMax: who holds one while more than that is written fails, a watch that reads the log too',
    async (setup) => {
      const { store } = setup
      await putMany(store, 2)
      const snapshot = store.snapshot()
      const watch = store.watch({ from: 1, bufferBytes: 1 })
      await watch.next()
      await putMany(store, 30, '.'.repeat(1000))
      await tidy(setup)
      assert.throws(() => snapshot.get('k'), { code: 'store.pin_broken' })
      await assert.rejects(
        (async () => {
          for await (const _ of watch);
        })(),
        { code: 'store.pin_broken' },
      )
      assert.deepEqual(store.stats().pins, [])
      store.snapshot().close()
    },
    { settings: { pinBytesMax: 20_000 } },
  )
})
