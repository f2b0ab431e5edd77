/** Typed keyspaces: reads, writes, batches, counters, snapshots; what they keep over a restart and what they refuse. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import { encodeTuple } from '@orbitkv/codecs'
import { putChange } from '@orbitkv/engine'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import * as v from 'valibot'
import {
  bytes,
  float64,
  json,
  jsonOf,
  open,
  type Store,
  type TypedEntry,
  type TypedKeyspace,
  tuple,
  u64,
  u64Big,
  utf8,
} from './index.ts'
import { keysOf, read, smallSegments, storeTest } from './store-suite.ts'

interface User {
  readonly name: string
  readonly age: number
}

const users = { key: utf8, value: jsonOf<User>() }
const counters = { key: utf8, value: u64 }
const ada = { name: 'Ada', age: 36 }
const grace = { name: 'Grace', age: 85 }

const keys = <Key>(entries: Iterable<TypedEntry<Key, unknown>>): Key[] => Array.from(entries, ({ key }) => key)

describe('a keyspace', () => {
  storeTest('gives back what it took, and nothing of another', async ({ store }) => {
    const people = store.keyspace('people', users)
    const pets = store.keyspace('pets', users)
    assert.equal(people.get('a'), undefined)
    const revision = await people.put('a', ada)
    await store.put('a', 'raw')
    assert.deepEqual(people.get('a'), ada)
    assert.deepEqual(await people.getAsync('a'), ada)
    assert.deepEqual(people.getMany(['b', 'a']), [undefined, ada])
    assert.deepEqual([...people.range()], [{ key: 'a', value: ada, revision }])
    assert.equal(
      people.view('a', (source, offset) => source[offset]),
      '{'.charCodeAt(0),
    )
    assert.equal(people.has('a') && !people.has('b'), true)
    assert.equal(pets.get('a'), undefined)
    assert.equal(read(store, 'a'), 'raw')
    assert.equal(await people.delete('a'), true)
    assert.equal(await people.delete('a'), false)
    assert.equal(people.has('a'), false)
    assert.equal(read(store, 'a'), 'raw')
    assert.deepEqual(keysOf(store), ['a'])
  })

  storeTest('is the same by its name after a restart, and with another object', async ({ store, reopen }) => {
    await Promise.all(['one', 'two', 'three'].map((name) => store.keyspace(name, counters).put(name, 1)))
    await store.keyspace('two', counters).put('more', 2)
    const again = await reopen()
    for (const name of ['one', 'two', 'three', 'four']) {
      const expected = name === 'two' ? ['more', 'two'] : name === 'four' ? [] : [name]
      assert.deepEqual(keys(again.keyspace(name, counters).range()), expected)
    }
  })

  storeTest('has the order of its keys, by bounds and by leading parts', async ({ store }) => {
    const cities = store.keyspace('cities', { key: tuple<[country: string, people: number]>(), value: utf8 })
    const all: [string, number][] = [
      ['at', 1.9e6],
      ['de', 0.5],
      ['de', 3.7e6],
      ['de\0', 1],
      ['dk', -1],
    ]
    const batch = cities.batch()
    for (const key of [...all].reverse()) batch.put(key, key[0])
    await batch.commit()
    assert.deepEqual(keys(cities.range()), all)
    assert.deepEqual(keys(cities.range({ prefix: ['de'] as [string] })), all.slice(1, 3))
    assert.deepEqual(keys(cities.range({ gt: ['de', 0.5], lte: ['de\0', 1] })), all.slice(2, 4))
    assert.deepEqual(keys(cities.range({ gte: ['de', 0.5], limit: 1, reverse: true })), all.slice(4))
    assert.deepEqual(keys(cities.range({ limit: 0 })), [])
    const floats = store.keyspace('floats', { key: float64, value: utf8 })
    for (const key of [1, -1, 0.5, -1e300, 10]) await floats.put(key, String(key))
    assert.deepEqual(keys(floats.range()), [-1e300, -1, 0.5, 1, 10])
    const names = store.keyspace('names', { key: utf8, value: bytes })
    for (const key of ['a', 'ab', 'b']) await names.put(key, Uint8Array.of(1))
    assert.deepEqual(keys(names.range({ prefix: 'a' })), ['a', 'ab'])
  })

  storeTest('writes batches of several keyspaces and raw keys whole', async ({ store }) => {
    const people = store.keyspace('people', users)
    const visits = store.keyspace('visits', counters)
    const batch = store.batch().put('raw', 'r')
    people.batch(batch).put('a', ada).put('b', grace).delete('b')
    const typed = visits.batch(batch).put('a', 1)
    assert.equal(typed.size, 5)
    assert.equal(people.has('a'), false)
    const revision = await typed.commit()
    assert.equal(store.stats().revision, revision)
    assert.deepEqual([people.get('a'), people.get('b'), visits.get('a'), read(store, 'raw')], [ada, undefined, 1, 'r'])
    await assert.rejects(batch.commit(), { code: 'store.committed' })
    assert.throws(() => people.batch({} as never), { code: 'store.bad_argument' })
  })

  storeTest('expires, and takes conditions', async ({ store, clock }) => {
    const people = store.keyspace('people', users)
    const revision = await people.put('a', ada, { ttl: 100 })
    await assert.rejects(people.put('a', grace, { ifAbsent: true }), { code: 'store.conflict' })
    await people.put('b', grace, { ifAbsent: true })
    await assert.rejects(people.delete('b', { ifRevision: revision }), { code: 'store.conflict' })
    await clock.advance(100)
    assert.equal(people.get('a'), undefined)
    assert.equal(await people.getAsync('a'), undefined)
    assert.deepEqual(keys(people.range()), ['b'])
    await people.put('a', grace, { ifAbsent: true })
    assert.deepEqual(people.get('a'), grace)
  })

  storeTest('is read at a snapshot', async ({ store, clock }) => {
    const people = store.keyspace('people', users)
    const empty = store.snapshot()
    await people.put('a', ada, { ttl: 50 })
    const before = store.snapshot()
    await people.put('a', grace)
    await clock.advance(100)
    assert.deepEqual(people.at(before).get('a'), ada)
    assert.deepEqual(keys(people.at(before).range()), ['a'])
    assert.equal(people.at(empty).has('a'), false)
    before.close()
    assert.throws(() => people.at(before).get('a'), { code: 'store.snapshot_closed' })
    assert.throws(() => people.at({ revision: 1 } as never), { code: 'store.bad_argument' })
    empty.close()
  })

  storeTest('lends nothing that changes: what get gives is its caller’s own', async ({ store }) => {
    const blobs = store.keyspace('blobs', { key: bytes, value: bytes })
    const key = Uint8Array.of(1)
    const value = Uint8Array.of(1, 2, 3)
    const written = blobs.put(key, value)
    key[0] = value[0] = 9
    await written
    const found = blobs.get(Uint8Array.of(1)) as Uint8Array
    assert.deepEqual([...found], [1, 2, 3])
    found.fill(0)
    for (const entry of blobs.range()) entry.key.fill(0)
    assert.deepEqual([...(blobs.get(Uint8Array.of(1)) as Uint8Array)], [1, 2, 3])
  })
})

describe('counters and merges', () => {
  storeTest('lose no step when all are made at once', async ({ store }) => {
    const visits = store.keyspace('visits', counters)
    const sums = await Promise.all(Array.from({ length: 50 }, () => visits.increment('page')))
    assert.deepEqual(
      sums,
      Array.from({ length: 50 }, (_, index) => index + 1),
    )
    assert.equal(visits.get('page'), 50)
    assert.equal(await visits.increment('page', -8), 42)
    const big = store.keyspace('big', { key: utf8, value: u64Big })
    await big.put('page', 2n ** 60n)
    assert.equal(await big.increment('page', 2n), 2n ** 60n + 2n)
    assert.equal(await big.increment('page'), 2n ** 60n + 3n)
    assert.equal(await big.increment('new', 5n), 5n)
  })

  storeTest('refuse what cannot be counted, and change nothing', async ({ store }) => {
    const visits = store.keyspace('visits', counters)
    await visits.put('page', Number.MAX_SAFE_INTEGER)
    await assert.rejects(visits.increment('page'), { code: 'store.counter_too_large' })
    await assert.rejects(visits.increment('less', -1), { code: 'store.invalid_value' })
    const texts = store.keyspace('texts', { key: utf8, value: json })
    await texts.put('a', 'text')
    await assert.rejects(texts.increment('a'), { code: 'store.not_a_number' })
    await assert.rejects(texts.increment('b', 1n as never), { code: 'store.invalid_value' })
    assert.deepEqual(
      [visits.get('page'), visits.get('less'), texts.get('a')],
      [Number.MAX_SAFE_INTEGER, undefined, 'text'],
    )
  })

  storeTest('merge goes on from the newest value, and keeps when it is due', async ({ store, clock }) => {
    const people = store.keyspace('people', users)
    const older = (user: User | undefined): User => ({ name: user?.name ?? 'new', age: (user?.age ?? 0) + 1 })
    await people.put('a', ada, { ttl: 100 })
    const [first, second] = await Promise.all([people.merge('a', older), people.merge('a', older)])
    assert.deepEqual([first?.age, second?.age], [37, 38])
    await clock.advance(99)
    assert.equal(people.get('a')?.age, 38)
    await clock.advance(1)
    assert.deepEqual(await people.merge('a', older), { name: 'new', age: 1 })
    await clock.advance(1000)
    assert.equal(people.get('a')?.age, 1)
    assert.equal(await people.merge('a', () => undefined), undefined)
    assert.equal(await people.merge('a', () => undefined), undefined)
    assert.equal(people.has('a'), false)
  })

  storeTest('a function that throws, waits or writes changes nothing', async ({ store }) => {
    const people = store.keyspace('people', users)
    await people.put('a', ada)
    const thrown = new Error('thrown')
    const fails = async (change: (user: User | undefined) => unknown, expected: object): Promise<void> => {
      await assert.rejects(people.merge('a', change as never), expected)
    }
    await fails(() => {
      throw thrown
    }, thrown)
    await fails(async () => grace, { code: 'store.bad_argument' })
    let nested: Promise<unknown> | undefined
    await people.merge('a', (user) => {
      nested = people.put('a', grace)
      return user
    })
    await assert.rejects(nested as Promise<unknown>, { code: 'store.inside_merge' })
    assert.deepEqual(people.get('a'), ada)
  })

  storeTest('a merge within the function of a merge is refused: the outer one would undo it', async ({ store }) => {
    const counts = store.keyspace('counters', counters)
    await counts.put('a', 1)
    let nested: Promise<unknown> | undefined
    await counts.merge('a', (count = 0) => {
      nested = counts.increment('a', 10)
      return count + 1
    })
    await assert.rejects(nested as Promise<unknown>, { code: 'store.inside_merge' })
    assert.equal(counts.get('a'), 2)
  })
})

describe('a schema', () => {
  const Person = v.object({ name: v.pipe(v.string(), v.trim()), age: v.pipe(v.number(), v.minValue(0)) })

  storeTest('refuses by key and issue, and gives what is stored', async ({ store }) => {
    const people = store.keyspace('people', { ...users, schema: Person })
    await people.put('a', { name: ' Ada ', age: 36 })
    assert.deepEqual(people.get('a'), ada)
    const wrong = { name: 'Ada', age: -1 }
    await assert.rejects(people.put('b', wrong), (error: { code?: string; message: string }) => {
      assert.equal(error.code, 'store.invalid_value')
      assert.match(error.message, /"b" in people is refused: age: Invalid value/)
      return true
    })
    assert.throws(() => people.batch().put('b', wrong), { code: 'store.invalid_value' })
    await assert.rejects(
      people.merge('a', () => wrong),
      { code: 'store.invalid_value' },
    )
    assert.deepEqual([people.get('a'), people.get('b')], [ada, undefined])
  })

  storeTest('must be synchronous', async ({ store }) => {
    const schema = v.pipeAsync(
      Person,
      v.checkAsync(async () => Promise.reject(new Error('nobody hears this'))),
    )
    const people = store.keyspace('people', { ...users, schema })
    await assert.rejects(people.put('a', ada), { code: 'store.schema_async' })
  })
})

describe('a keyspace refuses by name', () => {
  storeTest('what its codecs do not take, and what they cannot read', async ({ store }) => {
    const people = store.keyspace('people', users)
    await assert.rejects(people.put('a', undefined as never), /the value for "a" in people is refused: the codec json/)
    await assert.rejects(people.put('\ud800', ada), { code: 'codecs.cannot_encode' })
    assert.throws(() => people.get(1 as never), { code: 'codecs.cannot_encode' })
    assert.throws(() => [...store.keyspace('counters', { key: u64, value: u64 }).range({ prefix: 1 })], {
      code: 'store.bad_range',
    })
    await store.keyspace('people', { key: utf8, value: utf8 }).put('a', '{')
    assert.throws(() => people.get('a'), /what is stored at "a" in people cannot be read: the codec json/)
    assert.throws(() => [...people.range()], { code: 'store.bad_record' })
    await assert.rejects(people.put('x'.repeat(9 * KiB), ada), { code: 'engine.key_too_large' })
  })

  storeTest('options that conflict', async ({ store, reopen }) => {
    const refused = (code: string, open: (store: Store) => unknown): void => assert.throws(() => open(store), { code })
    refused('store.bad_argument', () => store.keyspace('', users))
    refused('store.bad_argument', () => store.keyspace('x'.repeat(256), users))
    refused('store.bad_argument', () => store.keyspace('people', { key: utf8 } as never))
    const people = store.keyspace('people', users)
    refused('store.keyspace_codec', () => store.keyspace('people', { key: u64, value: utf8 }))
    refused('store.bad_range', () => [...people.range({ prefix: 'a', gt: 'a' })])
    refused('store.bad_range', () => [...people.range({ gt: 'a', gte: 'a' })])
    refused('store.bad_range', () => [...people.range({ limit: -1 })])
    await people.put('a', ada)
    const again = await reopen()
    assert.throws(() => again.keyspace('people', { key: bytes, value: utf8 }), { code: 'store.keyspace_codec' })
    assert.deepEqual(again.keyspace('people', users).get('a'), ada)
  })

  storeTest('snapshots and batches of another store', async ({ store }) => {
    const other = await open('/other', { ...smallSegments, backend: 'memory' })
    const snapshot = other.snapshot()
    const people = store.keyspace('people', users)
    assert.throws(() => people.at(snapshot), { code: 'store.bad_argument' })
    assert.throws(() => people.batch(other.batch()), { code: 'store.bad_argument' })
    snapshot.close()
    await other.close()
  })

  storeTest('use after the store is closed', async ({ store }) => {
    const people: TypedKeyspace<string, User> = store.keyspace('people', users)
    await store.close()
    const closed = { code: 'store.closed' }
    assert.throws(() => store.keyspace('people', users), closed)
    assert.throws(() => people.get('a'), closed)
    assert.throws(() => [...people.range()], closed)
    assert.throws(() => people.batch(), closed)
    await assert.rejects(people.put('a', ada), closed)
    await assert.rejects(
      people.merge('a', () => ada),
      closed,
    )
  })
})

storeTest('a number that holds records is not given out, though damage took its name', async ({ store, reopen }) => {
  const { owner } = store
  const orphan = encodeText('orphan')
  owner.beginTurn()
  owner.write([
    putChange(1024, orphan, orphan),
    putChange(16, encodeTuple(['index', 1025]), encodeText('{"of":1024,"name":"lost","unique":false,"version":1}')),
  ])
  await store.flush()
  const again = await reopen()
  const people = again.keyspace('people', users)
  assert.deepEqual(keys(people.range()), [])
  await people.put('a', ada)
  assert.deepEqual(keys(people.range()), ['a'])
  assert.ok(again.owner.get(1024, orphan, 0, orphan.length) !== undefined)
})

storeTest('a first write that is refused leaves the name to be written with the next', async ({ store, reopen }) => {
  const people = store.keyspace('people', users)
  await assert.rejects(people.put('a', { name: 'x'.repeat(2 ** 20), age: 1 }), { code: 'engine.value_too_large' })
  await store.put('raw', '1')
  await people.put('a', ada)
  const again = await reopen()
  assert.deepEqual(again.keyspace('people', users).get('a'), ada)
})

test('the directory and its first record survive a power cut together', async () => {
  const disk = new SimulatedDisk()
  const options = { ...smallSegments, disk, clock: new SimulatedClock() }
  const store = await open('/store', options)
  await store.keyspace('people', users).put('a', ada)
  const lost = store.keyspace('pets', users).put('b', grace)
  disk.crash({ mode: 'drop-all' })
  await Promise.allSettled([lost, store.close()])
  const again = await open('/store', options)
  assert.deepEqual(again.keyspace('people', users).get('a'), ada)
  // A number that was given out and lost is given out again: nothing was written under it.
  const birds = again.keyspace('birds', users)
  await birds.put('c', ada)
  assert.deepEqual(keys(again.keyspace('pets', users).range()), [])
  assert.deepEqual(keys(birds.range()), ['c'])
  await again.close()
})
