/** OrbitLevel on the real disk: what the suite of abstract-level does not ask. */

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { hasCode } from '@orbitkv/base'
import { putChange } from '@orbitkv/engine'
import { OrbitLevel, type OrbitLevelOptions } from './index.ts'

const store = { segmentBytes: 64 * 1024, zeroAheadBytes: 4096, reserveBytes: 0 }

function levelTest(name: string, body: (open: () => OrbitLevel, folder: string) => Promise<void>): void {
  test(name, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'orbit-level-'))
    const opened: OrbitLevel[] = []
    try {
      await body(() => {
        const db = new OrbitLevel(join(folder, 'db'), { store })
        opened.push(db)
        return db
      }, folder)
    } finally {
      for (const db of opened) await db.close()
      await rm(folder, { recursive: true, force: true })
    }
  })
}

levelTest('keeps what was written, in sublevels too, and opens the same store as open() does', async (open) => {
  const first = open()
  await first.put('a', '1')
  await first.sublevel('inner').put('b', '2')
  await first.close()
  const second = open()
  await second.open()
  assert.equal(second.getSync('a'), '1')
  assert.equal(await second.sublevel('inner').get('b'), '2')
  assert.equal(new TextDecoder().decode(second.store.get('!inner!b')), '2')
  assert.deepEqual((await second.store.verify()).faults, [])
})

levelTest('waits for the disk by the durability of its store, or as a write asks', async (open) => {
  const db = open()
  await db.open()
  const syncs = (): number => db.store.stats().syncs
  const atStart = syncs()
  const notSynced: object = { sync: false }
  await db.put('a', '1', notSynced)
  await db.batch([{ type: 'put', key: 'b', value: '2' }], notSynced)
  await db.del('a', notSynced)
  assert.equal(syncs(), atStart)
  await db.put('c', '3')
  assert.ok(syncs() > atStart)
  assert.deepEqual(await db.keys().all(), ['b', 'c'])
})

levelTest('clears ranges of any bounds with one record each, and only those', async (open) => {
  const db = open()
  const fill = (): Promise<void> => db.batch(['', 'a', 'b', 'c', 'd'].map((key) => ({ type: 'put', key, value: key })))
  const left = async (range: Parameters<typeof db.clear>[0]): Promise<string> => {
    await fill()
    const { revision } = db.store.stats()
    await db.clear(range)
    assert.ok(db.store.stats().revision <= revision + 1, 'one batch')
    return (await db.keys().all()).join()
  }
  await db.open()
  assert.equal(await left({}), '')
  assert.equal(await left({ gt: 'b' }), ',a,b')
  assert.equal(await left({ gte: 'b', lt: 'd' }), ',a,d')
  assert.equal(await left({ lte: 'b' }), 'c,d')
  assert.equal(await left({ lt: '' }), ',a,b,c,d')
  assert.equal(await left({ lte: '' }), 'a,b,c,d')
  assert.equal(await left({ gt: 'd', lt: 'a' }), ',a,b,c,d')
  assert.equal(await left({ limit: 2, reverse: true }), ',a,b')
})

levelTest('an iterator sees the keys of its beginning, clear() and all, and lets the loop turn', async (open) => {
  const db = open()
  const keys = Array.from({ length: 3000 }, (_, index) => String(index).padStart(5, '0'))
  await db.batch(keys.map((key) => ({ type: 'put', key, value: key })))
  let turns = 0
  const count = setInterval(() => turns++, 0)
  const iterator = db.keys()
  await db.clear()
  const seen: string[] = []
  for await (const key of iterator) seen.push(key)
  clearInterval(count)
  assert.deepEqual(seen, keys)
  assert.ok(turns > 0, 'timers ran meanwhile')
  assert.deepEqual(await db.keys().all(), [])
})

levelTest('names what is wrong with a location, a setting and a store in use', async (open, folder) => {
  assert.throws(() => new OrbitLevel(''), TypeError)
  const inUse = open()
  assert.throws(() => inUse.store, { code: 'level.not_open' })
  await inUse.open()
  const cause = async (options: OrbitLevelOptions, location = join(folder, 'db')): Promise<unknown> => {
    const db = new OrbitLevel(location, options)
    const error = await db.open().then(
      () => assert.fail('it opened'),
      (found: Error) => found,
    )
    assert.ok(hasCode(error, 'LEVEL_DATABASE_NOT_OPEN'))
    return (error.cause as { code?: unknown }).code
  }
  assert.equal(await cause({ store }), 'disk.locked')
  assert.equal(await cause({ store, errorIfExists: true }), 'disk.locked')
  assert.equal(await cause({ store: { segmentBytes: -1 } }, join(folder, 'other')), 'config.invalid')
  assert.equal(await cause({ store, createIfMissing: false }, join(folder, 'other')), 'disk.not_found')
})

levelTest('clears no range that holds a collection of a server, and any other', async (open) => {
  const db = open()
  await db.open()
  const { owner } = db.store
  owner.beginTurn()
  const collection = putChange(0, Buffer.from('m'), Buffer.from('header'), { tag: 1 })
  // Elements of it, in a keyspace of the server's.
  owner.write([collection, putChange(32, Buffer.from('1'), Buffer.from('element'))])
  for (const key of ['a', 'b', 'y', 'z']) await db.put(key, key)
  const refused = { code: 'level.collections', details: { key: '"m"' } }
  await assert.rejects(db.clear(), refused)
  await assert.rejects(db.clear({ gte: 'b', lt: 'n' }), refused)
  await assert.rejects(db.clear({ limit: 10 }), { code: 'store.key_of_server' })
  assert.deepEqual(await db.keys().all(), ['a', 'b', 'm', 'y', 'z'], 'nothing was cleared')
  await db.clear({ lt: 'm' })
  await db.clear({ gt: 'm' })
  assert.deepEqual(await db.keys().all(), ['m'])
  assert.equal(owner.count(32), 1)
})
