/** Transactions: what their functions see and write, in typed keyspaces too. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { encodeText } from '@orbitkv/bytes'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { jsonOf, open, type Transaction, utf8 } from './index.ts'
import { entriesOf, keysOf, read, stateOf, storeTest, turn } from './store-suite.ts'
import { add, gate, text } from './transactions-suite.ts'

describe('transactions', () => {
  storeTest('what they write is written together, and they resolve to what their function gives', async ({ store }) => {
    await store.put('a', '1')
    const result = await store.transact((tx) => {
      tx.put('b', '2')
      tx.delete('a')
      assert.equal(store.has('b'), false, 'nobody sees it before the end')
      return 'done'
    })
    assert.equal(result, 'done')
    assert.deepEqual(entriesOf(store), [['b', '2']])
    assert.equal(store.stats().revision, 2, 'one batch, one revision')
    assert.equal(await store.transact(async (tx) => add(tx, 'b', 3)), 5)
    assert.equal(read(store, 'b'), '5')
  })

  storeTest('they see their own writes over the state', async ({ store }) => {
    for (const key of ['a', 'c', 'e', 'g']) await store.put(key, key)
    await store.transact((tx) => {
      tx.put('b', 'B')
      tx.put('c', 'C')
      tx.put('h', 'H')
      tx.delete('e')
      assert.deepEqual(tx.getMany(['a', 'b', 'e']), [encodeText('a'), encodeText('B'), undefined])
      assert.deepEqual([tx.has('c'), tx.has('e'), tx.has('z')], [true, false, false])
      assert.equal(text(tx, 'c'), 'C')
      const all = [
        ['a', 'a'],
        ['b', 'B'],
        ['c', 'C'],
        ['g', 'g'],
        ['h', 'H'],
      ]
      assert.deepEqual(entriesOf(tx as never), all)
      assert.deepEqual(entriesOf(tx as never, { reverse: true }), all.toReversed())
      assert.deepEqual(keysOf(tx as never, { gt: 'a', lte: 'g', limit: 2 }), ['b', 'c'])
      assert.deepEqual(keysOf(tx as never, { gte: 'b', lt: 'h', reverse: true, limit: 2 }), ['g', 'c'])
      assert.deepEqual(keysOf(tx as never, { prefix: 'h' }), ['h'])
      assert.deepEqual(
        Array.from(tx.range(), ({ revision }) => revision),
        [1, 0, 0, 4, 0],
      )
      tx.put('e', 'again')
      tx.delete('b')
      assert.deepEqual(keysOf(tx as never), ['a', 'c', 'e', 'g', 'h'])
      return undefined
    })
    assert.deepEqual(keysOf(store), ['a', 'c', 'e', 'g', 'h'])
  })

  storeTest('what is written while a range runs is seen where it still comes', async ({ store }) => {
    for (const key of ['a', 'b', 'c', 'd']) await store.put(key, key)
    await store.transact((tx) => {
      const seen: string[] = []
      for (const { key, value } of tx.range()) {
        seen.push(`${Buffer.from(key)}=${Buffer.from(value)}`)
        if (seen.length > 1) continue
        tx.delete('b')
        tx.put('c', 'new')
      }
      assert.deepEqual(seen, ['a=a', 'c=new', 'd=d'])
    })
  })

  storeTest('hundreds of keys are found and ordered as few are', async ({ store }) => {
    const name = (i: number): string => `key-${String((i * 7919) % 1000).padStart(4, '0')}`
    await store.transact((tx) => {
      for (let i = 0; i < 1000; i++) tx.put(name(i), `${i}`)
      for (let i = 0; i < 1000; i += 3) tx.delete(name(i))
      for (let i = 0; i < 1000; i++) assert.equal(text(tx, name(i)), i % 3 === 0 ? undefined : `${i}`)
      const keys = keysOf(tx as never)
      assert.deepEqual(keys, keys.toSorted())
      assert.equal(keys.length, 666)
    })
    assert.equal(keysOf(store).length, 666)
  })

  storeTest('bytes that were handed in may be used again at once', async ({ store }) => {
    await store.transact(async (tx) => {
      const key = Buffer.from('k1')
      const value = Buffer.from('v1')
      tx.put(key, value)
      key.write('k2')
      value.write('v2')
      tx.put(key, value)
      key.fill(0)
      value.fill(0)
      await turn()
    })
    assert.deepEqual(entriesOf(store), [
      ['k1', 'v1'],
      ['k2', 'v2'],
    ])
  })

  storeTest('a throw writes nothing and is passed on', async ({ store }) => {
    const oops = new Error('oops')
    const fails = (tx: Transaction): never => {
      tx.put('a', '1')
      throw oops
    }
    await assert.rejects(store.transact(fails), oops)
    await assert.rejects(
      store.transact(async (tx) => {
        await turn()
        fails(tx)
      }),
      oops,
    )
    assert.deepEqual([keysOf(store), store.stats().revision, store.stats().transactionsOpen], [[], 0, 0])
  })

  storeTest('a ttl counts from the put', async ({ store, clock }) => {
    await store.put('old', '1', { ttl: 500 })
    await store.transact((tx) => tx.put('k', 'v', { ttl: 1000 }))
    clock.advance(999)
    assert.deepEqual([read(store, 'k'), await store.transact((tx) => tx.has('old'))], ['v', false])
    clock.advance(1)
    assert.equal(store.has('k'), false)
  })

  storeTest('an asynchronous one reads the state of its beginning', async ({ store }) => {
    await store.put('a', '1')
    await store.put('b', '1')
    const { open, opened } = gate()
    const reading = store.transact(async (tx) => {
      const before = text(tx, 'a')
      await opened
      const later = await Promise.all([tx.getAsync('b'), tx.getAsync('c'), tx.getAsync('d')])
      return [before, text(tx, 'b'), keysOf(tx as never), ...later]
    })
    await store.batch().put('a', '2').put('b', '2').put('c', '2').commit()
    open()
    assert.deepEqual(await reading, ['1', '1', ['a', 'b'], encodeText('1'), undefined, undefined])
    assert.equal(store.stats().transactionConflicts, 0, 'who writes nothing does not conflict')
  })

  storeTest('promises resolve once all is published that was seen and done', async ({ store, disk }) => {
    await store.put('k', '1')
    const hold = disk.holdSyncs()
    const putting = store.put('k', '2')
    const reading = store.transact((tx) => text(tx, 'k'))
    const writing = store.transact((tx) => add(tx, 'k', 1))
    const throwing = store.transact((tx) => {
      throw new Error(`saw ${text(tx, 'k')}`)
    })
    const failed = throwing.catch((error: unknown) => (error as Error).message)
    const states = await Promise.all([putting, reading, writing, throwing].map(stateOf))
    assert.deepEqual(states, ['pending', 'pending', 'pending', 'pending'])
    assert.equal(read(store, 'k'), '1')
    hold.release()
    await putting
    assert.deepEqual([await reading, await writing, await failed, read(store, 'k')], ['2', 3, 'saw 3', '3'])
  })

  storeTest('a snapshot of the state is at hand while writes wait for the disk', async ({ store, disk }) => {
    await store.put('k', '1')
    const hold = disk.holdSyncs()
    const putting = store.put('k', '2')
    const { signal } = new AbortController()
    assert.equal(await store.transact((tx) => text(tx, 'k'), { readOnly: true, signal }), '1')
    assert.equal(await store.transact(async (tx) => text(tx, 'k')), '1')
    hold.release()
    await putting
  })

  storeTest('durability may be lower for one', async ({ store, disk }) => {
    const hold = disk.holdSyncs()
    await store.transact((tx) => tx.put('k', 'v'), { durability: 'none' })
    assert.equal(read(store, 'k'), 'v')
    hold.release()
    await assert.rejects(
      store.transact(() => 1, { durability: 'much' as never }),
      { code: 'store.bad_argument' },
    )
  })
})

interface User {
  readonly name: string
  readonly age: number
}

describe('typed keyspaces in transactions', () => {
  const users = { key: utf8, value: jsonOf<User>() }

  storeTest('are read and written as the transaction is', async ({ store }) => {
    const named = store.keyspace('users', users)
    await named.put('ada', { name: 'Ada', age: 36 })
    await store.put('ada', 'raw')
    await store.transact(async (tx) => {
      const inside = named.in(tx)
      inside.put('grace', { name: 'Grace', age: 40 })
      inside.put('ada', { ...(inside.get('ada') as User), age: 37 })
      tx.put('count', '2')
      assert.equal(text(tx, 'ada'), 'raw', 'a keyspace keeps its keys apart')
      assert.deepEqual(await inside.getAsync('grace'), { name: 'Grace', age: 40 })
      assert.deepEqual([inside.has('ada'), inside.has('x')], [true, false])
      const entries = Array.from(inside.range({ gte: 'a', lt: 'z' }), ({ key, value }) => [key, value.age])
      assert.deepEqual(entries, [
        ['ada', 37],
        ['grace', 40],
      ])
      assert.deepEqual(
        Array.from(inside.range({ reverse: true, limit: 1 }), ({ key }) => key),
        ['grace'],
      )
      inside.delete('grace')
      assert.equal(inside.get('grace'), undefined)
      assert.equal(named.get('ada')?.age, 36, 'nobody else sees it')
    })
    assert.deepEqual([named.get('ada')?.age, named.has('grace'), read(store, 'count')], [37, false, '2'])
  })

  storeTest('conflict in their own keys and ranges only', async ({ store }) => {
    const named = store.keyspace('users', users)
    await named.put('ada', { name: 'Ada', age: 36 })
    const others = [
      [() => store.put('ada', 'raw'), 1],
      [() => named.put('bob', { name: 'Bob', age: 1 }), 2],
      [() => named.put('ada', { name: 'Ada', age: 38 }), 2],
    ] as const
    for (const [between, wanted] of others) {
      let runs = 0
      await store.transact(async (tx) => {
        let sum = 0
        for (const { value } of named.in(tx).range()) sum += value.age
        tx.put('sum', `${sum}`)
        if (++runs === 1) await between()
      })
      assert.equal(runs, wanted)
    }
  })

  storeTest('keep their indexes and schemas', async ({ store }) => {
    const indexes = { name: { by: ({ name }: User) => name, unique: true } }
    const named = store.keyspace('users', { ...users, indexes })
    await store.transact((tx) => named.in(tx).put('1', { name: 'Ada', age: 36 }))
    assert.equal(named.index('name').get('Ada')?.key, '1')
    const twice = store.transact((tx) => {
      tx.put('other', '1')
      named.in(tx).put('2', { name: 'Ada', age: 7 })
    })
    await assert.rejects(twice, { code: 'store.not_unique' })
    assert.deepEqual([named.has('2'), store.has('other')], [false, false])
  })

  storeTest('are refused outside a transaction of their store', async ({ store }) => {
    const named = store.keyspace('users', users)
    let leaked: ReturnType<typeof named.in> | undefined
    await store.transact((tx) => {
      leaked = named.in(tx)
    })
    const ended = { code: 'store.transaction_ended' }
    assert.throws(() => leaked?.get('a'), ended)
    assert.throws(() => leaked?.put('a', { name: '', age: 0 }), ended)
    assert.throws(() => named.in({} as never), { code: 'store.bad_argument' })
    const other = await open('/other', { disk: new SimulatedDisk(), durability: 'none' })
    await other.transact((tx) => {
      assert.throws(() => named.in(tx), { code: 'store.bad_argument' })
    })
    await other.close()
  })
})
