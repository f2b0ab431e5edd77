/** Secondary indexes: kept with every write, built over old data, unique or not, dropped, and refused by name. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { copyKey, copyValue, deleteRangeChange } from '@orbitkv/engine'
import { type IndexReader, jsonOf, type Store, type TupleElement, type TypedKeyspace, utf8 } from './index.ts'
import { stateOf, storeTest, turn } from './store-suite.ts'

interface User {
  readonly email?: string
  readonly city?: readonly [country: string, city: string]
  readonly age: number
}

type Users = TypedKeyspace<string, User, 'byEmail' | 'byCity' | 'byAge'>

const codecs = { key: utf8, value: jsonOf<User>() }
const indexes = {
  byEmail: { by: (user: User) => user.email, unique: true },
  byCity: { by: (user: User) => user.city },
  byAge: { by: (user: User) => user.age },
}
const berlin = ['de', 'Berlin'] as const
const bonn = ['de', 'Bonn'] as const
const oslo = ['no', 'Oslo'] as const

const open = (store: Store): Users => store.keyspace('users', { ...codecs, indexes })
const withoutIndexes = (store: Store): TypedKeyspace<string, User> => store.keyspace('users', codecs)

function found(index: IndexReader<string, User>, range?: Parameters<IndexReader<string, User>['range']>[0]): string {
  return Array.from(index.range(range), ({ key }) => key).join()
}

async function filled(store: Store): Promise<Users> {
  const users = open(store)
  const batch = users.batch()
  batch.put('a', { email: 'a@x', city: oslo, age: 40 })
  batch.put('b', { email: 'b@x', city: berlin, age: 30 })
  batch.put('c', { city: bonn, age: 30.5 })
  batch.put('d', { email: 'd@x', city: berlin, age: 4 })
  await batch.commit()
  return users
}

/** Keys that stand in a keyspace of the engine: entries of indexes from 1025 on, here. */
function entriesIn(store: Store, keyspace: number): number {
  return Array.from(store.owner.range(keyspace, {})).length
}

describe('an index', () => {
  storeTest('finds in the order of what it finds by, then of keys', async ({ store }) => {
    const users = await filled(store)
    assert.equal(found(users.index('byAge')), 'd,b,c,a')
    assert.equal(found(users.index('byAge'), { gte: 30, lt: 40 }), 'b,c')
    assert.equal(found(users.index('byAge'), { gt: 30, lte: 40 }), 'c,a')
    assert.equal(found(users.index('byAge'), { reverse: true, limit: 2 }), 'a,c')
    assert.equal(found(users.index('byCity')), 'b,d,c,a')
    assert.equal(found(users.index('byCity'), { prefix: ['de'] }), 'b,d,c')
    assert.equal(found(users.index('byCity'), { lte: ['de'] }), 'b,d,c')
    assert.equal(found(users.index('byCity'), { gt: ['de'] }), 'a')
    assert.equal(found(users.index('byCity'), { prefix: berlin, reverse: true }), 'd,b')
    assert.equal(found(users.index('byCity'), { lt: bonn }), 'b,d')
    assert.equal(users.index('byEmail').get('b@x')?.key, 'b')
    assert.deepEqual(users.index('byEmail').get('b@x')?.value, users.get('b'))
    assert.equal(users.index('byEmail').get('b@'), undefined)
    assert.equal(found(users.index('byEmail')), 'a,b,d')
  })

  storeTest('follows puts, deletes and merges, in batches and alone', async ({ store }) => {
    const users = await filled(store)
    await users.put('a', { email: 'new@x', age: 1 })
    assert.equal(users.index('byEmail').get('a@x'), undefined)
    assert.equal(users.index('byEmail').get('new@x')?.key, 'a')
    assert.equal(found(users.index('byCity'), { prefix: oslo }), '')
    await users.delete('b')
    await users.merge('d', (user) => ({ age: (user?.age ?? 0) + 100 }))
    assert.equal(found(users.index('byAge')), 'a,c,d')
    await users.batch().put('e', { age: 7 }).put('e', { age: 8 }).delete('a').put('f', { age: 9 }).delete('f').commit()
    assert.equal(found(users.index('byAge')), 'e,c,d')
    assert.equal(entriesIn(store, 1027), 3, 'no entry is left behind')
  })

  storeTest('shows nothing that has expired, and keeps nothing of it', async ({ store, clock }) => {
    const users = open(store)
    await users.put('a', { email: 'a@x', age: 1 }, { ttl: 100 })
    await users.put('b', { email: 'b@x', age: 2 })
    const before = store.snapshot()
    // No timer runs: the value and its entry are there still, and must not be seen.
    clock.stepWall(100)
    assert.equal(entriesIn(store, 1027), 2)
    assert.equal(found(users.index('byAge')), 'b')
    assert.equal(users.index('byEmail').get('a@x'), undefined)
    await users.put('c', { email: 'a@x', age: 3 })
    assert.equal(users.index('byEmail').get('a@x')?.key, 'c')
    clock.advance(2000)
    assert.equal(entriesIn(store, 1027), 2, 'no entry is left behind')
    assert.equal(found(users.at(before).index('byAge')), 'a,b')
    before.close()
  })

  storeTest('is seen at a snapshot as it was', async ({ store }) => {
    const users = await filled(store)
    const before = store.snapshot()
    await users.put('a', { age: 5 })
    await users.delete('b')
    assert.equal(found(users.at(before).index('byAge')), 'd,b,c,a')
    assert.equal(users.at(before).index('byEmail').get('b@x')?.key, 'b')
    assert.equal(found(users.index('byAge')), 'd,a,c')
    before.close()
  })

  storeTest('goes on after a restart, once it is declared again', async ({ store, reopen }) => {
    await filled(store)
    const again = await reopen()
    const users = open(again)
    assert.equal(found(users.index('byAge')), 'd,b,c,a')
    await users.put('d', { age: 50 })
    assert.equal(found(users.index('byAge')), 'b,c,a,d')
  })
})

describe('a unique index', () => {
  storeTest('refuses a second key, with nothing changed', async ({ store, clock }) => {
    const users = await filled(store)
    await assert.rejects(users.put('e', { email: 'a@x', age: 0 }), {
      code: 'store.not_unique',
      message: '"e" in users has the same in the unique index byEmail as "a"',
    })
    await assert.rejects(users.batch().put('e', { email: 'e@x', age: 1 }).put('f', { email: 'e@x', age: 1 }).commit(), {
      code: 'store.not_unique',
    })
    assert.equal(found(users.index('byAge')), 'd,b,c,a')
    assert.equal(users.has('e'), false)
    // Its own, one that is free again, and two that change places.
    await users.put('a', { email: 'a@x', age: 41 })
    await users.batch().put('e', { email: 'a@x', age: 0 }).delete('a').commit()
    await users.batch().put('b', { email: 'd@x', age: 1 }).put('d', { email: 'b@x', age: 2 }).commit()
    assert.equal(users.index('byEmail').get('b@x')?.key, 'd')
    await users.put('t', { email: 't@x', age: 1 }, { ttl: 10 })
    await clock.advance(10)
    await users.put('u', { email: 't@x', age: 1 })
    assert.equal(users.index('byEmail').get('t@x')?.key, 'u')
  })

  storeTest('that old data breaks names the keys, and is built once it is mended', async ({ store }) => {
    const plain = withoutIndexes(store)
    for (const key of ['a', 'b', 'c']) await plain.put(key, { email: 'same@x', age: 1 })
    const users = open(store)
    await assert.rejects(users.index('byEmail').ready(), { code: 'store.not_unique' })
    assert.throws(() => users.index('byEmail').get('same@x'), { code: 'store.not_unique' })
    await users.delete('a')
    await users.put('b', { email: 'other@x', age: 1 })
    await users.index('byEmail').ready()
    assert.equal(found(users.index('byEmail')), 'b,c')
  })
})

describe('building an index', () => {
  const many = 2000

  async function withOldData(store: Store): Promise<void> {
    const plain = withoutIndexes(store)
    for (let from = 0; from < many; from += 500) {
      const batch = plain.batch()
      for (let i = from; i < from + 500; i++) batch.put(`user-${String(i).padStart(5, '0')}`, { age: i % 7 })
      await batch.commit()
    }
  }

  storeTest('goes on in slices while the store is written, and takes no revision', async ({ store }) => {
    await withOldData(store)
    const users = open(store)
    assert.throws(() => found(users.index('byAge')), { code: 'store.index_building' })
    const building = users.index('byAge').ready()
    let turns = 0
    while ((await stateOf(building)) === 'pending') {
      // Behind the place that building has come to, and ahead of it.
      await users.put('user-00000', { age: 100 + turns })
      await users.delete(`user-${String(many - 1 - turns).padStart(5, '0')}`)
      turns++
    }
    await building
    assert.ok(turns > 2, 'the loop turned meanwhile')
    for (const name of ['byAge', 'byCity', 'byEmail'] as const) await users.index(name).ready()
    const { revision } = store.stats()
    await turn()
    assert.equal(store.stats().revision, revision)
    const byScan = Array.from(users.range(), ({ key, value }) => [value.age, key] as const)
    byScan.sort(([age, key], [otherAge, otherKey]) => age - otherAge || (key < otherKey ? -1 : 1))
    assert.deepEqual(
      Array.from(users.index('byAge').range(), ({ key }) => key),
      byScan.map(([, key]) => key),
    )
    assert.equal(entriesIn(store, 1027), byScan.length, 'no entry is left behind')
  })

  storeTest('lets older states answer only from where it was built on', async ({ store }) => {
    await withOldData(store)
    const before = store.snapshot()
    const users = open(store)
    await users.put('new', { age: 1 })
    await users.index('byAge').ready()
    assert.throws(() => found(users.at(before).index('byAge')), { code: 'store.index_not_then' })
    const after = store.snapshot()
    await users.put('newer', { age: 1 })
    assert.equal(Array.from(users.at(after).index('byAge').range()).length, many + 1)
    before.close()
    after.close()
  })

  storeTest('goes on after a restart from where it was', async ({ store, reopen }) => {
    await withOldData(store)
    const seen: number[] = []
    const age = {
      by(user: User): number {
        seen.push(user.age)
        return user.age
      },
    }
    store.keyspace('users', { ...codecs, indexes: { byAge: age } })
    while (seen.length < many / 4) await turn()
    const again = await reopen()
    const before = seen.length
    assert.ok(before < many, 'it was not done yet')
    const users = again.keyspace('users', { ...codecs, indexes: { byAge: age } })
    await users.index('byAge').ready()
    assert.ok(seen.length < before + many, 'it did not begin anew')
    assert.equal(Array.from(users.index('byAge').range()).length, many)
  })

  storeTest('begins anew where its version or its kind is another', async ({ store, reopen }) => {
    const users = await filled(store)
    await users.index('byAge').ready()
    const again = await reopen()
    const reversed = again.keyspace('users', {
      ...codecs,
      indexes: { ...indexes, byAge: { by: (user: User) => -user.age, version: 2 } },
    })
    await reversed.index('byAge').ready()
    assert.equal(found(reversed.index('byAge')), 'a,c,b,d')
    assert.equal(entriesIn(again, 1027), 0, 'the old entries are gone')
  })

  storeTest('tells of a value that it cannot take in, and goes on once that is mended', async ({ store }) => {
    await withoutIndexes(store).put('a', { age: null as never })
    const strict = {
      by: (user: User): TupleElement => {
        if (typeof user.age !== 'number') throw new TypeError('no age')
        return user.age
      },
    }
    const users = store.keyspace('users', { ...codecs, indexes: { byAge: strict } })
    await assert.rejects(users.index('byAge').ready(), /cannot take in "a": no age/)
    await assert.rejects(users.put('b', { age: null as never }), { code: 'store.index_failed' })
    await assert.rejects(users.put('b', { age: Number.NaN }), { code: 'store.index_failed' })
    await users.put('a', { age: 1 })
    await users.index('byAge').ready()
    assert.equal(found(users.index('byAge')), 'a')
  })
})

describe('an index refuses by name', () => {
  storeTest('writes of a program that does not declare it, until it is dropped', async ({ store, reopen, clock }) => {
    const users = await filled(store)
    await users.put('t', { email: 't@x', age: 3 }, { ttl: 100 })
    const again = await reopen()
    const plain = withoutIndexes(again)
    await assert.rejects(plain.put('a', { age: 1 }), { code: 'store.index_undeclared' })
    await assert.rejects(plain.delete('a'), { code: 'store.index_undeclared' })
    assert.throws(() => plain.index('byAge' as never), { code: 'store.no_such_index' })
    // Expiry does not wait for the declaration, and leaves an entry behind that is never seen.
    await clock.advance(3000)
    assert.equal(plain.has('t'), false)
    const declared = open(again)
    await declared.put('t', { email: 'u@x', age: 5 })
    assert.equal(found(declared.index('byAge')), 'd,t,b,c,a')
    await declared.put('v', { email: 't@x', age: 6 })
    assert.equal(declared.index('byEmail').get('t@x')?.key, 'v')

    const index = declared.index('byAge')
    for (const name of ['byAge', 'byCity', 'byEmail']) await declared.dropIndex(name)
    await assert.rejects(declared.dropIndex('byAge'), { code: 'store.no_such_index' })
    assert.throws(() => found(index), { code: 'store.no_such_index' })
    for (const keyspace of [1025, 1026, 1027]) assert.equal(entriesIn(again, keyspace), 0)
    await plain.put('a', { age: 1 })
    const last = await reopen()
    await withoutIndexes(last).put('b', { age: 2 })
    const fresh = open(last)
    await fresh.index('byAge').ready()
    assert.equal(found(fresh.index('byAge')), 'a,b,d,t,v,c')
  })

  storeTest('what it finds by if that is too long, or nonsense', async ({ store }) => {
    const users = await filled(store)
    await assert.rejects(users.put('e', { email: 'x'.repeat(8300), age: 1 }), { code: 'store.index_failed' })
    assert.throws(() => found(users.index('byAge'), { gt: 1, gte: 1 }), { code: 'store.bad_range' })
    assert.throws(() => found(users.index('byAge'), { prefix: 1, lt: 1 }), { code: 'store.bad_range' })
    assert.throws(() => found(users.index('byAge'), { gt: Number.NaN }), { code: 'codecs.cannot_encode' })
    assert.throws(() => store.keyspace('other', { ...codecs, indexes: { bad: { by: 1 as never } } }), {
      code: 'store.bad_argument',
    })
    const owner = store.owner
    owner.beginTurn()
    assert.throws(() => owner.write([deleteRangeChange(1024, new Uint8Array(0))]), /not deleted by range/)
  })
})

storeTest('the directory and entries have the bytes that docs/formats/keyspaces-v1.md gives', async ({ store }) => {
  const users = store.keyspace('users', { ...codecs, indexes: { byAge: indexes.byAge } })
  await users.put('ada', { age: 36 })
  const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
  const records = (keyspace: number, show: (bytes: Uint8Array) => string): string[][] =>
    Array.from(store.owner.range(keyspace, {}), (record) => [hex(copyKey(record)), show(copyValue(record))])
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  assert.deepEqual(records(16, textOf), [
    ['40696e6465780020c090040000000000', '{"of":1024,"name":"byAge","unique":false,"version":1,"builtAt":0}'],
    ['406b657973706163650020c090000000000000', '{"name":"users","keyCodec":"utf8"}'],
  ])
  assert.deepEqual(records(1024, textOf), [['616461', '{"age":36}']])
  assert.deepEqual(records(1025, hex), [['20c04200000000000000616461', '000a']])
})

storeTest('a transaction reads by indexes, its own writes in their places', async ({ store }) => {
  const users = await filled(store)
  const seen = await store.transact((tx) => {
    const inside = users.in(tx)
    const ages = inside.index('byAge')
    const all = (range?: Parameters<typeof ages.range>[0]): string =>
      Array.from(ages.range(range), ({ key, revision }) => `${key}${revision === 0 ? '*' : ''}`).join()
    const before = all()
    inside.put('a', { email: 'a@x', age: 1 })
    inside.put('e', { email: 'e@x', age: 30 })
    inside.delete('d')
    inside.put('c', { city: bonn, age: 30.5 })
    const found = [before, all(), all({ reverse: true }), all({ gte: 30 }), all({ lt: 30 }), all({ limit: 2 })]
    const email = inside.index('byEmail')
    return [...found, email.get('d@x'), email.get('e@x')?.key, inside.index('byCity').get([...oslo])]
  })
  assert.deepEqual(seen, ['d,b,c,a', 'a*,b,e*,c*', 'c*,e*,b,a*', 'b,e*,c*', 'a*', 'a*,b', undefined, 'e', undefined])
  assert.equal(found(users.index('byAge')), 'a,b,e,c', 'and so it is stored')
})

storeTest('what an index showed to a transaction is a part of what it read', async ({ store }) => {
  const users = await filled(store)
  const meddle: Readonly<Record<string, () => Promise<unknown>>> = {
    'a new one in the range': () => users.put('new', { age: 31 }),
    'one that leaves it': () => users.put('b', { age: 99 }),
    'one that is deleted': () => users.delete('c'),
    'one whose value changes, and not what it is found by': () => users.put('new', { age: 31, city: oslo }),
  }
  for (const [name, write] of Object.entries(meddle)) {
    let attempts = 0
    const count = await store.transact(async (tx) => {
      attempts++
      const adults = Array.from(users.in(tx).index('byAge').range({ gte: 30, lt: 50 }))
      if (attempts === 1) await write()
      users.in(tx).put('count', { age: adults.length })
      return adults.length
    })
    assert.equal(attempts, 2, name)
    assert.equal(users.get('count')?.age, count)
  }
  let attempts = 0
  await store.transact(async (tx) => {
    attempts++
    const young = Array.from(users.in(tx).index('byAge').range({ lt: 20 }))
    if (attempts === 1) await users.put('old', { age: 80 })
    users.in(tx).put('other', { age: 90 + young.length })
  })
  assert.equal(attempts, 1, 'what it did not look at is no conflict')
})
