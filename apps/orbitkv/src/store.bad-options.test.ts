/** What is no options, no function and no array is refused by name, by every call that takes some, with nothing changed. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { jsonOf, open, type Store, type Transaction, utf8 } from './index.ts'
import { smallSegments, storeTest } from './store-suite.ts'

const wrong: readonly unknown[] = [null, 7, 'text', () => 1]
/** Of a watch and of a range text or a function may not be either, but an array is an object without any of the options. */
type Call = (given: never, store: Store) => unknown

const codecs = { key: utf8, value: jsonOf<number>() }
const users = (store: Store) => store.keyspace('users', { ...codecs, indexes: { byValue: { by: (v: number) => v } } })
const inside = (store: Store, run: (tx: Transaction) => unknown) => store.transact((tx) => void run(tx))
const first = (entries: Iterable<unknown>) => entries[Symbol.iterator]().next()
const firstAsync = (entries: AsyncIterable<unknown>) => entries[Symbol.asyncIterator]().next()

const takesOptions: Readonly<Record<string, Call>> = {
  'store.put': (given, store) => store.put('k', 'v', given),
  'store.delete': (given, store) => store.delete('k', given),
  'store.range': (given, store) => first(store.range(given)),
  'store.rangeAsync': (given, store) => firstAsync(store.rangeAsync(given)),
  'store.snapshot': (given, store) => store.snapshot(given),
  'store.watch': (given, store) => store.watch(given),
  'store.watch, range': (given, store) => store.watch({ range: given }),
  'store.watcher': (given, store) => store.watcher(0, given, () => undefined),
  'store.transact': (given, store) => store.transact(() => 1, given),
  'store.keyspace': (given, store) => store.keyspace('users', given),
  'store.keyspace, indexes': (given, store) => store.keyspace('users', { ...codecs, indexes: given }),
  'store.keyspace, an index': (given, store) => store.keyspace('users', { ...codecs, indexes: { byValue: given } }),
  'store.keyspace, schema': (given, store) => store.keyspace('users', { ...codecs, schema: given }),
  'batch.put': (given, store) => store.batch().put('k', 'v', given),
  'batch.commit': (given, store) => store.batch().put('k', 'v').commit(given),
  'leases.grant': (given, store) => store.leases.grant(1000, given),
  'tx.put': (given, store) => inside(store, (tx) => tx.put('k', 'v', given)),
  'tx.range': (given, store) => inside(store, (tx) => first(tx.range(given))),
  'keyspace.put': (given, store) => users(store).put('k', 1, given),
  'keyspace.delete': (given, store) => users(store).delete('k', given),
  'keyspace.merge': (given, store) => users(store).merge('k', () => 1, given),
  'keyspace.increment': (given, store) => users(store).increment('k', 1, given),
  'keyspace.batch().put': (given, store) => users(store).batch().put('k', 1, given),
  'keyspace.batch().commit': (given, store) => users(store).batch().put('k', 1).commit(given),
  'keyspace.range': (given, store) => first(users(store).range(given)),
  'keyspace.rangeAsync': (given, store) => firstAsync(users(store).rangeAsync(given)),
  'keyspace.in(tx).put': (given, store) => inside(store, (tx) => users(store).in(tx).put('k', 1, given)),
  'keyspace.in(tx).range': (given, store) => inside(store, (tx) => first(users(store).in(tx).range(given))),
  'index.range': (given, store) => first(users(store).index('byValue').range(given)),
  'index.rangeAsync': (given, store) => firstAsync(users(store).index('byValue').rangeAsync(given)),
}

const takesFunction: Readonly<Record<string, Call>> = {
  'store.view': (given, store) => store.view('k', given),
  'store.transact': (given, store) => store.transact(given),
  'tx.view': (given, store) => inside(store, (tx) => tx.view('k', given)),
  'keyspace.view': (given, store) => users(store).view('k', given),
  'keyspace.merge': (given, store) => users(store).merge('k', given),
}

const takesArray: Readonly<Record<string, Call>> = {
  'store.getMany': (given, store) => store.getMany(given),
  'store.getManyAsync': (given, store) => store.getManyAsync(given),
  'tx.getMany': (given, store) => inside(store, (tx) => tx.getMany(given)),
  'keyspace.getMany': (given, store) => users(store).getMany(given),
  'keyspace.getManyAsync': (given, store) => users(store).getManyAsync(given),
}

function refusals(calls: Readonly<Record<string, Call>>, given: readonly unknown[]): void {
  for (const [name, call] of Object.entries(calls)) {
    storeTest(`${name} refuses what it cannot take`, async ({ store }) => {
      await users(store).index('byValue').ready()
      const before = store.stats().revision
      for (const one of given) {
        // Thrown or rejected: a call that gives a promise never throws.
        await assert.rejects(async () => call(one as never, store), { code: 'store.bad_argument', retry: 'no' })
      }
      assert.equal(store.stats().revision, before, 'nothing was written')
      assert.equal(store.stats().watchesOpen + store.stats().snapshotsOpen + store.stats().transactionsOpen, 0)
    })
  }
}

refusals(takesOptions, wrong)
refusals(takesFunction, [null, undefined, 7, {}])
refusals(takesArray, [null, undefined, 'text', { length: 1 }])

test('open refuses options that are none', async () => {
  for (const given of [null, 7, 'text']) {
    await assert.rejects(open('/store', given as never), { code: 'store.bad_argument' })
  }
  const store = await open('/store', { ...smallSegments, disk: new SimulatedDisk(), clock: new SimulatedClock() })
  await store.close()
})
