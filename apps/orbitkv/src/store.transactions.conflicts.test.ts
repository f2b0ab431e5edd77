/** Transactions that meet others: when they run again, and in which order. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { encodeText } from '@orbitkv/bytes'
import { putChange } from '@orbitkv/engine'
import { type Store, type Transaction, transactionLimits } from './index.ts'
import { keysOf, read, stateOf, storeTest, turn } from './store-suite.ts'
import { add, gate, text, withoutDisk } from './transactions-suite.ts'

describe('conflicts', () => {
  /** Runs `between` after the first attempt of a transaction has read; how often it ran, and what it gave. */
  async function interrupted<Result>(
    store: Store,
    body: (tx: Transaction) => Result,
    between: () => Promise<unknown>,
  ): Promise<{ runs: number; result: Result }> {
    let runs = 0
    const result = await store.transact(async (tx) => {
      const given = body(tx)
      tx.put('written', `${++runs}`)
      if (runs === 1) await between()
      return given
    })
    return { runs, result }
  }

  const changes: readonly (readonly [
    string,
    (tx: Transaction) => unknown,
    (store: Store) => Promise<unknown>,
    number,
  ])[] = [
    ['a key that it read', (tx) => tx.get('b'), (store) => store.put('b', 'x'), 2],
    ['a key that it read, back to the same value', (tx) => tx.get('b'), (store) => store.put('b', 'b'), 2],
    ['a key that it read and that goes', (tx) => tx.has('b'), (store) => store.delete('b'), 2],
    ['a key that it read without stalling', (tx) => tx.getAsync('b'), (store) => store.put('b', 'x'), 2],
    ['a key that it found missing', (tx) => tx.get('bb'), (store) => store.put('bb', 'x'), 2],
    ['a key that it did not read', (tx) => tx.get('b'), (store) => store.put('c', 'x'), 1],
    ['a key that it only wrote', (tx) => tx.put('b', 'mine'), (store) => store.put('b', 'x'), 1],
    ['a new key in a range that it walked', (tx) => [...tx.range({ gte: 'b' })], (store) => store.put('bb', 'x'), 2],
    ['a key less in it', (tx) => [...tx.range()], (store) => store.delete('c'), 2],
    ['a value in it', (tx) => [...tx.range({ prefix: 'c' })], (store) => store.put('c', 'x'), 2],
    [
      'one key less and one more',
      (tx) => [...tx.range()],
      (store) => store.batch().delete('a').put('aa', '').commit(),
      2,
    ],
    ['a key in an empty range', (tx) => [...tx.range({ prefix: 'x' })], (store) => store.put('xx', 'x'), 2],
    ['a key beside it', (tx) => [...tx.range({ gt: 'a', lt: 'c' })], (store) => store.put('c', 'x'), 1],
    ['a key behind where it stopped', (tx) => [...tx.range({ limit: 2 })], (store) => store.put('bb', 'x'), 1],
    ['a key before where it stopped', (tx) => [...tx.range({ limit: 2 })], (store) => store.put('ab', 'x'), 2],
    ['the same, backward', (tx) => [...tx.range({ limit: 2, reverse: true })], (store) => store.put('bb', 'x'), 2],
    ['a key behind that', (tx) => [...tx.range({ limit: 2, reverse: true })], (store) => store.put('aa', 'x'), 1],
    ['a range that nobody walked', (tx) => tx.range(), (store) => store.put('aa', 'x'), 1],
  ]
  for (const [name, body, between, wanted] of changes) {
    storeTest(`${wanted === 2 ? 'runs again for' : 'does not mind'} ${name}`, async ({ store }) => {
      for (const key of ['a', 'b', 'c']) await store.put(key, key)
      const { runs } = await interrupted(store, body, () => between(store))
      assert.equal(runs, wanted)
      assert.equal(read(store, 'written'), `${wanted}`)
      assert.equal(store.stats().transactionConflicts, wanted - 1)
    })
  }

  storeTest('what a server writes through the door of the owner is a conflict, too', async ({ store }) => {
    await store.put('k', '1')
    const writeAsServer = (value: string): Promise<void> => {
      store.owner.beginTurn()
      store.owner.write([putChange(0, encodeText('k'), encodeText(value))])
      return new Promise((resolve) => store.owner.settle(() => resolve()))
    }
    const first = await interrupted(
      store,
      (tx) => text(tx, 'k'),
      () => writeAsServer('2'),
    )
    assert.deepEqual(first, { runs: 2, result: '2' })
    // One that comes right after a commit may become part of its batch; who began before both must notice.
    const second = await interrupted(
      store,
      (tx) => text(tx, 'k'),
      async () => {
        const committing = store.transact((tx) => tx.put('other', '1'))
        await Promise.all([committing, writeAsServer('3')])
      },
    )
    assert.deepEqual(second, { runs: 2, result: '3' })
  })

  storeTest('a key that expires after it was read is a conflict', async ({ store, clock }) => {
    await store.put('lock', 'held', { ttl: 1000 })
    await store.put('b', '1')
    const first = await interrupted(
      store,
      (tx) => tx.has('lock'),
      async () => clock.advance(1000),
    )
    assert.deepEqual(first, { runs: 2, result: false })
    await store.put('ranged', '', { ttl: 1000 })
    const second = await interrupted(
      store,
      (tx) => keysOf(tx as never),
      async () => clock.advance(1000),
    )
    assert.deepEqual(second, { runs: 2, result: ['b', 'written'] })
  })

  storeTest('one that began on unpublished news goes on, unless it read some', async ({ store, disk }) => {
    for (const key of ['a', 'b']) await store.put(key, '1')
    for (const [key, wanted] of [
      ['b', 1],
      ['a', 2],
    ] as const) {
      const hold = disk.holdSyncs()
      const putting = store.put('a', '2')
      let runs = 0
      const running = store.transact((tx) => {
        runs++
        const value = text(tx, key)
        return turn().then(() => [value, text(tx, 'b')])
      })
      await turn()
      hold.release()
      await putting
      assert.deepEqual(await running, [key === 'a' ? '2' : '1', '1'])
      assert.equal(runs, wanted, key)
    }
  })

  storeTest('the attempts are bounded, and the failure is named', async ({ store }) => {
    let runs = 0
    const losing = store.transact(
      async (tx) => {
        add(tx, 'k', 1)
        await store.put('k', `${runs++}`)
      },
      { attempts: 5 },
    )
    await assert.rejects(losing, { code: 'store.transaction_conflict', details: { attempts: 5 } })
    assert.deepEqual([runs, read(store, 'k'), store.stats().transactionsOpen], [5, '4', 0])
    for (const attempts of [0, 1.5, transactionLimits.attemptsMax + 1]) {
      await assert.rejects(
        store.transact(() => 1, { attempts }),
        { code: 'store.bad_argument' },
      )
    }
  })

  storeTest('an abort ends the attempts', async ({ store }) => {
    const controller = new AbortController()
    let runs = 0
    const losing = store.transact(
      async (tx) => {
        add(tx, 'k', 1)
        await store.put('k', '0')
        if (++runs === 2) controller.abort(new Error('enough'))
      },
      { signal: controller.signal },
    )
    await assert.rejects(losing, /enough/)
    assert.equal(runs, 2)
    await assert.rejects(
      store.transact(() => 1, { signal: controller.signal }),
      /enough/,
    )
  })

  storeTest(
    'a thousand asynchronous ones over one key all come through',
    async ({ store }) => {
      const adding = Array.from({ length: 1000 }, () =>
        store.transact(async (tx) => {
          await turn()
          add(tx, 'sum', 1)
        }),
      )
      await Promise.all(adding)
      assert.equal(read(store, 'sum'), '1000')
    },
    withoutDisk,
  )

  storeTest('synchronous ones over one key never conflict', async ({ store }) => {
    await Promise.all(Array.from({ length: 1000 }, () => store.transact((tx) => add(tx, 'sum', 1))))
    const { transactionConflicts, syncs } = store.stats()
    assert.deepEqual([read(store, 'sum'), transactionConflicts], ['1000', 0])
    assert.ok(syncs < 100, `${syncs} syncs for a thousand that came together`)
  })

  storeTest(
    'one whose lane never moves goes on after a while',
    async ({ store, clock }) => {
      await store.put('k', '0')
      const never = gate()
      let stuckRuns = 0
      const stuck = store.transact(async (tx) => {
        add(tx, 'k', 1)
        if (++stuckRuns === 1) await store.put('k', '10')
        else await never.opened
      })
      let runs = 0
      const other = store.transact(async (tx) => {
        add(tx, 'k', 100)
        if (++runs === 1) await store.put('k', '20')
      })
      assert.equal(await stateOf(other), 'pending')
      await clock.advanceAwaiting(1000)
      await other
      assert.equal(read(store, 'k'), '120')
      never.open()
      await stuck
      assert.equal(read(store, 'k'), '121')
    },
    withoutDisk,
  )
})
